"""What the model vendors' cost APIs return: OpenAI's costs and Anthropic's cost report, as pages.

Both tell one amount for a day, a project or workspace, and a line item or model and token class.
Taxes, a credit and a refund are on the invoice only (``invoices``), and no report has tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from finops_assistant.store.sample.chance import day_of, day_start
from finops_assistant.store.sample.ledger import MONTHS
from finops_assistant.store.sample.line import VENDORS
from finops_assistant.store.sample.monthly import next_month

if TYPE_CHECKING:
    import duckdb

ITEM_WORDS = {
    "input": "input",
    "cached": "cached input",
    "written": "cache write input",
    "output": "output",
}
TOKEN_TYPES = {
    "input": "uncached_input_tokens",
    "cached": "cache_read_input_tokens",
    "written": "cache_creation.ephemeral_5m_input_tokens",
    "output": "output_tokens",
}
_ROWS = """
SELECT start, SubAccountId, SubAccountName, x_ApiKeyId, x_ModelIdBilled, token_class, billed_cost,
  tokens
FROM charge
WHERE vendor = $1 AND billing_month = $2 AND token_class IS NOT NULL
ORDER BY start, line
"""


def plain(amount: Decimal) -> str:
    """A decimal without exponent and without zeros that mean nothing."""
    text = format(amount.normalize(), "f")
    return "0" if text == "-0" else text


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _days(
    con: duckdb.DuckDBPyConnection, vendor: str, month: int
) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    rows = con.execute(_ROWS, [vendor, month]).fetchall()
    for start, found in groupby(rows, key=lambda row: row[0]):
        yield start, list(found)


def days_on_first_page(month: date) -> int:
    """How many days of a month OpenAI's first page has."""
    return (next_month(month) - month).days // 2


def _openai_result(row: tuple[Any, ...]) -> str:
    _, project, name, key, model, kind, amount, tokens = row
    vendor = VENDORS["OpenAI"]
    return (
        '{"object":"organization.costs.result",'
        f'"amount":{{"value":{plain(amount)},"currency":"usd"}},'
        f'"line_item":{_text(f"{model}, {ITEM_WORDS[kind]}")},'
        f'"project_id":{_text(project)},"project_name":{_text(name)},"api_key_id":{_text(key)},'
        f'"organization_id":{_text(vendor["account"])},'
        f'"organization_name":{_text(vendor["name"])},'
        f'"quantity":{tokens},"quantity_unit":"tokens"}}'
    )


def write_openai_pages(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    """Write ``bills/openai``: a month on two pages, as it is asked for in two weeks at a time."""
    target = folder / "bills" / "openai"
    target.mkdir(parents=True, exist_ok=True)
    for number, month in enumerate(MONTHS):
        buckets = [
            f'{{"object":"bucket","start_time":{start},"end_time":{start + 86_400},'
            f'"results":[{",".join(map(_openai_result, rows))}]}}'
            for start, rows in _days(con, "OpenAI", number)
        ]
        half = days_on_first_page(month)
        for page, some in enumerate((buckets[:half], buckets[half:]), 1):
            more = '"has_more":true,"next_page":"page_2"' if page == 1 else (
                '"has_more":false,"next_page":null')  # fmt: skip
            path = target / f"costs-{month:%Y-%m}-{page}.json"
            path.write_text(
                f'{{"object":"page",{more},"data":[{",".join(some)}]}}\n', encoding="utf-8"
            )


def _anthropic_result(row: tuple[Any, ...]) -> str:
    _, workspace, name, _, model, kind, amount, _ = row
    vendor = VENDORS["Anthropic"]
    words = f"{model} Usage - {TOKEN_TYPES[kind]}"
    return (
        f'{{"currency":"USD","amount":{_text(plain(amount * 100))},"cost_type":"tokens",'
        f'"workspace_id":{_text(workspace)},"workspace_name":{_text(name)},'
        f'"organization_id":{_text(vendor["account"])},'
        f'"organization_name":{_text(vendor["name"])},'
        f'"description":{_text(words)},"model":{_text(model)},'
        f'"token_type":{_text(TOKEN_TYPES[kind])},"service_tier":"standard",'
        '"context_window":"0-200k","inference_geo":"global"}'
    )


def write_anthropic_pages(folder: Path, con: duckdb.DuckDBPyConnection) -> None:
    """Write ``bills/anthropic``: a page a month, amounts as texts in cents."""
    target = folder / "bills" / "anthropic"
    target.mkdir(parents=True, exist_ok=True)
    first = day_of(0)
    for number, month in enumerate(MONTHS):
        days = dict(_days(con, "Anthropic", number))
        buckets = []
        for offset in range((next_month(month) - month).days):
            day = month + timedelta(days=offset)
            start = day_start((day - first).days)
            results = ",".join(map(_anthropic_result, days.get(start, [])))
            buckets.append(
                f'{{"starting_at":"{day}T00:00:00Z",'
                f'"ending_at":"{day + timedelta(days=1)}T00:00:00Z","results":[{results}]}}'
            )
        path = target / f"cost-report-{month:%Y-%m}.json"
        path.write_text(
            f'{{"data":[{",".join(buckets)}],"has_more":false,"next_page":null}}\n',
            encoding="utf-8",
        )
