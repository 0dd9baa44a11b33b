"""``finops sync``: bills and usage fetched from the vendors' admin APIs and from folders.

One run asks each report for the days since the last run and the few before them (vendors restate
them) up to today, which is not over yet and so is left out; then what came is loaded like any
delivery. A run that fails or is killed loses nothing: the next one goes on.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from finops_assistant.store.errors import UsageError, suggest
from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import LoadReport, NothingLoaded
from finops_assistant.store.recognition import Progress
from finops_assistant.store.settings import Home
from finops_assistant.store.sync.pull import Pull, PullError
from finops_assistant.store.sync.vendors import REPORTS, VENDORS, Report

_DAYS: Final = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)")
_SETTINGS: Final = ("since", "overlap_days", "folders", *VENDORS)
_FIRST_DAYS: Final = 90  # how far a first run goes back where ``since`` does not say
_LOADED: Final = "loaded"  # the mark in a folder of pages that a delivery has taken in


@dataclass(frozen=True)
class SyncReport:
    """What one run did. ``problems`` are sentences; ``load`` is None where nothing was new."""

    pulled: tuple[str, ...]
    problems: tuple[str, ...]
    load: LoadReport | None

    def to_json(self) -> dict[str, Any]:
        """The object that ``finops sync --json`` prints."""
        return {
            "pulled": list(self.pulled),
            "problems": list(self.problems),
            "files": self.load.to_json()["files"] if self.load else [],
        }


def sync(
    home: Home,
    *,
    today: date | None = None,
    progress: Progress | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> SyncReport:
    """Fetch what is new from every vendor whose key is in the environment, and load it.

    ``[sync]`` in finops.toml: ``since`` (first day of a first run), ``overlap_days`` (default 3),
    ``folders`` to load as well, and per vendor ``base_url``. Raises UsageError when there is
    nothing to sync from, PullError when no report at all could be fetched.
    """
    wishes = _wishes(home)
    now = today or datetime.now(UTC).date()
    tell = progress or (lambda what, done, total: None)
    asked = [r for r in REPORTS if os.environ.get(r.vendor.key_variable)]
    folders = [Path(folder).expanduser() for folder in wishes["folders"]]
    if not asked and not folders:
        keys = " or ".join(vendor.key_variable for vendor in VENDORS.values())
        raise UsageError(
            f"There is nothing to sync from. Put an admin key into {keys}, or name folders under "
            "[sync] in finops.toml."
        )
    root = home.path / "pulled"
    pulled, problems = _pull_all(root, asked, wishes, now, tell, sleep)
    fresh = [folder for folder in _whole(root) if not (folder / _LOADED).exists()]
    if problems and not fresh and not folders:
        raise PullError(" ".join(problems))
    load = _load(home, fresh, folders, progress)
    return SyncReport(tuple(pulled), tuple(problems), load)


def _pull_all(
    root: Path,
    asked: list[Report],
    wishes: Mapping[str, Any],
    now: date,
    tell: Progress,
    sleep: Callable[[float], None],
) -> tuple[list[str], list[str]]:
    import httpx2

    pulled: list[str] = []
    problems: list[str] = []
    for number, report in enumerate(asked):
        vendor = report.vendor
        place = root / vendor.name / report.name
        pull = _due(place, report, wishes, now)
        if pull is None:
            continue
        name = f"{vendor.name} {report.name}"
        tell(f"asking for {name}", number, len(asked))
        address = wishes[vendor.name].get("base_url", vendor.base_url)
        try:
            with httpx2.Client(base_url=address, timeout=60.0) as client:
                pull.run(
                    client,
                    os.environ[vendor.key_variable],
                    lambda what, n=number: tell(what, n, len(asked)),  # type: ignore[misc]
                    sleep,
                )
        except PullError as error:
            problems.append(str(error))
            continue
        (pull.folder / "whole").touch()
        last = pull.end - timedelta(days=1)
        pulled.append(f"{name}: {pull.first} to {last}")
    return pulled, problems


def _due(place: Path, report: Report, wishes: Mapping[str, Any], now: date) -> Pull | None:
    """The days of a report to ask for; None where the last run was today."""
    spans = {folder: _span(folder) for folder in place.glob("*_*") if _DAYS.match(folder.name)}
    unfinished = [f for f in spans if not (f / "whole").exists()]
    for folder in sorted(unfinished):
        first, end = spans[folder]
        if end == now:
            return Pull(report, first, end, folder)
        shutil.rmtree(folder)  # of another day: its pages would be a mixture
    ends = [end for folder, (_, end) in spans.items() if folder not in unfinished]
    overlap = timedelta(days=wishes["overlap_days"])
    first = max(ends) - overlap if ends else wishes["since"] or now - timedelta(days=_FIRST_DAYS)
    if ends and max(ends) >= now:
        return None
    if first >= now:
        return None
    return Pull(report, first, now, place / f"{first}_{now}")


def _span(folder: Path) -> tuple[date, date]:
    first, end = folder.name.split("_")
    return date.fromisoformat(first), date.fromisoformat(end)


def _whole(root: Path) -> list[Path]:
    """The folders whose pages are all there, the older days first."""
    marks = [mark.parent for mark in root.glob("*/*/*/whole")]
    return sorted(marks, key=lambda folder: (_span(folder), str(folder)))


def _load(
    home: Home, fresh: list[Path], folders: list[Path], progress: Progress | None
) -> LoadReport | None:
    """Load what is new: a delivery per day of asking, the older first, because days that were asked
    for twice replace each other only between deliveries. Nothing new is no error."""
    reports = []
    for asked_on in sorted({_span(folder)[1] for folder in fresh}):
        batch = [folder for folder in fresh if _span(folder)[1] == asked_on]
        pages = [page for folder in batch for page in sorted(folder.glob("page-*.json"))]
        try:
            reports.append(ingest(home, pages, progress=progress))
        except NothingLoaded as nothing:
            reports.append(nothing.report)
            continue
        for folder in batch:
            (folder / _LOADED).touch()
    if folders:
        try:
            reports.append(ingest(home, folders, progress=progress))
        except NothingLoaded as nothing:
            reports.append(nothing.report)
    if not reports:
        return None
    files = tuple(file for report in reports for file in report.files)
    return LoadReport(files, any(report.changed for report in reports))


def _wishes(home: Home) -> dict[str, Any]:
    """``[sync]`` of finops.toml with its defaults; raises UsageError for what makes no sense."""
    given = dict(home.settings().sync)
    for name in given:
        if name not in _SETTINGS:
            near = suggest(name, _SETTINGS)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(_SETTINGS)}."
            raise UsageError(f"finops.toml: [sync] has no setting {name!r}. {hint}")
    since, overlap = given.get("since"), given.get("overlap_days", 3)
    folders = given.get("folders", [])
    if isinstance(since, str):
        try:
            since = date.fromisoformat(since)
        except ValueError:
            raise UsageError("finops.toml: [sync] since must be a date, YYYY-MM-DD.") from None
    if since is not None and not isinstance(since, date):
        raise UsageError("finops.toml: [sync] since must be a date, YYYY-MM-DD.")
    if not isinstance(overlap, int) or not 0 <= overlap <= 90:
        raise UsageError("finops.toml: [sync] overlap_days must be a number from 0 to 90.")
    if not isinstance(folders, list) or not all(isinstance(f, str) for f in folders):
        raise UsageError("finops.toml: [sync] folders must be a list of folders.")
    vendors = {name: given.get(name, {}) for name in VENDORS}
    for name, entry in vendors.items():
        if not isinstance(entry, dict) or set(entry) - {"base_url"}:
            raise UsageError(f"finops.toml: [sync.{name}] takes base_url and nothing else.")
    return {"since": since, "overlap_days": overlap, "folders": folders, **vendors}
