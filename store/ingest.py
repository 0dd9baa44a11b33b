"""``finops ingest``: files become rows of ``charges``, one delivery at a time.

Newer means later loaded: FOCUS files carry no time of export. See ``delivery`` for how a version
is built and swapped, ``restatement`` for what a delivery replaces.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from finops_assistant.store import catalogue, derive, restatement
from finops_assistant.store.database import connect_for_reading, current_version, dangling
from finops_assistant.store.delivery import deliver, locked, readable_errors
from finops_assistant.store.discovery import BillFile, NoBill, find, read_shape, unpack
from finops_assistant.store.errors import LoadError, StoreMissing, UsageError, suggest
from finops_assistant.store.focus import CHARGES, FILE_ID, quote
from finops_assistant.store.load_file import load_file
from finops_assistant.store.load_report import FileReport, LoadReport, NothingLoaded
from finops_assistant.store.registry import Loadable
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.sources import SOURCES, Source
from finops_assistant.store.tables import TABLES
from finops_assistant.store.tags import resolve_all, tag_rules

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Known:
    """A file that was loaded before, and how many of its rows have not been replaced since."""

    file_id: int
    surviving: int


@dataclass
class _Plan:
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


def ingest(
    home: Home,
    paths: Iterable[str | Path],
    *,
    source: str | None = None,
    max_bad: float = 0.05,
    progress: Progress | None = None,
) -> LoadReport:
    """Load files, folders and patterns as one delivery: all of it becomes visible, or nothing.

    ``max_bad`` is the share of unreadable rows (0 to 1) above which a file is refused;
    ``progress`` is called with what is being done, how many files are done, and of how many.
    Raises UsageError for a wrong argument, StoreBusy while another load runs, NothingLoaded when
    no file could be used, LoadError when the disk is full.
    """
    sources = _chosen(source)
    if not 0 <= max_bad <= 1:
        raise UsageError(f"--max-bad is a share from 0 to 1, and {max_bad} is not.")
    settings = home.settings()
    tag_rules(settings)  # a wrong setting is said before anything is written
    tell = progress or (lambda what, done, total: None)
    unpacked = home.path / "unpacked"
    with readable_errors(home), locked(home):
        try:
            shutil.rmtree(unpacked, ignore_errors=True)
            plan = _examine(paths, sources, _registry(home), unpacked, tell)
            changed = bool(plan.loadable) and deliver(
                home, lambda connection: _build(connection, plan, settings, max_bad, tell)
            )
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    report = LoadReport(plan.reports, changed)
    if not report.counts.get("loaded") and not report.counts.get("unchanged"):
        raise NothingLoaded(_why_nothing(report), report)
    return report


def _examine(
    paths: Iterable[str | Path],
    sources: tuple[Source, ...],
    known: Mapping[str, _Known],
    unpacked: Path,
    tell: Progress,
) -> _Plan:
    """Decide for every file, before anything is written, whether there is something to load."""
    files, refused = find(paths)
    plan = _Plan([*refused], [])
    seen: dict[str, str] = {}
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
                    entry = _recognised(connection, bill, sources)
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
    connection: duckdb.DuckDBPyConnection, bill: BillFile, sources: tuple[Source, ...]
) -> Loadable:
    shape = read_shape(connection, bill)
    source = next((s for s in sources if s.recognises(shape.header)), None)
    if source is None:
        raise NoBill(
            f"{bill.label} is not a bill, nor another kind of file that can be loaded: its columns "
            "are those of no known source. A mapping file can describe it (--source mapping.yaml)."
        )
    missing = source.missing(shape.header)
    if missing:
        plural = "column" if len(missing) == 1 else "columns"
        raise LoadError(
            f"{bill.label} is a {source.title} but lacks the mandatory {plural} "
            f"{', '.join(missing)}. Export it again with all mandatory columns."
        )
    stamp = bill.stamp()
    with bill.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Loadable(bill, shape, source, digest, stamp)


def _turned_away(bill: BillFile, error: LoadError) -> FileReport:
    skipped = isinstance(error, NoBill) and not bill.named
    return FileReport(bill.label, "skipped" if skipped else "refused", str(error))


def _unchanged(entry: Loadable, message: str) -> FileReport:
    return FileReport(
        entry.bill.label, "unchanged", message, source=entry.source.name, duplicate=True
    )


def _said(bill: BillFile, known: _Known) -> str:
    if known.surviving:
        return f"{bill.label} is in the store already; nothing changed."
    return (
        f"{bill.label} was loaded before and has since been replaced by a newer delivery; "
        "it does not come back and nothing changed."
    )


def _build(
    connection: duckdb.DuckDBPyConnection,
    plan: _Plan,
    settings: Settings,
    max_bad: float,
    tell: Progress,
) -> bool:
    """Load what is loadable into the copy of the store; False when nothing was."""
    rules = tag_rules(settings)
    retagged = resolve_all(connection, settings)
    total = len(plan.loadable)
    done: dict[int, int] = {}  # file id -> position of its report
    tables: dict[int, str] = {}  # file id -> table of its rows
    file_id, delivery = _next_ids(connection)
    for position, entry in enumerate(plan.entries):
        if not isinstance(entry, Loadable):
            continue
        tell(f"loading {entry.bill.name}", len(done), total)
        try:
            plan.entries[position] = load_file(
                connection, entry, file_id, delivery, rules=rules, max_bad=max_bad
            )
        except LoadError as error:
            plan.entries[position] = FileReport(
                entry.bill.label, "refused", str(error), source=entry.source.name
            )
            continue
        done[file_id] = position
        tables[file_id] = entry.source.table
        file_id += 1
    if not done:
        return False
    tell("bringing the store up to date", total, total)
    for table, ids in _by_table(tables).items():
        if table in TABLES:
            effects = restatement.replace_keyed(connection, TABLES[table], ids)
        else:
            effects = restatement.replace_older(connection, ids, plan.duplicates, table)
        for file_id, effect in effects.items():
            plan.say(done[file_id], effect.sentence, restated=effect.replaced)
    own = (*done, *plan.duplicates)
    together = restatement.added_up(connection, own) if len(own) > 1 else []
    if together:
        plan.say(done[max(done)], _sum_of(together))
    derive.run(connection, settings)
    added_only = (
        not retagged
        and set(tables.values()) == {CHARGES}
        and not any(entry.restated for entry in plan.reports)
    )
    catalogue.refresh(connection, full=not added_only, file_ids=list(done))
    return True


def _by_table(tables: Mapping[int, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for file_id, table in tables.items():
        found.setdefault(table, []).append(file_id)
    return found


def _sum_of(names: list[str]) -> str:
    who = " and ".join(names) if len(names) == 2 else f"{len(names):,} files of this delivery"
    return (
        f"{who} cover the same days of the same account and add up, as the parts of an export do. "
        "If one is a copy of another, remove costs.duckdb and load them one after the other."
    )


def _next_ids(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute(
        "SELECT coalesce(max(file_id), 0) + 1, coalesce(max(delivery), 0) + 1 FROM files"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return int(row[0]), int(row[1])


def _chosen(name: str | None) -> tuple[Source, ...]:
    if name is None:
        return SOURCES
    chosen = tuple(s for s in SOURCES if s.name == name)
    if not chosen:
        names = [s.name for s in SOURCES]
        near = suggest(name, names)
        hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(names)}."
        raise UsageError(f"There is no source named {name!r}.{hint}")
    return chosen


def _why_nothing(report: LoadReport) -> str:
    if not report.files:
        return "No files were named. Load a bill with: finops ingest FILE."
    if len(report.files) == 1:
        return report.files[0].message
    reasons = "\n".join(f"  {file.message}" for file in report.files)
    return f"None of the {len(report.files)} files could be loaded:\n{reasons}"


def _registry(home: Home) -> dict[str, _Known]:
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
            "SELECT sha256, file_id, coalesce(surviving, 0) FROM files LEFT JOIN "  # noqa: S608
            f"({_surviving(reader)}) "
            "ON _file_id = file_id"
        ).fetchall()
    return {sha256: _Known(file_id, surviving) for sha256, file_id, surviving in rows}


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
