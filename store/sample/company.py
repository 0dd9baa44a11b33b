"""Who the company is, and what is planted in its figures.

Wrenfield is a fictitious online marketplace for home and garden goods.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files

from finops_assistant.store.sample.chance import code, digest

NAME = "Wrenfield"


@dataclass(frozen=True)
class Project:
    """One project on one vendor's bill; the same project may appear on several bills."""

    name: str
    team: str
    cost_centre: str
    vendor: str
    account: str
    region: str
    environments: tuple[str, ...]
    size: int
    stack: str


@dataclass(frozen=True)
class Initiative:
    """An AI initiative; ``shares`` are its parts of the shared vector database and friends."""

    name: str
    owner: str
    team: str
    project: str
    stage: str
    proposed: date
    approved: date
    production: date | None
    monthly_value: int
    monthly_cost: int
    kpi: str
    share: Decimal = Decimal(0)


@dataclass(frozen=True)
class Situation:
    """What is planted, and where; another seed plants elsewhere. Days are UTC."""

    idle_since: date
    runaway_start: date
    runaway_last_metric_hours: int
    healthy_start: date
    spike_start: date
    spike_hours: int
    retired_on: date
    unused_commitment_from: date
    gpu_rate_cut_on: date
    sandbox_from: date
    breach_team: str


@dataclass(frozen=True)
class Company:
    """The parameters of one generated company."""

    seed: int
    scale: float
    growth: float  # percent a month on top of every line's own growth
    wobble: float  # half width of the daily noise, as a share
    situation: Situation

    def keeps(self, *name: object) -> bool:
        """Whether an ordinary resource is part of a company thinned to ``scale``."""
        return digest(self.seed, "keep", *name) % 10_000 < self.scale * 10_000


def plant(seed: int, scale: float = 1.0) -> Company:
    """The company of a seed: seed 7 is the documented one."""

    def pick(name: str, span: int) -> int:
        return digest(seed, name) % span if seed != 7 else 0

    situation = Situation(
        idle_since=date(2026, 8, 14) + timedelta(days=pick("idle", 20)),
        runaway_start=date(2026, 10, 17) + timedelta(days=pick("runaway", 6)),
        runaway_last_metric_hours=41 + pick("metric", 20),
        healthy_start=date(2026, 10, 19) + timedelta(days=pick("healthy", 3)),
        spike_start=date(2026, 9, 15) + timedelta(days=pick("spike", 20)),
        spike_hours=49 + pick("spike-hours", 16),
        retired_on=date(2026, 7, 31) - timedelta(days=pick("retired", 40)),
        unused_commitment_from=date(2026, (5, 4, 3)[pick("unused", 3)], 1),
        gpu_rate_cut_on=date(2026, (6, 5, 7)[pick("cut", 3)], 1),
        sandbox_from=date(2026, (3, 4, 2)[pick("sandbox", 3)], 1),
        breach_team=("support-ai", "marketing", "fraud")[pick("breach", 3)],
    )
    return Company(seed, scale, pick("growth", 8) / 10, 0.06, situation)


@lru_cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one of the small data files beside this module."""
    text = files("finops_assistant.store.sample").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@lru_cache
def projects() -> tuple[Project, ...]:
    """Every project of the estate, one entry per vendor's bill."""
    return tuple(
        Project(
            row["project"],
            row["team"],
            row["cost_centre"],
            row["vendor"],
            row["account"],
            row["region"],
            tuple(row["environments"].split("|")),
            int(row["size"]),
            row["stack"],
        )
        for row in table("projects.csv")
    )


@lru_cache
def project(name: str) -> Project:
    """The first entry of a project. Raises ``StopIteration`` for an unknown name."""
    return next(entry for entry in projects() if entry.name == name)


def initiatives(company: Company) -> tuple[Initiative, ...]:
    """The AI initiatives, from an experiment to a retired one."""

    def entry(name: str, owner: str, where: str, stage: str, *days: str, **more: str) -> Initiative:
        proposed, approved, production = (date.fromisoformat(day) if day else None for day in days)
        if proposed is None or approved is None:
            raise ValueError(f"initiative {name} needs the days it was proposed and approved")
        return Initiative(
            name,
            owner,
            project(where).team,
            where,
            stage,
            proposed,
            approved,
            production,
            int(more["value"]),
            int(more["cost"]),
            more["kpi"],
            Decimal(more.get("share", "0")),
        )

    return (
        entry("semantic-search", "Ada Lindqvist", "semantic-search", "production",
              "2025-05-12", "2025-06-20", "2025-10-06",
              value="62000", cost="17000", kpi="conversion uplift", share="0.6"),
        entry("help-assistant", "Tomasz Wójcik", "help-assistant", "production",
              "2025-06-02", "2025-07-14", "2025-11-03",
              value="54000", cost="26000", kpi="conversations resolved", share="0.4"),
        entry("product-copy", "Noor El-Amin", "copy-studio", "production",
              "2025-07-01", "2025-08-11", "2025-12-15",
              value="9000", cost="8000", kpi="descriptions published"),
        entry("ranker-v3", "Ines Duarte", "ranker-training", "pilot",
              "2025-10-13", "2025-11-24", "",
              value="30000", cost="21000", kpi="revenue per visit"),
        entry("fraud-explain", "Grace Mbeki", "fraud-scoring", "production",
              "2025-08-04", "2025-09-29", "2026-03-09",
              value="38000", cost="31000", kpi="chargebacks won"),
        entry("visual-search", "Ines Duarte", "vision-lab", "experiment",
              "2026-02-09", "2026-03-16", "",
              value="5000", cost="6000", kpi="photo searches"),
        entry("voice-concierge", "Tomasz Wójcik", "voice-concierge", "retired",
              "2025-08-18", "2025-09-08", "2026-01-19",
              value="0", cost="3000", kpi="calls deflected"),
    )  # fmt: skip


CLOUD_ACCOUNTS = {
    "AWS": {
        "core/prod": ("210987650001", "wrenfield-prod"),
        "core/staging": ("210987650002", "wrenfield-staging"),
        "core/dev": ("210987650003", "wrenfield-dev"),
        "ml": ("210987650004", "wrenfield-ml"),
        "data": ("210987650005", "wrenfield-data"),
    },
    "Microsoft": {
        name: (f"/subscriptions/{code('azure', name, length=8)}-0000-4000-8000-000000000001", name)
        for name in ("Wrenfield Commerce", "Wrenfield Corporate")
    },
    "Google Cloud": {
        name: (name, name)
        for name in ("wrenfield-growth", "wrenfield-analytics", "wrenfield-sandbox")
    },
    "Snowflake": {"WRENFIELD_EU": ("WRENFIELD_EU", "WRENFIELD_EU")},
}


ACCOUNT_OWNERS = {  # accounts that belong to one team; the others are shared or unknown
    "wrenfield-ml": "ml-research",
    "wrenfield-data": "data-platform",
    "wrenfield-analytics": "data-platform",
}


def cloud_account(vendor: str, account: str, environment: str) -> tuple[str, str]:
    """Sub-account id and name: AWS keeps an account per environment, the others do not."""
    known = CLOUD_ACCOUNTS[vendor]
    return known[account] if account in known else known[f"{account}/{environment}"]
