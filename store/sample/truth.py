"""``truth.json``: totals from the exact integer rows, to hold answers against."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from finops_assistant.store.sample import SAMPLE_FIRST_DAY, SAMPLE_LAST_DAY
from finops_assistant.store.sample.company import NAME, Company
from finops_assistant.store.sample.ledger import COSTS, MONTHS, Ledger
from finops_assistant.store.sample.line import Line
from finops_assistant.store.sample.truth_files import file_rows, native_sums
from finops_assistant.store.sample.truth_planted import planted

Json = dict[str, Any]
UNTAGGED = "(untagged)"
NONE = "(none)"


def money(amount: int) -> str:
    """An integer of 1e-12 USD as plain decimal text."""
    text = format(Decimal(amount).scaleb(-12).normalize(), "f")
    return "0" if text in ("-0", "0") else text


def months(amounts: Iterable[int]) -> Json:
    """Amounts by month, and their total."""
    values = list(amounts)
    named = {f"{month:%Y-%m}": money(v) for month, v in zip(MONTHS, values, strict=True)}
    return {"total": money(sum(values)), **named}


def _table(
    ledger: Ledger, key: Callable[[Line], str | None], cost: str = "effective", **more: bool
) -> Json:
    return {name: months(values) for name, values in sorted(ledger.by(cost, key, **more).items())}


def _dimension(name: str) -> Callable[[Line], str]:
    return lambda line: line.dims.get(name, UNTAGGED)


def _column(name: str) -> Callable[[Line], str]:
    return lambda line: line.text.get(name) or NONE


def _ai(line: Line) -> bool:
    """Whether a line is AI spend: AI services, models, GPUs, their work, the data pipelines of AI
    initiatives."""
    work = line.text.get("x_WorkloadType")
    return bool(
        line.text.get("ServiceCategory") == "AI and Machine Learning"
        or line.text.get("x_ModelId")
        or line.gpus
        or work in ("training", "inference", "other")
        or (work == "pipeline" and "initiative" in line.dims)
    )


def _quantities(ledger: Ledger, column: str, keep: Callable[[Line], str | None]) -> Json:
    """Sums of a quantity column (three decimals) by name and month."""
    totals = np.zeros((len(ledger.lines), len(MONTHS)), dtype=np.int64)
    np.add.at(totals, (ledger.rows["line"], ledger.rows["charge_month"]), ledger.rows[column])
    found: dict[str, list[int]] = {}
    for line, values in zip(ledger.lines, totals.tolist(), strict=True):
        name = keep(line)
        if name is not None:
            old = found.get(name, [0] * len(MONTHS))
            found[name] = [a + b for a, b in zip(old, values, strict=True)]
    return {
        name: months(value * 10**9 for value in values) for name, values in sorted(found.items())
    }


def truth(company: Company, ledger: Ledger) -> Json:
    """Everything that is known of the company; money as decimal text in USD.

    Tag dimensions are as the store resolves them: from the bill's tags, and where a bill has none
    from ``owners.csv``. Anthropic's tokens are in its usage report, not on its bill.
    """

    def token(line: Line) -> bool:
        return line.text.get("ConsumedUnit") == "Tokens"

    return {
        "company": NAME,
        "seed": company.seed,
        "scale": company.scale,
        "first_day": SAMPLE_FIRST_DAY.isoformat(),
        "last_day": SAMPLE_LAST_DAY.isoformat(),
        "as_of": (SAMPLE_LAST_DAY + timedelta(days=1)).isoformat(),
        "currency": "USD",
        "rows": int(ledger.rows["line"].size),
        "files": file_rows(ledger),
        "native": native_sums(ledger, months),
        "totals": {cost: _table(ledger, lambda line: "all", cost)["all"] for cost in COSTS},
        "provider": {cost: _table(ledger, lambda line: line.vendor, cost) for cost in COSTS},
        "provider_by_billing_month": _table(
            ledger, lambda line: line.vendor, "billed", billing=True
        ),
        "effective_by": {
            **{
                name: _table(ledger, _dimension(name))
                for name in ("team", "project", "environment", "cost_centre", "feature",
                             "customer", "initiative")
            },
            "team_with_owners": _table(ledger, _dimension("team")),
            "service": _table(ledger, _column("ServiceName")),
            "model": _table(ledger, _column("x_ModelId")),
            "charge_category": _table(ledger, _column("ChargeCategory")),
            "workload_type": _table(ledger, _column("x_WorkloadType")),
            "commitment_id": _table(ledger, _column("CommitmentDiscountId")),
            "ai_by_provider_and_team": _table(
                ledger,
                lambda x: f"{x.vendor}/{x.dims.get('team', UNTAGGED)}" if _ai(x) else None,
            ),
        },
        "tokens_by_model": _quantities(
            ledger, "consumed_quantity", lambda x: x.text["x_ModelId"] if token(x) else None
        ),
        "tokens_on_bills_by_model": _quantities(
            ledger,
            "consumed_quantity",
            lambda x: x.text["x_ModelId"] if token(x) and x.vendor != "Anthropic" else None,
        ),
        "tokens_by_direction": _quantities(
            ledger, "consumed_quantity", lambda x: x.text["x_TokenDirection"] if token(x) else None
        ),
        "gpu_hours": _quantities(ledger, "gpu_hours", lambda x: "all" if x.gpus else None),
        "planted": planted(company, ledger),
    }  # fmt: skip


def _plain(value: object) -> str:
    """Decimals without exponents, dates as ISO text."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in truth.json")


def write_truth(folder: Path, company: Company, ledger: Ledger) -> None:
    """Write ``truth.json``."""
    text = json.dumps(truth(company, ledger), indent=1, ensure_ascii=False, default=_plain)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
