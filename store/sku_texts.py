"""The distinct SKU texts of a table of charges, and what ``sku_tables`` says that they mean.

The steps leave temporary tables behind: ``sku_scopes`` (provider, service and subcategory that
some row of ``sku_meters.csv`` speaks of, and which columns those rows read), ``sku_texts`` (the
distinct texts in them) and ``sku_found`` (the texts with what was found). ``drop`` removes them.
"""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.focus import literal
from finops_assistant.store.model_names import plainer
from finops_assistant.store.sku_tables import READS, SkuTables, folded

UNKNOWN_MODEL: Final = 1 << 9
UNKNOWN_GPU: Final = 1 << 10

_TEMPORARY: Final = (
    "sku_scopes",
    "sku_texts",
    "sku_found",
    "found_models",
    "found_gpus",
    "model_of",
    "gpus_of",
)


def classify(
    connection: duckdb.DuckDBPyConnection, tables: SkuTables, table: str, where: str
) -> bool:
    """Make ``sku_found`` for the rows ``where`` (SQL over a charge ``c``) of a table.

    Returns False, having made nothing, where no row is of a service that the tables speak of.
    """
    if not _collect(connection, tables, table, where):
        return False
    _index(connection, tables)
    _look_up_models(connection, tables)
    _look_up_gpus(connection, tables)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE sku_found AS
        SELECT t.*, m.best.developer AS x_ModelDeveloper, m.best.family AS x_ModelFamily,
               m.best.model AS x_ModelId, m.best.billed AS x_ModelIdBilled,
               {tables.value("direction")} AS x_TokenDirection,
               {tables.value("cache")} AS x_TokenCacheAction,
               {tables.value("tier")} AS x_ServiceTier,
               {tables.value("workload")} AS x_WorkloadType, nullif(g.gpus, 0) AS gpus,
               CASE WHEN m.best.developer IS NULL AND {tables.expects("model")}
                    THEN {UNKNOWN_MODEL} ELSE 0 END
               | CASE WHEN g.gpus IS NULL AND {tables.expects("gpu")}
                    THEN {UNKNOWN_GPU} ELSE 0 END AS unknown
        FROM sku_texts t LEFT JOIN found_models m USING (text_id)
        LEFT JOIN found_gpus g USING (text_id)
        """  # noqa: S608
    )
    return True


def drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the temporary tables."""
    for name in _TEMPORARY:
        connection.execute(f"DROP TABLE IF EXISTS {name}")


def same_text(connection: duckdb.DuckDBPyConnection, tables: SkuTables) -> str:
    """SQL: whether a charge ``c`` has the text of a row ``r`` of ``sku_found``.

    Columns that no row of it reads are left out: an UPDATE would fetch them for every charge.
    """
    names = [name for name in READS if name != "meter"]
    flags = ", ".join(f"bool_or(reads_{name})" for name in names)
    used = connection.execute(f"SELECT {flags} FROM sku_found").fetchone() or ()  # noqa: S608
    read = [
        f"(CASE WHEN r.reads_{name} THEN {READS[name]} END) IS NOT DISTINCT FROM r.{name}"
        for name, flag in zip(names, used, strict=True)
        if flag
    ]
    return " AND ".join(
        [
            "c.ServiceProviderName = r.provider",
            "c.ServiceName IS NOT DISTINCT FROM r.service",
            "c.SkuMeter IS NOT DISTINCT FROM r.meter",
            "c.ServiceSubcategory IS NOT DISTINCT FROM r.subcategory",
            *read,
            f"{_era(tables)} = r.era",
        ]
    )


def _era(tables: SkuTables) -> str:
    return tables.era("CAST(c.ChargePeriodStart AS DATE)")


def _index(connection: duckdb.DuckDBPyConnection, tables: SkuTables) -> None:
    """``model_of`` and ``gpus_of``: models and machines by folded name."""
    for name, columns, rows in (
        ("model_of", "name, model, developer, family, since, until", tables.names),
        ("gpus_of", "name, provider, gpus, since, until", tables.machines),
    ):
        values = ", ".join(f"({', '.join(map(_value, row))})" for row in rows)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS "  # noqa: S608
            f"SELECT * REPLACE ({folded('name')} AS name, CAST(since AS DATE) AS since, "
            f"CAST(until AS DATE) AS until) FROM (VALUES {values}) AS named ({columns})"
        )
    connection.execute("ALTER TABLE gpus_of ALTER gpus TYPE DECIMAL(14,12)")


def _value(text: str | None) -> str:
    return "NULL" if text is None else literal(text)


def _collect(
    connection: duckdb.DuckDBPyConnection, tables: SkuTables, table: str, where: str
) -> bool:
    """``sku_scopes`` and ``sku_texts``: most rows are of services that no table speaks of.
    Returns whether there is any other."""
    read = ", ".join(f"{tables.reading(name)} AS reads_{name}" for name in READS)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE sku_scopes AS
        SELECT *, {read} FROM (
            SELECT c.ServiceProviderName AS provider, c.ServiceName AS service,
                   c.ServiceSubcategory AS subcategory,
                   bool_or(c.x_ModelIdBilled IS NOT NULL OR c.x_ModelId IS NOT NULL)
                       AS names_models
            FROM {table} c WHERE {where} GROUP BY ALL)
        WHERE {tables.reading()}
        """  # noqa: S608
    )
    if connection.execute("SELECT count(*) FROM sku_scopes").fetchone() == (0,):
        return False
    texts = ", ".join(
        f"{sql if name == 'meter' else f'CASE WHEN s.reads_{name} THEN {sql} END'} AS {name}"
        for name, sql in READS.items()
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE sku_texts AS
        SELECT row_number() OVER () AS text_id, * FROM (
            SELECT DISTINCT s.*, {_era(tables)} AS era, {texts}
            FROM {table} c JOIN sku_scopes s ON c.ServiceProviderName = s.provider
                AND c.ServiceName IS NOT DISTINCT FROM s.service
                AND c.ServiceSubcategory IS NOT DISTINCT FROM s.subcategory
            WHERE {where})
        """  # noqa: S608
    )
    return True


def _look_up_models(connection: duckdb.DuckDBPyConnection, tables: SkuTables) -> None:
    """``found_models``: the model of each text that names one, looked up as ``plainer`` says."""
    captured = ", ".join(
        f"{{text: {m.captured}, before: {literal(m.before)}, named: {m.sets == 'model_name'}, "
        f"given: {m.reads == 'billed'}}}"
        for m in tables.setting("model", "model_name")
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE found_models AS
        WITH candidates AS (
            SELECT text_id, era, unnest(list) AS candidate, unnest(range(len(list))) AS place
            FROM (SELECT text_id, era, [{captured}] AS list FROM sku_texts)
        ), plain AS (
            SELECT text_id, era, place, candidate.text AS text, candidate.named AS named,
                   candidate.given AS given, candidate.before || text AS full_name,
                   {plainer("full_name")}
            FROM candidates WHERE candidate.text IS NOT NULL
        ), names AS (
            SELECT *, unnest(list_transform([full_name, bare, id, short], lambda n: {folded("n")}))
                AS name, unnest(range(4)) AS step FROM plain
        )
        SELECT text_id,
               arg_min({{developer: developer, family: family, model: coalesce(model, id),
                         billed: CASE WHEN NOT given THEN text END}},
                       (model IS NULL, place, step)) AS best
        FROM names n LEFT JOIN model_of m ON m.name = n.name
            AND n.era >= coalesce(m.since, n.era) AND n.era <= coalesce(m.until, n.era)
        WHERE model IS NOT NULL OR named
        GROUP BY text_id
        """  # noqa: S608
    )


def _look_up_gpus(connection: duckdb.DuckDBPyConnection, tables: SkuTables) -> None:
    """``found_gpus``: how many GPUs the machine of a text has; 0 for one that is known to have
    none. The machines of SageMaker are those of EC2 with ``ml.`` before the name."""
    captured = ", ".join(m.captured for m in tables.setting("gpu"))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE found_gpus AS
        WITH candidates AS (
            SELECT text_id, provider, era, unnest(list) AS text, unnest(range(len(list))) AS place
            FROM (SELECT text_id, provider, era, [{captured}] AS list FROM sku_texts)
        ), names AS (
            SELECT *, {folded("regexp_replace(text, '^ml[.]', '')")} AS name
            FROM candidates WHERE text IS NOT NULL
        )
        SELECT text_id, arg_min(gpus, place) AS gpus
        FROM names n JOIN gpus_of g ON g.name = n.name AND g.provider IN (n.provider, '')
            AND n.era >= coalesce(g.since, n.era) AND n.era <= coalesce(g.until, n.era)
        GROUP BY text_id
        """  # noqa: S608
    )
