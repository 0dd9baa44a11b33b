"""Billed against priced: every part by hand, and the parts always sum to the difference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assistant.store.reconcile import PARTS, Day, Line, last_month, line_of

D = Decimal


def day(number: int, **more: object) -> Day:
    values: dict[str, object] = {
        "provider": "Anthropic",
        "model": "claude-opus-4-6",
        "day": date(2026, 10, number),
        "currency": "USD",
        "billed": D("9.5"),
        "priced": D(10),
        "tokens_billed": None,
        "tokens_used": D(1000),
        "tokens_unpriced": D(0),
        "layer": "vendor",
    }
    return Day(**(values | more))  # type: ignore[arg-type]


def line(*days: Day) -> Line:
    found = line_of(days)
    assert found.difference is None or sum(found.parts.values()) == found.difference
    return found


def test_a_steady_discount() -> None:
    found = line(day(1), day(2, billed=D(19), priced=D(20)))
    assert found.parts["discount"] == D("-1.5")
    assert found.remark == "The bill is a steady 5.0% below the price list."


def test_a_bill_at_list_price() -> None:
    assert line(day(1, billed=D(10))).remark == "The bill agrees with the price list."


def test_days_without_usage_and_without_a_bill() -> None:
    found = line(
        day(1),
        day(2, billed=D(4), priced=None, tokens_used=None, tokens_unpriced=None, layer=None),
        day(3, billed=None, priced=D(7)),
    )
    assert found.parts["missing_usage"] == 4
    assert found.parts["missing_bill"] == -7
    assert found.parts["discount"] == D("-0.5")
    assert (found.days_matched, found.days_billed_only, found.days_used_only) == (1, 1, 1)


def test_tokens_that_were_billed_and_not_reported() -> None:
    # 1,100 tokens billed and 1,000 reported for 10 at list: 100 more are 1 at list, the rest is
    # the price: 9.5 - 10 - 1 = -1.5.
    found = line(day(1, tokens_billed=D(1100)))
    assert found.parts["quantity"] == 1
    assert found.parts["discount"] == D("-1.5")


def test_usage_without_a_price_is_no_discount() -> None:
    found = line(day(1, priced=None, tokens_unpriced=D(1000)))
    assert found.parts["unpriced"] == D("9.5")
    assert found.parts["discount"] == 0
    assert found.remark == "Part of the usage has no known price."


def test_cents_read_as_dollars_are_noticed() -> None:
    found = line(day(1, billed=D(950)), day(2, billed=D(960)))
    assert "cents may have been read as dollars" in found.remark


def test_another_currency_is_not_compared() -> None:
    found = line(day(1, currency="EUR"))
    assert "not compared" in found.remark
    assert found.difference is None
    assert not any(found.parts.values())


def test_a_bill_that_alone_counts_tokens_is_no_gap() -> None:
    alone = {"priced": None, "tokens_used": None, "tokens_unpriced": None, "layer": None}
    assert line(day(1, **alone)).remark == "A bill without reported usage."
    found = line(day(1, tokens_billed=D(1000), **alone))
    assert found.remark.startswith("Only the bill counts these tokens")


def test_the_last_complete_month() -> None:
    assert last_month(date(2026, 10, 31)) == (date(2026, 10, 1), date(2026, 11, 1))
    assert last_month(date(2026, 1, 1)) == (date(2025, 12, 1), date(2026, 1, 1))


amounts = st.one_of(
    st.none(), st.decimals(min_value=0, max_value=10**6, places=12, allow_nan=False)
)
counts = st.one_of(st.none(), st.integers(min_value=0, max_value=10**13).map(D))


@given(
    st.lists(
        st.tuples(amounts, amounts, counts, counts).filter(
            lambda row: row[0] is not None or row[3] is not None
        ),
        min_size=1,
        max_size=8,
    )
)
def test_the_parts_always_sum_to_the_difference(
    rows: list[tuple[D | None, D | None, D | None, D | None]],
) -> None:
    days = [
        day(1, billed=billed, priced=priced if used is not None else None, tokens_billed=tokens,
            tokens_used=used)
        for billed, priced, tokens, used in rows
    ]  # fmt: skip
    found = line_of(tuple(days))
    assert set(found.parts) == set(PARTS)
    assert found.difference is not None
    assert abs(sum(found.parts.values()) - found.difference) < D("1e-9")


@pytest.mark.parametrize("billed", [None, D(3)])
def test_a_side_that_has_nothing_counts_as_nothing(billed: D | None) -> None:
    found = line(day(1, billed=billed, priced=D(1)))
    assert found.billed == (billed or 0)
