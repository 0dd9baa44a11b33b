"""``finops ingest``: files become rows of the store's tables, one delivery at a time.

Newer means later loaded: most files carry no time of export. See ``delivery`` for how a version
is built and swapped, ``restatement`` for what a delivery replaces.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store import catalogue, derive, restatement
from finops_assistant.store.allocation_rules import allocation_rules
from finops_assistant.store.delivery import deliver, locked, readable_errors
from finops_assistant.store.errors import UsageError
from finops_assistant.store.focus import CHARGES, FILE_ID
from finops_assistant.store.load_bundle import bundles
from finops_assistant.store.load_file import load_files
from finops_assistant.store.load_report import FileReport, LoadReport, NothingLoaded
from finops_assistant.store.owners import LLM_USAGE, release_usage
from finops_assistant.store.pages import PAGED_SOURCES, PageFile, count_once, page_warnings
from finops_assistant.store.recognition import Plan, Progress, chosen, examine, known_files
from finops_assistant.store.reconcile import unit_warnings
from finops_assistant.store.registry import Loadable
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.tables import TABLES
from finops_assistant.store.tags import resolve_all, tag_rules

_MOST_REASONS: Final = 20  # files of which the text says why they could not be loaded


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
    sources = chosen(source)
    if not 0 <= max_bad <= 1:
        raise UsageError(f"--max-bad is a share from 0 to 1, and {max_bad} is not.")
    settings = home.settings()
    tag_rules(settings)  # a wrong setting is said before anything is written
    allocation_rules(settings)
    tell = progress or (lambda what, done, total: None)
    unpacked = home.path / "unpacked"
    with readable_errors(home), locked(home):
        try:
            shutil.rmtree(unpacked, ignore_errors=True)
            plan = examine(paths, sources, known_files(home), unpacked, tell)
            changed = bool(plan.loadable) and deliver(
                home, lambda connection: _build(connection, plan, settings, max_bad, tell)
            )
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    report = LoadReport(plan.reports, changed)
    if not report.counts.get("loaded") and not report.counts.get("unchanged"):
        raise NothingLoaded(_why_nothing(report), report)
    return report


def _build(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
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
    pages: dict[int, PageFile] = {}
    file_id, delivery = _next_ids(connection)
    waiting = [(at, e) for at, e in enumerate(plan.entries) if isinstance(e, Loadable)]
    reached = 0
    for bundle in bundles(waiting):
        tell(f"loading {bundle[0][1].bill.name}", reached, total)
        reports = load_files(
            connection,
            [entry for _, entry in bundle],
            file_id,
            delivery,
            rules=rules,
            max_bad=max_bad,
        )
        for (position, entry), report in zip(bundle, reports, strict=True):
            plan.entries[position] = report
            reached += 1
            if report.status != "loaded":
                continue
            done[file_id] = position
            tables[file_id] = entry.source.table
            shape, bill = entry.shape, entry.bill
            if entry.source.name in PAGED_SOURCES and shape.format == "json":
                page = PageFile(bill.label, bill.path, entry.source.name, shape.compression)
                pages[file_id] = page
            file_id += 1
    if not done:
        return False
    tell("bringing the store up to date", total, total)
    _refuse_told_twice(connection, plan, done, tables)
    if not done:
        return False
    pages = {file_id: page for file_id, page in pages.items() if file_id in done}
    if pages:
        count_once(connection, list(done))
        for warning in page_warnings(connection, list(pages.values())):
            plan.say(done[max(pages)], warning)
    for table, ids in _by_table(tables).items():
        if table in TABLES:
            if table == LLM_USAGE:
                release_usage(connection)
            effects = restatement.replace_keyed(connection, TABLES[table], ids)
        else:
            effects = restatement.replace_older(connection, ids, plan.duplicates, table)
        for file_id, effect in effects.items():
            plan.say(done[file_id], effect.sentence, restated=effect.replaced)
    own = (*done, *plan.duplicates)
    together = restatement.added_up(connection, own) if len(own) > 1 else []
    if together:
        plan.say(done[max(done)], _sum_of(together))
    older = _older_rows(connection, done)
    derive.run(connection, settings)
    for warning in unit_warnings(connection, list(done)):
        plan.say(done[max(done)], warning)
    added_only = (
        not retagged
        and set(tables.values()) == {CHARGES}
        and not any(entry.restated for entry in plan.reports)
        and older == _older_rows(connection, done)
    )
    catalogue.refresh(connection, full=not added_only, file_ids=list(done))
    return True


def _older_rows(connection: duckdb.DuckDBPyConnection, done: Iterable[int]) -> object:
    """How many charges are of earlier deliveries: fewer, where a new file repeats some of them."""
    ids = ", ".join(map(str, done))
    rows = f"SELECT count(*) FROM {CHARGES} WHERE {FILE_ID} NOT IN ({ids})"  # noqa: S608
    return connection.execute(rows).fetchone()


def _refuse_told_twice(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    done: dict[int, int],
    tables: dict[int, str],
) -> None:
    """Take out the files whose days another kind of bill tells already: the sum of a CUR and a
    FOCUS export of one month is nobody's bill."""
    twice = restatement.told_twice(connection, done)
    for file_id, (other, provider, month) in twice.items():
        for table in (CHARGES, "files", "file_totals", "quarantine"):
            column = FILE_ID if table == CHARGES else "file_id"
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", [file_id])  # noqa: S608
        position = done.pop(file_id)
        del tables[file_id]
        report = plan.entries[position]
        assert isinstance(report, FileReport)  # noqa: S101 - loaded by now
        message = (
            f"{report.path} would count twice: the {provider} bill of {month} is in the store from "
            f"another kind of export ({other}). Load each bill from one kind of export only."
        )
        plan.entries[position] = FileReport(report.path, "refused", message, source=report.source)


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


def _why_nothing(report: LoadReport) -> str:
    if not report.files:
        return "No files were named. Load a bill with: finops ingest FILE."
    if len(report.files) == 1:
        return report.files[0].message
    shown = [file.message for file in report.files[:_MOST_REASONS]]
    if len(report.files) > len(shown):
        shown.append(f"... and {len(report.files) - len(shown):,} more.")
    reasons = "\n".join(f"  {reason}" for reason in shown)
    return f"None of the {len(report.files):,} files could be loaded:\n{reasons}"
