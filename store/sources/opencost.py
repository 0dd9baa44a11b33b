"""Allocations of OpenCost and Kubecost: what Kubernetes workloads had of the nodes' cost.

The shape is that of OpenCost's ``/allocation`` answer (``core/pkg/opencost/allocation_json.go`` in
its repository, 2026): ``data`` holds one set per window, a set one allocation per name. A flat list
of allocations is read as well. An allocation is a split of cost that the cloud bills already, so
its rows go to ``split_charges`` and never to ``focus``.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

_PARTS: Final = ("cpu", "ram", "gpu", "pv", "network", "load_balancer", "shared", "external")

OPENCOST: Final = SqlSource(
    name="opencost",
    title="OpenCost or Kubecost allocation",
    table="split_charges",
    signatures=(("cpuCost", "gpuCost", "ramCost", "totalCost"),),
    fields=(
        Field("name", essential=True),
        Field("window_start", "time", essential=True),
        Field("window_end", "time", essential=True),
        Field("cluster"),
        Field("node"),
        Field("provider_id"),
        Field("namespace"),
        Field("controller"),
        Field("pod"),
        Field("container"),
        Field("labels", "json"),
        Field("namespace_labels", "json"),
        Field("currency", "currency"),
        *(Field(f"{part}_cost", "money") for part in _PARTS),
        *(Field(f"{part}_adjustment", "money") for part in _PARTS[:6]),
        Field("total_cost", "money"),
        Field("cpu_core_hours", "quantity"),
        Field("ram_byte_hours", "quantity"),
        Field("gpu_hours", "quantity"),
        Field("pv_byte_hours", "quantity"),
    ),
    nested=True,
)
