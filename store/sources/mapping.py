"""Mapping files: a CSV of any vendor, described in a few lines of YAML.

::

    file: "zendesk-*.csv"
    provider: Zendesk
    currency: EUR
    decimal: ","
    dates: "%d.%m.%Y"
    period: month
    columns:
      BilledCost: Net amount
      ChargePeriodStart: Invoice date
      ChargeDescription: {sql: "Product || ' ' || Plan"}
      ServiceCategory: {value: Business Applications}

A target column is mapped to a column of the file, to ``{value: constant}`` or to
``{sql: expression}`` (see ``mapping_expression``). A file named ``*.mapping.yaml`` also speaks for
the CSV files beside it (see ``mapping_folder``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from finops_assistant.store.currencies import CODES
from finops_assistant.store.errors import UsageError, suggest
from finops_assistant.store.focus import VIEWS
from finops_assistant.store.sources.mapping_sql import Layout, Wrong, kinds_of, source_of
from finops_assistant.store.sources.source import SqlSource
from finops_assistant.store.tables import TABLES

SUFFIXES: Final = (".mapping.yaml", ".mapping.yml", ".yaml", ".yml")
KEYS: Final = (
    *("name", "title", "file", "table", "provider", "currency", "period", "decimal", "thousands"),
    *("dates", "skip", "tags", "columns"),
)
_LARGEST: Final = 64 * 1024


@dataclass(frozen=True)
class MappingFile:
    """What a mapping file says: the source it makes, and the glob of the files that it is for."""

    path: Path
    source: SqlSource
    file: str | None


def load_mapping(path: str | Path) -> SqlSource:
    """The source that a mapping file describes; it takes whatever file it is given.

    Raises UsageError, one sentence that names the file, for everything that is wrong in it.
    """
    return read_mapping(Path(path)).source


def read_mapping(path: Path) -> MappingFile:
    """As ``load_mapping``, with the glob of the files that the mapping is for."""
    try:
        said = _yaml(path)
        layout = _layout(said, path)
        return MappingFile(path, source_of(layout), _glob(said))
    except Wrong as wrong:
        raise UsageError(f"{path.name}: {wrong}") from None


def _yaml(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise Wrong(f"the file cannot be opened: {error.strerror}.") from None
    if len(text) > _LARGEST:
        raise Wrong("this is no mapping: it is larger than 64 KB.")
    try:
        words = text.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(words, yaml.SafeLoader)):
            raise Wrong("a mapping has no anchors and aliases (& and *); quote such a value.")
        _once(yaml.compose(words, yaml.SafeLoader))
        said = yaml.safe_load(words)
    except UnicodeDecodeError:
        raise Wrong("this is not UTF-8 text.") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be read"
        raise Wrong(
            f"this is not YAML{line}: {what}. Values with % * : or # need quotes."
        ) from None
    if not isinstance(said, dict):
        raise Wrong("a mapping has lines such as 'provider: Zendesk' and a list of columns.")
    return said


def _once(node: Any) -> None:
    """Raise Wrong when a key stands twice in one mapping: YAML would keep the last, unsaid."""
    seen: set[str] = set()
    for key, value in node.value if getattr(node, "id", "") == "mapping" else ():
        if key.value in seen:
            raise Wrong(f"{key.value!r} is there twice; once is enough.")
        seen.add(key.value)
        _once(value)


def _layout(said: Mapping[str, Any], path: Path) -> Layout:
    for key in said:
        if key not in KEYS:
            near = suggest(str(key), KEYS, limit=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(KEYS)}."
            raise Wrong(f"{key!r} is not a key of a mapping.{hint}")
    decimal = _one_of(said, "decimal", (".", ","), ".")
    thousands = said.get("thousands")
    if thousands is not None and thousands not in (".", ",", " ", "'", ""):
        raise Wrong("thousands is one of '.', ',', ' ' or \"'\".")
    if thousands == decimal:
        raise Wrong("decimal and thousands are the same mark.")
    currency = said.get("currency")
    if currency is not None and str(currency).upper() not in CODES:
        raise Wrong(f"currency is a code such as EUR; {currency!r} is none of ISO 4217.")
    columns = said.get("columns")
    if not isinstance(columns, dict) or not columns:
        raise Wrong("columns is missing: target column, a colon, and the column of your file.")
    table = _one_of(said, "table", (*VIEWS, *TABLES), "charges")
    return Layout(
        name=_name(said, path),
        title=_text(said, "title"),
        table=table,
        provider=_text(said, "provider"),
        currency=str(currency).upper() if currency else None,
        period=_one_of(said, "period", ("day", "month"), None),
        decimal=str(decimal),
        thousands=thousands,
        dates=_texts(said, "dates"),
        skip=_text(said, "skip"),
        tags=_tags(said),
        columns=_checked_columns(columns, str(table)),
    )


def _checked_columns(columns: Mapping[Any, Any], table: str) -> dict[str, Any]:
    known = kinds_of(table)
    by_fold = {name.lower(): name for name in known}
    found: dict[str, Any] = {}
    for target, what in columns.items():
        name = by_fold.get(str(target).lower())
        if name is None:
            near = suggest(str(target), known, limit=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise Wrong(f"the table {table} has no column {target!r}.{hint}")
        if name in found:
            raise Wrong(f"{name} is mapped twice.")
        if isinstance(what, dict):
            if len(what) != 1 or next(iter(what)) not in ("sql", "value"):
                raise Wrong(f"{name} takes a column of your file, {{value: ...}} or {{sql: ...}}.")
        elif not isinstance(what, str | int | float | date) or not str(what).strip():
            raise Wrong(f"{name} takes a column of your file, {{value: ...}} or {{sql: ...}}.")
        found[name] = what if isinstance(what, dict) else str(what)
    return found


def _name(said: Mapping[str, Any], path: Path) -> str:
    from finops_assistant.store.sources import SOURCES

    stem = next((path.name.removesuffix(s) for s in SUFFIXES if path.name.endswith(s)), path.stem)
    given = said.get("name")
    name = str(given) if given is not None else re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
        raise Wrong("name has small letters, digits and hyphens, at most 40.")
    if name in {source.name for source in SOURCES}:
        raise Wrong(f"the name {name} belongs to a source of the program; choose another.")
    return name


def _glob(said: Mapping[str, Any]) -> str | None:
    glob = _text(said, "file")
    if glob is not None and "/" in glob:
        raise Wrong("file is a pattern for names in the same folder, without a '/'.")
    return glob


def _one_of(
    said: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str | None
) -> Any:
    value = said.get(key, default)
    if value is not None and value not in allowed:
        near = suggest(str(value), allowed, limit=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise Wrong(f"{key} is {' or '.join(map(repr, allowed[:4]))}, not {value!r}.{hint}")
    return value


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    if value is None:
        return None
    if isinstance(value, dict | list) or not str(value).strip():
        raise Wrong(f"{key} is a text.")
    return str(value)


def _texts(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = said.get(key, [])
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise Wrong(f"{key} is a text or a list of texts.")
    if key == "dates" and not all("%" in text for text in texts):
        raise Wrong("dates says how a date is written, such as '%d.%m.%Y' or '%m/%d/%Y'.")
    return tuple(texts)


def _tags(said: Mapping[str, Any]) -> tuple[str, ...] | None:
    return ("*",) if said.get("tags") == "all" else _texts(said, "tags") or None
