"""What each AI initiative costs in full: its own charges and its share of shared services."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from finops_assistant.store.sample.company import Company, initiatives
from finops_assistant.store.sample.ledger import Ledger
from finops_assistant.store.sample.line import Line
from finops_assistant.store.sample.planted import SHARED

Json = dict[str, Any]
_MONTH_DAYS = 31  # October 2026
_SHARE, _MONEY = Decimal("1e-18"), Decimal("1e-12")  # how finely shares and amounts are kept


def component(line: Line) -> str:
    """What part of an initiative a line pays for."""
    if line.text.get("CommitmentDiscountId"):
        return "provisioned throughput"
    if line.text.get("x_ModelId"):
        return "model API"
    if line.text.get("x_WorkloadType") == "training":
        return "training GPU"
    if line.text.get("ServiceCategory") == "AI and Machine Learning":
        return "endpoint"
    return "other"


def gateway_calls(ledger: Ledger) -> dict[str, int]:
    """October's calls through the gateway by initiative; an empty name for the others."""
    found: dict[str, int] = {}
    for work in ledger.workloads:
        if work.via == "litellm":
            name = work.dims["initiative"]
            found[name] = found.get(name, 0) + int(work.requests[-_MONTH_DAYS:].sum())
    return found


def pool(name: str) -> Decimal:
    """What a shared service costs in October 2026, in USD: a constant a day."""
    return sum((part.day_cost for part in SHARED[name]), Decimal(0)) * _MONTH_DAYS


def _share(calls: dict[str, int], name: str) -> Decimal:
    return (Decimal(calls.get(name, 0)) / sum(calls.values())).quantize(_SHARE)


def full_costs(company: Company, ledger: Ledger) -> Json:
    """October 2026 by initiative: direct parts, shared parts (the pool times share), total."""
    direct = ledger.by(
        "effective",
        lambda line: (
            f"{line.dims['initiative']}\t{component(line)}" if "initiative" in line.dims else None
        ),
    )
    found: Json = {}
    for entry in initiatives(company):
        parts = {
            name.split("\t")[1]: Decimal(months[-1]).scaleb(-12)
            for name, months in sorted(direct.items())
            if name.split("\t")[0] == entry.name
        }
        calls = gateway_calls(ledger)
        shares = {
            "vector-store": entry.share,
            "catalogue-pipeline": entry.share,
            "llm-gateway": _share(calls, entry.name),
        }
        shared = {
            name: (pool(name) * shares[name]).quantize(_MONEY) for name in SHARED if shares[name]
        }
        found[entry.name] = {
            "direct": parts,
            "shares": shares,
            "shared": shared,
            "total": sum(parts.values(), Decimal(0)) + sum(shared.values(), Decimal(0)),
        }
    return found
