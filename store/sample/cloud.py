"""The ordinary estate: each project's stack on its cloud, one line per resource."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from finops_assistant.store.sample.chance import Ints, code, rhythm
from finops_assistant.store.sample.company import (
    Company,
    Project,
    cloud_account,
    projects,
    table,
)
from finops_assistant.store.sample.line import VENDORS, Line, Price, daily, on_demand, rounded
from finops_assistant.store.sample.tagging import tagged

REGIONS = {
    "us-east-1": "US East (N. Virginia)",
    "eu-west-1": "EU (Ireland)",
    "westeurope": "West Europe",
    "europe-west1": "Belgium",
    "us-central1": "Iowa",
}
_ENVIRONMENT_SHARE = {"prod": 1.0, "production": 1.0, "staging": 0.3, "dev": 0.15}
_FIRST = {
    row["stack"] + row["vendor"]: row["sku"] for row in reversed(table("stacks.csv"))
}.values()
_ARN_SPACE = {
    "Amazon Elastic Compute Cloud": "ec2",
    "Amazon Elastic Block Store": "ec2",
    "Amazon Virtual Private Cloud": "ec2",
    "Amazon SageMaker": "sagemaker",
    "Amazon Relational Database Service": "rds",
    "Amazon ElastiCache": "elasticache",
    "Elastic Load Balancing": "elasticloadbalancing",
    "Amazon Simple Storage Service": "s3",
    "Amazon CloudWatch": "logs",
    "AWS Lambda": "lambda",
    "Amazon OpenSearch Service": "es",
    "AWS Glue": "glue",
    "Amazon Elastic Kubernetes Service": "eks",
    "Savings Plans for AWS Compute usage": "savingsplans",
}
_WORKLOADS = {"Data Processing": "pipeline", "notebook": "other"}
_GOOGLE_API = {
    "Compute Engine": "compute.googleapis.com",
    "Cloud SQL": "sqladmin.googleapis.com",
    "Cloud Storage": "storage.googleapis.com",
    "Kubernetes Engine": "container.googleapis.com",
    "Memorystore for Redis": "redis.googleapis.com",
    "Dataflow": "dataflow.googleapis.com",
    "Pub/Sub": "pubsub.googleapis.com",
    "Vertex AI": "aiplatform.googleapis.com",
}
_DECIMALS = {
    "GB-Seconds": 0,
    "Hours": 2,
    "PTU-Hours": 2,
    "Months": 0,
    "vCore-Hours": 2,
    "Credits": 2,
}


@lru_cache
def sku(vendor: str, name: str) -> dict[str, str]:
    """One row of ``skus.csv``. Raises ``StopIteration`` for an unknown SKU."""
    return next(row for row in table("skus.csv") if (row["vendor"], row["sku"]) == (vendor, name))


def decimals_of(vendor: str, name: str) -> int:
    """Decimals of the quantities of a SKU."""
    return _DECIMALS.get(sku(vendor, name)["unit"], 3)


def list_price(vendor: str, name: str) -> Decimal:
    """Public unit price of a SKU in USD."""
    return Decimal(sku(vendor, name)["list_price"])


def resource_id(vendor: str, name: str, account: str, region: str, label: str) -> str | None:
    """An identifier in the vendor's own shape; None for charges without a resource."""
    kind = sku(vendor, name)["resource"]
    if not kind:
        return None
    if vendor == "AWS":
        space = _ARN_SPACE[sku(vendor, name)["service"]]
        if kind == "instance":
            return f"i-0{code(vendor, name, account, label, length=16)}"
        return f"arn:aws:{space}:{region}:{account}:{kind}/{label}"
    if vendor == "Microsoft":
        return f"{account}/resourceGroups/wrenfield/providers/{kind}/{label}"
    api = _GOOGLE_API.get(sku(vendor, name)["service"], VENDORS[vendor]["prefix"])
    return f"//{api}/projects/{account}/locations/{region}/{kind}/{label}"


def describe(
    vendor: str, name: str, account: tuple[str, str], region: str, label: str
) -> dict[str, str | None]:
    """The FOCUS text columns of a metered resource."""
    facts = sku(vendor, name)
    resource = resource_id(vendor, name, account[0], region, label)
    zone = f"{region}a" if vendor == "AWS" and facts["resource"] == "instance" else None
    return {
        "SubAccountId": account[0],
        "SubAccountName": account[1],
        "ServiceName": facts["service"],
        "ServiceCategory": facts["category"],
        "ServiceSubcategory": facts["subcategory"],
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": facts["description"],
        "PricingCategory": "Standard",
        "PricingUnit": facts["unit"],
        "ConsumedUnit": facts["unit"],
        "SkuId": f"{VENDORS[vendor]['prefix'].upper()}-{code(vendor, name, length=10).upper()}",
        "SkuMeter": name,
        "SkuPriceId": f"{code(vendor, name, region, length=10).upper()}.STD",
        "RegionId": region,
        "RegionName": REGIONS[region],
        "AvailabilityZone": zone,
        "ResourceId": resource,
        "ResourceName": label if resource else None,
        "ResourceType": facts["resource"] or None,
        "x_WorkloadType": _WORKLOADS.get(facts["subcategory"] if name != "notebook" else name),
    }


def metered(
    vendor: str,
    name: str,
    dims: dict[str, str],
    place: tuple[tuple[str, str], str],
    label: str,
    rows: tuple[Ints, Ints, Ints],
    *,
    price: Price | None = None,
    text: dict[str, str | None] | None = None,
    key: str = "",
    careless: bool = False,
) -> Line:
    """The line of one resource.

    ``place`` is ((account id, account name), region) and ``rows`` are starts, stops, quantities.
    ``price`` and ``text`` replace the on-demand price and single columns.
    """
    account, region = place
    tags, kept = tagged(vendor, dims, label, name, careless=careless)
    decimals = decimals_of(vendor, name)
    return Line(
        vendor=vendor,
        text={**describe(vendor, name, account, region, label), **(text or {})},
        tags=tags,
        price=price or on_demand(list_price(vendor, name), vendor),
        starts=rows[0],
        stops=rows[1],
        quantity=rows[2],
        decimals=decimals,
        consumed_decimals=decimals,
        gpus=int(sku(vendor, name)["gpus"]),
        dims=kept,
        key=key,
    )


def dims_of(where: Project, environment: str, **more: str) -> dict[str, str]:
    """The tag dimensions of a project's resource."""
    return {
        "team": where.team,
        "project": where.name,
        "environment": environment,
        "cost_centre": where.cost_centre,
        **more,
    }


def estate(company: Company) -> Iterator[Line]:
    """Every ordinary resource of every project and environment."""
    for where in projects():
        for environment in where.environments:
            share = _ENVIRONMENT_SHARE[environment]
            place = (cloud_account(where.vendor, where.account, environment), where.region)
            for row in table("stacks.csv"):
                if (row["stack"], row["vendor"]) != (where.stack, where.vendor):
                    continue
                count = int(row["instances"]) if share == 1 else 1
                for number in range(1, count + 1):
                    label = f"{where.name}-{environment}-{row['sku'].split('.')[0]}-{number}"
                    # the first line of a stack stays at any scale: every project keeps a bill
                    if row["sku"] not in _FIRST and not company.keeps(label):
                        continue
                    size = share * (where.size / 4 if row["profile"] != "steady" else 1)
                    factor = rhythm(
                        row["profile"],
                        float(row["growth"]) + (company.growth if float(row["growth"]) else 0),
                        0 if row["profile"] == "steady" else company.wobble,
                        company.seed,
                        label,
                    )
                    amount = float(row["daily"]) * (size if float(row["growth"]) else 1)
                    decimals = decimals_of(where.vendor, row["sku"])
                    yield metered(
                        where.vendor,
                        row["sku"],
                        dims_of(where, environment),
                        place,
                        label,
                        daily(rounded(amount * factor, decimals)),
                        careless=True,
                    )
