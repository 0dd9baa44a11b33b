"""``finops allocation``: how shared cost is split, and what everything costs in full."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from finops_assistant.agent.untrusted import markdown
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.ui.ask import day
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.table import Marked, table
from finops_assistant.ui.terminal import show_json, show_markdown

if TYPE_CHECKING:
    from finops_assistant.store.full_costs import Allocations

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Period:
    """Charge days from ``start`` to before ``end``."""

    start: date
    end: date

    @property
    def words(self) -> str:
        """Both days, inclusive."""
        return f"{self.start} to {self.end - timedelta(days=1)}"


def run(args: Namespace) -> int:
    """Print rules, splits and full costs. A principal that may not see them is refused: 3."""
    as_of = day(args.as_of)
    home = reading_home(args.home)
    from finops_assistant.store.full_costs import Allocations
    from finops_assistant.store.store import Store

    store = Store.open(home)
    try:
        principal = store.principal(args.principal)
        today = as_of or store.facts(principal).today
        with closing(store.database.cursor()) as cursor:
            found = report(Allocations.of(cursor, principal), today, by=args.by, period=args.period)
    except QueryRefused as no:
        if args.json and no.reason == "NOT_PERMITTED":
            show_json({"status": "refused", "reason": "no_permission", "message": str(no)})
        raise
    finally:
        store.close()
    if args.json:
        show_json(found)
    else:
        show_markdown(in_words(found))
    return 0


def report(
    allocations: Allocations, today: date, *, by: str | None = None, period: str | None = None
) -> dict[str, Any]:
    """The object that ``--json`` prints: ``rules`` with what they split and the proof, and, by one
    dimension, ``allocations`` and ``full_costs``. Raises QueryRefused and UsageError."""
    from finops_assistant.store.full_costs import as_json

    rules = allocations.rules
    dimension = by or (rules[0].to if rules else "team")
    days = period_of(period, today)
    return {
        "as_of": today,
        "by": dimension,
        "start": days.start,
        "end": days.end,
        "metric": "effective_cost",
        "rules": [
            {
                "name": rule.name,
                "to": rule.to,
                "method": rule.method,
                "scope": rule.scope if allocations.may_see(rule) else None,
                "split": [
                    {
                        "currency": proof.currency,
                        "charges": proof.charges,
                        "effective": proof.effective,
                        "parts_effective": proof.split_effective,
                        "billed": proof.billed,
                        "parts_billed": proof.split_billed,
                        "exact": proof.exact,
                        "of_an_earlier_rule": proof.lost or Decimal(0),
                    }
                    for proof in allocations.proofs(rule, days.start, days.end)
                ],
            }
            for rule in rules
        ],
        "allocations": [
            {
                "rule": split.rule,
                "target": split.target,
                "month": split.month,
                "currency": split.currency,
                "share": split.share,
                "effective": split.effective,
                "billed": split.billed,
                "basis": split.basis,
            }
            for split in allocations.splits(dimension, days.start, days.end)
        ],
        "full_costs": [
            as_json(full) for full in allocations.full_costs(dimension, days.start, days.end)
        ],
        "restricted": allocations.principal.restricted,
    }


def period_of(text: str | None, today: date) -> Period:
    """A year, a quarter or a month, never past ``today``; the last complete month where nothing is
    said. UsageError for anything else.

    >>> period_of("2026-Q3", date(2026, 11, 1)).words
    '2026-07-01 to 2026-09-30'
    >>> period_of(None, date(2026, 11, 20)).words
    '2026-10-01 to 2026-10-31'
    """
    if text is None:
        last = today.replace(day=1) - timedelta(days=1)
        return Period(last.replace(day=1), last + timedelta(days=1))
    said = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", text.strip(), re.IGNORECASE)
    if said is None or said[1] in ("0000", "9999"):
        raise UsageError(f"--period {text!r} is no period; write it as 2026-10, 2026-Q4 or 2026.")
    year = int(said[1])
    first, months = (
        (int(said[3]), 1) if said[3] else (int(said[2]) * 3 - 2, 3) if said[2] else (1, 12)
    )
    after = year * 12 + first - 1 + months
    start, end = date(year, first, 1), min(date(after // 12, after % 12 + 1, 1), today)
    if end <= start:
        raise UsageError(f"--period {text} has not begun on {today}.")
    return Period(start, end)


def in_words(found: Entry) -> str:
    """The report as Markdown: full costs first, then what they rest on."""
    last = found["end"] - timedelta(days=1)
    days = f"{found['start']} to {last}"
    what = found["by"].replace("_", " ")
    parts = [f"**Full effective cost by {what}**, {days}."]
    if found["restricted"]:
        parts.append(
            "Only what you may see: your own rows, and shares of what is yours as a whole."
        )
    parts += [_full_costs(found), *_rules(found), _splits(found)]
    return "\n\n".join(part for part in parts if part)


def _full_costs(found: Entry) -> str:
    full = found["full_costs"]
    if not full:
        return "Nothing was charged in these days."
    kinds = list(dict.fromkeys(kind for one in full for kind in one["direct"]))
    rules = list(dict.fromkeys(rule for one in full for rule in one["allocated"]))
    rows = [
        (
            one["target"],
            one["currency"],
            one["total"],
            *(one["direct"].get(kind) for kind in kinds),
            *(one["allocated"].get(rule) for rule in rules),
        )
        for one in full
    ]
    for currency in dict.fromkeys(one["currency"] for one in full):
        own = [row[2:] for row in rows if row[1] == currency]
        rows.append(
            (Marked("**all**"), currency, *(_sum(column) for column in zip(*own, strict=True)))
        )
    return table(("", "currency", "full cost", *kinds, *(f"share of {r}" for r in rules)), rows)


def _rules(found: Entry) -> Iterable[str]:
    if not found["rules"]:
        yield "No rule splits shared cost. finops.toml takes them as [[allocation]]."
    for rule in found["rules"]:
        name = f"**{markdown(rule['name'])}** ({rule['method']}, to {rule['to'].replace('_', ' ')})"
        if rule["scope"] is None:
            yield f"{name} splits more than you may see."
            continue
        if not rule["split"]:
            yield f"{name}: nothing in these days is in its scope, {markdown(rule['scope'])}."
        for split in rule["split"]:
            proof = "and its parts add up to it" if split["exact"] else "AND ITS PARTS DO NOT"
            sentence = (
                f"{name} splits {split['effective']:,.2f} {split['currency']} of "
                f"{markdown(rule['scope'])} ({_charges(split['charges'])}), {proof}."
            )
            if split["of_an_earlier_rule"]:
                sentence += (
                    f" Another {split['of_an_earlier_rule']:,.2f} {split['currency']} of its scope "
                    "is split by an earlier rule."
                )
            yield sentence


def _splits(found: Entry) -> str:
    return table(
        ("rule", "month", "to", "share", "effective cost", "currency", "rests on"),
        (
            (
                split["rule"],
                f"{split['month']:%Y-%m}",
                split["target"],
                None if split["share"] is None else f"{split['share']:.2%}",
                split["effective"],
                split["currency"],
                split["basis"],
            )
            for split in found["allocations"]
        ),
    )


def _charges(count: int) -> str:
    return "1 charge" if count == 1 else f"{count:,} charges"


def _sum(amounts: Sequence[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
