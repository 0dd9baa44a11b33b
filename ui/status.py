"""``finops status``: what is in the store."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finops_assistant.agent.untrusted import escaped, markdown
from finops_assistant.store.errors import QueryRefused
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.table import table
from finops_assistant.ui.terminal import show_json, show_markdown

Entry = Mapping[str, Any]


def run(args: Namespace) -> int:
    """Print the state of the store. A principal that may see nothing is refused: 3."""
    home = reading_home(args.home)
    from finops_assistant.store.access import resolve_principal, row_scope
    from finops_assistant.store.status import status

    try:
        principal = resolve_principal(home.settings(), args.principal)
        state = status(home, principal)
    except QueryRefused as no:
        if args.json:
            show_json({"status": "refused", "reason": "no_permission", "message": str(no)})
        raise
    if args.json:
        show_json(state)
    else:
        from finops_assistant.agent import models

        limits = limited(row_scope(principal).filters)
        said = f"{limits}{in_words(state)}"
        show_markdown(f"{said}\n\n{models.describe(home.settings())}")
    return 0


def limited(filters: Iterable[Entry]) -> str:
    """That this is not the whole store, where it is not: what the principal may see."""
    seen = "; ".join(
        f"{f['dimension']} {' or '.join(markdown(str(value)) for value in f['values'])}"
        for f in filters
    )
    return f"Only what you may see: {seen}.\n\n" if seen else ""


def in_words(state: Entry) -> str:
    """The state as Markdown: what asks for attention first, then what the store consists of."""
    rows = sum(currency["rows"] for currency in state["currencies"])
    beside = [entry for entry in state["context"] if entry["rows"]]
    if not rows and not (beside or state["usage"]):
        return "The store holds no row that you may see."
    parts = [
        _opening(state, rows),
        _attention(state["attention"]),
        table(
            ("currency", "charges", "billed", "effective"),
            (
                (c["currency"], c["rows"], c.get("billed"), c.get("effective"))
                for c in state["currencies"]
            ),
        ),
        table(("provider", "charges", "billing months", "last day"), _providers(state)),
        _coverage(state["coverage"]),
        *_usage(state["usage"]),
        *_reconciled(state),
        *_remarks(state),
        table(
            ("table", "rows", "first day", "last day", "for"),
            ((c["table"], c["rows"], c["first_day"], c["last_day"], c["enables"]) for c in beside),
        ),
        table(
            ("source", "rows", "files", "last load"),
            (
                (s["source"], s["rows"], s.get("files"), s.get("last_load"))
                for s in state["sources"]
            ),
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _opening(state: Entry, rows: int) -> str:
    if not rows:
        return "No bill is loaded yet, so there is no cost. Load one with: finops ingest FILE."
    first = min(period["first_day"] for period in state["periods"])
    last = state["freshness"]["last_day"]
    days = (datetime.now(UTC).date() - last).days
    ago = f", {days:,} day{'' if days == 1 else 's'} ago" if days > 0 else ""
    return f"**{rows:,}** charges from {first} to {last}{ago}."


def _coverage(coverage: Sequence[Entry]) -> str:
    """A row a tag dimension, a column a currency."""
    codes = list(dict.fromkeys(entry["currency"] for entry in coverage))
    shares = {(c["dimension"], c["currency"]): c["share"] for c in coverage}
    names = dict.fromkeys(entry["dimension"] for entry in coverage)
    return table(
        ("tag", *(f"share of {markdown(str(code))} effective cost with it" for code in codes)),
        ((name, *(_percent(shares[name, code]) for code in codes)) for name in names),
    )


def _usage(usage: Sequence[Entry]) -> Iterable[str]:
    yield table(
        ("model usage", "layer", "in totals", "first day", "last day", "tokens", "priced"),
        (
            (
                u["provider"],
                u["layer"],
                "yes" if u["counts"] else "no",
                u["first_day"],
                u["last_day"],
                None if u["tokens"] is None else int(u["tokens"]),
                _percent(u["priced_share"]),
            )
            for u in usage
        ),
    )
    if not all(entry["counts"] for entry in usage):
        yield (
            "Layers describe the same calls and are never added. A layer that is not in totals "
            "gives way to the vendor's report or the bill."
        )


def _reconciled(state: Entry) -> Iterable[str]:
    """The providers that have both sides, or should; the others in one sentence."""
    metered = {entry["provider"] for entry in state["usage"] if entry["counts"]}
    lines = state["reconciliation"]
    yield table(
        ("billed against priced", "month", "billed", "priced", "difference", "mostly"),
        (
            (
                r["provider"],
                r["period"],
                f"{r['currency']} {r['billed']:,.2f}",
                f"USD {r['priced']:,.2f}",
                None if r["difference"] is None else f"{r['currency']} {r['difference']:,.2f}",
                r["remark"],
            )
            for r in lines
            if r["provider"] in metered
        ),
    )
    alone = [r for r in lines if r["provider"] not in metered]
    if alone:
        named = ", ".join(
            f"{markdown(str(r['provider']))} ({r['currency']} {r['billed']:,.2f})" for r in alone
        )
        yield (
            f"Billed for models in {alone[0]['period']} without reported usage to compare it "
            f"with: {named}."
        )


def _attention(sentences: Sequence[str]) -> str:
    if not sentences:
        return "Nothing asks for attention."
    return "\n".join(["What asks for attention:", "", *(f"- {escaped(s)}" for s in sentences)])


def _providers(state: Entry) -> Iterable[Sequence[object]]:
    for provider in state["freshness"]["providers"]:
        months = [p for p in state["periods"] if p["provider"] == provider["provider"]]
        rows = sum(month["rows"] for month in months)
        yield provider["provider"], rows, len(months), provider["last_day"]


def _remarks(state: Entry) -> Iterable[str]:
    quarantine, unknown = state["quarantine"], state["unrecognised"]
    if quarantine["rows"]:
        files = ", ".join(f"{markdown(f['file'])} ({f['rows']:,})" for f in quarantine["files"])
        yield (
            f"In quarantine, so in no total: **{quarantine['rows']:,}** "
            f"row{'' if quarantine['rows'] == 1 else 's'}, from {files}. The first of them:"
        )
        yield table(
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
        yield "AI charges whose model or GPU is not known; they are in every total all the same:"
        yield table(
            ("provider", "service", "SKU", "rows", "effective cost"),
            (
                (k["provider"], k["service"], k["sku"], k["rows"], _costs(k["cost"]))
                for k in unknown["skus"][:10]
            ),
        )
    if unknown.get("unreadable_tags"):
        yield f"{unknown['unreadable_tags']:,} rows have tags that could not be read."


def _costs(by_currency: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{code} {amount:,.2f}" for code, amount in by_currency.items())


def _percent(share: float | None) -> str:
    return "no cost" if share is None else f"{share:.1%}"
