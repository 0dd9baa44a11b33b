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


def full_costs(company: Company, ledger: Ledger) -> Json:
    """October 2026 by initiative: direct parts, shared parts (constants times share), total."""
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
            "llm-gateway": Decimal(calls.get(entry.name, 0)) / sum(calls.values()),
        }
        shared = {
            name: sum((part.day_cost for part in group), Decimal(0)) * _MONTH_DAYS * shares[name]
            for name, group in SHARED.items()
            if shares[name]
        }
        found[entry.name] = {
            "direct": parts,
            "shares": shares,
            "shared": shared,
            "total": sum(parts.values(), Decimal(0)) + sum(shared.values(), Decimal(0)),
        }
    return found
