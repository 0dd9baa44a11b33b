"""Single model calls that add up, day by day, to what the bill says of a workload."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from finops_assistant.store.sample.chance import Ints, day_start, uniform
from finops_assistant.store.sample.company import Company
from finops_assistant.store.sample.workloads import CLASSES, Workload

# widest deviation of one call from the average, as a share; answers vary more than prompts
_SPREAD = {"input": 0.05, "cached": 0.05, "written": 0.05, "output": 0.5}


def split(total: int, weights: np.ndarray) -> Ints:
    """Integers in proportion to ``weights`` that add up to ``total`` exactly."""
    ends = np.floor(total * np.cumsum(weights) / weights.sum()).astype(np.int64)
    ends[-1] = total
    parts: Ints = np.diff(ends, prepend=0)
    return parts


def calls(company: Company, work: Workload, days: Iterable[int]) -> dict[str, Ints]:
    """The calls of a workload on some days, one array entry each, in order of time.

    ``index`` counts within the day, ``start_ms`` is milliseconds since 1970, token classes are
    raw tokens. Office work happens from 07:00 to 19:00.
    """
    parts: dict[str, list[Ints]] = {}
    office = work.requests[-7:].min() * 2 < work.requests[-7:].max()
    opens, seconds = (7 * 3600, 12 * 3600) if office else (0, 86_400)
    for day in days:
        count = int(work.requests[day])
        if not count:
            continue
        name = (company.seed, work.name, day)
        place = (np.arange(count) + uniform(count, *name, "start")) / count
        start = (day_start(day) + opens) * 1000 + (place * seconds * 1000).astype(np.int64)
        latency = 600 + (uniform(count, *name, "latency") * 2600).astype(np.int64)
        columns = {"index": np.arange(count), "start_ms": start, "latency_ms": latency}
        for kind in CLASSES:
            weights = 1 + _SPREAD[kind] * (2 * uniform(count, *name, kind) - 1)
            columns[kind] = split(int(work.tokens[kind][day]), weights)
        for key, values in columns.items():
            parts.setdefault(key, []).append(values)
    return {key: np.concatenate(values) for key, values in parts.items()}
