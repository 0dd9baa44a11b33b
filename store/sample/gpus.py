"""GPU work: training runs, serving endpoints, and workstations that nobody switches off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from finops_assistant.store.sample import SAMPLE_LAST_DAY
from finops_assistant.store.sample.chance import (
    DAYS,
    FIRST_SECOND,
    Ints,
    day_start,
    digest,
    number_of,
)
from finops_assistant.store.sample.cloud import dims_of, list_price, metered, resource_id, sku
from finops_assistant.store.sample.company import Company, cloud_account, project
from finops_assistant.store.sample.line import CONTRACT, Line, Price, daily, fixed, on_demand

END = datetime.combine(SAMPLE_LAST_DAY + timedelta(days=1), datetime.min.time(), UTC)
GPU_RATE_AFTER = Decimal("0.80")  # contract rate of AWS GPU serving after the negotiated cut
SPOT = {"p4d.24xlarge": Decimal("8.78"), "g6.12xlarge": Decimal("1.84")}  # sample parameters


@dataclass(frozen=True)
class Run:
    """A training run: ``machines`` instances from ``start`` for ``hours`` whole hours."""

    run_id: str
    name: str
    model: str
    project: str
    initiative: str
    sku: str
    machines: int
    start: datetime
    hours: int
    status: str
    expected_hours: int
    iteration: int
    last_metric_hours: int
    metric: str
    spot: bool = False

    @property
    def stop(self) -> datetime:
        """When the machines stop, or the end of the data for a running one."""
        return self.start + timedelta(hours=self.hours)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its machines."""
        return tuple(f"{self.run_id}-node-{n}" for n in range(1, self.machines + 1))

    @property
    def resource_ids(self) -> tuple[str, ...]:
        """The ids under which its machines are billed."""
        account = cloud_account("AWS", "ml", "prod")[0]
        ids = (resource_id("AWS", self.sku, account, "us-east-1", label) for label in self.labels)
        return tuple(text for text in ids if text)

    @property
    def unit_cost(self) -> Decimal:
        """Effective USD for an hour of one machine."""
        return SPOT[self.sku] if self.spot else list_price("AWS", self.sku) * CONTRACT["AWS"]


def runs(company: Company) -> tuple[Run, ...]:
    """Finished iterations, one failure, a healthy long run and one that ran away."""
    finished = []
    for number in range(1, 12):
        start = datetime(2025, 11, 10, 8, tzinfo=UTC) + timedelta(
            days=30 * (number - 1) + digest(company.seed, "run", number) % 6
        )
        vision = number % 4 == 0
        hours = 38 + digest(company.seed, "hours", number) % 30 + 2 * number
        failed = number == 6
        finished.append(
            Run(
                run_id=f"{'vis' if vision else 'rnk'}-{number:03}",
                name=f"{'vision tagger' if vision else 'ranker v3'} iteration {number}",
                model="vision-tagger" if vision else "ranker-v3",
                project="vision-lab" if vision else "ranker-training",
                initiative="visual-search" if vision else "ranker-v3",
                sku="g6.12xlarge" if vision else "p4d.24xlarge",
                machines=1,
                start=start,
                hours=19 if failed else hours,
                status="failed" if failed else "finished",
                expected_hours=hours,
                iteration=number,
                last_metric_hours=17 if failed else hours,
                metric=f"{0.71 + 0.012 * number:.3f}",
                spot=number in (4, 5, 8),
            )
        )
    plan = company.situation
    healthy = datetime.combine(plan.healthy_start, datetime.min.time(), UTC) + timedelta(hours=6)
    away = datetime.combine(plan.runaway_start, datetime.min.time(), UTC) + timedelta(hours=14)
    return (
        *finished,
        Run("rnk-012", "ranker v3 full catalogue", "ranker-v3", "ranker-training", "ranker-v3",
            "p5.48xlarge", 1, healthy, _hours_until_end(healthy), "running", 330, 12,
            _hours_until_end(healthy), "0.861"),
        Run("vis-013", "vision tagger sweep", "vision-tagger", "vision-lab", "visual-search",
            "p4d.24xlarge", 2, away, _hours_until_end(away), "running", 36, 13,
            plan.runaway_last_metric_hours, "0.642"),
    )  # fmt: skip


def _hours_until_end(start: datetime) -> int:
    return int((END - start).total_seconds()) // 3600


def run_lines(company: Company) -> Iterator[Line]:
    """One line per machine of a run; each row spans exactly the hours used on that day."""
    for run in runs(company):
        first, last = int(run.start.timestamp()), int(run.stop.timestamp())
        days = np.arange((first - FIRST_SECOND) // 86_400, (last - 1 - FIRST_SECOND) // 86_400 + 1)
        starts = np.maximum(FIRST_SECOND + days * 86_400, first)
        stops = np.minimum(FIRST_SECOND + (days + 1) * 86_400, last)
        listed = list_price("AWS", run.sku)
        price = Price(listed, run.unit_cost, run.unit_cost, run.unit_cost) if run.spot else None
        text: dict[str, str | None] = {"x_WorkloadType": "training"}
        if run.spot:
            text["PricingCategory"] = "Dynamic"
        dims = dims_of(project(run.project), "dev", initiative=run.initiative, feature="training")
        place = (cloud_account("AWS", "ml", "prod"), "us-east-1")
        for label in run.labels:
            yield metered(
                "AWS", run.sku, dims, place, label, (starts, stops, (stops - starts) // 36),
                price=price, text=text, key=run.run_id,
            )  # fmt: skip


@dataclass(frozen=True)
class Endpoint:
    """A serving endpoint that is billed around the clock on every machine it has."""

    label: str
    vendor: str
    sku: str
    machines: int
    project: str
    environment: str
    initiative: str
    feature: str
    region: str
    first: date
    calls_a_day: int
    busy: int  # average GPU utilisation in percent while it serves
    key: str = ""

    @property
    def account(self) -> tuple[str, str]:
        """Sub-account id and name it is billed to."""
        name = {"AWS": "ml", "Microsoft": "Wrenfield Commerce", "Google Cloud": "wrenfield-growth"}
        return cloud_account(self.vendor, name[self.vendor], "prod")

    @property
    def resource_id(self) -> str:
        """The id under which it is billed and measured."""
        found = resource_id(self.vendor, self.sku, self.account[0], self.region, self.label)
        return found or self.label


def endpoints() -> tuple[Endpoint, ...]:
    """Every serving endpoint; ``vision-tagger-v1`` is the one that falls idle."""
    return (
        Endpoint("search-reranker", "AWS", "ml.g5.xlarge", 6, "semantic-search", "prod",
                 "semantic-search", "reranking", "us-east-1", date(2025, 9, 1), 410_000, 64),
        Endpoint("vision-tagger-v1", "AWS", "ml.g5.12xlarge", 1, "vision-lab", "dev",
                 "visual-search", "photo-search", "us-east-1", date(2026, 3, 20), 5_200, 31,
                 "idle_endpoint"),
        Endpoint("ranker-v3-canary", "AWS", "ml.g5.12xlarge", 1, "ranker-training", "prod",
                 "ranker-v3", "ranking", "us-east-1", date(2026, 6, 8), 230_000, 52),
        Endpoint("fraud-explain-a100", "Microsoft", "NC24ads_A100_v4", 2, "fraud-scoring", "prod",
                 "fraud-explain", "risk-scoring", "westeurope", date(2025, 11, 3), 96_000, 47),
        Endpoint("similar-items", "Google Cloud", "g2-standard-4", 4, "home-feed", "prod",
                 "", "similar-items", "europe-west1", date(2025, 9, 1), 350_000, 58),
    )  # fmt: skip


def serving_price(company: Company, vendor: str, name: str) -> tuple[tuple[Price, int, int], ...]:
    """Prices of GPU serving with the days they hold: AWS renegotiates once."""
    listed, cut = list_price(vendor, name), number_of(company.situation.gpu_rate_cut_on)
    if vendor != "AWS":
        return ((on_demand(listed, vendor), 0, DAYS),)
    after = on_demand(listed, vendor, GPU_RATE_AFTER)
    return ((on_demand(listed, vendor), 0, cut), (after, cut, DAYS))


def endpoint_lines(company: Company) -> Iterator[Line]:
    """The endpoints' machine hours."""
    for end in endpoints():
        dims = dims_of(
            project(end.project), end.environment, initiative=end.initiative, feature=end.feature
        )
        for price, first, last in serving_price(company, end.vendor, end.sku):
            hours = fixed(Decimal(24 * end.machines), 2, max(first, number_of(end.first)), last)
            if hours.any():
                yield metered(
                    end.vendor, end.sku, dims, (end.account, end.region), end.label, daily(hours),
                    price=price, text={"x_WorkloadType": "inference"}, key=end.key,
                )  # fmt: skip


WORKSTATIONS = 3
WORKSTATION_FROM = date(2026, 8, 1)


def workstation(number: int) -> tuple[str, str]:
    """Label and resource id of a GPU workstation."""
    account = cloud_account("AWS", "ml", "prod")[0]
    label = f"gpu-desk-{number}"
    return label, resource_id("AWS", "g5.xlarge", account, "us-east-1", label) or label


def workstation_hours() -> Ints:
    """Starts of every hour in which the workstations run: all of them."""
    first = day_start(number_of(WORKSTATION_FROM))
    return np.arange(first, day_start(DAYS), 3600, dtype=np.int64)


def workstation_lines() -> Iterator[Line]:
    """Hourly rows of development machines that run through nights and weekends."""
    starts = workstation_hours()
    dims = dims_of(project("vision-lab"), "dev", feature="workstation")
    place = (cloud_account("AWS", "ml", "prod"), "us-east-1")
    for number in range(1, WORKSTATIONS + 1):
        yield metered(
            "AWS", "g5.xlarge", dims, place, workstation(number)[0],
            (starts, starts + 3600, np.full(starts.size, 100, dtype=np.int64)),
            text={"x_WorkloadType": "other"}, key="nights_and_weekends",
        )  # fmt: skip


def gpus_of(vendor: str, name: str) -> int:
    """GPUs of a machine type."""
    return int(sku(vendor, name)["gpus"])
