"""Traces and logs of single applications: a Langfuse export, OpenTelemetry spans, a plain log."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from finops_assistant.store.sample.calls import calls
from finops_assistant.store.sample.chance import DAYS, code
from finops_assistant.store.sample.company import Company
from finops_assistant.store.sample.workloads import CLASSES, Workload, model_prices

# file, workload, days covered
LANGFUSE = ("langfuse/observations.jsonl", "lakehouse-sql", 3)
OTEL = ("otel/spans.jsonl", "basket-assist-stg", 2)
PLAIN = ("requests/rule-drafts.csv", "rerank-notes", 7)
_MONEY = Decimal("1e-12")


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _each(
    company: Company, works: tuple[Workload, ...], name: str, days: int
) -> tuple[Workload, list[dict[str, int]]]:
    work = next(work for work in works if work.name == name)
    covered = range(DAYS - max(1, round(days * company.scale)), DAYS)
    columns = {key: values.tolist() for key, values in calls(company, work, covered).items()}
    return work, [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]


def _write_lines(path: Path, entries: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) + "\n" for e in entries)
    path.write_text(text, encoding="utf-8")


def write_langfuse(folder: Path, company: Company, works: tuple[Workload, ...]) -> None:
    """Generations of the SQL helper; their costs are estimates at list price."""
    file, name, days = LANGFUSE
    work, rows = _each(company, works, name, days)
    row = model_prices(work.channel, work.model)[-1].row
    entries = []
    for one in rows:
        cost = sum(one[k] * Decimal(row[k]).scaleb(6) for k in CLASSES if row[k]) * _MONEY
        mark = code(work.name, one["start_ms"], one["index"], length=16)
        total = one["input"] + one["cached"] + one["written"]
        entries.append({
            "id": f"obs-{mark}",
            "traceId": f"trace-{mark}",
            "type": "GENERATION",
            "name": work.dims["feature"],
            "startTime": _moment(one["start_ms"]).isoformat(),
            "endTime": _moment(one["start_ms"] + one["latency_ms"]).isoformat(),
            "projectId": "wrenfield",
            "environment": work.dims["environment"],
            "model": row["billed"],
            "userId": f"analyst-{one['index'] % 9 + 1}",
            "sessionId": f"session-{one['index'] // 6}",
            "usageDetails": {"input": total, "cache_read_input_tokens": one["cached"],
                             "cache_creation_input_tokens": one["written"],
                             "output": one["output"], "total": total + one["output"]},
            "calculatedTotalCost": float(cost),
            "metadata": {"team": work.dims["team"], "project": work.dims["project"]},
        })  # fmt: skip
    _write_lines(folder / "usage" / file, entries)


def write_otel(folder: Path, company: Company, works: tuple[Workload, ...]) -> None:
    """Spans with the GenAI conventions, one exported batch a line."""
    file, name, days = OTEL
    work, rows = _each(company, works, name, days)
    billed = model_prices(work.channel, work.model)[-1].row["billed"]

    def attribute(key: str, value: str | int) -> dict[str, Any]:
        kind = "intValue" if isinstance(value, int) else "stringValue"
        return {"key": key, "value": {kind: str(value)}}

    resource = [attribute("service.name", "basket-assist"),
                attribute("deployment.environment.name", work.dims["environment"]),
                attribute("team", work.dims["team"])]  # fmt: skip
    spans = []
    for one in rows:
        mark = code(work.name, one["start_ms"], one["index"], length=32)
        stop = one["start_ms"] + one["latency_ms"]
        spans.append({
            "traceId": mark, "spanId": mark[:16], "name": f"chat {work.model}",
            "startTimeUnixNano": f"{one['start_ms']}000000", "endTimeUnixNano": f"{stop}000000",
            "attributes": [
                attribute("gen_ai.provider.name", "openai"),
                attribute("gen_ai.operation.name", "chat"),
                attribute("gen_ai.request.model", work.model),
                attribute("gen_ai.response.model", billed),
                attribute("gen_ai.usage.input_tokens",
                          one["input"] + one["cached"] + one["written"]),
                attribute("gen_ai.usage.cache_read.input_tokens", one["cached"]),
                attribute("gen_ai.usage.output_tokens", one["output"]),
                attribute("gen_ai.conversation.id", f"basket-{one['index'] // 4}"),
            ],
        })  # fmt: skip
    batches: list[dict[str, Any]] = [
        {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [
            {"scope": {"name": "gen_ai"}, "spans": spans[n : n + 50]}]}]}
        for n in range(0, len(spans), 50)
    ]  # fmt: skip
    _write_lines(folder / "usage" / file, batches)


def write_plain(folder: Path, company: Company, works: tuple[Workload, ...]) -> None:
    """A request log of the fraud team's own."""
    file, name, days = PLAIN
    work, rows = _each(company, works, name, days)
    path = folder / "usage" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(["timestamp", "provider", "model", "input_tokens", "output_tokens",
                      "cached_input_tokens", "request_id", "team", "project", "environment",
                      "feature", "latency_ms", "status"])  # fmt: skip
        for one in rows:
            out.writerow([
                _moment(one["start_ms"]).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), work.channel,
                work.model, one["input"], one["output"], 0,
                f"req-{code(work.name, one['start_ms'], one['index'], length=16)}",
                work.dims["team"], work.dims["project"], work.dims["environment"],
                work.dims["feature"], one["latency_ms"], "ok",
            ])  # fmt: skip
