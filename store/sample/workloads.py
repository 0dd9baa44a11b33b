"""Model API work: what each workload asks of which model, and its billing lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from finops_assistant.store.sample.chance import DAYS, Ints, code, number_of, rhythm, uniform
from finops_assistant.store.sample.company import Company, cloud_account, project, table
from finops_assistant.store.sample.line import CONTRACT, VENDORS, Line, Price, daily
from finops_assistant.store.sample.tagging import tagged

CLOUDS = ("AWS", "Microsoft", "Google Cloud")
BY_KEY = ("OpenAI", "Anthropic")  # their cost reports have no tags, only projects and keys
CLASSES = ("input", "cached", "written", "output")
_DIRECTION = {
    "input": ("Input", "Uncached", "input tokens"),
    "cached": ("Input", "Read", "cached input tokens"),
    "written": ("Input", "Write", "cache write tokens"),
    "output": ("Output", None, "output tokens"),
}
_SERVICE = {
    "AWS": "Amazon Bedrock",
    "Microsoft": "Azure OpenAI Service",
    "Google Cloud": "Vertex AI",
    "OpenAI": "OpenAI API",
    "Anthropic": "Anthropic API",
    "Mistral AI": "Mistral AI API",
    "Cohere": "Cohere API",
}
_CLOUD_PLACE = {
    "AWS": ("core", "us-east-1", "US East (N. Virginia)"),
    "Microsoft": ("Wrenfield Commerce", "westeurope", "West Europe"),
    "Google Cloud": ("wrenfield-growth", "us-central1", "Iowa"),
}
_RESOURCE = {
    "AWS": "arn:aws:bedrock:us-east-1:{}:application-inference-profile/{}",
    "Microsoft": "{}/resourceGroups/wrenfield/providers/Microsoft.CognitiveServices/accounts/{}",
    "Google Cloud": "//aiplatform.googleapis.com/projects/{}/locations/us-central1/endpoints/{}",
}


@dataclass(frozen=True)
class Workload:
    """One use of one model; arrays hold one number a day, tokens are raw tokens.

    ``tokens["input"]`` is uncached input; the other classes are cached reads, cache writes and
    output.
    """

    name: str
    channel: str
    model: str
    first: int
    end: int
    dims: dict[str, str]
    sub_account: tuple[str, str]
    key: str
    via: str
    requests: Ints
    tokens: dict[str, Ints]


def account_of(channel: str, name: str, environment: str, workspace: str = "") -> tuple[str, str]:
    """Sub-account id and name on a channel: a cloud account, or the vendor's project.

    ``workspace`` is a name of its own in place of the project's.
    """
    if channel in CLOUDS:
        return cloud_account(channel, _CLOUD_PLACE[channel][0], environment or "prod")
    if not name:
        return ("proj_default", "Default project")
    own = f"{name}-{environment}" if environment not in ("prod", "production") else name
    label = workspace or own
    mark = {"OpenAI": "proj", "Anthropic": "wrkspc", "Mistral AI": "ws", "Cohere": "team"}[channel]
    return (f"{mark}_{code(channel, label, length=16)}", label)


def workloads(company: Company) -> tuple[Workload, ...]:
    """Every workload of ``workloads.csv`` with its daily requests and tokens.

    A company of a smaller scale drops some of those marked ``ordinary``.
    """
    return tuple(
        _workload(company, row)
        for row in table("workloads.csv")
        if not row["ordinary"] or company.keeps("workload", row["workload"])
    )


def _workload(company: Company, row: dict[str, str]) -> Workload:
    legacy = row["project"].startswith("(owner)")
    name = row["project"].removeprefix("(owner) ")
    where = project(name) if name else None
    dims = {
        "team": where.team if where else "",
        "project": name,
        "environment": row["environment"],
        "cost_centre": where.cost_centre if where else "",
        "feature": row["feature"],
        "initiative": row["initiative"],
        "customer": row["customer"],
    }
    first = number_of(date.fromisoformat(row["from"]))
    end = number_of(date.fromisoformat(row["to"])) + 1 if row["to"] else DAYS
    seed = (company.seed, row["workload"])
    growth = float(row["growth"]) + company.growth
    requests = np.rint(
        int(row["requests"]) * rhythm(row["profile"], growth, company.wobble, *seed)
    ).astype(np.int64)
    requests[:first] = 0
    requests[end:] = 0

    def tokens(per_request: float, kind: str) -> Ints:
        wobble = 1 + 0.04 * (uniform(DAYS, *seed, kind) - 0.5)
        count: Ints = np.rint(requests * per_request * wobble).astype(np.int64)
        return count

    total = float(row["input"])
    read, written = float(row["cached"]), float(row["written"])
    account = ("proj_legacysearch01", "search-legacy") if legacy else None
    return Workload(
        name=row["workload"],
        channel=row["channel"],
        model=row["model"],
        first=first,
        end=end,
        dims=dims,
        sub_account=account
        or account_of(row["channel"], name, row["environment"], row["workspace"]),
        key=f"key_{code('api key', row['workload'], length=14)}",
        via=row["via"],
        requests=requests,
        tokens={
            "input": tokens(total * (1 - read - written), "input"),
            "cached": tokens(total * read, "cached"),
            "written": tokens(total * written, "written"),
            "output": tokens(float(row["output"]), "output"),
        },
    )


@dataclass(frozen=True)
class ModelPrice:
    """One dated row of ``models.csv``; ``first`` and ``end`` are days of the sample."""

    row: dict[str, str]
    first: int
    end: int


def model_prices(channel: str, model: str) -> tuple[ModelPrice, ...]:
    """The dated prices of a model on a channel, oldest first."""
    rows = [r for r in table("models.csv") if (r["channel"], r["model"]) == (channel, model)]
    starts = [max(0, number_of(date.fromisoformat(row["from"]))) for row in rows]
    ends = [*starts[1:], DAYS]
    return tuple(ModelPrice(*entry) for entry in zip(rows, starts, ends, strict=True))


def token_price(row: dict[str, str], channel: str, kind: str) -> tuple[Price, int]:
    """The price of a token class per pricing unit, and the decimals of its quantity."""
    block, decimals = (1000, 3) if channel in ("AWS", "Microsoft") else (1_000_000, 6)
    listed = Decimal(row[kind]) * block / 1_000_000
    paid = listed * CONTRACT[channel]
    # the cost report of Anthropic has one amount, so its discount shows only against a price list
    shown = paid if channel == "Anthropic" else listed
    return Price(shown, paid, paid, paid), decimals


def token_lines(work: Workload, key: str = "") -> Iterator[Line]:
    """The billing lines of a workload: one per token class and dated price."""
    cloud = work.channel in CLOUDS
    region = _CLOUD_PLACE[work.channel][1:] if cloud else (None, None)
    tags, kept = tagged(work.channel, work.dims, work.name)
    if work.channel in BY_KEY:
        tags = {}  # owners.csv says what the keys and workspaces are for
    for priced in model_prices(work.channel, work.model):
        row = priced.row
        for kind in CLASSES:
            if not row[kind] or not work.tokens[kind].any():
                continue
            quantity = work.tokens[kind].copy()
            quantity[: priced.first] = 0
            quantity[priced.end :] = 0
            starts, stops, used = daily(quantity)
            if not used.size:
                continue
            direction, cache, words = _DIRECTION[kind]
            price, decimals = token_price(row, work.channel, kind)
            resource = (
                _RESOURCE[work.channel].format(work.sub_account[0], work.name) if cloud else None
            )
            yield Line(
                vendor=work.channel,
                text={
                    "SubAccountId": work.sub_account[0],
                    "SubAccountName": work.sub_account[1],
                    "ServiceName": _SERVICE[work.channel],
                    "ServiceCategory": "AI and Machine Learning",
                    "ServiceSubcategory": "Generative AI",
                    "ChargeCategory": "Usage",
                    "ChargeFrequency": "Usage-Based",
                    "ChargeDescription": f"{row['billed']}, {words}",
                    "PricingCategory": "Standard",
                    "PricingUnit": "1000 Tokens" if decimals == 3 else "1000000 Tokens",
                    "ConsumedUnit": "Tokens",
                    "SkuId": f"{VENDORS[work.channel]['prefix']}-{row['billed']}-{kind}",
                    "SkuMeter": f"{row['billed']} {words}",
                    "SkuPriceId": f"{code(row['billed'], kind, row['from'], length=10)}",
                    "RegionId": region[0],
                    "RegionName": region[1],
                    "ResourceId": resource,
                    "ResourceName": work.name if cloud else None,
                    "ResourceType": "model deployment" if cloud else None,
                    "x_ModelDeveloper": row["developer"],
                    "x_ModelFamily": row["family"],
                    "x_ModelId": work.model,
                    "x_ModelIdBilled": row["billed"],
                    "x_TokenDirection": direction,
                    "x_TokenCacheAction": cache,
                    "x_WorkloadType": "inference",
                    # the cost report of Anthropic knows workspaces, not keys
                    "x_ApiKeyId": None if cloud or work.channel == "Anthropic" else work.key,
                },
                tags=tags,
                price=price,
                starts=starts,
                stops=stops,
                quantity=used,
                decimals=decimals,
                consumed_decimals=0,
                dims=kept,
                key=key,
                token_class=kind,
            )
