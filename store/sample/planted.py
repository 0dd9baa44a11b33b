"""Planted lines of known size: shared AI services, a retired initiative, a sandbox, a spike.

Every quantity here is a constant, so each amount follows from a few numbers by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from finops_assistant.store.sample.chance import DAYS, code, day_start, number_of
from finops_assistant.store.sample.cloud import decimals_of, dims_of, list_price, metered
from finops_assistant.store.sample.company import Company, cloud_account, project
from finops_assistant.store.sample.line import CONTRACT, Line, daily, fixed
from finops_assistant.store.sample.workloads import Workload, account_of


@dataclass(frozen=True)
class Steady:
    """``daily`` units of a SKU on each day of a span, for every one of ``count`` resources."""

    label: str
    vendor: str
    sku: str
    count: int
    daily: Decimal
    first: int = 0
    end: int = DAYS

    @property
    def day_cost(self) -> Decimal:
        """Effective USD a day: quantity times list price times the contract's rate."""
        return self.count * self.daily * list_price(self.vendor, self.sku) * CONTRACT[self.vendor]


# what the AI initiatives share; the gateway serves other work too
SHARED: dict[str, tuple[Steady, ...]] = {
    "vector-store": (
        Steady("vector-node", "AWS", "r6g.2xlarge.search", 3, Decimal(24)),
        Steady("vector-snapshots", "AWS", "s3-standard", 1, Decimal("62.5")),
    ),
    "llm-gateway": (
        Steady("gateway-node", "AWS", "c7i.xlarge", 3, Decimal(24)),
        Steady("gateway-db", "AWS", "db.r6g.xlarge", 1, Decimal(24)),
        Steady("gateway-cache", "AWS", "cache.r6g.large", 1, Decimal(24)),
    ),
    "catalogue-pipeline": (
        Steady("catalogue-extract", "AWS", "dpu", 1, Decimal(120)),
        Steady("catalogue-chunks", "AWS", "dpu", 1, Decimal(75)),
        Steady("catalogue-staging-area", "AWS", "s3-standard", 1, Decimal(180)),
    ),
}

RETIRED = (
    Steady("voice-reindex", "AWS", "g6.12xlarge", 1, Decimal(6)),
    Steady("voice-vectors", "AWS", "r6g.2xlarge.search", 1, Decimal(24)),
    Steady("voice-recordings", "AWS", "s3-standard", 1, Decimal(410)),
)
RETIRED_FROM = datetime(2025, 10, 1, tzinfo=UTC).date()


def sandbox(company: Company) -> tuple[Steady, ...]:
    """A Google Cloud project that nobody tagged."""
    first = number_of(company.situation.sandbox_from)
    return (
        Steady("sandbox-vm-1", "Google Cloud", "n2-standard-8", 1, Decimal(24), first),
        Steady("sandbox-vm-2", "Google Cloud", "n2-standard-8", 1, Decimal(24), first),
        Steady("sandbox-dump", "Google Cloud", "gcs-standard", 1, Decimal(850), first),
        Steady("sandbox-queries", "Google Cloud", "bigquery", 1, Decimal("4.4"), first),
    )


def planted_lines(company: Company) -> Iterator[Line]:
    """Shared services, the retired initiative and the sandbox."""
    for name, parts in SHARED.items():
        place = (cloud_account("AWS", project(name).account, "prod"), "us-east-1")
        yield from _steady(parts, dims_of(project(name), "prod"), place, f"shared:{name}")
    place = (cloud_account("AWS", "core", "prod"), "us-east-1")
    dims = dims_of(project("voice-concierge"), "prod", initiative="voice-concierge")
    since = number_of(RETIRED_FROM)
    yield from _steady(RETIRED, dims, place, "retired_initiative", since)
    place = (cloud_account("Google Cloud", "wrenfield-sandbox", "dev"), "europe-west1")
    yield from _steady(sandbox(company), {}, place, "untagged_slice")


def _steady(
    parts: tuple[Steady, ...],
    dims: dict[str, str],
    place: tuple[tuple[str, str], str],
    key: str,
    since: int = 0,
) -> Iterator[Line]:
    for part in parts:
        rows = fixed(
            part.daily, decimals_of(part.vendor, part.sku), max(part.first, since), part.end
        )
        for number in range(1, part.count + 1):
            label = f"{part.label}-{number}" if part.count > 1 else part.label
            yield metered(part.vendor, part.sku, dims, place, label, daily(rows), key=key)


SPIKE_INPUT_PER_HOUR = 40_000_000
SPIKE_OUTPUT_PER_HOUR = 6_000_000
SPIKE_REQUESTS_PER_HOUR = 16_000
SPIKE_KEY = f"key_{code('runaway key', length=14)}"


def spike_hours_by_day(company: Company) -> dict[int, int]:
    """Hours for which the runaway key ran, by day of the sample; it started at 14:00."""
    first = number_of(company.situation.spike_start)
    left, hours, day = company.situation.spike_hours, {}, first
    while left > 0:
        hours[day] = min(left, 10 if day == first else 24)
        left -= hours[day]
        day += 1
    return hours


def spike(company: Company) -> Workload:
    """The runaway key: a loop in the copy studio that called gpt-5 without a limit."""
    hours = np.zeros(DAYS, dtype=np.int64)
    for day, count in spike_hours_by_day(company).items():
        hours[day] = count
    where = project("copy-studio")
    return Workload(
        name="bulk-translate-loop",
        channel="OpenAI",
        model="gpt-5",
        first=number_of(company.situation.spike_start),
        end=DAYS,
        dims=dims_of(where, "production", feature="bulk-translate"),
        sub_account=account_of("OpenAI", "copy-studio", "production"),
        key=SPIKE_KEY,
        via="direct",
        requests=hours * SPIKE_REQUESTS_PER_HOUR,
        tokens={
            "input": hours * SPIKE_INPUT_PER_HOUR,
            "cached": hours * 0,
            "written": hours * 0,
            "output": hours * SPIKE_OUTPUT_PER_HOUR,
        },
    )


def spike_bounds(company: Company) -> tuple[int, int]:
    """Seconds since 1970 at which the runaway key started and was revoked."""
    start = day_start(number_of(company.situation.spike_start)) + 14 * 3600
    return start, start + company.situation.spike_hours * 3600
