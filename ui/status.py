"""``finops status``: what is in the store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from finops_assistant.agent.untrusted import markdown
from finops_assistant.store.errors import QueryRefused
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import show_json, show_markdown

Entry = Mapping[str, Any]


def run(args: Namespace) -> int:
    """Print the state of the store. A principal that may see nothing is refused: 3."""
    home = reading_home(args.home)
    from finops_assistant.store.access import resolve_principal
    from finops_assistant.store.status import status

    try:
        state = status(home, resolve_principal(home.settings(), args.principal))
    except QueryRefused as no:
        if args.json:
            show_json({"status": "refused", "reason": "no_permission", "message": str(no)})
        raise
    if args.json:
        show_json(state)
    else:
        from finops_assistant.agent import models

        show_markdown(f"{in_words(state)}\n\n{models.describe(home.settings())}")
    return 0


def in_words(state: Entry) -> str:
    """The state as Markdown: what asks for attention first, then what the store consists of."""
    rows = sum(currency["rows"] for currency in state["currencies"])
    if not rows:
        return "The store holds no row that you may see."
    first = min(period["first_day"] for period in state["periods"])
    last = state["freshness"]["last_day"]
    parts = [
        f"**{rows:,}** charges from {first} to {last}.",
        _attention(state["attention"]),
        _table(
            ("provider", "rows", "billing months", "last day"),
            _providers(state),
        ),
        _table(
            ("currency", "rows", "billed", "effective"),
            (
                (c["currency"], c["rows"], c.get("billed"), c.get("effective"))
                for c in state["currencies"]
            ),
        ),
        _table(
            ("tag dimension", "currency", "share of effective cost that carries it"),
            ((c["dimension"], c["currency"], _percent(c["share"])) for c in state["coverage"]),
        ),
        _table(
            ("model usage", "layer", "counts", "first day", "last day", "tokens", "priced"),
            (
                (
                    u["provider"],
                    u["layer"],
                    "yes" if u["counts"] else "for detail",
                    u["first_day"],
                    u["last_day"],
                    None if u["tokens"] is None else int(u["tokens"]),
                    _percent(u["priced_share"]),
                )
                for u in state["usage"]
            ),
        ),
        _table(
            ("billed against priced", "month", "billed", "priced", "difference", "mostly"),
            (
                (
                    r["provider"],
                    r["period"],
                    f"{r['currency']} {r['billed']:,.2f}",
                    f"USD {r['priced']:,.2f}",
                    None
                    if r["difference"] is None
                    else f"{r['currency']} {r['difference']:,.2f}",
                    r["remark"],
                )
                for r in state["reconciliation"]
            ),
        ),
        *_remarks(state),
        _table(
            ("table", "rows", "first day", "last day", "for"),
            (
                (c["table"], c["rows"], c["first_day"], c["last_day"], c["enables"])
                for c in state["context"]
                if c["rows"]
            ),
        ),
        _table(
            ("source", "rows", "files", "last load"),
            (
                (s["source"], s["rows"], s.get("files"), s.get("last_load"))
                for s in state["sources"]
            ),
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _attention(sentences: Sequence[str]) -> str:
    if not sentences:
        return "Nothing asks for attention."
    return "\n".join(["What asks for attention:", "", *(f"- {markdown(s)}" for s in sentences)])


def _providers(state: Entry) -> Iterable[Sequence[object]]:
    for provider in state["freshness"]["providers"]:
        months = [p for p in state["periods"] if p["provider"] == provider["provider"]]
        rows = sum(month["rows"] for month in months)
        yield provider["provider"], rows, len(months), provider["last_day"]


def _remarks(state: Entry) -> Iterable[str]:
    quarantine, unknown = state["quarantine"], state["unrecognised"]
    if quarantine["rows"]:
        files = ", ".join(f"{markdown(f['file'])} ({f['rows']:,})" for f in quarantine["files"])
        yield f"**{quarantine['rows']:,}** rows in quarantine, from {files}. The first of them:"
        yield _table(
            ("file", "line", "column", "reason"),
            ((e["file"], e["line"], e["column"], e["reason"]) for e in quarantine["examples"][:5]),
        )
    elif quarantine["rows"] == 0:
        yield "Nothing is in quarantine."
    if unknown["columns"]:
        names = ", ".join(markdown(column["column"]) for column in unknown["columns"])
        yield f"Columns that were left out because no schema knows them: {names}."
    for value in unknown["values"]:
        yield (
            f"{value['rows']:,} rows have a {value['column']} that the specification does not "
            f"list: {markdown(value['value'])}."
        )
    if unknown["skus"]:
        yield "SKUs of AI services that are in no table of models or GPUs:"
        yield _table(
            ("provider", "service", "SKU", "rows", "effective cost"),
            (
                (k["provider"], k["service"], k["sku"], k["rows"], _costs(k["cost"]))
                for k in unknown["skus"][:10]
            ),
        )
    if unknown.get("unreadable_tags"):
        yield f"{unknown['unreadable_tags']:,} rows have tags that could not be read."


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(names)} |", "|" + " --- |" * len(names), *lines])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return markdown(str(value))


def _costs(by_currency: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{code} {amount:,.2f}" for code, amount in by_currency.items())


def _percent(share: float | None) -> str:
    return "no cost" if share is None else f"{share:.1%}"
