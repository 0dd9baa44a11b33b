"""Answers of Prometheus to range queries, with the names of NVIDIA's DCGM exporter.

Source: Prometheus HTTP API, ``/api/v1/query_range``; dcgm-exporter, default-counters.csv. Which
name becomes which metric, with its factor, stands in ``prometheus_metrics.csv``: a name without a
metric is known and not kept. Values are percentages; several GPUs of one resource are averaged.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

PROMETHEUS: Final = SqlSource(
    name="prometheus",
    title="Prometheus range query",
    signatures=(("resultType", "metric", "values"), ("resultType", "metric", "value")),
    fields=(
        Field("timestamp", "time", essential=True),
        Field("resource_id", essential=True),
        Field("value", "quantity", essential=True),
        Field("name"),
        Field("part"),
        Field("model"),
        Field("mode"),
    ),
    table="resource_metrics",
    nested=True,
    lookups=("prometheus_metrics.csv",),
)
