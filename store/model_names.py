"""The models that the names in usage reports mean: the same tables that read the SKUs of bills."""

from __future__ import annotations

import duckdb

from finops_assistant.store.focus import literal
from finops_assistant.store.projection import model_name
from finops_assistant.store.sku_tables import folded, packaged
from finops_assistant.store.sku_texts import BEFORE


def name_models(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``named_model``: ``model_billed`` as it stands in ``llm_usage``,
    and ``model``, ``developer`` and ``family``.

    A name is looked up as it stands, then without path, region and namespace, then without date and
    revision, then without a trailing version number. A name that the tables do not know is taken
    without date and revision; its developer and family stay NULL.
    """
    values = ", ".join(
        f"({', '.join(map(literal, map(str, row[:4])))})" for row in packaged().names
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE named_model AS
        WITH known AS (
            SELECT {folded("name")} AS name, any_value(model) AS model,
                any_value(developer) AS developer, any_value(family) AS family
            FROM (VALUES {values}) AS listed (name, model, developer, family) GROUP BY 1
        ), plain AS (
            SELECT model_billed, regexp_replace(lower(trim(model_billed)), {literal(BEFORE)}, '')
                AS bare, {model_name("regexp_replace(bare, '-latest$', '')")} AS id,
                regexp_replace(id, '[ -]?([0-9]{{2}}-[0-9]{{4}}|[0-9]{{3,4}})$', '') AS short
            FROM (SELECT DISTINCT model_billed FROM llm_usage WHERE model_billed IS NOT NULL)
        ), names AS (
            SELECT model_billed, id, unnest(list_transform([model_billed, bare, id, short],
                lambda n: {folded("n")})) AS name, unnest(range(4)) AS step
            FROM plain
        )
        SELECT model_billed, unnest(arg_min({{model: coalesce(model, id), developer: developer,
            family: family}}, (model IS NULL, step)))
        FROM names LEFT JOIN known USING (name) GROUP BY model_billed
        """  # noqa: S608
    )
