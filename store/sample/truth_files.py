"""What each file of the sample says in its vendor's own measures, from the exact integer rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from finops_assistant.store.sample.bill_pages import days_on_first_page
from finops_assistant.store.sample.bills import PARTS, Part
from finops_assistant.store.sample.chance import day_of, day_start
from finops_assistant.store.sample.ledger import MONTHS, Ledger
from finops_assistant.store.sample.line import Line

Json = dict[str, Any]


def rows_of(part: Part, line: Line) -> int:
    """How many rows of a kind of file one row of the ledger is."""
    status, category = line.text.get("CommitmentDiscountStatus"), line.text.get("ChargeCategory")
    if part.sql == "azure_ea":
        amortised = part.variables["amortised"] == "true"
        gone = category == "Purchase" if amortised else status == "Unused"
        return 0 if gone else int(line.vendor == part.vendor)
    if line.vendor == "AWS":  # covered usage is charged and taken back; what is unused, is no row
        return {"Unused": 0, "Used": 2}.get(str(status), 1) * int(part.vendor == "AWS")
    if line.vendor in ("OpenAI", "Anthropic"):
        return int(part.vendor == "OpenAI and Anthropic" and not line.token_class)
    return int(line.vendor == part.vendor)


def file_rows(ledger: Ledger) -> dict[str, int]:
    """Records of every bill, by path."""
    number, month = ledger.rows["line"], ledger.rows["billing_month"]
    found: dict[str, int] = {}
    for part in PARTS:
        weight = np.array([rows_of(part, line) for line in ledger.lines])[number]
        counts = np.bincount(month, weight, len(MONTHS)).astype(int).tolist()
        found |= {f"bills/{path}": counts[n] for n, path in part.months()}
    for vendor, name in (("OpenAI", "openai/costs"), ("Anthropic", "anthropic/cost-report")):
        mine = np.array([line.vendor == vendor and bool(line.token_class) for line in ledger.lines])
        for n, first in enumerate(MONTHS):
            chosen = mine[number] & (month == n)
            total = int(chosen.sum())
            base = f"bills/{name}-{first:%Y-%m}"
            if vendor == "Anthropic":
                found[f"{base}.json"] = total
                continue
            cut = day_start((first - day_of(0)).days + days_on_first_page(first))
            early = int((chosen & (ledger.rows["start"] < cut)).sum())
            found |= {f"{base}-1.json": early, f"{base}-2.json": total - early}
    return found


def _sums(ledger: Ledger, cost: str, keep: Callable[[Line], bool]) -> list[int]:
    found = ledger.by(cost, lambda line: "all" if keep(line) else None, billing=True)
    return found.get("all", [0] * len(MONTHS))


def native_sums(ledger: Ledger, months: Callable[[list[int]], Json]) -> Json:
    """Sums by file month of the vendors' own measures: USD, or cents where the vendor has cents."""

    def of(vendor: str, cost: str, keep: Callable[[Line], bool] = lambda line: True) -> list[int]:
        return _sums(ledger, cost, lambda line: line.vendor == vendor and keep(line))

    def page(line: Line) -> bool:
        return bool(line.token_class)

    def invoice(line: Line) -> bool:
        return not line.token_class

    def status(line: Line) -> str | None:
        return line.text.get("CommitmentDiscountStatus")

    def charged(line: Line) -> bool:
        return line.text.get("ChargeCategory") != "Credit" and status(line) is None

    # Google Cloud charges before credits; covered usage at the commitment's rate, and once more
    # within the fee, where a credit takes it off again
    priced = of("Google Cloud", "contracted", charged)
    used = of("Google Cloud", "billed", lambda line: status(line) == "Used")
    left = of("Google Cloud", "billed", lambda line: status(line) == "Unused")
    cost = [a + 2 * b + c for a, b, c in zip(priced, used, left, strict=True)]
    net = of("Google Cloud", "billed")
    cents = [amount * 100 for amount in of("Anthropic", "billed", page)]
    return {
        "AWS unblended cost": months(of("AWS", "billed")),
        "Microsoft actual cost": months(of("Microsoft", "billed")),
        "Microsoft amortised cost": months(of("Microsoft", "effective")),
        "Google Cloud cost": months(cost),
        "Google Cloud credits": months([a - b for a, b in zip(net, cost, strict=True)]),
        "OpenAI amounts": months(of("OpenAI", "billed", page)),
        "OpenAI invoice lines": months(of("OpenAI", "billed", invoice)),
        "Anthropic amounts in cents": months(cents),
        "Anthropic invoice lines": months(of("Anthropic", "billed", invoice)),
        "Mistral AI invoice lines": months(of("Mistral AI", "billed")),
        "Cohere billed cost": months(of("Cohere", "billed")),
        "Snowflake billed cost": months(of("Snowflake", "billed")),
    }
