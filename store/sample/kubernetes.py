"""OpenCost's allocation of the steady cluster: who used the nodes that the AWS bill charges.

Source of the shape: OpenCost, ``/allocation`` with a step of one day, by node and namespace.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from finops_assistant.store.sample.calls import split
from finops_assistant.store.sample.chance import number_of, uniform
from finops_assistant.store.sample.company import Company, project
from finops_assistant.store.sample.ledger import Ledger
from finops_assistant.store.sample.line import Line

CLUSTER = "core-platform-prod"
FIRST_DAY, LAST_DAY = date(2026, 10, 1), date(2026, 10, 31)  # what OpenCost still keeps
IDLE = "__idle__"
# namespace -> share of a node, of 100; the rest of the year is similar
NAMESPACES = {"checkout": 24, "product-search": 28, "semantic-search": 13, "search-index": 11,
              "llm-gateway": 6, "kube-system": 4, IDLE: 14}  # fmt: skip
_CORES, _BYTES = 8, 32 * 2**30  # of a node
_MICRO = 10**6


def nodes(ledger: Ledger) -> list[Line]:
    """The billing lines of the cluster's nodes."""
    return [
        line
        for line in ledger.lines
        if line.key == "savings_plan" and line.text.get("CommitmentDiscountStatus") == "Used"
    ]


def day_parts(company: Company, node: Line, day: date) -> dict[str, int]:
    """A node's day by namespace, in millionths of a dollar; it adds up to the bill's cost."""
    total = node.price.effective * 24 * _MICRO
    noise = 0.9 + 0.2 * uniform(len(NAMESPACES), company.seed, "pods", node.text["ResourceId"], day)
    shares = np.array(list(NAMESPACES.values())) * noise
    return dict(zip(NAMESPACES, split(int(total), shares).tolist(), strict=True))


def _labels(namespace: str) -> dict[str, str]:
    if namespace in (IDLE, "kube-system"):
        return {}
    return {"team": project(namespace).team, "project": namespace, "env": "prod"}


def _entry(node: Line, namespace: str, day: date, micros: int, total: int) -> dict[str, Any]:
    cpu = micros * 7 // 10
    start, end = f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T00:00:00Z"
    share = micros / total
    name = str(node.text["ResourceName"])
    where: dict[str, Any] = {
        "cluster": CLUSTER,
        "node": name,
        "providerID": f"aws:///us-east-1a/{node.text['ResourceId']}",
    }
    labels = _labels(namespace)
    if namespace != IDLE:
        where |= {"namespace": namespace, **({"namespaceLabels": labels} if labels else {})}
    return {
        "name": f"{CLUSTER}/{name}/{namespace}",
        "properties": where,
        "window": {"start": start, "end": end},
        "start": start,
        "end": end,
        "minutes": 1440,
        "cpuCores": round(_CORES * share, 3),
        "cpuCoreHours": round(_CORES * share * 24, 3),
        "cpuCost": cpu / _MICRO,
        "cpuCostAdjustment": 0,
        "gpuCount": 0,
        "gpuHours": 0,
        "gpuCost": 0,
        "ramBytes": round(_BYTES * share),
        "ramByteHours": round(_BYTES * share * 24),
        "ramCost": (micros - cpu) / _MICRO,
        "ramCostAdjustment": 0,
        "networkCost": 0,
        "loadBalancerCost": 0,
        "pvCost": 0,
        "sharedCost": 0,
        "externalCost": 0,
        "totalCost": micros / _MICRO,
    }


def write_kubernetes(folder: Path, company: Company, ledger: Ledger) -> None:
    """Write ``kubernetes/opencost-2026-10.json``: one set of allocations a day."""
    sets = []
    for number in range(number_of(LAST_DAY) - number_of(FIRST_DAY) + 1):
        day = FIRST_DAY + timedelta(days=number)
        found = {}
        for node in nodes(ledger):
            parts = day_parts(company, node, day)
            for namespace, micros in parts.items():
                entry = _entry(node, namespace, day, micros, sum(parts.values()))
                found[entry["name"]] = entry
        sets.append(found)
    target = folder / "kubernetes"
    target.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"code": 200, "status": "success", "data": sets}, separators=(",", ":"))
    (target / f"opencost-{FIRST_DAY:%Y-%m}.json").write_text(text + "\n", encoding="utf-8")
