"""``finops ingest``: load files as one delivery and say what became of each."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from finops_assistant.store.errors import UsageError
from finops_assistant.ui.terminal import Progress, say, show_json

if TYPE_CHECKING:
    from finops_assistant.store.load_report import FileReport, LoadReport, Total

_MANY: Final = 20  # files of a delivery from which on those that fared alike share a line
_FEW: Final = 2


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
        for outcome in outcomes(report.files):
            say(outcome)
        say(closing(report))
    return 0


def outcomes(files: Sequence[FileReport]) -> list[str]:
    """What became of the files, in words: one by one, or where they are many, those of a folder
    that fared alike together."""
    if len(files) <= _MANY:
        return [in_words(file) for file in files]
    alike: dict[tuple[str, ...], list[FileReport]] = {}
    for file in files:
        # the same sentence about another file, or with another number, says the same
        reason = re.sub("[0-9]+", "#", file.message.replace(file.path, "")) if file.message else ""
        key = (str(PurePath(file.path).parent), file.status, file.source or "", reason)
        alike.setdefault(key, []).append(file)
    return [
        line
        for (folder, *_), some in alike.items()
        for line in ([_together(folder, some)] if _fold(some) else map(in_words, some))
    ]


def _fold(some: Sequence[FileReport]) -> bool:
    """Whether files that fared alike share a line: refused ones are named as long as one can."""
    return len(some) > (_MANY // 2 if some[0].status == "refused" else _FEW)


def _together(folder: str, some: Sequence[FileReport]) -> str:
    """Several files of one folder as if they were one, with the message of the first."""
    first = some[0]
    sums: dict[str | None, list[Total]] = {}
    for total in (total for file in some for total in file.totals):
        sums.setdefault(total.currency, []).append(total)
    name = f"{len(some):,} files in {folder}"
    source = f" ({first.source})" if first.source else ""
    message = f"The first: {first.message}" if first.message else ""
    return in_words(
        replace(
            first,
            path=name + source,
            message=message,
            rows=sum(file.rows for file in some),
            loaded=sum(file.loaded for file in some),
            restated=sum(file.restated for file in some),
            quarantined=sum(file.quarantined for file in some),
            totals=tuple(
                replace(
                    parts[0],
                    billed=sum((part.billed for part in parts), Decimal()),
                    effective=sum((part.effective for part in parts), Decimal()),
                    billed_in_file=None,
                    effective_in_file=None,
                )
                for parts in sums.values()
            ),
        )
    )


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
