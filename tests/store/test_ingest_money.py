"""Exact money: equal sums up to 12 decimals, half-even beyond, room for a million and more."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]
TWELVE = Decimal("1e-12")


def test_twelve_decimals_add_up_exactly(home: Home, bill: Bill, ask: Ask) -> None:
    chance = random.Random(7)  # noqa: S311
    costs = [f"{chance.randrange(-(10**17), 10**17) * TWELVE:.12f}" for _ in range(2000)]
    file = ingest(home, [bill("a.csv", [{"BilledCost": c} for c in costs])]).files[0]
    exact = sum(map(Decimal, costs))
    assert ask("SELECT sum(BilledCost) FROM focus") == [(exact,)]
    assert file.totals[0].billed == exact
    assert file.totals[0].billed_in_file is None


def test_digits_beyond_the_twelfth_are_rounded_half_even_and_the_difference_is_said(
    home: Home, bill: Bill, ask: Ask
) -> None:
    costs = [
        "0.0000000000005",
        "0.0000000000015",
        "-0.0000000000025",
        "0.00000000000050000001",
        "0.30000000000000004",
        "1.23e-10",
        "2.5E-13",
    ]
    file = ingest(home, [bill("a.csv", [{"BilledCost": c} for c in costs])]).files[0]
    rounded = [Decimal(c).quantize(TWELVE, rounding=ROUND_HALF_EVEN) for c in costs]
    stored = [value for (value,) in ask("SELECT BilledCost FROM charges ORDER BY rowid")]
    assert stored == rounded
    total = file.totals[0]
    assert total.billed == sum(rounded)
    assert total.billed_in_file == sum(map(Decimal, costs))
    assert total.to_json()["billed_difference"] == sum(rounded) - sum(map(Decimal, costs))
    assert "beyond the 12th decimal" in file.message
    kept = ask("SELECT billed, billed_in_file FROM file_totals")
    assert kept == [(total.billed, total.billed_in_file)]


def test_an_exponent_without_lost_digits_is_exact(home: Home, bill: Bill, ask: Ask) -> None:
    file = ingest(home, [bill("a.csv", [{"BilledCost": "4E-7"}, {"BilledCost": "1.5e3"}])]).files[0]
    assert ask("SELECT sum(BilledCost) FROM focus") == [(Decimal("1500.0000004"),)]
    assert file.totals[0].billed_in_file is None


def test_a_million_widens_the_column_and_keeps_what_was_there(
    home: Home, bill: Bill, ask: Ask
) -> None:
    ingest(home, [bill("a.csv", [{"BilledCost": "999999.999999999999"}])])
    kinds = (
        "SELECT column_type FROM (DESCRIBE focus) WHERE column_name IN ('BilledCost', 'ListCost')"
    )
    assert ask(kinds) == [("DECIMAL(18,12)",), ("DECIMAL(18,12)",)]
    ingest(home, [bill("b.csv", [{"BilledCost": "1000000.000000000001", "day": "2024-09-02"}])])
    assert ask(kinds) == [("DECIMAL(38,12)",), ("DECIMAL(18,12)",)]
    ingest(home, [bill("c.csv", [{"BilledCost": "-2000000", "day": "2024-09-03"}])])
    assert ask("SELECT sum(BilledCost) FROM focus") == [(Decimal("0E-12"),)]


def test_quantities_keep_fifteen_decimals(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", [{"ConsumedQuantity": "12345678901.123456789012345"}])])
    assert ask("SELECT ConsumedQuantity FROM focus") == [(Decimal("12345678901.123456789012345"),)]
