"""What a delivery consists of: which source each file is of, and what the store has already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.database import connect_for_reading, current_version, dangling
from finops_assistant.store.discovery import BillFile, NoBill, Shape, find, read_shape, unpack
from finops_assistant.store.errors import LoadError, StoreMissing, UsageError, suggest
from finops_assistant.store.focus import BY_NAME, FILE_ID, quote
from finops_assistant.store.load_report import FileReport
from finops_assistant.store.records import rows_tell
from finops_assistant.store.registry import Loadable
from finops_assistant.store.settings import Home
from finops_assistant.store.sources import SOURCES, Source
from finops_assistant.store.sources.mapping import MappingFile, load_mapping
from finops_assistant.store.sources.mapping_folder import is_mapping, mapped, mappings_in
from finops_assistant.store.sources.source import SqlSource, column_of

_ALIKE: Final = 5  # columns that a source reads, from which on a file is meant to be of it

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Known:
    """A file that was loaded before: how many rows it gave, and how many of them are left."""

    file_id: int
    surviving: int
    loaded: int


@dataclass
class Plan:
    """The files of a delivery in order: each a report already, or still to be loaded."""

    entries: list[FileReport | Loadable]
    duplicates: list[int]  # ids of files of this delivery that the store already has

    @property
    def loadable(self) -> list[Loadable]:
        return [entry for entry in self.entries if isinstance(entry, Loadable)]

    def say(self, position: int, sentence: str, *, restated: int = 0) -> None:
        """Add a sentence to the report at a position."""
        report = self.entries[position]
        assert isinstance(report, FileReport)  # noqa: S101 - loaded by now
        message = " ".join(filter(None, (report.message, sentence)))
        self.entries[position] = replace(
            report, restated=report.restated + restated, message=message
        )

    @property
    def reports(self) -> tuple[FileReport, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, FileReport))


def chosen(name: str | None) -> tuple[Source, ...]:
    """The sources to choose from: all, the one named, or the one of a mapping file; raises
    UsageError for a name that is none."""
    if name is None:
        return SOURCES
    if name.endswith((".yaml", ".yml")):
        return (load_mapping(name),)
    found = tuple(s for s in SOURCES if s.name == name)
    if not found:
        names = [s.name for s in SOURCES]
        near = suggest(name, names)
        hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(names)}."
        raise UsageError(f"There is no source named {name!r}.{hint}")
    return found


@dataclass
class _Neighbours:
    """The mapping files beside the files of a delivery, each folder looked at once."""

    chosen: bool  # --source was given: what lies beside a file does not matter
    _known: dict[Path, tuple[list[MappingFile], dict[Path, str]]] = field(default_factory=dict)

    def of(self, bill: BillFile) -> tuple[list[MappingFile], dict[Path, str]]:
        folder = bill.path.parent
        if self.chosen:
            return [], {}
        if folder not in self._known:
            self._known[folder] = mappings_in(folder)
        return self._known[folder]


def examine(
    paths: Iterable[str | Path],
    sources: tuple[Source, ...],
    known: Mapping[str, Known],
    unpacked: Path,
    tell: Progress,
) -> Plan:
    """Decide for every file, before anything is written, whether there is something to load."""
    files, refused = find(paths)
    plan = Plan([*refused], [])
    seen: dict[str, str] = {}
    neighbours = _Neighbours(chosen=sources is not SOURCES)
    with closing(duckdb.connect()) as connection:
        for number, packed in enumerate(files):
            tell(f"looking at {packed.name}", number, len(files))
            try:
                bills = unpack(packed, unpacked / str(number))
            except LoadError as error:
                plan.entries.append(_turned_away(packed, error))
                continue
            for bill in bills:
                try:
                    entry = _recognised(connection, bill, sources, neighbours)
                except LoadError as error:
                    plan.entries.append(_turned_away(bill, error))
                    continue
                if entry.sha256 in seen:
                    same = f"{bill.label} has the same content as {seen[entry.sha256]}."
                    plan.entries.append(_unchanged(entry, same))
                elif entry.sha256 in known:
                    plan.duplicates.append(known[entry.sha256].file_id)
                    plan.entries.append(_unchanged(entry, _said(bill, known[entry.sha256])))
                else:
                    plan.entries.append(entry)
                seen.setdefault(entry.sha256, bill.label)
    return plan


def _recognised(
    connection: duckdb.DuckDBPyConnection,
    bill: BillFile,
    sources: tuple[Source, ...],
    neighbours: _Neighbours,
) -> Loadable:
    mappings, wrong = neighbours.of(bill)
    if bill.path in wrong:
        raise LoadError(wrong[bill.path])
    if is_mapping(bill.name):
        raise NoBill(f"{bill.label} is a mapping file: it describes the CSV files beside it.")
    shape = read_shape(connection, bill)
    alike = [s for s in sources if s.recognises(shape.header)]
    last = alike[-1] if alike else None
    source = next((s for s in alike[:-1] if rows_tell(connection, s, bill, shape)), last)
    if mappings and shape.format == "csv":
        source = mapped(mappings, bill.name, shape.header, source)
    if source is None and wrong and shape.format == "csv":
        reason = next(iter(wrong.values()))
        raise LoadError(f"{bill.label} has a mapping file beside it that is wrong: {reason}")
    if source is None:
        raise _unknown(bill, shape, sources)
    missing = source.missing(shape.header)
    if missing:
        plural = "column" if len(missing) == 1 else "columns"
        named = ", ".join(_spelled(source, name) for name in missing)
        raise LoadError(
            f"{bill.label} ({source.title}) lacks the mandatory {plural} {named}. "
            "Export it again with all mandatory columns."
        )
    if shape.twice:
        read = _read_by(source, shape.header)
        twice = next((name for name in shape.twice if name.strip().lower() in read), None)
        if twice is not None:
            raise LoadError(
                f"{bill.label} ({source.title}) has the column {twice} twice, and which one counts "
                "it does not say. Remove one and load it again."
            )
    stamp = bill.stamp()
    with bill.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Loadable(bill, shape, source, digest, stamp)


def _spelled(source: Source, name: str) -> str:
    """A field with the spellings that a file may have of it."""
    fields = source.fields if isinstance(source, SqlSource) else ()
    also = next((f.also for f in fields if f.name == name), ()) if isinstance(fields, tuple) else ()
    return f"{name} ({' or '.join(also)})" if also else name


def _read_by(source: Source, header: Mapping[str, str]) -> set[str]:
    """The columns of a header that a source reads, in lower case."""
    if not isinstance(source, SqlSource):
        return {name.lower() for name in BY_NAME}
    found = (column_of(one, header) for one in source.fields_of(header))
    return {name.strip().lower() for name in found if name is not None}


def _unknown(bill: BillFile, shape: Shape, sources: tuple[Source, ...]) -> LoadError:
    """What is said of a file that no source knows; of one that a source nearly knows, the column
    that is missing: vendors rename them."""
    header = shape.header
    known = {name.strip().lower() for name in header}
    flat = shape.format != "json"  # the keys of JSON are those of all its documents' members
    near: list[tuple[int, int, str, str]] = []
    for place, source in enumerate(sources):
        if not isinstance(source, SqlSource):
            continue
        read = len(_read_by(source, header))
        for names in source.signatures:
            missing = [name for name in names if name.lower() not in known]
            alike = read >= _ALIKE and (not flat or read * 3 >= len(header))
            if len(missing) == 1 and (alike or (flat and len(names) > 2)):
                near.append((read, -place, source.title, missing[0]))
    if not near and {"data", "has_more"} <= known:
        return NoBill(f"{bill.label} is a page of an API without any result: nothing to load.")
    if not near:
        return NoBill(
            f"{bill.label} is not a bill, nor another kind of file that can be loaded: its columns "
            "are those of no known source. A mapping file can describe it (--source mapping.yaml)."
        )
    read, nearest, title, _ = max(near)
    # where signatures name one thing in several ways, each would do
    lacking = " or ".join(name for _, place, _, name in near if place == nearest)
    kind = LoadError if read >= _ALIKE else NoBill
    what, way = ("column", ", or write a mapping file") if flat else ("key", "")
    return kind(
        f"{bill.label} resembles the source {title!r} but has no {what} {lacking}. If it was "
        f"renamed, fetch the file again in its documented form{way}."
    )


def _turned_away(bill: BillFile, error: LoadError) -> FileReport:
    skipped = isinstance(error, NoBill) and not bill.named
    return FileReport(bill.label, "skipped" if skipped else "refused", str(error))


def _unchanged(entry: Loadable, message: str) -> FileReport:
    return FileReport(
        entry.bill.label, "unchanged", message, source=entry.source.name, duplicate=True
    )


def _said(bill: BillFile, known: Known) -> str:
    gone = known.loaded - known.surviving
    if gone <= 0:
        return f"{bill.label} is in the store already; nothing changed."
    if known.surviving:
        return (
            f"{bill.label} was loaded before; {gone:,} of its {known.loaded:,} rows have since "
            "given way to newer or fuller files and do not come back. Nothing changed."
        )
    return (
        f"{bill.label} was loaded before and has since been replaced by a newer delivery; "
        "it does not come back and nothing changed. To go back to it, load into a new home."
    )


def known_files(home: Home) -> dict[str, Known]:
    """The files that the current version was made of, by digest."""
    try:
        path = home.path / current_version(home)
    except StoreMissing:
        return {}
    try:
        reader = connect_for_reading(path)
    except FileNotFoundError:
        raise dangling(home) from None
    with closing(reader) as connection:
        rows = connection.execute(
            "SELECT sha256, file_id, coalesce(surviving, 0), loaded FROM files LEFT JOIN "  # noqa: S608
            f"({_surviving(reader)}) "
            "ON _file_id = file_id"
        ).fetchall()
    return {sha256: Known(*counts) for sha256, *counts in rows}


def _surviving(connection: duckdb.DuckDBPyConnection) -> str:
    """A SELECT of how many rows of each file are left, over all tables that keep a file's id."""
    tables = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE column_name = ? AND NOT internal "
        "AND table_name IN (SELECT table_name FROM duckdb_tables())",
        [FILE_ID],
    ).fetchall()
    each = " UNION ALL ".join(
        f"SELECT {FILE_ID} FROM {quote(name)}"  # noqa: S608
        for (name,) in tables
    )
    return f"SELECT {FILE_ID}, count(*) AS surviving FROM ({each}) GROUP BY 1"  # noqa: S608
