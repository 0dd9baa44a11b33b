"""``usage``: model usage of every source, one layer chosen, shaped like ``charges``.

``derive_usage`` builds the table anew after each delivery. It is long: one row per bucket,
provider, account, dimensions and *measure* (a token class, or the requests)::

    every column of ``charges`` that is not money and not a quantity, same name and type:
        ChargePeriodStart, ChargePeriodEnd TIMESTAMP   the bucket (an hour, a day, or as billed)
        BillingPeriodStart, BillingPeriodEnd TIMESTAMP calendar month (of the bill: as billed)
        ServiceProviderName                            AWS, Microsoft, Google Cloud, OpenAI, ...
        ServiceName                                    OpenAI API, Anthropic API; else the service
                                                       that the provider bills tokens under, or NULL
        ServiceCategory, ServiceSubcategory            AI and Machine Learning, Generative AI
        SubAccountId                                   project, workspace or account; NULL: unknown
        BillingAccountId, BillingAccountName,
        SubAccountName                                 as the bill of that provider and account says
        x_ModelId, x_ModelIdBilled, x_ModelFamily, x_ModelDeveloper
        x_TokenDirection, x_TokenCacheAction           of a token class; NULL on requests
        x_Team, x_Project, x_Environment, x_Feature, x_Customer, x_CostCentre, x_Initiative
        x_ApiKeyId, x_ServiceTier, x_WorkloadType ('inference'), x_Source, Tags
        x_CostBasis                                    'priced' (of a bill's row: 'billed')
        all others (RegionId, ResourceId, SkuId, ChargeCategory, ...): as billed in a bill's row,
                                                       ChargeCategory 'Usage', else NULL
    Layer VARCHAR               vendor | gateway | trace | bill
    Measure VARCHAR             tokens | requests
    Operation VARCHAR           completions, embeddings, images ...; NULL where unknown
    Batch BOOLEAN               NULL where unknown
    Tokens DECIMAL(38,15)       of one class; NULL where Measure is requests
    Requests BIGINT             NULL where Measure is tokens
    Errors BIGINT               of the requests
    RepeatedRequests BIGINT     of the requests; NULL where no prompt hash is known
    RepeatedPrefixTokens BIGINT on the row of requests
    PricedCost DECIMAL(38,12)   USD by the dated price list, an estimate; NULL where unpriced
    PricedBy VARCHAR            the list and its version; NULL where unpriced
    Chosen BOOLEAN              counts in a total
    ChosenDetail BOOLEAN        counts in a question by, or about one, feature or customer

A total is ``sum(Tokens) FILTER (Chosen)`` or ``sum(Requests) FILTER (Chosen)``; a condition on one
of the two flags is never left out. A question that groups or filters by feature or customer takes
``ChosenDetail``, and says that it covers ``sum(Tokens) FILTER (ChosenDetail)`` of
``sum(Tokens) FILTER (Chosen)`` under the same other conditions.

How a layer is chosen, per provider, account and day (UTC): vendor before gateway before trace
before bill; a layer gives way only to rows of a chosen one with the same account, or where one of
the two does not know the account. Of a log (gateway or trace) that does not know the account it
cannot be told whether it saw every call: where the bill counts more tokens of that provider and
day, it did not, and the bill stands. All measures of a layer are chosen together, so that tokens
and requests are of the same calls: a vendor that reports no requests (Anthropic) has none.
``ChosenDetail`` is the same choice among the layers that name a feature or a customer that day, and
for requests among those that also count requests; where none does, no row has it. Usage that a
vendor's report says twice, under another grouping, has neither flag (``usage_overlaps``).
"""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.focus import CHARGES, COLUMNS, literal
from finops_assistant.store.model_names import name_models
from finops_assistant.store.owners import same_id
from finops_assistant.store.settings import Settings
from finops_assistant.store.usage_overlaps import find_doubled
from finops_assistant.store.usage_prices import CLASSES, PRICE_OF

LAYERS: Final = ("vendor", "gateway", "trace", "bill")
CHARGE_COLUMNS: Final = tuple(c for c in COLUMNS if c.kind not in ("money", "quantity"))

OWN_COLUMNS: Final = {
    "Layer": "VARCHAR",
    "Measure": "VARCHAR",
    "Operation": "VARCHAR",
    "Batch": "BOOLEAN",
    "Tokens": "DECIMAL(38,15)",
    "Requests": "BIGINT",
    "Errors": "BIGINT",
    "RepeatedRequests": "BIGINT",
    "RepeatedPrefixTokens": "BIGINT",
    "PricedCost": "DECIMAL(38,12)",
    "PricedBy": "VARCHAR",
    "Chosen": "BOOLEAN",
    "ChosenDetail": "BOOLEAN",
}


# Column of ``charges`` -> what a row of ``llm_usage`` (u) says of it, by way of what the bill knows
# of its account (b), what it calls the service (s), and what its model is (m).
_OF_USAGE: Final = {
    "ChargePeriodStart": "u.started_at",
    "ChargePeriodEnd": "u.ended_at",
    "BillingPeriodStart": "date_trunc('month', u.started_at)",
    "BillingPeriodEnd": "date_trunc('month', u.started_at) + INTERVAL 1 MONTH",
    "ServiceProviderName": "u.provider",
    "ServiceName": "CASE u.provider WHEN 'OpenAI' THEN 'OpenAI API' "
    "WHEN 'Anthropic' THEN 'Anthropic API' ELSE s.service END",
    "ServiceCategory": "'AI and Machine Learning'",
    "ServiceSubcategory": "'Generative AI'",
    "ChargeCategory": "'Usage'",
    "SubAccountId": "u.account",
    "SubAccountName": "b.sub_account_name",
    "BillingAccountId": "coalesce(b.billing_account, s.billing_account)",
    "BillingAccountName": "coalesce(b.billing_account_name, s.billing_account_name)",
    "x_ModelId": "u.model",
    "x_ModelIdBilled": "u.model_billed",
    "x_ModelFamily": "m.family",
    "x_ModelDeveloper": "m.developer",
    "x_TokenDirection": "part.direction",
    "x_TokenCacheAction": "part.cache_action",
    "x_WorkloadType": "'inference'",
    "x_CostBasis": "'priced'",
    "x_Team": "u.team",
    "x_Project": "u.project",
    "x_Environment": "u.environment",
    "x_Feature": "u.feature",
    "x_Customer": "u.customer",
    "x_CostCentre": "u.cost_centre",
    "x_Initiative": "u.initiative",
    "x_Source": "u.source",
    "x_ApiKeyId": "u.api_key",
    "x_ServiceTier": "u.service_tier",
    "Tags": "u.tags",
    "Layer": "u.layer",
    "Measure": "part.measure",
    "Operation": "u.operation",
    "Batch": "u.batch",
    "Tokens": "part.tokens",
    "Requests": "part.requests",
    "Errors": "CASE WHEN part.measure = 'requests' THEN u.errors END",
    "RepeatedRequests": "CASE WHEN part.measure = 'requests' THEN u.repeated_requests END",
    "RepeatedPrefixTokens": "CASE WHEN part.measure = 'requests' THEN u.repeated_prefix_tokens END",
    "PricedCost": "part.cost",
    "PricedBy": "CASE WHEN part.cost IS NOT NULL THEN u.list END",
}
_OF_BILL: Final = {
    "Layer": "'bill'",
    "Measure": "'tokens'",
    "Tokens": "ConsumedQuantity",
}


def create_usage_sql() -> str:
    """DDL of ``usage``."""
    lines = [f"    {c.name} {c.sql_type}" for c in CHARGE_COLUMNS]
    lines += [f"    {name} {kind}" for name, kind in OWN_COLUMNS.items()]
    return "CREATE OR REPLACE TABLE usage (\n" + ",\n".join(lines) + "\n)"


def derive_usage(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Build ``usage`` anew. A step of ``derive``, after ``price_usage`` and the owners."""
    connection.execute("BEGIN")
    connection.execute(create_usage_sql())
    counted = connection.execute(
        f"SELECT EXISTS (FROM llm_usage) OR EXISTS (FROM {CHARGES} WHERE ConsumedUnit = 'Tokens')"
    ).fetchone()
    if counted == (False,):
        connection.execute("COMMIT")
        return
    name_models(connection)
    find_doubled(connection)
    connection.execute(_gather_sql())
    connection.execute(_choose_sql())
    connection.execute("DROP TABLE doubled_usage; DROP VIEW usage_rows; DROP TABLE named_model")
    connection.execute("COMMIT")


def _gather_sql() -> str:
    """``usage_rows``: every layer's rows, long."""
    parts = ", ".join(
        f"{{measure: 'tokens', direction: {literal(one.direction)}, "
        f"cache_action: CAST({one.cache_action} AS VARCHAR), "
        f"tokens: CAST({one.tokens} AS DECIMAL(38,15)), requests: CAST(NULL AS BIGINT), "
        f"cost: CAST({one.cost} AS DECIMAL(38,12))}}"
        for one in CLASSES
    )
    requests = (
        "{measure: 'requests', direction: NULL, cache_action: NULL, tokens: NULL, "
        "requests: u.requests, cost: NULL}"
    )
    types = {c.name: c.sql_type for c in CHARGE_COLUMNS} | OWN_COLUMNS
    of_usage = ", ".join(f"{value} AS {name}" for name, value in _OF_USAGE.items())
    named = {c.name: c.name for c in CHARGE_COLUMNS} | _OF_BILL
    of_bill = ", ".join(f"{value} AS {name}" for name, value in named.items() if name in types)
    once = "CASE WHEN count(DISTINCT {0}) = 1 THEN any_value({0}) END AS {1}"
    names = ", ".join(
        once.format(column, name)
        for column, name in (
            ("BillingAccountId", "billing_account"),
            ("BillingAccountName", "billing_account_name"),
        )
    )
    key = same_id("ServiceProviderName", "SubAccountId")
    return f"""
    CREATE OR REPLACE TEMP VIEW usage_rows AS
    WITH billed AS (
        SELECT ServiceProviderName AS provider, {key} AS account, {names},
            {once.format("SubAccountName", "sub_account_name")}
        FROM {CHARGES} WHERE SubAccountId IS NOT NULL
            AND ServiceProviderName IN (SELECT provider FROM llm_usage)
        GROUP BY 1, 2
    ),
    served AS (
        SELECT ServiceProviderName AS provider, {once.format("ServiceName", "service")}, {names}
        FROM {CHARGES} WHERE ConsumedUnit = 'Tokens' GROUP BY 1
    ),
    priced AS (
        SELECT u.*, p.priced_by AS list, u.rowid AS place, [{parts}, {requests}] AS parts
        FROM llm_usage u LEFT JOIN llm_prices p ON {PRICE_OF}
    ),
    spread AS (
        SELECT * EXCLUDE (parts), unnest(parts) AS part FROM priced
    )
    SELECT {of_usage}, d.place IS NOT NULL AS doubled
    FROM spread u
    LEFT JOIN billed b
        ON b.provider = u.provider AND u.account IS NOT NULL
        AND b.account = {same_id("u.provider", "u.account")}
    LEFT JOIN served s ON s.provider = u.provider
    LEFT JOIN named_model m ON m.model_billed = u.model_billed
    LEFT JOIN doubled_usage d ON d.place = u.place
    WHERE part.requests IS NOT NULL
        OR part.tokens <> 0
        -- an empty class says nothing, but that a report counted nothing at all does
        OR part.direction = 'Input' AND u.input_tokens = 0 AND coalesce(u.output_tokens, 0) = 0
            AND coalesce(part.cache_action, '') NOT IN ('Read', 'Write')
    UNION ALL BY NAME
    SELECT {of_bill}, FALSE AS doubled
    FROM {CHARGES} WHERE ConsumedUnit = 'Tokens' AND ConsumedQuantity IS NOT NULL
    """  # noqa: S608


def _choose_sql() -> str:
    """``usage``: the rows with their two flags."""
    # An account that a row does not know is no account, whatever owners call the default one.
    same = same_id("ServiceProviderName", "SubAccountId")
    account = f"CASE WHEN SubAccountId IS NOT NULL THEN {same} END"
    ranks = " ".join(f"WHEN '{layer}' THEN {n}" for n, layer in enumerate(LAYERS, start=1))
    columns = ", ".join([c.name for c in CHARGE_COLUMNS] + list(OWN_COLUMNS)[:-2])
    # A log of an unknown account, beside a bill.
    partial = "(c.layer_rank IN (2, 3) AND c.account IS NULL AND b.provider IS NOT NULL)"
    return f"""
    INSERT INTO usage BY NAME
    WITH placed AS NOT MATERIALIZED (
        SELECT *, {account} AS account, CAST(ChargePeriodStart AS DATE) AS day,
            CASE Layer {ranks} END AS layer_rank
        FROM usage_rows
    ),
    counted AS (
        SELECT ServiceProviderName AS provider, day, account, layer_rank,
            count(x_Feature) + count(x_Customer) > 0 AS detailed,
            coalesce(sum(Tokens), 0) AS tokens, count(Requests) > 0 AS asked
        FROM placed WHERE NOT doubled GROUP BY 1, 2, 3, 4
    ),
    present AS MATERIALIZED (
        SELECT c.provider, c.day, c.account, c.layer_rank,
            CASE WHEN NOT {partial} OR c.tokens >= b.tokens THEN c.layer_rank END AS total_rank,
            CASE WHEN c.detailed AND (NOT {partial} OR c.tokens >= b.detailed_tokens)
                THEN c.layer_rank END AS detail_rank,
            CASE WHEN c.detailed AND c.asked THEN c.layer_rank END AS request_rank
        FROM counted c LEFT JOIN (
            SELECT provider, day, sum(tokens) AS tokens,
                coalesce(sum(tokens) FILTER (detailed), 0) AS detailed_tokens
            FROM counted WHERE layer_rank = {len(LAYERS)} GROUP BY 1, 2
        ) b ON b.provider = c.provider AND b.day = c.day
    ),
    {_chosen("total_rank", "chosen")},
    {_chosen("detail_rank", "detailed")},
    {_chosen("request_rank", "asked")}
    SELECT {columns},
        NOT p.doubled AND c.provider IS NOT NULL AS Chosen,
        NOT p.doubled AND CASE p.Measure WHEN 'requests' THEN r.provider IS NOT NULL
            ELSE d.provider IS NOT NULL END AS ChosenDetail
    FROM placed p
    LEFT JOIN chosen c ON c.provider = p.ServiceProviderName AND c.day = p.day
        AND c.account IS NOT DISTINCT FROM p.account AND c.layer_rank = p.layer_rank
    LEFT JOIN detailed d ON d.provider = p.ServiceProviderName AND d.day = p.day
        AND d.account IS NOT DISTINCT FROM p.account AND d.layer_rank = p.layer_rank
    LEFT JOIN asked r ON r.provider = p.ServiceProviderName AND r.day = p.day
        AND r.account IS NOT DISTINCT FROM p.account AND r.layer_rank = p.layer_rank
    """  # noqa: S608


def _chosen(rank: str, name: str) -> str:
    """CTEs that end in ``name``: the provider, account, day and layer of ``present`` that count, in
    the order of ``rank``; each gives way to those before it that may be of the same account."""
    steps = [f"{name}_1 AS MATERIALIZED (SELECT * FROM present WHERE {rank} = 1)"]  # noqa: S608
    for place in range(2, len(LAYERS) + 1):
        before = f"{name}_{place - 1}"
        steps.append(
            f"""{name}_{place} AS MATERIALIZED (
        SELECT * FROM {before}
        UNION ALL
        SELECT p.* FROM present p LEFT JOIN (
            SELECT provider, day, list(account) AS accounts, bool_or(account IS NULL) AS unknown
            FROM {before} GROUP BY 1, 2
        ) t ON t.provider = p.provider AND t.day = p.day
        WHERE p.{rank} = {place} AND NOT coalesce(
            t.unknown OR (p.account IS NULL AND t.provider IS NOT NULL)
            OR list_contains(t.accounts, p.account), FALSE)
    )"""  # noqa: S608
        )
    last = f"{name} AS (SELECT * FROM {name}_{len(LAYERS)})"  # noqa: S608
    return ",\n    ".join([*steps, last])
