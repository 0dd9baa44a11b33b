"""Follow-ups change one thing about the query before; expectations are written by hand."""

from __future__ import annotations

from datetime import date

import pytest

from finops_assistant.agent.plan import ClarifyPlan, Plan, QueryPlan
from finops_assistant.agent.planner.parse import parse
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Column, Result, Scope
from tests.agent.planner_world import view


def talk(*questions: str) -> Plan:
    """The plan of the last question of a conversation."""
    plan: Plan | None = None
    for question in questions:
        plan = parse(question, view(plan))
    assert plan is not None
    return plan


def query(plan: Plan) -> MetricQuery:
    assert isinstance(plan.step, QueryPlan), plan.step
    return plan.step.query


def where(plan: Plan) -> dict[str, str]:
    return {
        f.dimension: ("" if f.op == "in" else f"{f.op} ") + ",".join(v.canonical for v in f.values)
        for f in query(plan).filters
    }


FIRST = "what did prod cost in September?"


@pytest.mark.parametrize(
    ("follow_up", "filters"),
    [
        ("and for staging?", {"environment": "staging"}),
        ("what about Azure", {"environment": "prod", "provider": "Microsoft"}),
        ("only the search team", {"environment": "prod", "team": "search"}),
        ("excluding tax", {"environment": "prod", "charge_category": "not_in Tax"}),
        ("add staging", {"environment": "prod,staging"}),
        ("and without a project?", {"environment": "prod", "project": "is_null "}),
    ],
)
def test_a_filter_is_changed_and_the_period_kept(follow_up: str, filters: dict[str, str]) -> None:
    plan = talk(FIRST, follow_up)
    assert where(plan) == filters
    assert query(plan).time.start == date(2026, 9, 1)
    assert query(plan).time.source == "inherited"
    assert plan.context.op == "patch"


def test_by_model_top_three_weekly_and_billed() -> None:
    assert query(talk(FIRST, "by team")).dimensions == ("team",)
    ranked = query(talk(FIRST, "by team", "top 3 instead"))
    assert (ranked.dimensions, ranked.limit, ranked.show) == (("team",), 3, "rank")
    weekly = query(talk(FIRST, "show it per week"))
    assert (weekly.grain, weekly.show) == ("week", "series")
    corrected = talk(FIRST, "no, I meant billed")
    assert query(corrected).metrics == ("billed_cost",)
    assert query(corrected).basis == "billed"
    assert corrected.context.op == "correct"


def test_a_new_period_keeps_everything_else() -> None:
    plan = talk(FIRST, "by service", "and last month?")
    assert query(plan).time.start == date(2026, 10, 1)
    assert query(plan).dimensions == ("service",)
    assert where(plan) == {"environment": "prod"}


def test_what_was_carried_over_is_said() -> None:
    assert any("environment prod" in note for note in talk(FIRST, "by service").disclosures)


def test_a_full_question_is_not_a_patch() -> None:
    plan = talk(FIRST, "how much did AWS cost in October?")
    assert where(plan) == {"provider": "AWS"}
    assert plan.context.op == "new"
    ranked = talk(FIRST, "which team spends most?")
    assert where(ranked) == {"team": "not_null "}


def test_a_comparison_goes_on() -> None:
    plan = talk("did spend go up in October?", "and for AWS?")
    compare = query(plan).compare
    assert compare is not None
    assert compare.baseline is not None
    assert compare.baseline.start == date(2026, 9, 1)


def test_compare_with_the_previous_month() -> None:
    compare = query(talk(FIRST, "Compare with the previous month")).compare
    assert compare is not None
    assert compare.baseline is not None
    assert compare.baseline.start == date(2026, 8, 1)


@pytest.mark.parametrize(
    "suggested", ["Break it down by team", "Show it by month", "Show it by day"]
)
def test_suggested_follow_ups_are_patches(suggested: str) -> None:
    assert talk(FIRST, suggested).context.op == "patch"


def test_reset_forgets() -> None:
    assert isinstance(talk(FIRST, "reset").step, ClarifyPlan)
    after = talk(FIRST, "reset", "and for dev?").step
    assert isinstance(after, ClarifyPlan)
    assert after.reason == "NO_REFERENT"


def test_an_option_may_be_clicked_named_or_counted() -> None:
    asked = "spend for marketing last month"
    for reply in ("the second one", "2", "project", "spend for project marketing last month"):
        assert where(talk(asked, reply)) == {"project": "marketing"}


def test_a_question_back_within_a_patch_keeps_what_was_asked_before() -> None:
    plan = talk(FIRST, "and for the quantum team?")
    assert isinstance(plan.step, ClarifyPlan)
    chosen = parse(plan.step.options[0], view(plan))
    assert where(chosen) == {"environment": "prod", "team": "search"}
    assert query(chosen).time.start == date(2026, 9, 1)


def test_an_aside_does_not_end_the_conversation() -> None:
    plan = talk(FIRST, "why?", "by team")
    assert query(plan).dimensions == ("team",)
    assert where(plan) == {"environment": "prod"}


def _table(dimension: str, *names: str) -> Result:
    return Result(
        id="r1", title="", columns=(Column(dimension, "text"), Column("effective_cost", "USD")),
        rows=tuple((name, 1) for name in names), row_count=len(names), truncated=False,
        query=None, sql="", scope=Scope(date(2026, 10, 1), date(2026, 11, 1)),
    )  # fmt: skip


def test_a_row_of_the_answer() -> None:
    first = parse("top 3 services last month", view())
    shown = (_table("service", "Amazon Bedrock", "AWS Lambda", "BigQuery"),)
    plan = parse("break the second one down by team", view(first, shown))
    assert where(plan) == {"service": "AWS Lambda"}
    assert query(plan).dimensions == ("team",)


def test_they_means_the_one_that_led() -> None:
    first = parse("who spent most last month?", view())
    shown = (_table("team", "fraud"),)
    plan = parse("what did they spend on?", view(first, shown))
    assert where(plan) == {"team": "fraud"}
    assert query(plan).dimensions == ("service",)
    alone = parse("what did they spend on?", view(first)).step
    assert isinstance(alone, ClarifyPlan)
    assert alone.reason == "NO_REFERENT"


def test_which_ones_after_a_count() -> None:
    plan = talk("how many teams spent over $1k last month?", "and over $5k?", "which ones?")
    assert query(plan).dimensions == ("team",)
    assert query(plan).show == "table"
    assert query(plan).having[0].value == 5000


def test_a_plan_survives_the_checkpoint() -> None:
    plan = talk(FIRST, "and for the quantum team?")
    assert Plan.model_validate(plan.model_dump(mode="json")) == plan
