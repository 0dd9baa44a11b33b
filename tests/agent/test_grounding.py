"""Figures come from cells, and nothing else may look like one."""

from datetime import date
from decimal import Decimal

import pytest

from finops_assistant.agent import numerals
from finops_assistant.agent.placeholders import Filled, UnknownCellError, fill
from finops_assistant.store.result import Column, Result, Scope


@pytest.fixture
def result() -> Result:
    return Result(
        id="r1",
        title="by team",
        columns=(
            Column("team", "text"),
            Column("effective_cost", "USD"),
            Column("effective_cost_change", "USD"),
        ),
        rows=(("search", Decimal("12345.678"), Decimal("-3.2")), ("a|b 7", Decimal(2), Decimal(1))),
        row_count=2,
        truncated=False,
        query=None,
        sql="",
        scope=Scope(date(2026, 10, 1), date(2026, 11, 1), currency="USD"),
    )


def test_a_figure_is_bound_to_its_cell(result: Result) -> None:
    filled = fill("**{r1.0.effective_cost}** by {r1.1.team}", {"r1": result})
    assert filled.text == "**$12,345.68** by a\\|b 7"
    figure, name = filled.bound
    assert figure.to_json() == {
        "text": "$12,345.68",
        "value": Decimal("12345.678"),
        "unit": "USD",
        "result": "r1",
        "row": 0,
        "column": "effective_cost",
    }
    assert filled.text[figure.start : figure.end] == figure.text
    assert filled.text[name.start : name.end] == name.text
    assert not name.is_number


def test_signs(result: Result) -> None:
    template = (
        "{r1.0.effective_cost_change|unsigned} {r1.1.effective_cost_change|signed} "
        "{r1.0.effective_cost_change|signed}"
    )
    assert fill(template, {"r1": result}).text == "$3.20 +$1.00 -$3.20"


@pytest.mark.parametrize("hole", ["{r2.0.team}", "{r1.9.team}", "{r1.0.nothing}"])
def test_a_placeholder_without_a_cell_is_an_error(result: Result, hole: str) -> None:
    with pytest.raises(UnknownCellError):
        fill(hole, {"r1": result})


def test_an_escaped_placeholder_stays_text(result: Result) -> None:
    assert fill("\\{r1.0.effective_cost\\}", {"r1": result}).bound == ()


@pytest.mark.parametrize(
    "text",
    [
        "Spend was $12,345.",
        "up 12% on the month",
        "7 teams",
        "about 3.5 million",
        "H200 costs more",
        "in 2026 it was 1999.5",
        "the 2 dearest",
    ],
)
def test_a_numeral_without_a_cell_is_refused(text: str) -> None:
    with pytest.raises(numerals.UngroundedError):
        numerals.check(Filled(text, ()), "What did we spend?")


@pytest.mark.parametrize(
    "text",
    [
        "no figures at all",
        "1–31 October 2026",
        "28 September – 4 October 2026",
        "2026-10-01 to 2026-11-01",
        "Q4 2026, October 2026, 2026",
        "the 2nd of three",
        "1. first\n2. second",
        "gpt-4o-mini in us-east-1",
        "the top 5",
        "above 1,000",
    ],
)
def test_dates_ordinals_names_and_the_questions_own_figures_stand(text: str) -> None:
    question = "top 5 over 1000?"
    assert numerals.unbound(Filled(text, ()), question, ["gpt-4o-mini", "us-east-1"]) == []


def test_names_are_found_however_they_are_written() -> None:
    text = "cost per 1M tokens of GPT-4.1"
    assert numerals.unbound(Filled(text, ()), "", ["Cost per 1M tokens", "gpt-4.1"]) == []
