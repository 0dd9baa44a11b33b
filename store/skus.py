"""AI dimensions out of SKU text: model, token class, service tier, workload, GPU hours.

``recognise`` fills the columns ``COLUMNS`` where a row of ``charges`` or ``split_charges`` does not
say them itself, by the tables of ``sku_tables``. It looks at each distinct SKU text once. What it
filled in is marked in ``_recognised``, a bit for each column, so that a newer table can take it
back; two more bits mark SKUs that look like a model or a GPU and are in no table. Nothing is
guessed: those are listed by ``unrecognised``.

``AI_SPEND_SQL`` is the one definition of AI spend: a predicate over ``charges``, ``focus``,
``split_charges`` and ``focus_split`` that is TRUE or FALSE, never NULL. A data pipeline is AI spend
where it is tagged with an initiative.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb

from finops_assistant.store.focus import CHARGES, FILE_ID, RECOGNISED, SPLIT_CHARGES, literal
from finops_assistant.store.settings import Settings
from finops_assistant.store.sku_tables import SkuTables, packaged
from finops_assistant.store.sku_texts import UNKNOWN_GPU, UNKNOWN_MODEL, classify, drop, same_text

AI_SPEND_SQL: Final = (
    "(coalesce(ServiceCategory = 'AI and Machine Learning', FALSE) OR x_ModelId IS NOT NULL "
    "OR x_GpuHours IS NOT NULL OR coalesce(x_WorkloadType <> 'pipeline', FALSE) "
    "OR (coalesce(x_WorkloadType = 'pipeline', FALSE) AND x_Initiative IS NOT NULL))"
)
_TEXTS: Final = (
    "x_ModelDeveloper",
    "x_ModelFamily",
    "x_ModelId",
    "x_ModelIdBilled",
    "x_TokenDirection",
    "x_TokenCacheAction",
    "x_ServiceTier",
    "x_WorkloadType",
)
COLUMNS: Final = (*_TEXTS, "x_GpuHours")
_WORKED_ON: Final = 1 << 11  # the workload comes from a training run or a tag, not from the SKU
_DONE: Final = "sku_tables"  # key in store_meta: which tables were applied, and up to which file

_HOURS: Final = "^(?:([0-9]+) )?(?:(?:instance|gpu)[- ])?(?:hours?|hrs?|h)$"
_SECONDS: Final = "^(?:seconds?|s)$"
_WORKLOAD_TAGS: Final = ("workload", "workload_type", "workload-type", "Workload", "WorkloadType")


def recognise(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Fill in what SKU texts say in the rows of files that came since the last time, or in all
    rows when the tables are others by now; then what GPU machines worked on.

    Runs after the tags are resolved, for the tag of a GPU machine may say its workload.
    """
    tables = packaged()
    row = connection.execute("SELECT value FROM store_meta WHERE key = ?", [_DONE]).fetchone()
    before, _, last = row[0].partition("@") if row else ("", "", "0")
    if before != tables.digest:
        _take_back(connection)
        last = "0"
    newest = int(last)
    for table in (CHARGES, SPLIT_CHARGES):
        file_id = _newest(connection, table)
        if file_id > int(last):
            new = f"c.{FILE_ID} > {int(last)}"
            if classify(connection, tables, table, new):
                _write(connection, tables, table, new)
            drop(connection)
        _work_of_gpus(connection, tables, table)
        newest = max(newest, file_id)
    connection.execute(
        "INSERT OR REPLACE INTO store_meta VALUES (?, ?)", [_DONE, f"{tables.digest}@{newest}"]
    )


def unrecognised(
    connection: duckdb.DuckDBPyConnection, where: str = "TRUE"
) -> list[dict[str, Any]]:
    """SKUs that look like a model or a GPU machine and are in no table, the dearest first.

    Each has ``provider, service, sku, missing`` (model or gpu), ``rows, first_day, last_day`` and
    ``cost``: currency -> effective cost. ``where`` is SQL over the columns of ``charges``.
    """
    rows = connection.execute(
        f"""
        SELECT ServiceProviderName, ServiceName, coalesce(SkuMeter, ChargeDescription, SkuId),
               CASE WHEN {RECOGNISED} & {UNKNOWN_MODEL} <> 0 THEN 'model' ELSE 'gpu' END,
               BillingCurrency, count(*), sum(EffectiveCost),
               CAST(min(ChargePeriodStart) AS DATE), CAST(max(ChargePeriodStart) AS DATE)
        FROM charges WHERE ({where}) AND {RECOGNISED} & {UNKNOWN_MODEL | UNKNOWN_GPU} <> 0
        GROUP BY ALL ORDER BY ALL
        """  # noqa: S608
    ).fetchall()
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for *names, currency, count, cost, first, last in rows:
        entry = found.setdefault(
            tuple(names),
            dict(zip(("provider", "service", "sku", "missing"), names, strict=True))
            | {"rows": 0, "first_day": first, "last_day": last, "cost": {}},
        )
        entry["rows"] += count
        entry["first_day"] = min(entry["first_day"], first)
        entry["last_day"] = max(entry["last_day"], last)
        entry["cost"][currency] = cost
    return sorted(found.values(), key=lambda entry: -max(map(abs, entry["cost"].values())))


def _newest(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT max({FILE_ID}) FROM {table}").fetchone()  # noqa: S608
    return int(row[0] or 0) if row else 0


def _take_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty every value that an earlier version of the tables filled in."""
    marks = {column: 1 << place for place, column in enumerate(COLUMNS)}
    marks["x_WorkloadType"] |= _WORKED_ON
    emptied = ", ".join(
        f"{column} = CASE WHEN {RECOGNISED} & {mark} = 0 THEN {column} END"
        for column, mark in marks.items()
    )
    for table in (CHARGES, SPLIT_CHARGES):
        connection.execute(
            f"UPDATE {table} SET {emptied}, {RECOGNISED} = NULL WHERE {RECOGNISED} IS NOT NULL"  # noqa: S608
        )


def _write(
    connection: duckdb.DuckDBPyConnection, tables: SkuTables, table: str, where: str
) -> None:
    """One UPDATE: what was found goes where the row says nothing itself."""
    # Hours that a commitment left unused, and purchases, fees and taxes, ran on no GPU.
    ran = "c.ChargeCategory = 'Usage' AND c.CommitmentDiscountStatus IS DISTINCT FROM 'Unused'"
    hours = f"CASE WHEN {ran} THEN CAST({_hours()} * r.gpus AS DECIMAL(38,15)) END"
    values = {column: f"r.{column}" for column in _TEXTS} | {"x_GpuHours": hours}
    sets = ", ".join(f"{column} = coalesce(c.{column}, {v})" for column, v in values.items())
    bits = " | ".join(
        f"CASE WHEN c.{column} IS NULL AND ({value}) IS NOT NULL THEN {1 << place} ELSE 0 END"
        for place, (column, value) in enumerate(values.items())
    )
    anything = " OR ".join(f"{column} IS NOT NULL" for column in (*_TEXTS, "gpus"))
    connection.execute(
        f"UPDATE {table} AS c SET {sets}, {RECOGNISED} = {bits} | r.unknown "  # noqa: S608
        f"FROM (SELECT * FROM sku_found WHERE unknown <> 0 OR {anything}) AS r "
        f"WHERE {where} AND {same_text(connection, tables)}"
    )


def _hours() -> str:
    """SQL: the hours of a charge, from the consumed quantity, else the priced one; NULL where
    neither is in hours or seconds."""
    cases = []
    for name in ("Consumed", "Pricing"):
        unit = f"c.{name}Unit"
        block = f"nullif(regexp_extract({unit}, {literal(_HOURS)}, 1, 'i'), '')"
        cases.append(
            f"WHEN regexp_matches({unit}, {literal(_HOURS)}, 'i') "
            f"THEN c.{name}Quantity * coalesce(CAST({block} AS DECIMAL(6,0)), 1)"
        )
    cases.append(
        f"WHEN regexp_matches(c.ConsumedUnit, {literal(_SECONDS)}, 'i') "
        "THEN CAST(CAST(c.ConsumedQuantity AS DECIMAL(24,3)) / 3600 AS DECIMAL(25,12))"
    )
    return f"CAST(CASE {' '.join(cases)} END AS DECIMAL(25,12))"


def _work_of_gpus(connection: duckdb.DuckDBPyConnection, tables: SkuTables, table: str) -> None:
    """The workload of GPU machines whose SKU cannot say it: training while a training run used
    them, else what their tags say."""
    connection.execute(
        f"UPDATE {table} SET x_WorkloadType = NULL, {RECOGNISED} = {RECOGNISED} - {_WORKED_ON} "  # noqa: S608
        f"WHERE {RECOGNISED} & {_WORKED_ON} <> 0"
    )
    silent = "c.x_GpuHours IS NOT NULL AND c.x_WorkloadType IS NULL"
    marked = f"{RECOGNISED} = coalesce(c.{RECOGNISED}, 0) | {_WORKED_ON}"
    # Bills name an EC2 instance by its id alone or within an ARN.
    connection.execute(
        f"""
        UPDATE {table} AS c SET x_WorkloadType = 'training', {marked}
        FROM (SELECT {_resource("trim(unnest(string_split(resource_ids, ';')))")} AS resource,
                     started_at, ended_at FROM training_runs) AS run
        WHERE {silent} AND {_resource("c.ResourceId")} = run.resource
            AND c.ChargePeriodEnd > run.started_at
            AND c.ChargePeriodStart < coalesce(run.ended_at, c.ChargePeriodEnd)
        """  # noqa: S608
    )
    paths = ", ".join(literal(f"/{key}") for key in _WORKLOAD_TAGS)
    tags = f"list_filter(TRY(json_extract_string(c.Tags, [{paths}])), lambda v: v IS NOT NULL)[1]"
    said = tables.tag_value(f"coalesce({tags}, c.x_Feature)")
    connection.execute(
        f"UPDATE {table} AS c SET x_WorkloadType = {said}, {marked} "  # noqa: S608
        f"WHERE {silent} AND ({said}) IS NOT NULL"
    )


def _resource(text: str) -> str:
    instance = f"regexp_extract({text}, '(?:^|/)(i-[0-9a-f]+)$', 1)"
    return f"coalesce(nullif({instance}, ''), {text})"
