"""All lines as exact integer rows, and their sums by line and month."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from finops_assistant.store.sample.chance import DAYS, Ints, day_of, day_start, month_number
from finops_assistant.store.sample.cloud import estate
from finops_assistant.store.sample.commitments import commitment_lines
from finops_assistant.store.sample.company import ACCOUNT_OWNERS, Company
from finops_assistant.store.sample.gpus import endpoint_lines, run_lines, workstation_lines
from finops_assistant.store.sample.line import MONEY_DECIMALS, Line, exact
from finops_assistant.store.sample.monthly import invoice_lines, support_lines
from finops_assistant.store.sample.planted import planted_lines, spike
from finops_assistant.store.sample.workloads import Workload, token_lines, workloads

COSTS = ("list", "contracted", "effective", "billed")
FIRST_MONTH = month_number(day_of(0))
MONTHS = tuple(
    date((FIRST_MONTH + n) // 12, (FIRST_MONTH + n) % 12 + 1, 1)
    for n in range(month_number(day_of(DAYS - 1)) - FIRST_MONTH + 1)
)
_MONTH_OF_DAY = np.array([month_number(day_of(n)) - FIRST_MONTH for n in range(DAYS)])


@dataclass(frozen=True)
class Ledger:
    """Lines and their rows; ``rows`` holds one integer array per column, money in 1e-12 USD."""

    lines: tuple[Line, ...]
    workloads: tuple[Workload, ...]
    rows: dict[str, Ints]

    def sums(self, cost: str, billing: bool = False) -> list[list[int]]:
        """Exact sums by line and month, charge months unless ``billing``."""
        totals = np.zeros((len(self.lines), len(MONTHS)), dtype=np.int64)
        month = self.rows["billing_month" if billing else "charge_month"]
        np.add.at(totals, (self.rows["line"], month), self.rows[cost])
        exact_sums: list[list[int]] = totals.tolist()
        return exact_sums

    def by(
        self, cost: str, key: Callable[[Line], str | None], billing: bool = False
    ) -> dict[str, list[int]]:
        """Exact sums by a name of each line and month; lines whose key is None are left out."""
        found: dict[str, list[int]] = {}
        for line, months in zip(self.lines, self.sums(cost, billing), strict=True):
            name = key(line)
            if name is not None:
                old = found.get(name, [0] * len(MONTHS))
                found[name] = [a + b for a, b in zip(old, months, strict=True)]
        return found


def _rows(lines: Iterable[Line]) -> dict[str, Ints]:
    parts: dict[str, list[Ints]] = {}
    for number, line in enumerate(lines):
        size, quantity = line.starts.size, line.quantity
        month = _MONTH_OF_DAY[(line.starts - day_start(0)) // 86_400]
        billing = month if line.billing_month is None else line.billing_month - FIRST_MONTH
        prices = [
            exact(amount, line.decimals)
            for amount in (
                line.price.list_price,
                line.price.contracted,
                line.price.effective,
                line.price.billed,
            )
        ]
        columns = {
            "line": number,
            "start": line.starts,
            "stop": line.stops,
            "charge_month": month,
            "billing_month": billing,
            "pricing_quantity": quantity * 10 ** (MONEY_DECIMALS - line.decimals),
            "consumed_quantity": quantity * 10 ** (3 - line.consumed_decimals),
            "gpu_hours": quantity * line.gpus * 10 ** (3 - min(line.decimals, 3)),
            "list_price": prices[0] * 10**line.decimals,
            "contracted_price": prices[1] * 10**line.decimals,
            **{cost: quantity * price for cost, price in zip(COSTS, prices, strict=True)},
        }
        for name, values in columns.items():
            parts.setdefault(name, []).append(
                np.broadcast_to(np.asarray(values, dtype=np.int64), (size,))
            )
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def build(company: Company) -> Ledger:
    """Every line of the company, the invoice's own lines last."""
    works = (*workloads(company), spike(company))
    lines = [
        *estate(company),
        *commitment_lines(company),
        *endpoint_lines(company),
        *run_lines(company),
        *workstation_lines(),
        *planted_lines(company),
        *(
            line
            for work in works
            for line in token_lines(work, "spike" if work is works[-1] else "")
        ),
    ]
    lines += support_lines(_invoiced(lines, works))
    lines += invoice_lines(_invoiced(lines, works))
    lines = [_owned(line) for line in lines]
    return Ledger(tuple(lines), works, _rows(lines))


def _owned(line: Line) -> Line:
    """A line whose tags name no team, with the team that owns its account, if one does."""
    team = ACCOUNT_OWNERS.get(line.text.get("SubAccountName") or "")
    return (
        line if not team or "team" in line.dims else replace(line, dims={**line.dims, "team": team})
    )


def _invoiced(lines: list[Line], works: tuple[Workload, ...]) -> dict[tuple[str, date], int]:
    totals = Ledger(tuple(lines), works, _rows(lines)).by(
        "billed", lambda line: line.vendor, billing=True
    )
    return {
        (vendor, month): amount
        for vendor, months in totals.items()
        for month, amount in zip(MONTHS, months, strict=True)
        if amount
    }
