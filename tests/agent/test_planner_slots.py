"""General ways of asking, and the slots they mean, written by hand from the plain meaning."""

from __future__ import annotations

from typing import Any

import pytest

from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, QueryPlan, RefusePlan
from finops_assistant.agent.planner.parse import parse
from tests.agent.planner_world import view
from tests.agent.test_planner_questions import days, slots

OCT, SEP, AUG, JUL = "2026-10", "2026-09", "2026-08", "2026-07"
Q3 = ("2026-07-01", "2026-09-30")
EACH_SERVICE = "Amazon Elastic Compute Cloud,Amazon Simple Storage Service"
CASES: dict[str, tuple[str | tuple[str, str], dict[str, Any]]] = {
    # a verb with an object is no condition; the noun is
    "what did serving Casa Verde cost in August": (AUG, {"customer": "Casa Verde"}),
    "Casa Verde: what did serving them come to in August": (AUG, {"customer": "Casa Verde"}),
    "hosting prod in October, the bill?": (OCT, {"environment": "prod"}),
    "serving cost in October": (OCT, {"workload_type": "inference"}),
    "what did we spend on training in Q3": (Q3, {"workload_type": "training"}),
    # all of it is a total
    "one number please: september, all vendors": (SEP, {}),
    "what did all suppliers cost us in Q3": (Q3, {}),
    "October cost, every supplier added up": (OCT, {}),
    "the whole bill for July, every provider rolled into one": (JUL, {}),
    "total for Q3 across every vendor": (Q3, {}),
    "For the board pack: company-wide cloud and AI costs in Q3?": (Q3, {}),
    "cost for every team in October": (OCT, {"by": "team", "show": "table"}),
    "all vendors in October, highest first": (OCT, {"by": "provider", "show": "table"}),
    "Aug + Sept combined": (("2026-08-01", "2026-09-30"), {}),
    "Aug and Sept": (("2026-08-01", "2026-09-30"), {"grain": "month", "show": "series"}),
    # dates
    "bill for Wed 16 Sept?": ("2026-09-16", {}),
    "cost on Thu, Oct 15": ("2026-10-15", {}),
    "The weekend of 24-25 October, what did it run us on AWS?": (
        ("2026-10-24", "2026-10-25"), {"provider": "AWS"},
    ),
    "AWS the weekend of 10/11 October": (("2026-10-10", "2026-10-11"), {"provider": "AWS"}),
    "week of Monday 12 October, just us in ml-research: cost?": (
        ("2026-10-12", "2026-10-18"), {"team": "ml-research"},
    ),
    "week ending Sunday 11 October, AWS": (("2026-10-05", "2026-10-11"), {"provider": "AWS"}),
    "spend w/c 12 October": (("2026-10-12", "2026-10-18"), {}),
    "spend in the 14 days from 1 October": (("2026-10-01", "2026-10-14"), {}),
    "weekly totals from Monday 28 September through Sunday 25 October 2026": (
        ("2026-09-28", "2026-10-25"), {"grain": "week", "show": "series"},
    ),
    "Month by month since January, everything.": (
        ("2026-01-01", "2026-10-31"), {"grain": "month", "show": "series"},
    ),
    "spend two months back": (SEP, {}),
    # lists and shares
    "ec2 and s3 - one line each, July": (
        JUL, {"by": "service", "service": EACH_SERVICE, "show": "table"},
    ),
    "cost in Q3, one row per supplier": (Q3, {"by": "provider", "show": "table"}),
    "region split for AWS compute, October": (
        OCT, {"by": "region", "provider": "AWS", "category": "Compute", "show": "table"},
    ),
    "AWS next to Azure, Q3": (
        Q3, {"provider": "AWS,Microsoft", "show": "table", "compare": "values"},
    ),
    "Of our Azure spend in Q3, what share went to prod?": (
        Q3, {"by": "environment", "provider": "Microsoft", "environment": "prod", "show": "share"},
    ),
    # conditions said in passing
    "Q3, but without the dev environment": (Q3, {"environment": "not dev"}),
    "how much came back to us as credits in Q3": (Q3, {"charge_category": "Credit"}),
    "how much in September had no team on it": (SEP, {"team": "is_null"}),
    "reportedly AWS was dear in October": (OCT, {"provider": "AWS"}),
}  # fmt: skip


@pytest.mark.parametrize("question", CASES)
def test_general_phrasings_mean_these_slots(question: str) -> None:
    step = parse(question, view()).step
    assert isinstance(step, QueryPlan), step
    period, wanted = CASES[question]
    assert slots(step.query) == {"time": days(period), **wanted}


def test_how_much_more_compares_the_two_periods() -> None:
    step = parse("Oct vs Sept, how much more?", view()).step
    assert isinstance(step, QueryPlan)
    assert slots(step.query) == {
        "time": days(OCT), "compare": "explicit", "baseline": days(SEP),
    }  # fmt: skip


@pytest.mark.parametrize(
    "question",
    [
        "retag all the untagged October charges to platform",
        "rename team search to discovery",
        "move the search project to the platform team",
        "scale the gpu cluster to zero",
        "turn the staging clusters off",
        "stop paying Snowflake",
        "email the October bill to finance",
    ],
)
def test_orders_to_change_something_are_refused(question: str) -> None:
    step = parse(question, view()).step
    assert isinstance(step, RefusePlan), step
    assert step.reason == "WRITE_ACTION"


@pytest.mark.parametrize(
    "question", ["how did AWS cost move in Q3", "tagged spend in October", "send me the AWS bill"]
)
def test_questions_with_such_words_are_answered(question: str) -> None:
    assert isinstance(parse(question, view()).step, QueryPlan)


@pytest.mark.parametrize("question", ["total for calendar 2024", "AWS back in May 2025?"])
def test_a_period_outside_the_data_is_told(question: str) -> None:
    step = parse(question, view()).step
    assert isinstance(step, AbstainPlan), step
    assert step.reason == "OUT_OF_RANGE"


def test_a_measure_without_a_source_is_declined_before_a_name_is_asked_back() -> None:
    step = parse("Cost per request for the help-assistant in September", view()).step
    assert isinstance(step, AbstainPlan), step
    assert step.reason == "NO_DATA_SOURCE"


@pytest.mark.parametrize(
    "question",
    [
        "spend on Monday 13 October 2026",  # a Tuesday
        "AWS the weekend of 20-21 October",  # a Tuesday and a Wednesday
        "July + September combined",  # two stretches
        "cost for the newsletter in October",  # an unknown name
        "for the payments team: cost in October",
        "partly AWS cost in October",  # a quantity
    ],
)
def test_what_could_change_the_figure_is_asked_back(question: str) -> None:
    assert isinstance(parse(question, view()).step, ClarifyPlan)
