"""From records to the relation ``record`` that a source's SQL reads: every field by name and type.

The *optimistic* SELECT stops with an SQL error at anything that cannot be read exactly. The
*careful* one says in ``_problem`` which column of a row cannot be read and why, and keeps 24
decimals of money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from finops_assistant.store.currencies import CODES
from finops_assistant.store.focus import literal, quote
from finops_assistant.store.projection import (
    WHOLE_NUMBERS,
    exact_double,
    exact_text,
    proven_double,
    utc,
)
from finops_assistant.store.quarantine import STAGED_MONEY
from finops_assistant.store.sources.source import KINDS, Field, SqlSource, column_of

_EPOCH_MS: Final = 100_000_000_000  # seconds reach this in the year 5138
_EPOCH_YEARS: Final = (946_684_800, 7_258_118_400)  # 2000 to 2200: 20261003 is no second of 1970
_CURRENCIES: Final = f"[{', '.join(map(literal, CODES))}]"
# How a file says that there is no value: nothing, or what Python programs write of theirs.
_NOTHING: Final = "('', 'None')"
_NAMES: Final = {
    "money": "a number",
    "quantity": "a number",
    "time": "a date and time",
    "currency": "a currency code",
    "json": "JSON",
}


@dataclass(frozen=True)
class Records:
    """The columns of a relation: name as a file spells it -> how SQL refers to it, and its type."""

    relation: str
    columns: Mapping[str, tuple[str, str]]

    @property
    def header(self) -> Mapping[str, str]:
        """Column -> type."""
        return {name: kind for name, (_, kind) in self.columns.items()}


def typed(source: SqlSource, records: Records, *, careful: bool) -> str:
    """The SELECT that makes ``record`` of records; careful, with ``_line`` and ``_problem``."""
    header = records.header
    fields = source.fields_of(header)
    select, problems = [], []
    for one in fields:
        name = column_of(one, header)
        if name is None:
            # as fine as the columns that are there: a CASE over both takes the coarser type
            nothing = STAGED_MONEY if careful and one.kind == "money" else KINDS[one.kind]
            select.append(f"NULL::{nothing} AS {quote(one.name)}")
            if one.essential:
                problems.append((one.name, "TRUE", "'is empty'"))
            continue
        reference, kind = records.columns[name]
        value = _value(one, reference, kind, careful=careful)
        shown = value
        if one.essential and not careful:
            shown = f"coalesce({value}, error('{one.kind} is empty')::{KINDS[one.kind]})"
        select.append(f"{shown} AS {quote(one.name)}")
        text = f"CAST({reference} AS VARCHAR)"
        if one.kind != "text":
            said = f"{reference} IS NOT NULL AND trim({text}) NOT IN {_NOTHING}"
            unread = f"{said} AND ({value}) IS NULL"
            problems.append((name, unread, f"'cannot be read as {_NAMES[one.kind]}: ' || {text}"))
        if one.essential:
            problems.append((name, f"({value}) IS NULL", "'is empty'"))
    for name, prefix in source.gather.items():
        select.append(f"{_gathered(prefix, fields, records)} AS {quote(name)}")
    if not careful:
        return f"SELECT {', '.join([*select, 'NULL::BIGINT AS _line'])} FROM {records.relation}"  # noqa: S608
    cases = " ".join(
        f"WHEN {test} THEN [{literal(column)}, {reason}]" for column, test, reason in problems
    )
    found = f"CASE {cases} END" if cases else "NULL::VARCHAR[]"
    return (
        f"SELECT {', '.join(select)}, _line, {found} AS _problem, "  # noqa: S608
        f"CASE WHEN _problem IS NOT NULL THEN CAST(to_json(raw) AS VARCHAR) END AS _raw "
        f"FROM {records.relation}"
    )


def _value(one: Field, reference: str, kind: str, *, careful: bool) -> str:
    text = reference if kind == "VARCHAR" else f"CAST({reference} AS VARCHAR)"
    match one.kind:
        case "money":
            return _money(reference, kind, text, careful=careful)
        case "quantity":
            return _quantity(reference, kind, text, careful=careful)
        case "time":
            return _time(one, reference, kind, text, careful=careful)
        case "currency":
            code = f"upper(trim({text}))"
            known = f"list_contains({_CURRENCIES}, {code})"
            return f"CASE WHEN {known} THEN {code} {_else(text, 'currency', careful)} END"
        case "json":
            if kind in ("VARCHAR", "JSON"):
                return text
            return f"CAST(to_json({reference}) AS VARCHAR)"
        case _:
            return text


def _else(text: str, what: str, careful: bool) -> str:
    """What becomes of an unreadable value: NULL where rows are set aside, else a stop."""
    if careful:
        return ""
    blank = f"trim({text}) = '' OR {text} IS NULL"
    return f"WHEN {blank} THEN NULL ELSE error('no {what}')::VARCHAR"


def _money(reference: str, kind: str, text: str, *, careful: bool) -> str:
    target = KINDS["money"]
    if careful:
        exact = reference if kind.startswith("DECIMAL") else _plain_number(text)
        return f"CAST(TRY_CAST({exact} AS DECIMAL(37,24)) AS {STAGED_MONEY})"  # room for sums
    if kind.startswith("DECIMAL") and int(kind.rstrip(")").split(",")[1]) <= 12:
        return f"CAST({reference} AS {target})"
    if kind in WHOLE_NUMBERS:
        return f"CAST({reference} AS {target})"
    if kind in ("DOUBLE", "FLOAT"):
        return proven_double(reference, kind, target, exact_text(text, target))
    return exact_text(text, target)


def _quantity(reference: str, kind: str, text: str, *, careful: bool) -> str:
    target = KINDS["quantity"]
    if kind in ("DOUBLE", "FLOAT") and not careful:
        return exact_double(reference, target)
    if careful:
        exact = _plain_number(text) if kind in ("VARCHAR", "JSON") else text
        return f"CAST(TRY_CAST({exact} AS DECIMAL(37,15)) AS {target})"  # room for sums
    return f"CAST({reference} AS {target})"


def _plain_number(text: str) -> str:
    """A number without thousands separators, where they cannot be decimal commas."""
    grouped = r"[-+]?\d{1,3}(,\d{3})+\.\d+|[-+]?\d{1,3}(,\d{3}){2,}"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(grouped)}) "
        f"THEN replace({text}, ',', '') ELSE {text} END"
    )


def _time(one: Field, reference: str, kind: str, text: str, *, careful: bool) -> str:
    if kind.startswith(("TIMESTAMP", "DATE")):
        return utc(reference, kind)
    if kind in WHOLE_NUMBERS or kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return _instant(f"CAST({reference} AS DOUBLE)", careful=careful)
    cast = "TRY_CAST" if careful else "CAST"
    iso = f"make_timestamp(epoch_us({cast}({text} AS TIMESTAMPTZ)))"
    if one.formats:
        formats = ", ".join(map(literal, one.formats))
        strptime = "try_strptime" if careful else "strptime"
        # try_strptime makes the year 1900 of the word infinity
        other = "NULL" if careful else "error('no time')"
        date = f"CASE WHEN {text} IS NULL OR {text} SIMILAR TO '.*[0-9].*' THEN {text}"
        return f"CAST({strptime}({date} ELSE {other} END, [{formats}]) AS TIMESTAMP)"
    number = f"TRY_CAST({text} AS DOUBLE)"
    instant = _instant(number, careful=careful)
    return f"CASE WHEN {number} IS NOT NULL THEN {instant} ELSE {iso} END"


def _instant(number: str, *, careful: bool) -> str:
    """Seconds, or milliseconds, since 1970; ``inf`` and ``nan`` are numbers, too, and no time."""
    seconds = f"CASE WHEN {number} >= {_EPOCH_MS} THEN {number} / 1000 ELSE {number} END"
    first, last = _EPOCH_YEARS
    moment = f"make_timestamp(CAST(round(({seconds}) * 1000000) AS BIGINT))"
    known = f"WHEN {number} IS NULL THEN NULL WHEN ({seconds}) BETWEEN {first} AND {last}"
    other = "NULL" if careful else "error('no time')::TIMESTAMP"
    return f"CASE {known} THEN {moment} ELSE {other} END"


def _as_written(name: str, names: Iterable[str]) -> str:
    """A column's name without the ``_1`` that the reader adds when only case tells two apart."""
    bare = re.sub(r"_[0-9]+$", "", name)
    twins = {other for other in names if other.lower() == bare.lower()}
    return bare if twins and bare not in twins else name


def _gathered(prefix: str, fields: Iterable[Field], records: Records) -> str:
    """The columns with a prefix (or all that no field reads) as a JSON object without NULLs."""
    if prefix == "*":
        read = {s.lower() for one in fields for s in one.spellings}
        chosen = {
            name: reference
            for name, (reference, kind) in records.columns.items()
            if name.strip().lower() not in read and "." not in name and name
        }
    else:
        chosen = {
            name[len(prefix) :]: reference
            for name, (reference, kind) in records.columns.items()
            if name.lower().startswith(prefix.lower()) and len(name) > len(prefix)
        }
    if not chosen:
        return "NULL::VARCHAR"
    chosen = {_as_written(name, chosen): reference for name, reference in chosen.items()}
    # json_merge_patch drops the members that are NULL.
    pairs = ", ".join(
        f"{literal(name)}, CAST({reference} AS VARCHAR)" for name, reference in chosen.items()
    )
    filled = f"json_merge_patch('{{}}', json_object({pairs}))"
    anything = f"coalesce({', '.join(f'CAST({r} AS VARCHAR)' for r in chosen.values())})"
    return f"CASE WHEN {anything} IS NOT NULL THEN CAST({filled} AS VARCHAR) END"
