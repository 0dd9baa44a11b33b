"""What every benchmark prints: the machine it ran on, and each figure beside its target."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def machine() -> str:
    """Cores, memory, processor and the versions that matter, on one line."""
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GB, load {load:.1f}, "
        f"Python {platform.python_version()}, DuckDB {version('duckdb')}"
    )


class Report:
    """Collects figures; ``missed`` says whether one was over its limit."""

    def __init__(self, title: str) -> None:
        self.missed = False
        print(f"\n{title}\n  {machine()}", flush=True)

    def at_most(self, what: str, value: float, limit: float, unit: str) -> None:
        """A figure that must not be larger than its limit."""
        good = value <= limit
        self.missed |= not good
        verdict = "ok" if good else "MISSED"
        print(f"  {what:<58} {value:>9.2f} {unit:<3} (at most {limit:g}) {verdict}", flush=True)

    def at_least(self, what: str, value: float, limit: float, unit: str) -> None:
        """A figure that must not be smaller than its limit."""
        good = value >= limit
        self.missed |= not good
        verdict = "ok" if good else "MISSED"
        print(f"  {what:<58} {value:>9.2f} {unit:<3} (at least {limit:g}) {verdict}", flush=True)

    def beside(self, what: str, value: float, unit: str) -> None:
        """A figure that explains another and has no target of its own."""
        print(f"  {what:<58} {value:>9.2f} {unit}", flush=True)


def middle(values: Sequence[float]) -> float:
    """The p50."""
    return statistics.median(values)


def resident() -> tuple[float, float]:
    """Memory of this process in MB: now, and at its highest."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, peak = (int(status[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now, peak
