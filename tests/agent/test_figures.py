"""How figures read."""

import doctest
from datetime import date, datetime
from decimal import Decimal

import pytest

from finops_assistant.agent import figures, untrusted


@pytest.mark.parametrize("module", [figures, untrusted])
def test_examples(module: object) -> None:
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (Decimal("1234.5"), "USD", "$1,234.50"),
        (Decimal("-1234.5"), "USD", "-$1,234.50"),
        (Decimal("0"), "USD", "$0.00"),
        (Decimal("1.005"), "USD", "$1.00"),  # half to even
        (Decimal("2.5"), "EUR", "EUR 2.50"),
        (2.314, "USD/1M tokens", "$2.31 per 1M tokens"),
        (Decimal("0.25"), "ratio", "25%"),
        (1_234_567, "tokens", "1,234,567"),
        (Decimal("3.10"), "hours", "3.1"),
        (None, "USD", "n/a"),
        ("search", "text", "search"),
        (date(2026, 10, 1), "date", "1 October 2026"),
    ],
)
def test_cell(value: object, unit: str, shown: str) -> None:
    assert figures.cell(value, unit) == shown  # type: ignore[arg-type]


def test_cell_in_the_currency_of_its_row() -> None:
    assert figures.cell(Decimal(7), "currency", currency="EUR") == "EUR 7.00"


def test_hours_show_the_time() -> None:
    assert figures.cell(datetime(2026, 10, 1, 13), "date", grain="hour") == "1 October 2026 13:00"  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("<b>x</b>", "\\<b\\>x\\</b\\>"),
        ("snake_case_name", "snake_case_name"),
        ("_emphasis_", "\\_emphasis\\_"),
        ("\x1b[31mred", " \\[31mred".strip()),
        ("{r1.0.effective_cost}", "\\{r1.0.effective_cost\\}"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA…"),
    ],
)
def test_names_from_data_stay_text(text: str, shown: str) -> None:
    assert untrusted.markdown(text) == shown
