"""A company of three parts whose every name gives away whose it is, and copies of it cut down.

Nothing that lies outside a principal's scope may make any difference to what it is told: the same
question put to a store that never held those rows has the same answer, word for word.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

GEMS = ("ruby", "topaz", "opal")
LAST_DAY = date(2026, 10, 31)
CURRENCY = {"ruby": "USD", "topaz": "USD", "opal": "EUR"}
# Sums of one gem cannot be told for those of another: 1-ish, 10,000-ish and 100,000-ish a row.
SIZE = {"ruby": 1, "topaz": 10_000, "opal": 100_000}
SETTINGS = """
[principals.ruby.allow]
team = ["ruby-team"]
[principals.topaz.allow]
provider = ["Topaz Cloud"]
[principals.opal.allow]
account = ["opal-sub"]
[principals.nothing.allow]
team = []
[principals.nobody.allow]
team = ["emerald-team"]
[principals.lawyer]
hide = ["EffectiveCost", "ListCost", "team", "provider"]
[principals.lawyer.allow]
team = ["ruby-team"]
[principals.reader]
tools = ["describe_data"]
[principals.all]
"""
_COLUMNS = """
BilledCost EffectiveCost ListCost ContractedCost BillingAccountId BillingAccountName SubAccountId
SubAccountName BillingCurrency BillingPeriodStart BillingPeriodEnd ChargeCategory ChargeDescription
ChargePeriodStart ChargePeriodEnd InvoiceIssuerName ProviderName PublisherName PricingQuantity
PricingUnit ConsumedQuantity ConsumedUnit ServiceCategory ServiceName RegionId RegionName ResourceId
ResourceName SkuId CommitmentDiscountId Tags x_ModelId x_ModelFamily x_TokenDirection
"""
COLUMNS = _COLUMNS.split()
_DIMENSIONS = "provider service category account region team project environment customer model"


def charges(gem: str) -> Iterable[dict[str, object]]:
    """Sixty-one days of one gem's charges, four a day; topaz's end twelve days early and are
    hourly."""
    days = [date(2026, 9, 1) + timedelta(days=n) for n in range(61)]
    for day in days[: -12 if gem == "topaz" else None]:
        start = day.replace(day=1)
        for n in range(4):
            cost = SIZE[gem] + n / 4 + day.day / 64
            yield {
                "BilledCost": cost,
                "EffectiveCost": cost,
                "ListCost": cost * 2,
                "ContractedCost": cost,
                "BillingAccountId": f"{gem}-payer",
                "BillingAccountName": f"{gem.title()} Payer",
                "SubAccountId": f"{gem}-sub",
                "SubAccountName": f"{gem.title()} Sub",
                "BillingCurrency": CURRENCY[gem],
                "BillingPeriodStart": f"{start}T00:00:00Z",
                "BillingPeriodEnd": f"{(start + timedelta(32)).replace(day=1)}T00:00:00Z",
                "ChargeCategory": "Usage",
                "ChargeDescription": f"{gem} charge",
                "ChargePeriodStart": f"{day}T0{n}:00:00Z",
                "ChargePeriodEnd": f"{day}T0{n + 1}:00:00Z"
                if gem == "topaz"
                else f"{day + timedelta(1)}T00:00:00Z",
                "InvoiceIssuerName": f"{gem.title()} Inc.",
                "ProviderName": f"{gem.title()} Cloud",
                "PublisherName": f"{gem.title()} Cloud",
                "PricingQuantity": SIZE[gem],
                "PricingUnit": "Hours",
                "ConsumedQuantity": SIZE[gem] * 3,
                "ConsumedUnit": "Tokens",
                "ServiceCategory": "Compute" if n else f"{gem.title()} Things",
                "ServiceName": f"{gem.title()} Compute" if n else f"{gem.title()} Models",
                "RegionId": "eu-west-1" if n % 2 else f"{gem}-region",
                "RegionName": "Ireland" if n % 2 else f"{gem.title()} Region",
                "ResourceId": f"{gem}-machine-{n}",
                "ResourceName": f"{gem}-machine-{n}",
                "SkuId": f"{gem}-sku",
                "CommitmentDiscountId": f"{gem}-commitment" if n == 3 else "",
                "Tags": json.dumps(
                    {
                        "team": f"{gem}-team",
                        "project": f"{gem}-project-{n % 2}",
                        "env": "prod" if n else f"{gem}-env",
                        "customer": f"{gem}-customer",
                    }
                ),
                "x_ModelId": "" if n else f"{gem}-model",
                "x_ModelFamily": "" if n else f"{gem.title()} Model",
                "x_TokenDirection": "Input" if n % 2 else "Output",
            }


def build(folder: Path, gems: Iterable[str]) -> Home:
    """A home with the charges of some gems; each has a column and a bad row of its own."""
    home = Home(folder / "home")
    home.path.mkdir(parents=True)
    (home.path / "finops.toml").write_text(SETTINGS)
    for gem in gems:
        with (folder / f"{gem}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, [*COLUMNS, f"x_{gem.title()}Note"], restval=gem)
            writer.writeheader()
            writer.writerows(charges(gem))
            writer.writerow(dict.fromkeys(COLUMNS, gem))
    ingest(home, sorted(folder.glob("*.csv")))
    return home


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The whole company."""
    return build(tmp_path_factory.mktemp("company"), GEMS)


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    """Makes the company as if it had ever held one gem only."""
    made: dict[str, Home] = {}

    def of(gem: str) -> Home:
        if gem not in made:
            made[gem] = build(tmp_path_factory.mktemp(gem), [gem])
        return made[gem]

    return of


def questions() -> list[str]:
    """Questions of every kind: figures, comparisons, lists, conversions, declined ones; half of
    them name something, of whichever part."""
    named = [
        name
        for gem in GEMS
        for name in (
            f"team {gem}-team",
            f"{gem.title()} Cloud",
            f"account {gem}-sub",
            f"{gem.title()} Models",
            f"{gem}-project-1",
            f"the {gem}-model model",
            f"{gem}-machine-2",
            f"{gem.title()} Payer",
            f"{gem}-customer",
            f"{gem.title()} Sub",
            f"region {gem}-region",
            f"{gem}-commitment",
            f"team {gem}-taem",
            f"{gem[:-1]}-team",
            gem,
        )
    ]
    asked = [
        template.format(name)
        for name in named
        for template in (
            "What did {} cost in October 2026?",
            "effective cost of {} by month",
            "total cost without {} last month",
        )
    ]
    dimensions = _DIMENSIONS.split()
    asked += [f"cost by {dimension} in October 2026" for dimension in dimensions]
    asked += [f"which {dimension}s are there?" for dimension in dimensions]
    asked += [f"how many {dimension}s do we have?" for dimension in dimensions]
    asked += [f"share of cost by {dimension} last month" for dimension in dimensions]
    asked += [f"top 3 {dimension}s compared with the month before" for dimension in dimensions]
    for one, other in (("ruby", "topaz"), ("topaz", "opal"), ("opal", "ruby")):
        asked += [
            f"compare team {one}-team with team {other}-team in October 2026",
            f"share of {one.title()} Cloud in total cost last month",
            f"{one.title()} Cloud versus {other.title()} Cloud by month",
            f"which services does team {one}-team use on {other.title()} Cloud?",
        ]
    return [
        *asked,
        *"""What did we spend last month?
        what did we spend yesterday
        cost by day in the last two weeks of October 2026
        cost by hour on 2026-10-03
        total billed cost in 2026
        list cost by service in September 2026
        how much did we save last month
        savings by team
        teams with cost above 500 last month
        services below 2 dollars
        how many tokens did we use by model
        input tokens last month
        cost per million tokens by model
        gpu hours by team
        cost in EUR last month
        cost in euros
        untagged spend last month
        everything in eu-west-1 last month
        prod cost by team
        which services make up 80% of the cost
        rank of teams by cost
        what data is loaded?
        how fresh is the data?
        which metrics can I ask for?
        is any data late?
        cost in August 2026
        cost in December 2026
        what will we spend next month?
        delete the idle machines
        how many requests did we send last month
        why did cost rise?
        who is the owner of everything
        🎉
        cost of resources containing machine
        cost of xylophone""".splitlines(),
    ]


@pytest.fixture(scope="session")
def asked() -> list[str]:
    """The questions, each once."""
    return list(dict.fromkeys(question.strip() for question in questions()))
