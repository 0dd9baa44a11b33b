"""What a source of data is: how its files are known, which columns it reads, and one SELECT.

A source that is not FOCUS itself is a ``SqlSource``. Its file becomes rows in three readable steps:

1. *records*: the columns of a CSV or Parquet file, or what a JSON file's documents hold (for nested
   pages a ``<name>_records.sql`` over the relation ``document(json)`` makes flat records of them);
2. *typed*: the relation ``record`` has every ``Field`` under its own name and with the type of its
   kind, NULL where the file has no such column; a row whose value cannot be read is quarantined;
3. ``<name>.sql``: one SELECT over ``record`` whose columns are named like those of the target table
   (FOCUS names for ``charges``); what it leaves out is NULL. Beside them it may say, in
   ``_problem`` and ``_problem_column``, why a row makes no sense, so that it is quarantined, and
   pass ``_line`` on.

DuckDB reads the file; no row goes through Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, Protocol

Kind = Literal["money", "quantity", "time", "text", "currency", "json"]

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "money": "DECIMAL(38,12)",
        "quantity": "DECIMAL(38,15)",
        "time": "TIMESTAMP",
        "text": "VARCHAR",
        "currency": "VARCHAR",
        "json": "VARCHAR",
    }
)
"""Kind -> DuckDB type in ``record``. Money has 24 decimals where a file needs them, so an SQL must
not depend on its scale; a ``currency`` is an ISO 4217 code in capitals; ``json`` is JSON text."""


class Source(Protocol):
    """A kind of file: how its header is known, and what becomes of its columns."""

    @property
    def name(self) -> str:
        """What ``--source`` and ``x_Source`` call it."""
        ...

    @property
    def title(self) -> str:
        """What people call it."""
        ...

    @property
    def table(self) -> str:
        """The table of the store that its rows go to."""
        ...

    def recognises(self, header: Mapping[str, str]) -> bool:
        """Whether a file with this header (column -> DuckDB type) is meant to be such a file."""
        ...

    def missing(self, header: Mapping[str, str]) -> tuple[str, ...]:
        """The columns without which the file cannot be loaded and which it does not have."""
        ...

    def version(self, header: Mapping[str, str]) -> str | None:
        """The version of the format, as far as the columns tell."""
        ...


@dataclass(frozen=True)
class Field:
    """One column that a source reads.

    ``name`` is what its SQL calls it; ``also`` are the spellings in files, tried after the name,
    without regard to case. A dot steps into a structure: ``service.description`` is that header of
    a CSV, that member of a Parquet STRUCT and that path of a JSON object. Without a ``required``
    column a file is refused; without an ``essential`` value a row is quarantined (an essential
    column is required, too). ``formats`` are strptime formats for a time that is not ISO 8601; a
    number of seconds since 1970 is read as such.
    """

    name: str
    kind: Kind = "text"
    required: bool = False
    essential: bool = False
    also: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way a file may write it, the preferred one first."""
        return (self.name, *self.also)


@dataclass(frozen=True)
class SqlSource:
    """A source described by its fields and its SQL.

    ``fields`` may be a function of the header where variants of an export differ (an order of day
    and month, say). A file is recognised when it has all the columns of one of ``signatures``; the
    header of a JSON file consists of every key in its beginning, and of the values of its
    ``object`` and ``key`` members. ``gather`` collects all columns with a prefix into one JSON
    object: record column -> prefix (``resource_tags: resourceTags/``), and with the prefix ``*``
    every column that no field reads. ``lookups`` are CSV files beside the SQL that it joins under
    their stem's name, all columns VARCHAR. ``nested`` says that the records of its JSON are made by
    ``<name>_records.sql``. ``telling`` is an aggregate over ``record``, with every field as text,
    ``file`` as its name and ``manifest`` as the text of the ``manifest.json`` beside it that lists
    it, that says whether a file is of this source where another one with the same columns comes
    after it. ``pages`` says that a JSON document is one page of an API: a file with a page that is
    cut off is refused. ``versions`` tells the version of the format by the header.
    """

    name: str
    title: str
    signatures: tuple[tuple[str, ...], ...]
    fields: tuple[Field, ...] | Callable[[Mapping[str, str]], tuple[Field, ...]]
    table: str = "charges"
    gather: Mapping[str, str] = field(default_factory=dict)
    lookups: tuple[str, ...] = ()
    nested: bool = False
    pages: bool = False
    statement: str = ""  # the SQL itself, where it is not a file of the package
    telling: str = ""
    versions: Callable[[Mapping[str, str]], str | None] | None = None

    def recognises(self, header: Mapping[str, str]) -> bool:
        """By one of the signatures, whatever the case of the names."""
        known = {name.strip().lower() for name in header}
        return any(all(n.lower() in known for n in names) for names in self.signatures)

    def missing(self, header: Mapping[str, str]) -> tuple[str, ...]:
        """Required columns that the header has under no known spelling. What lies inside the
        documents of a nested file shows only when it is read."""
        if self.nested:
            return ()
        return tuple(
            f.name
            for f in self.fields_of(header)
            if (f.required or f.essential) and column_of(f, header) is None
        )

    def version(self, header: Mapping[str, str]) -> str | None:
        """As ``versions`` says, if anything does."""
        return self.versions(header) if self.versions else None

    def fields_of(self, header: Mapping[str, str]) -> tuple[Field, ...]:
        """The fields for a file with this header."""
        return self.fields(header) if callable(self.fields) else self.fields

    @property
    def sql(self) -> str:
        """The SELECT over ``record``."""
        return self.statement or _text(f"{self.stem}.sql")

    @property
    def records_sql(self) -> str:
        """The SELECT over ``document`` that makes flat records; only where ``nested``."""
        return _text(f"{self.stem}_records.sql")

    @property
    def stem(self) -> str:
        """The name as files of the package have it."""
        return self.name.replace("-", "_")


def column_of(wanted: Field, header: Mapping[str, str]) -> str | None:
    """The column of a file, spelled as there, that a field is read from."""
    spelled = {name.strip().lower(): name for name in reversed(list(header))}
    return next((spelled[s.lower()] for s in wanted.spellings if s.lower() in spelled), None)


@cache
def _text(name: str) -> str:
    text = files("finops_assistant.store.sources").joinpath(name).read_text("utf-8")
    return text.strip().removesuffix(";")
