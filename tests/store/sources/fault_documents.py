"""One tiny valid document for each kind of file, built from rows, so that a fault can be put into
any of them. A row has the roles that most kinds share; a kind says what it calls them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, str]
FIRST = 1790812800  # 2026-10-01 in seconds since 1970
DAY = 86_400


@dataclass(frozen=True)
class Kind:
    """A kind of file. ``row(n)`` is the n-th good row (column -> text) and ``build`` makes the file
    of rows; ``amount``, ``time``, ``currency`` and ``text`` are columns. ``measure`` sums what
    ``amount`` became over the rows of its ``table``, ``factor`` times the file's numbers."""

    name: str
    row: Callable[[int], Row]
    table: str
    measure: str
    amount: str
    time: str = ""
    currency: str = ""
    text: str = ""
    needed: str = ""  # a column that cannot be missing
    factor: Decimal = Decimal(1)
    whole: bool = False  # the amount is a count
    zoned: bool = True  # a time may name its zone
    grouped: str = "1,234.56"  # 1234.56 as such a file may write it
    never: tuple[str, ...] = ("infinity", "nan", "1e300", "2026-02-30", "20261003", "yesterday")
    bad: tuple[str, ...] = ("NaN", "-inf", "$5.00", "1.234,56", "1e40")
    suffix: str = "csv"
    build: Callable[[Sequence[Row]], str] = field(default=lambda rows: as_csv(rows))
    share: int = 1  # rows of the table for one row of the file


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ",", end: str = "\n") -> str:
    """Rows as a CSV text with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def a_day(number: int) -> str:
    """The n-th day of 2026, as an ISO date."""
    return f"2026-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"


def _fixed(columns: str, values: Callable[[int], str]) -> Callable[[int], Row]:
    """Rows of a CSV: names and, for each number, values, both separated by |."""
    return lambda n: dict(zip(columns.split("|"), values(n).split("|"), strict=True))


def _lines(make: Callable[[Row], Any]) -> Callable[[Sequence[Row]], str]:
    return lambda rows: "".join(json.dumps(make(row)) + "\n" for row in rows)


def _page(bucket: Callable[[Row], Any]) -> Callable[[Sequence[Row]], str]:
    return lambda rows: json.dumps(
        {"object": "page", "data": [bucket(row) for row in rows], "has_more": False}
    )


def _number(text: str) -> Any:
    """A JSON number where the text is one."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _openai(result: Callable[[Row], Any]) -> Callable[[Sequence[Row]], str]:
    return _page(
        lambda row: {
            "object": "bucket",
            "start_time": _number(row["start_time"]),
            "end_time": _number(row["start_time"]) + DAY
            if row["start_time"].isdigit()
            else FIRST + DAY,
            "results": [result(row)],
        }
    )


def _anthropic(result: Callable[[Row], Any]) -> Callable[[Sequence[Row]], str]:
    return _page(
        lambda row: {
            "starting_at": row["starting_at"],
            "ending_at": "2027-12-01T00:00:00Z",
            "results": [result(row)],
        }
    )


_AZURE = (
    "SubscriptionId|SubscriptionName|Date|ProductName|MeterCategory|MeterSubCategory|MeterId|"
    "MeterName|UnitOfMeasure|Quantity|EffectivePrice|CostInBillingCurrency|ResourceId|Tags|"
    "ChargeType|Frequency|PricingModel|BillingAccountId|BillingCurrencyCode|ReservationId"
)


def _azure(name: str, model: str, reservation: str) -> Kind:
    return Kind(
        name,
        _fixed(
            _AZURE,
            lambda n: (
                f"s|Web|{n // 28 % 12 + 1}/{n % 28 + 1}/2026|Machines|Virtual Machines|D|m|D4s|"
                f'1 Hour|24|0.1|{n}.25|/r|"team": "a"|Usage|UsageBased|{model}|7|USD|{reservation}'
            ),
        ),
        "charges",
        "sum(EffectiveCost)",
        "CostInBillingCurrency",
        "Date",
        "BillingCurrencyCode",
        "ProductName",
        "CostInBillingCurrency",
        zoned=False,
    )


def _context(
    name: str, columns: str, values: Callable[[int], str], amount: str, **more: Any
) -> Kind:
    table = name.replace("-", "_")
    return Kind(name, _fixed(columns, values), table, f'sum("{amount}")', amount, **more)


BILLS = (
    Kind(
        "focus",
        _fixed(
            "BilledCost|EffectiveCost|ListCost|ContractedCost|BillingCurrency|BillingAccountId|"
            "BillingAccountName|BillingPeriodStart|BillingPeriodEnd|ChargePeriodStart|"
            "ChargePeriodEnd|ServiceProviderName|InvoiceIssuerName|ServiceName|ServiceCategory|"
            "ChargeCategory|ChargeClass|ChargeDescription|PricingQuantity|PricingUnit|Tags",
            lambda n: (
                f"{n}.25|1|1|1|USD|a|A|2026-01-01T00:00:00Z|2027-01-01T00:00:00Z|"
                f"{a_day(n)}T00:00:00Z|{a_day(n)}T23:00:00Z|Oracle|Oracle|VM|Compute|Usage||d|1|"
                'Hours|{"team": "a"}'
            ),
        ),
        "charges",
        "sum(BilledCost)",
        "BilledCost",
        "ChargePeriodStart",
        text="ChargeDescription",
        needed="BillingCurrency",
        grouped="1234.56",
    ),
    Kind(
        "aws-cur",
        _fixed(
            "bill_payer_account_id|bill_billing_period_start_date|line_item_usage_account_id|"
            "line_item_line_item_type|line_item_usage_start_date|line_item_product_code|"
            "line_item_usage_type|line_item_usage_amount|line_item_currency_code|"
            "line_item_unblended_cost|line_item_line_item_description|resource_tags",
            lambda n: (
                f"2100|2026-01-01T00:00:00Z|11|Usage|{a_day(n)}T00:00:00Z|AmazonEC2|BoxUsage|2|USD|"
                f'{n}.25|desc|{{"user_team": "a"}}'
            ),
        ),
        "charges",
        "sum(BilledCost)",
        "line_item_unblended_cost",
        "line_item_usage_start_date",
        "line_item_currency_code",
        "line_item_line_item_description",
        "line_item_unblended_cost",
    ),
    _azure("azure-actual", "OnDemand", ""),
    _azure("azure-amortised", "Reservation", "r-1"),
    Kind(
        "gcp-billing",
        _fixed(
            "billing_account_id|service.description|sku.id|sku.description|usage_start_time|"
            "project.id|labels|cost|currency|usage.amount|usage.unit|credits|invoice.month|cost_type",
            lambda n: (
                f"01A|Compute Engine|S1|N2 Core|{a_day(n)} 07:00:00 UTC|shop|[]|{n}.25|EUR|3600|"
                "seconds|[]|202610|regular"
            ),
        ),
        "charges",
        "sum(BilledCost)",
        "cost",
        "usage_start_time",
        "currency",
        "project.id",
        "sku.description",
    ),
    Kind(
        "zendesk",  # a CSV with a mapping file beside it
        _fixed(
            "Datum|Betrag|Text|Firma",
            lambda n: f"{n % 28 + 1:02}.{n // 28 % 12 + 1:02}.2026|{n},25|Plan|a",
        ),
        "charges",
        "sum(BilledCost)",
        "Betrag",
        "Datum",
        text="Text",
        needed="Betrag",
        zoned=False,
        grouped="1.234,56",
        bad=("NaN", "-inf", "$5.00", "1,234.56", "1e40"),
    ),
    Kind(
        "openai-costs",
        lambda n: {
            "start_time": str(FIRST + n * DAY),
            "value": f"{n}.25",
            "currency": "usd",
            "line_item": "gpt-4o, input",
        },
        "charges",
        "sum(BilledCost)",
        "value",
        "start_time",
        "currency",
        "line_item",
        "results",
        suffix="json",
        build=_openai(
            lambda row: {
                "object": "organization.costs.result",
                "amount": {"value": _number(row["value"]), "currency": row["currency"]},
                "line_item": row["line_item"],
            }
        ),
    ),
    Kind(
        "anthropic-costs",
        lambda n: {
            "starting_at": f"{a_day(n)}T00:00:00Z",
            "amount": f"{n}.25",
            "currency": "USD",
            "description": "Claude Opus 4.6 Usage",
        },
        "charges",
        "sum(BilledCost)",
        "amount",
        "starting_at",
        "currency",
        "description",
        "amount",
        factor=Decimal("0.01"),
        suffix="json",
        build=_anthropic(
            lambda row: {
                "currency": row["currency"],
                "amount": row["amount"],
                "workspace_id": "w",
                "description": row["description"],
                "cost_type": "tokens",
            }
        ),
    ),
    Kind(
        "opencost",
        lambda n: {
            "name": f"c/n/{n}",
            "start": f"{a_day(n)}T00:00:00Z",
            "cpuCost": f"{n}.25",
            "namespace": "shop",
        },
        "split_charges",
        "sum(BilledCost)",
        "cpuCost",
        "start",
        text="namespace",
        needed="",
        suffix="json",
        build=lambda rows: json.dumps(
            {
                "code": 200,
                "data": [
                    {
                        row["name"]: {
                            "name": row["name"],
                            "properties": {"cluster": "c", "namespace": row["namespace"]},
                            "window": {"start": row["start"], "end": "2027-12-01T00:00:00Z"},
                            "cpuCost": _number(row["cpuCost"]),
                            "gpuCost": 0,
                            "ramCost": 0,
                            "totalCost": _number(row["cpuCost"]),
                        }
                        for row in rows
                    }
                ],
            }
        ),
    ),
)

USAGE = (
    Kind(
        "openai-usage",
        lambda n: {"start_time": str(FIRST + n * DAY), "input_tokens": f"{n}00", "model": "gpt-4o"},
        "llm_usage",
        "sum(input_tokens)",
        "input_tokens",
        "start_time",
        text="model",
        needed="results",
        whole=True,
        suffix="json",
        build=_openai(
            lambda row: {
                "object": "organization.usage.completions.result",
                "input_tokens": _number(row["input_tokens"]),
                "output_tokens": 10,
                "num_model_requests": 3,
                "project_id": "p",
                "model": row["model"],
            }
        ),
    ),
    Kind(
        "anthropic-usage",
        lambda n: {
            "starting_at": f"{a_day(n)}T00:00:00Z",
            "uncached_input_tokens": f"{n}00",
            "model": "claude-opus-4-6",
        },
        "llm_usage",
        "sum(input_tokens)",
        "uncached_input_tokens",
        "starting_at",
        text="model",
        needed="uncached_input_tokens",
        whole=True,
        suffix="json",
        build=_anthropic(
            lambda row: {
                "uncached_input_tokens": _number(row["uncached_input_tokens"]),
                "cache_creation": {},
                "cache_read_input_tokens": 0,
                "output_tokens": 10,
                "model": row["model"],
                "workspace_id": "w",
            }
        ),
    ),
    Kind(
        "litellm",
        _fixed(
            "request_id|call_type|spend|prompt_tokens|completion_tokens|startTime|model|"
            "custom_llm_provider|user|status|metadata",
            lambda n: (
                f"r{n}|acompletion|0.01|{n}00|10|{a_day(n)} 08:00:00|gpt-4o|openai|u|success|"
                '{"team": "a"}'
            ),
        ),
        "llm_requests",
        "sum(input_tokens)",
        "prompt_tokens",
        "startTime",
        text="user",
        needed="prompt_tokens",
        whole=True,
    ),
    Kind(
        "langfuse",
        lambda n: {
            "id": f"o{n}",
            "startTime": f"{a_day(n)}T09:00:00Z",
            "input": f"{n}00",
            "userId": "u",
        },
        "llm_requests",
        "sum(input_tokens)",
        "input",
        "startTime",
        text="userId",
        needed="startTime",
        whole=True,
        grouped="1234",
        suffix="jsonl",
        build=_lines(
            lambda row: {
                "id": row["id"],
                "traceId": "t",
                "type": "GENERATION",
                "startTime": row["startTime"],
                "model": "gpt-4o",
                "userId": row["userId"],
                "usageDetails": {"input": _number(row["input"]), "output": 10},
            }
        ),
    ),
    Kind(
        "otel-genai",
        lambda n: {
            "spanId": f"s{n}",
            "start": str((FIRST + n * DAY) * 10**9),
            "tokens": f"{n}00",
            "feature": "f",
        },
        "llm_requests",
        "sum(input_tokens)",
        "tokens",
        "start",
        text="feature",
        needed="",
        whole=True,
        zoned=False,
        suffix="jsonl",
        build=_lines(
            lambda row: {
                "resourceSpans": [
                    {
                        "scopeSpans": [
                            {
                                "spans": [
                                    {
                                        "spanId": row["spanId"],
                                        "startTimeUnixNano": row["start"],
                                        "attributes": [
                                            {"key": key, "value": {"stringValue": text}}
                                            for key, text in (
                                                ("gen_ai.provider.name", "openai"),
                                                ("gen_ai.usage.input_tokens", row["tokens"]),
                                                ("feature", row["feature"]),
                                            )
                                        ],
                                    }
                                ]
                            }
                        ]
                    }
                ]
            }
        ),
    ),
    Kind(
        "request-log",
        _fixed(
            "timestamp|provider|model|input_tokens|output_tokens|request_id|team|region",
            lambda n: f"{a_day(n)}T07:00:00Z|Cohere|command-a|{n}00|10|q{n}|a|eu",
        ),
        "llm_requests",
        "sum(input_tokens)",
        "input_tokens",
        "timestamp",
        text="team",
        needed="input_tokens",
        whole=True,
    ),
)

TELEMETRY = (
    Kind(
        "prometheus",
        lambda n: {"resource": f"i-{n}", "time": str(FIRST), "value": f"{n}.25", "model": "A100"},
        "resource_metrics",
        "sum(value)",
        "value",
        "time",
        text="model",
        needed="",
        zoned=False,
        bad=("-inf", "$5.00", "1.234,56", "1e40"),  # NaN says that nothing was measured
        grouped="34.56",
        suffix="json",
        build=lambda rows: json.dumps(
            {
                "status": "success",
                "data": {
                    "resultType": "matrix",
                    "result": [
                        {
                            "metric": {
                                "__name__": "invocations",
                                "resource_id": row["resource"],
                                "modelName": row["model"],
                            },
                            "values": [[_number(row["time"]), row["value"]]],
                        }
                        for row in rows
                    ],
                },
            }
        ),
    ),
    _context(
        "resource-metrics",
        "timestamp|resource_id|metric|value|zone",
        lambda n: f"{a_day(n)}T07:00:00Z|i-{n}|invocations|{n}.25|a",
        "value",
        time="timestamp",
        text="zone",
        needed="metric",
    ),
    _context(
        "training-runs",
        "run_id|name|team|gpu_count|started_at|status",
        lambda n: f"run{n}|n|a|{n}.25|{a_day(n)}T00:00:00Z|finished",
        "gpu_count",
        time="started_at",
        text="team",
        needed="status",
    ),
    _context(
        "business-metrics",
        "date|metric|value|product",
        lambda n: f"{a_day(n)}|requests|{n}.25|p{n}",
        "value",
        time="date",
        text="product",
        needed="metric",
        zoned=False,
    ),
    _context(
        "initiatives",
        "initiative|owner|team|stage|proposed_at|expected_monthly_cost|kpi",
        lambda n: f"init{n}|o|a|pilot|{a_day(n)}|{n}.25|k",
        "expected_monthly_cost",
        time="proposed_at",
        text="kpi",
        needed="stage",
        zoned=False,
    ),
    _context(
        "budgets",
        "budget|scope|period|amount|currency|owner|kind",
        lambda n: f"b{n}|team=search|month|{n}.25|USD|o|budget",
        "amount",
        currency="currency",
        text="owner",
        needed="period",
    ),
    _context(
        "commitments",
        "commitment_id|provider|kind|hourly_cost|start|end|payment_option",
        lambda n: f"c{n}|AWS|savings_plan|{n}.25|{a_day(n)}|2027-01-01|none",
        "hourly_cost",
        time="start",
        text="payment_option",
        needed="kind",
        zoned=False,
    ),
    _context(
        "rates",
        "date|from|to|rate",
        lambda n: f"{a_day(n)}|EUR|USD|{n}.25",
        "rate",
        time="date",
        currency="from",
        needed="rate",
        zoned=False,
    ),
    Kind(
        "owners",
        _fixed("kind|id|team|owner", lambda n: f"openai_project|p{n}|a|o"),
        "owners",
        "count(*)",
        "",
        text="owner",
        needed="id",
    ),
    Kind(
        "events",
        _fixed(
            "timestamp|kind|title|link", lambda n: f"{a_day(n)}T01:00:00Z|deploy|v{n}|https://x"
        ),
        "events",
        "count(*)",
        "",
        "timestamp",
        text="link",
        needed="title",
    ),
)

KINDS = (*BILLS, *USAGE, *TELEMETRY)

MAPPING = """\
file: "zendesk*.csv"
provider: Zendesk
currency: EUR
decimal: ","
dates: "%d.%m.%Y"
period: day
tags: [Firma]
columns:
  BilledCost: Betrag
  ChargePeriodStart: Datum
  ChargeDescription: Text
"""
