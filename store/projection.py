"""The SELECT that turns the columns of a bill into ``charges``: casts, tags, model details.

It comes in two kinds. The *optimistic* one reads the file itself and stops with an SQL error at
anything unusual (a value that is no number, a digit beyond the 12th decimal, malformed JSON), so
that nothing is rounded or lost unseen. The *careful* one (see ``quarantine``) then reads a staged
table whose bad rows are already out and rounds half-even.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import duckdb

from finops_assistant.store.focus import COLUMNS, FILE_ID, TAG_COLUMNS, FocusColumn, literal, quote
from finops_assistant.store.tags import TagReader

# Keys of the FOCUS 1.5 draft inside SkuPriceDetails, and what strict 1.4 files call them.
MODEL_KEYS: Final = (
    "ModelDeveloper",
    "ModelFamily",
    "ModelId",
    "TokenDirection",
    "TokenCacheAction",
)
_DETAIL_PATHS: Final = ", ".join(f"'/{key}', '/x_{key}'" for key in MODEL_KEYS)
WHOLE_NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                        "USMALLINT", "UINTEGER", "UBIGINT")  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """One file's SELECT. ``header``: column -> DuckDB type of the relation; ``mapping``: FOCUS
    column -> column of the relation; ``money``: FOCUS column -> its type in the store."""

    header: Mapping[str, str]
    mapping: Mapping[str, str]
    money: Mapping[str, str]
    reader: TagReader
    careful: bool
    providers: Mapping[str, str] = field(default_factory=dict)  # as written -> as people say
    plain_tags: bool = False  # every tag text is a JSON object already

    def select(self, relation: str, file_id: int | str, source: str) -> str:
        """The whole statement over ``relation``, with the columns of ``charges`` in order;
        ``file_id`` may be a column of it."""
        values = self._values(source)
        lines = ",\n    ".join(f"{values[c.name]} AS {c.name}" for c in COLUMNS)
        return (
            f"SELECT\n    {lines},\n    {file_id} AS {FILE_ID}\n"  # noqa: S608
            "FROM (SELECT *,\n"
            f"    {self.reader.extract('_tags_text')} AS _tag_values,\n"
            f"    {self._details()} AS _details\n"
            f"  FROM (SELECT *, {self.tags_text()} AS _tags_text FROM {relation})) AS bill"
        )

    def tags_text(self) -> str:
        """The tags as a JSON text, whatever shape they came in."""
        if "Tags" not in self.mapping:
            return "NULL::VARCHAR"
        tags, kind = quote(self.mapping["Tags"]), self.header[self.mapping["Tags"]]
        if kind in ("VARCHAR", "JSON"):
            text = _cast(tags, kind, "VARCHAR")
            return text if self.plain_tags else _json_tags(text)
        if kind.endswith("[]"):
            return f"CAST(to_json(map_from_entries({tags})) AS VARCHAR)"
        return f"CAST(to_json({tags}) AS VARCHAR)"

    def plain_in(self, connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
        """Whether the tags of a relation are JSON objects as they are, as far as it shows."""
        if self.header.get(self.mapping.get("Tags", "")) != "VARCHAR":
            return False
        tags = quote(self.mapping["Tags"])
        odd = f"NOT starts_with({tags}, '{{')"
        row = connection.execute(f"SELECT count(*) FROM {relation} WHERE {odd}").fetchone()  # noqa: S608
        return row == (0,)

    def _values(self, source: str) -> dict[str, str]:
        values = {c.name: self._value(c) for c in COLUMNS}
        values["Tags"] = "_tags_text"
        values["x_Source"] = literal(source)
        values["x_CostBasis"] = f"coalesce({values['x_CostBasis']}, 'billed')"
        values["ServiceProviderName"] = self._provider()
        for column, expression in self.reader.columns("_tag_values").items():
            values[column] = _first(expression, values[column])
        if "SkuPriceDetails" in self.mapping:
            for place, key in enumerate(MODEL_KEYS):
                plain, custom = f"_details[{2 * place + 1}]", f"_details[{2 * place + 2}]"
                found = f"coalesce({plain}, {custom})"
                if key == "ModelId":
                    billed = _first(values["x_ModelIdBilled"], found)
                    values["x_ModelIdBilled"] = billed
                    found = model_name(found)
                values[f"x_{key}"] = _first(values[f"x_{key}"], found)
        return values

    def _value(self, column: FocusColumn) -> str:
        name = self.mapping.get(column.name)
        target = self.money.get(column.name, column.sql_type)
        if name is None:
            return f"NULL::{target}"
        value, kind = quote(name), self.header[name]
        if column.kind == "money":
            return self._money(value, kind, target)
        if column.kind == "quantity":
            return (
                exact_double(value, target)
                if kind in ("DOUBLE", "FLOAT")
                else _cast(value, kind, target)
            )
        if column.kind == "time":
            return utc(value, kind)
        if column.kind == "json" and kind not in ("VARCHAR", "JSON"):
            return f"CAST(to_json({value}) AS VARCHAR)"
        text = _cast(value, kind, "VARCHAR")
        if column.name in TAG_COLUMNS.values():
            return f"CASE WHEN trim({text}) <> '' THEN {text} END"
        return text

    def _money(self, value: str, kind: str, target: str) -> str:
        if self.careful:
            return f"CAST(round_even({value}, 12) AS {target})"
        if kind.startswith("DECIMAL"):
            if int(kind.rstrip(")").split(",")[1]) <= 12:
                return _cast(value, kind, target)
            stored = f"CAST({value} AS {target})"
            lossy = f"{value} <> CAST({stored} AS {kind})"
            return f"CASE WHEN {lossy} THEN {_stop(target)} ELSE {stored} END"
        if kind in WHOLE_NUMBERS:
            return f"CAST({value} AS {target})"
        if kind in ("DOUBLE", "FLOAT"):
            return proven_double(
                value, kind, target, exact_text(f"CAST({value} AS VARCHAR)", target)
            )
        return exact_text(_cast(value, kind, "VARCHAR"), target)

    def _details(self) -> str:
        name = self.mapping.get("SkuPriceDetails")
        if name is None:
            return "NULL::VARCHAR[]"
        value = quote(name)
        if self.header[name] not in ("VARCHAR", "JSON"):
            value = f"to_json({value})"
        found = f"json_extract_string({value}, [{_DETAIL_PATHS}])"
        return f"TRY({found})" if self.careful else found

    def _provider(self) -> str:
        name = quote(self.mapping["ServiceProviderName"])
        if not self.providers:
            return name
        cases = " ".join(f"WHEN {literal(w)} THEN {literal(p)}" for w, p in self.providers.items())
        return f"CASE {name} {cases} ELSE {name} END"


def exact_double(value: str, target: str) -> str:
    """A DOUBLE as the shortest decimal that stands for it, never with the noise of binary."""
    return proven_double(value, "DOUBLE", target, f"CAST(CAST({value} AS VARCHAR) AS {target})")


def proven_double(value: str, kind: str, target: str, otherwise: str) -> str:
    """A binary number as the shortest decimal that stands for it where casting it back proves that,
    else ``otherwise``, which reads its text and takes ten times as long.

    No two decimals of up to 15 digits stand for the same DOUBLE: below a thousand, that leaves
    twelve decimals to try.
    """
    nine = f"TRY_CAST({value} AS DECIMAL(18,9))"
    twelve = f"TRY_CAST({value} AS DECIMAL(18,12))"
    short = (
        f"WHEN abs({value}) < 1000 AND CAST({twelve} AS DOUBLE) = {value} "
        f"THEN CAST({twelve} AS {target}) "
    )
    return (
        f"CASE {short if kind == 'DOUBLE' else ''}"
        f"WHEN CAST({nine} AS {kind}) = {value} THEN CAST({nine} AS {target}) "
        f"ELSE {otherwise} END"
    )


def model_name(value: str) -> str:
    """A billed model id as the vendor's API name: lower case, without namespace, region prefix,
    date suffix and revision."""
    steps = (
        ("^.*/", ""),
        (r"^(us|eu|apac|global|jp|au|ca|us-gov)\.", ""),
        (r"^(anthropic|amazon|meta|mistral|cohere|ai21|openai|deepseek|google)\.", ""),
        (r"-v[0-9]+:[0-9]+(:[0-9a-z]+)?$", ""),
        (r"[-@]20[0-9]{2}-?[0-9]{2}-?[0-9]{2}$", ""),
    )
    expression = f"lower(trim({value}))"
    for pattern, by in steps:
        expression = f"regexp_replace({expression}, {literal(pattern)}, {literal(by)})"
    return f"CASE WHEN {value} IS NOT NULL THEN {expression} END"


def _cast(value: str, kind: str, target: str) -> str:
    return value if kind == target else f"CAST({value} AS {target})"


def _first(preferred: str, other: str) -> str:
    if preferred == "NULL::VARCHAR":
        return other
    return preferred if other == "NULL::VARCHAR" else f"coalesce({preferred}, {other})"


def _stop(target: str) -> str:
    return f"CAST(error('more than 12 decimals') AS {target})"


def exact_text(value: str, target: str) -> str:
    """A number written as text, cast with a stop at any digit beyond the 12th decimal."""
    # A text with at most 12 characters after the point is read exactly; one with an exponent
    # only when nothing lies beyond the 12th decimal.
    tail = f"strlen({value}) - instr({value}, '.') > 12"
    exponent = f"contains({value}, 'e') OR contains({value}, 'E')"
    fine = f"CAST({value} AS DECIMAL(38,24))"
    return (
        f"CASE WHEN {tail} THEN {_stop(target)} "
        f"WHEN {exponent} THEN CASE WHEN {fine} <> round({fine}, 12) THEN {_stop(target)} "
        f"ELSE CAST({value} AS {target}) END ELSE CAST({value} AS {target}) END"
    )


def utc(value: str, kind: str) -> str:
    """A time as TIMESTAMP in UTC; one without a zone is UTC already."""
    # Reading a text straight as TIMESTAMP would drop its zone without a word, and DuckDB moves a
    # cast into the CSV reader: hence the instant as microseconds, which is as fast as a copy.
    if kind == "VARCHAR":
        return utc(f"CAST({value} AS TIMESTAMPTZ)", "TIMESTAMP WITH TIME ZONE")
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"make_timestamp(epoch_us({value}))"
    return _cast(value, kind, "TIMESTAMP")


def _json_tags(value: str) -> str:
    is_object = f"starts_with({value}, '{{') AND json_valid({value})"
    entries = (
        f"list_transform(from_json({value}, '[\"JSON\"]'), lambda e: {{"
        "k: coalesce(e->>'/key', e->>'/Key'), v: coalesce(e->>'/value', e->>'/Value')})"
    )
    braced = f"'{{' || {value} || '}}'"
    return (
        f"CASE WHEN {is_object} THEN {value} WHEN {value} IS NULL THEN NULL "
        f"ELSE coalesce(CASE WHEN starts_with(ltrim({value}), '[') "
        f"THEN TRY(CAST(to_json(map_from_entries({entries})) AS VARCHAR)) END, "
        f"CASE WHEN json_valid({braced}) THEN {braced} END, "
        f"CASE WHEN json_valid({value}) AND starts_with(ltrim({value}), '{{') THEN {value} END, "
        f"CAST(to_json({value}) AS VARCHAR)) END"
    )
