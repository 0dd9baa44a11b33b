"""Commitments: a savings plan well used, a discount mostly unused, provisioned throughput."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from finops_assistant.store.sample.chance import DAYS, Ints, day_of, number_of
from finops_assistant.store.sample.cloud import decimals_of, dims_of, list_price, metered
from finops_assistant.store.sample.company import Company, cloud_account, project
from finops_assistant.store.sample.line import CONTRACT, Line, Price, daily, fixed

Place = tuple[tuple[str, str], str]


@dataclass(frozen=True)
class Commitment:
    """A commitment and what is used of it; money in USD per hour, quantities per day.

    ``capacity`` units are bought for every hour at ``unit_cost`` each; ``used`` unit-hours a day
    are covered usage of one unit each at the same cost.
    """

    commitment_id: str
    name: str
    provider: str
    kind: str  # as in commitments.csv
    type: str  # the vendor's own word
    category: str  # Spend or Usage
    unit: str
    scope: str
    capacity: Decimal
    unit_cost: Decimal
    start: date
    end: date
    payment_option: str

    @property
    def hourly_cost(self) -> Decimal:
        """What an hour costs, used or not."""
        return self.capacity * self.unit_cost

    @property
    def first(self) -> int:
        """First day of the sample that the commitment covers."""
        return max(0, number_of(self.start))

    @property
    def text(self) -> dict[str, str | None]:
        """Its FOCUS columns."""
        return {
            "CommitmentDiscountId": self.commitment_id,
            "CommitmentDiscountName": self.name,
            "CommitmentDiscountCategory": self.category,
            "CommitmentDiscountType": self.type,
            "CommitmentDiscountUnit": self.unit,
        }


COVERED_NODES = 20
NODE_RATE = Decimal("0.28224")  # 30 % under list
PTU_USED_OFFICE, PTU_USED_WEEKEND = Decimal("76"), Decimal("31")
CUD_USED_HOURS = Decimal("10")  # of 48 GPU-hours a day


def savings_plan() -> Commitment:
    """USD 5.70 an hour of AWS compute, of which the steady cluster uses 5.6448."""
    return Commitment(
        "arn:aws:savingsplans::210987650000:savingsplan/sp-7f3a91c2", "core compute plan", "AWS",
        "savings_plan", "Compute Savings Plan", "Spend", "USD", "provider=AWS",
        Decimal("5.70"), Decimal(1), date(2025, 8, 15), date(2026, 12, 14), "no_upfront",
    )  # fmt: skip


def unused_discount(company: Company) -> Commitment:
    """Two A100 machines on Google Cloud for a year; their work moved away."""
    start = company.situation.unused_commitment_from
    return Commitment(
        "projects/wrenfield-growth/commitments/cud-a2-2x", "a2 GPU commitment", "Google Cloud",
        "cud", "Spend-based committed use discount", "Spend", "USD",
        "provider=Google Cloud;project=home-feed", Decimal(2), Decimal("2.314"),
        start, start.replace(year=start.year + 1), "monthly",
    )  # fmt: skip


def provisioned_throughput() -> Commitment:
    """A hundred provisioned throughput units of gpt-4.1 on Azure, busy in office hours."""
    return Commitment(
        "/providers/Microsoft.Capacity/reservationOrders/5b1e-ptu-gpt41", "gpt-4.1 throughput",
        "Microsoft", "provisioned_throughput", "Reservation", "Usage", "PTU-Hours",
        "provider=Microsoft;project=fraud-scoring", Decimal(100), Decimal("0.3562"),
        date(2026, 4, 1), date(2027, 3, 31), "monthly",
    )  # fmt: skip


def all_commitments(company: Company) -> tuple[Commitment, ...]:
    """The three commitments."""
    return savings_plan(), unused_discount(company), provisioned_throughput()


def throughput_used() -> Ints:
    """PTU-hours in use on each day, with two decimals."""
    plan = provisioned_throughput()
    office = np.array([day_of(number).weekday() < 5 for number in range(DAYS)])
    hours = np.where(office, int(PTU_USED_OFFICE * 24 * 100), int(PTU_USED_WEEKEND * 24 * 100))
    hours[: plan.first] = 0
    return hours.astype(np.int64)


def commitment_lines(company: Company) -> Iterator[Line]:
    """Purchases, covered usage and what stays unused, in balance on every day."""
    plan = savings_plan()
    place = (cloud_account("AWS", "core", "prod"), "us-east-1")
    for number in range(1, COVERED_NODES + 1):
        yield _used(
            plan, "m7i.2xlarge", dims_of(project("core-platform"), "prod"), place,
            f"cluster-node-{number:02}", fixed(Decimal(24), 2), NODE_RATE, "savings_plan",
        )  # fmt: skip
    left = plan.hourly_cost - COVERED_NODES * NODE_RATE
    spare = fixed(Decimal(24), 2, plan.first)
    yield from _paid(plan, place, "savings-plan", spare, left, "savings_plan")

    cud = unused_discount(company)
    place = (cloud_account("Google Cloud", "wrenfield-growth", "prod"), "us-central1")
    yield _used(
        cud, "a2-highgpu-1g", dims_of(project("home-feed"), "prod", feature="room-matching"),
        place, "room-matcher-a2", fixed(CUD_USED_HOURS, 2, cud.first), cud.unit_cost,
        "unused_commitment",
    )  # fmt: skip
    yield _left_of_fee(cud, place, "a2-commitment", CUD_USED_HOURS, "unused_commitment")

    ptu = provisioned_throughput()
    place = (cloud_account("Microsoft", "Wrenfield Commerce", "prod"), "westeurope")
    hours = throughput_used()
    fraud = dims_of(
        project("fraud-scoring"), "prod", feature="risk-scoring", initiative="fraud-explain"
    )
    yield _used(
        ptu, "ptu-gpt-4.1", fraud, place, "gpt-41-throughput", hours, ptu.unit_cost,
        "provisioned_throughput", _GPT_41,
    )  # fmt: skip
    spare = fixed(ptu.capacity * 24, 2, ptu.first) - hours
    yield from _paid(ptu, place, "ptu-gpt-4.1", spare, ptu.unit_cost, "provisioned_throughput")


_GPT_41: dict[str, str | None] = {
    "x_ModelDeveloper": "OpenAI",
    "x_ModelFamily": "GPT-4.1",
    "x_ModelId": "gpt-4.1",
    "x_ModelIdBilled": "gpt-4.1-2025-04-14",
    "x_WorkloadType": "inference",
}


def _used(
    plan: Commitment, sku: str, dims: dict[str, str], place: Place, label: str, quantity: Ints,
    rate: Decimal, key: str, more: dict[str, str | None] | None = None,
) -> Line:  # fmt: skip
    """Usage that the commitment covers: costed at its rate, and invoiced with its fee (on Google
    Cloud by itself, and the fee is offset)."""
    listed = list_price(plan.provider, sku)
    text = {
        **plan.text,
        "PricingCategory": "Committed",
        "CommitmentDiscountStatus": "Used",
        **(more or {}),
    }
    offset = plan.provider == "Google Cloud"
    price = Price(listed, listed * CONTRACT[plan.provider], rate, rate if offset else Decimal(0))
    return metered(
        plan.provider, sku, dims, place, label, daily(quantity), price=price, text=text, key=key
    )


def _paid(
    plan: Commitment, place: Place, sku: str, spare: Ints, unit_cost: Decimal, key: str
) -> Iterator[Line]:
    """One recurring purchase a day, invoiced at once and never an effective cost, and the unused
    part, an effective cost that is never invoiced and has no list or contracted cost."""
    text = _plan_text(plan)
    fee = {
        "ChargeCategory": "Purchase",
        "ChargeFrequency": "Recurring",
        "ChargeDescription": f"{plan.type} fee",
        "PricingUnit": "Hours",
    }
    unused = {
        "CommitmentDiscountStatus": "Unused",
        "ChargeDescription": f"Unused {plan.type}",
        "PricingCategory": "Committed",
    }
    hourly, zero = plan.hourly_cost, Decimal(0)
    for quantity, price, own in (
        (fixed(Decimal(24), 2, plan.first), Price(hourly, hourly, zero, hourly), fee),
        (spare, Price(zero, zero, unit_cost, zero), unused),
    ):
        yield metered(
            plan.provider, sku, {}, place, plan.name, daily(quantity),
            price=price, text={**text, **own}, key=key,
        )  # fmt: skip


def _plan_text(plan: Commitment) -> dict[str, str | None]:
    return {
        **plan.text,
        "ConsumedUnit": None,
        "x_WorkloadType": "inference" if plan.kind == "provisioned_throughput" else None,
        "ResourceId": plan.commitment_id,
        "ResourceName": plan.name,
        "ResourceType": plan.type,
    }


def _left_of_fee(plan: Commitment, place: Place, sku: str, used: Decimal, key: str) -> Line:
    """What a day's fee of a spend-based commitment leaves to pay: Google Cloud charges the usage
    at the commitment's rate and offsets the fee, so that the rest was not used."""
    left = plan.hourly_cost * 24 - used * plan.unit_cost
    zero = Decimal(0)
    return metered(
        plan.provider, sku, {}, place, plan.name,
        daily(fixed(Decimal(1), decimals_of(plan.provider, sku), plan.first)),
        price=Price(zero, zero, left, left),
        text={
            **_plan_text(plan),
            "CommitmentDiscountStatus": "Unused",
            "PricingCategory": "Committed",
            "PricingUnit": "Days",
        },
        key=key,
    )  # fmt: skip
