"""The models that names mean, in SKUs of bills and in usage reports: one table, one way to look."""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.focus import literal
from finops_assistant.store.projection import model_name
from finops_assistant.store.sku_tables import folded, packaged

# What may stand before a model's own name: a path, a fine-tuning mark, a region, a namespace.
_BEFORE: Final = (
    r"^(?:.*/)?(?:ft[:-])?(?:(?:us|eu|apac|global|regional|jp|au|ca|us-gov)\.)?"
    r"(?:(?:anthropic|amazon|meta|mistral|cohere|ai21|openai|deepseek|google|qwen|xai|moonshotai"
    r"|zai|writer|nvidia)\.)?"
)


def plainer(name: str) -> str:
    """SQL columns after a name: ``bare`` without what may stand before it, ``id`` also without date
    and revision, ``short`` also without a trailing version number.

    A name is looked up as it stands, then as each of these.
    """
    dated = model_name("regexp_replace(bare, '-latest$', '')")
    return (
        f"regexp_replace(lower(trim({name})), {literal(_BEFORE)}, '') AS bare, "
        f"{dated} AS id, "
        "regexp_replace(id, '[ -]?([0-9]{2}-[0-9]{4}|[0-9]{3,4})$', '') AS short"
    )


def name_models(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``named_model``: ``model_billed`` as it stands in ``llm_usage``,
    and ``model``, ``developer`` and ``family``.

    A name that the tables do not know is taken without date and revision; its developer and family
    stay NULL.
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
            SELECT model_billed, {plainer("model_billed")}
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
