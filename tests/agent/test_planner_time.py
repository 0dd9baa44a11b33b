"""Periods on other days than the first of a month, and other extents of the data."""

from __future__ import annotations

from datetime import date

import pytest

from finops_assistant.agent.plan import AbstainPlan, QueryPlan
from finops_assistant.agent.planner import periods
from finops_assistant.agent.planner.parse import parse
from finops_assistant.store.query import MetricQuery
from tests.agent.planner_world import VALUES, FakeCatalogue, FakeFacts, view

TODAY = date(2026, 10, 15)  # a Thursday; the last day with data is the 14th
FACTS = FakeFacts(date(2024, 1, 1), date(2026, 10, 14))


def query(text: str, today: date = TODAY, facts: FakeFacts = FACTS) -> MetricQuery:
    step = parse(text, view(as_of=today, facts=facts)).step
    assert isinstance(step, QueryPlan), step
    return step.query


@pytest.mark.parametrize(
    ("words", "start", "end", "partial"),
    [
        ("last month", "2026-09-01", "2026-10-01", False),
        ("this month", "2026-10-01", "2026-10-15", True),
        ("month to date", "2026-10-01", "2026-10-15", True),
        ("in October", "2026-10-01", "2026-10-15", True),
        ("in November", "2025-11-01", "2025-12-01", False),
        ("in Sept 2025", "2025-09-01", "2025-10-01", False),
        ("last October", "2025-10-01", "2025-11-01", False),
        ("last week", "2026-10-05", "2026-10-12", False),
        ("this week", "2026-10-12", "2026-10-15", True),
        ("the last 7 days", "2026-10-08", "2026-10-15", False),
        ("the last 30d", "2026-09-15", "2026-10-15", False),
        ("the last 3 months", "2026-07-01", "2026-10-01", False),
        ("the last two full months", "2026-08-01", "2026-10-01", False),
        ("the past couple of weeks", "2026-09-28", "2026-10-12", False),
        ("last quarter", "2026-07-01", "2026-10-01", False),
        ("this quarter", "2026-10-01", "2026-10-15", True),
        ("in Q4", "2026-10-01", "2026-10-15", True),
        ("in Q3 of last year", "2025-07-01", "2025-10-01", False),
        ("last year", "2025-01-01", "2026-01-01", False),
        ("year to date", "2026-01-01", "2026-10-15", True),
        ("in 2025", "2025-01-01", "2026-01-01", False),
        ("in H2 2025", "2025-07-01", "2026-01-01", False),
        ("since June", "2026-06-01", "2026-10-15", False),
        ("since the beginning of the year", "2026-01-01", "2026-10-15", True),
        ("from November to January", "2025-11-01", "2026-02-01", False),
        ("from June 2025 to August", "2025-06-01", "2025-09-01", False),
        ("from June to August 2025", "2025-06-01", "2025-09-01", False),
        ("until March 2024", "2024-01-01", "2024-04-01", False),
        ("after June", "2026-07-01", "2026-10-15", False),
        ("before 2025", "2024-01-01", "2025-01-01", False),
        ("yesterday", "2026-10-14", "2026-10-15", False),
        ("on Monday", "2026-10-12", "2026-10-13", False),
        ("last thursday", "2026-10-08", "2026-10-09", False),
        ("over the weekend", "2026-10-10", "2026-10-12", False),
        ("on 12 October", "2026-10-12", "2026-10-13", False),
        ("on Oct 5th, 2025", "2025-10-05", "2025-10-06", False),
        ("on 20 October", "2025-10-20", "2025-10-21", False),
        ("on the 5th", "2026-10-05", "2026-10-06", False),
        ("on 12.10.2025", "2025-10-12", "2025-10-13", False),
        ("on 25/12/2025", "2025-12-25", "2025-12-26", False),
        ("on 12/25/2025", "2025-12-25", "2025-12-26", False),
        ("on 05/05/2026", "2026-05-05", "2026-05-06", False),
        ("between 28 September and 4 October", "2026-09-28", "2026-10-05", False),
        ("for 3-9 October", "2026-10-03", "2026-10-10", False),
        ("in the week of 5 October", "2026-10-05", "2026-10-12", False),
        ("in week 40", "2026-09-28", "2026-10-05", False),
        ("2 months ago", "2026-08-01", "2026-09-01", False),
        ("the month before last", "2026-08-01", "2026-09-01", False),
        ("the day before yesterday", "2026-10-13", "2026-10-14", False),
        ("in the first half of September", "2026-09-01", "2026-09-16", False),
        ("all time", "2024-01-01", "2026-10-15", False),
        ("in 2026-08", "2026-08-01", "2026-09-01", False),
        ("in oct '25", "2025-10-01", "2025-11-01", False),
        ("ytd", "2026-01-01", "2026-10-15", True),
    ],
)
def test_period(words: str, start: str, end: str, partial: bool) -> None:
    time = query(f"AWS spend {words}").time
    assert (time.start.isoformat(), time.end.isoformat()) == (start, end)
    assert time.partial is partial
    assert time.source == "stated"


def test_without_a_period_the_last_complete_month_is_said() -> None:
    plan = parse("AWS spend", view(as_of=TODAY, facts=FACTS))
    assert isinstance(plan.step, QueryPlan)
    assert plan.step.query.time.start == date(2026, 9, 1)
    assert plan.step.query.time.source == "default"
    assert any("September 2026" in note for note in plan.disclosures)


def test_without_a_complete_month_all_the_data_is_taken() -> None:
    short = FakeFacts(date(2026, 10, 3), date(2026, 10, 14))
    time = query("AWS spend", facts=short).time
    assert (time.start, time.end) == (date(2026, 10, 3), date(2026, 10, 15))


def test_a_trend_takes_the_twelve_complete_months_that_exist() -> None:
    time = query("AWS spend trend").time
    assert (time.start, time.end) == (date(2025, 10, 1), date(2026, 10, 1))
    short = FakeFacts(date(2026, 5, 20), date(2026, 10, 14))
    assert query("AWS spend trend", facts=short).time.start == date(2026, 6, 1)


def test_a_running_month_is_compared_with_the_same_days() -> None:
    for text in (
        "how does this month compare to last month",
        "AWS spend this month vs last month",
        "AWS spend so far this month vs the same days last month",
        "is AWS spend higher than last month?",
    ):
        compare = query(text).compare
        assert compare is not None, text
        assert compare.kind == "same_days_previous", text
        assert compare.baseline is not None
        assert (compare.baseline.start, compare.baseline.end) == (
            date(2026, 9, 1),
            date(2026, 9, 15),
        ), text


def test_a_year_ago() -> None:
    compare = query("AWS spend in September vs a year ago").compare
    assert compare is not None
    assert compare.kind == "year_ago"
    assert compare.baseline is not None
    assert compare.baseline.start == date(2025, 9, 1)


def test_data_that_ends_before_today_is_no_data_yet() -> None:
    late = FakeFacts(date(2024, 1, 1), date(2026, 8, 20))
    step = parse("AWS spend last month", view(as_of=TODAY, facts=late)).step
    assert isinstance(step, AbstainPlan)
    assert step.reason == "OUT_OF_RANGE"
    assert query("AWS spend in August", facts=late).time.partial


def test_the_billing_period_is_an_axis_of_its_own() -> None:
    assert query("billed cost by billing period September").time.axis == "billing"
    assert query("billed cost in September").time.axis == "charge"


def test_a_range_of_inferred_years_is_said() -> None:
    plan = parse("AWS spend in November", view(as_of=TODAY, facts=FACTS))
    assert any("November 2025" in note for note in plan.disclosures)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("teams over $1.2k last month", "1200"),
        ("teams over 2M last month", "2000000"),
        ("teams over $1,000.50 last month", "1000.50"),
        ("teams over 1.000,50 last month", "1000.50"),
        ("teams over five thousand dollars last month", "5000"),
        ("teams above USD 300 last month", None),
    ],
)
def test_numbers(text: str, value: str | None) -> None:
    step = parse(text, view(as_of=TODAY, facts=FACTS)).step
    if value is None:
        assert step.intent != "query" or str(step.query.having[0].value) == "300"
        return
    assert isinstance(step, QueryPlan), step
    assert f"{step.query.having[0].value.normalize():f}" == f"{float(value):.10g}"


def test_a_large_catalogue_changes_nothing() -> None:
    large = FakeCatalogue(
        {
            **VALUES,
            "resource_id": tuple(f"i-{n:08x}" for n in range(100_000)),
            "customer": (*VALUES["customer"], *(f"client-{n}" for n in range(4000))),
        }
    )
    step = parse("spend for the serach team on i-0000002a", view(catalogue=large)).step
    assert isinstance(step, QueryPlan), step
    named = {f.dimension: f.values[0].canonical for f in step.query.filters}
    assert named == {"team": "search", "resource_id": "i-0000002a"}


def test_spans_point_into_the_question() -> None:
    text = "AWS spend by team last month"
    plan = parse(text, view())
    roles = {s.text: s.role for s in plan.spans}
    assert roles["AWS"] == "value"
    assert roles["last month"] == "time"
    assert roles["team"] == "dimension"
    assert all(text[s.start : s.end] == s.text for s in plan.spans)
    assert plan.unconsumed == ()


def test_confidence_falls_with_assumptions() -> None:
    sure = parse("effective cost of AWS in September", view()).confidence
    guess = parse("serach team spend", view()).confidence
    assert sure == 1.0
    assert 0.5 < guess < sure


def test_a_period_beyond_the_calendar_ends_where_the_calendar_does() -> None:
    assert periods.shift(date(2026, 11, 1), "year", -5000) == date(1900, 1, 1)
    assert periods.shift(date(2026, 11, 1), "day", 10**12) == date(2099, 12, 31)
