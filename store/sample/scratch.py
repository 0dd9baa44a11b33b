"""The ledger in a scratch database, from which every vendor's file is one SELECT away."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from finops_assistant.store.sample.bill_columns import TEXT_COLUMNS
from finops_assistant.store.sample.ledger import Ledger
from finops_assistant.store.sample.line import VENDORS, Line
from finops_assistant.store.sample.native_sku import native_sku

if TYPE_CHECKING:
    import duckdb

_PRICES = ("public_price", "deal_price", "effective_price")
_NATIVE = ("service", "category", "meter", "operation", "unit")

# one row per charge; money and quantities are exact decimals, what a line says stands in ``line``
CHARGE = """
CREATE VIEW charge AS
SELECT line.*, billing_month, start, stop,
  epoch_ms(start * 1000) AS starts, epoch_ms(stop * 1000) AS stops,
  (DATE '2025-09-01' + to_months(billing_month::INTEGER))::TIMESTAMP AS period_start,
  (DATE '2025-09-01' + to_months(billing_month::INTEGER + 1))::TIMESTAMP AS period_end,
  CASE WHEN NOT unpriced THEN (pricing_quantity * 0.000000000001)::DECIMAL(24,12) END AS quantity,
  consumed_quantity // 1000 AS tokens,
  (list * 0.000000000001)::DECIMAL(24,12) AS list_cost,
  (contracted * 0.000000000001)::DECIMAL(24,12) AS contracted_cost,
  (effective * 0.000000000001)::DECIMAL(24,12) AS effective_cost,
  (billed * 0.000000000001)::DECIMAL(24,12) AS billed_cost
FROM (SELECT * REPLACE (pricing_quantity::DECIMAL(19,0) AS pricing_quantity,
    list::DECIMAL(19,0) AS list, contracted::DECIMAL(19,0) AS contracted,
    effective::DECIMAL(19,0) AS effective, billed::DECIMAL(19,0) AS billed) FROM entry)
JOIN line USING (line)
"""

# a number without the zeros that mean nothing
TRIM = """
CREATE MACRO trim_decimal(amount) AS CASE WHEN contains(amount::VARCHAR, '.')
  THEN rtrim(rtrim(amount::VARCHAR, '0'), '.') ELSE amount::VARCHAR END
"""


def aws_tag_key(key: str) -> str:
    """A tag key as Data Exports writes it: ``user_`` and snake case.

    >>> aws_tag_key("CostCentre"), aws_tag_key("cost-center")
    ('user_cost_centre', 'user_cost_center')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return "user_" + re.sub(r"\W", "_", words).lower()


def _json(tags: Mapping[str, str]) -> str | None:
    return json.dumps(dict(tags), ensure_ascii=False) if tags else None


def _facts(number: int, line: Line) -> dict[str, object]:
    native = native_sku(line)
    issuer = VENDORS[line.vendor]
    return {
        "line": number,
        **{name: line.text.get(name) for name in TEXT_COLUMNS},
        "InvoiceIssuerName": issuer["issuer"],
        "BillingAccountId": issuer["account"],
        "BillingAccountName": issuer["name"],
        "vendor": line.vendor,
        "tags_json": _json(line.tags),
        "tags_export": _json({aws_tag_key(key): value for key, value in line.tags.items()}),
        "unpriced": line.unpriced,
        "gpus": line.gpus,
        "token_class": line.token_class or None,
        **{f"n_{name}": getattr(native, name) or None for name in _NATIVE},
        "n_factor": native.factor,
        "public_price": str(line.price.list_price),
        "deal_price": str(line.price.contracted),
        "effective_price": str(line.price.effective),
    }


def sql_text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def load_ledger(con: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    """Put the ledger into tables ``line`` and ``entry`` and the view ``charge``."""
    import pandas as pd

    facts = [_facts(number, line) for number, line in enumerate(ledger.lines)]
    columns = {name: pd.Series([f[name] for f in facts], dtype=object) for name in facts[0]}
    frame = pd.DataFrame(columns).astype(
        {"line": "int64", "unpriced": "bool", "gpus": "int64", "n_factor": "int64"}
    )
    con.register("line_frame", frame)
    con.register("entry_frame", pd.DataFrame(ledger.rows))
    texts = ", ".join(
        f'"{name}"::{"DECIMAL(24,12)" if name in _PRICES else "VARCHAR"} AS "{name}"'
        for name in facts[0]
        if name not in ("line", "unpriced", "gpus", "n_factor")
    )
    con.execute(
        f"CREATE TABLE line AS SELECT line, unpriced, gpus, n_factor, {texts}, "  # noqa: S608
        "tags_json::JSON::MAP(VARCHAR, VARCHAR) AS tags_map, "
        "tags_export::JSON::MAP(VARCHAR, VARCHAR) AS tags_export_map, "
        "map_entries(tags_json::JSON::MAP(VARCHAR, VARCHAR)) AS tags_list FROM line_frame"
    )
    con.execute("CREATE TABLE entry AS SELECT * FROM entry_frame")
    con.unregister("line_frame")
    con.unregister("entry_frame")
    con.execute(CHARGE)
    con.execute(TRIM)
