"""``finops ingest``: load files as one delivery and say what became of each."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from finops_assistant.store.errors import UsageError
from finops_assistant.ui.terminal import Progress, say, show_json

if TYPE_CHECKING:
    from finops_assistant.store.load_report import FileReport, LoadReport


def run(args: Namespace) -> int:
    """Load; 0 when something was loaded or is unchanged. ``NothingLoaded`` makes it 2."""
    if not 0 <= args.max_bad <= 1:
        raise UsageError(f"--max-bad is a share from 0 to 1, such as 0.05, not {args.max_bad:g}.")
    from finops_assistant.store.ingest import ingest
    from finops_assistant.store.load_report import NothingLoaded

    try:
        with Progress() as progress:
            report = ingest(
                args.home, args.paths, source=args.source, max_bad=args.max_bad, progress=progress
            )
    except NothingLoaded as nothing:
        if args.json:
            show_json(nothing.report.to_json())
        raise  # its text names every file
    if args.json:
        show_json(report.to_json())
    else:
        for file in report.files:
            say(in_words(file))
        say(closing(report))
    return 0


def in_words(file: FileReport) -> str:
    """What became of one file, on one line and with its message below."""
    counts = []
    if file.status == "loaded":
        counts.append(f"{file.loaded:,} of {file.rows:,} rows")
        counts += [
            f"{total.currency or 'no currency'} {total.billed:,.2f} billed, "
            f"{total.effective:,.2f} effective"
            for total in file.totals
        ]
    if file.restated:
        counts.append(f"{file.restated:,} earlier rows replaced")
    if file.quarantined:
        counts.append(f"{file.quarantined:,} in quarantine")
    line = f"{file.status:<9} {file.path}"
    if counts:
        line += f": {', '.join(counts)}"
    remarks = [file.message] if file.message else []
    for total in file.totals:
        rounded = (
            ("billed", total.billed, total.billed_in_file),
            ("effective", total.effective, total.effective_in_file),
        )
        remarks += [
            f"Rounded to 12 decimals, row by row: {what} {stored} in the store, {exact} in the "
            f"file, difference {stored - exact:f}."
            for what, stored, exact in rounded
            if exact is not None
        ]
    return "\n          ".join([line, *remarks])


def closing(report: LoadReport) -> str:
    """The last line: how the delivery went as a whole."""
    counts = ", ".join(f"{count} {status}" for status, count in report.counts.items())
    return f"{report.loaded:,} rows loaded (files: {counts})."
