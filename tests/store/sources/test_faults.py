"""What is wrong with files of every kind: each fault is said in plain words, nothing is lost in
silence, and what is right is counted once.

All the faulty files of a kind come in one delivery. The truth is computed here, from the rows that
the documents are made of.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home
from tests.store.sources.conftest import Load, Loaded
from tests.store.sources.fault_documents import (
    BILLS,
    DAY,
    FIRST,
    KINDS,
    MAPPING,
    USAGE,
    Kind,
    Row,
    as_csv,
)

# What only those who write the program should ever read.
_INWARD = re.compile(
    r"Error|INTERNAL|Binder|\bcast|DECIMAL|VARCHAR|BIGINT|INT64|TIMESTAMP|read_csv|json_|Traceback"
)
_BAD_TIMES = ("infinity", "nan", "1e300", "2026-02-30", "20261003", "yesterday")
_MARKUP = "<b>'; DROP TABLE charges; --\"\\{$x} \x1b[31m \u202e ![](http://x)\n" + "long " * 9_000


def _rows(kind: Kind, start: int, count: int = 4) -> list[Row]:
    return [kind.row(n) for n in range(start, start + count)]


def _spoilt(kind: Kind, start: int) -> tuple[list[Row], int]:
    """Good rows with bad ones among them, and how many are bad."""
    changes = [(kind.amount, text) for text in kind.bad if kind.amount]
    changes += [(kind.amount, text) for text in ("-7", "0.5", "9" * 23) if kind.whole]
    changes += [(kind.time, text) for text in _BAD_TIMES if kind.time]
    changes += [(kind.currency, text) for text in ("XXQ", "Dollar") if kind.currency]
    if not changes:
        changes = [(kind.needed, "")]
    rows = _rows(kind, start)
    for place, (column, text) in enumerate(changes, start=start + len(rows)):
        rows.insert(place % len(rows), {**kind.row(place), column: text})
    return rows, len(changes)


def _odd(kind: Kind, start: int) -> tuple[list[Row], list[Decimal]]:
    """Rows that are unusual and fine, and what their amounts are."""
    rows = _rows(kind, start, 3)
    amounts = [_plain(kind, row) for row in rows]
    if kind.text:
        rows[0][kind.text] = _MARKUP
    if kind.amount and not kind.whole:
        rows[1][kind.amount] = kind.grouped
        amounts[1] = Decimal(kind.grouped) if kind.name == "focus" else _grouped(kind)
    if kind.time and kind.zoned and "T" in rows[2][kind.time]:
        rows[2][kind.time] = rows[2][kind.time].replace("Z", "+05:30")
    return rows, amounts


def _grouped(kind: Kind) -> Decimal:
    return Decimal("34.56") if kind.grouped == "34.56" else Decimal("1234.56")


def _plain(kind: Kind, row: Row) -> Decimal:
    return Decimal(row[kind.amount].replace(",", ".")) if kind.amount else Decimal(1)


def _sum(kind: Kind, amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, Decimal()) * kind.factor


def _renamed(kind: Kind) -> str:
    text = kind.build(_rows(kind, 300))
    if kind.suffix == "csv":
        return text.replace(kind.needed, f"new_{kind.needed}", 1)
    return text.replace(f'"{kind.needed}"', f'"new_{kind.needed}"')


def _in_file(loaded: Loaded, kind: Kind, path: Path) -> tuple[int, Decimal]:
    """Rows and measure of a file in the store."""
    ((rows, measure),) = loaded.sql(
        f"SELECT count(*), {kind.measure} FROM {kind.table} WHERE _file_id IN "
        f"(SELECT file_id FROM files WHERE file = '{path.name}')"
    )
    return rows, measure


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_fault_is_said_and_nothing_is_lost(kind: Kind, tmp_path: Path, load: Load) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    if kind.name == "zendesk":
        (folder / "zendesk.mapping.yaml").write_text(MAPPING)

    def put(what: str, text: str | bytes, suffix: str = kind.suffix) -> Path:
        path = folder / f"{kind.name}-{what}.{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    good, (spoilt, bad), (odd, amounts) = _rows(kind, 1), _spoilt(kind, 100), _odd(kind, 200)
    text = kind.build(good)
    right = put("a-good", text)
    paths = {
        "good": right,
        "copy": put("b-copy", text),
        "spoilt": put("spoilt", kind.build(spoilt)),
        "odd": put("odd", kind.build(odd)),
        "empty": put("empty", ""),
        "gzip": put("gzip", gzip.compress(kind.build(_rows(kind, 400)).encode() * 9)[:-12]),
    }
    if kind.needed:
        paths["renamed"] = put("renamed", _renamed(kind))
    if kind.suffix == "csv":
        paths["header"] = put("header", text.splitlines()[0] + "\n")
        paths["other"] = put("other", "\ufeff" + as_csv(_rows(kind, 500), ";", "\r\n"))
        paths["cut"] = put("cut", _cut(kind.build(_rows(kind, 600))))
    if kind.suffix == "json":
        paths["cut"] = put("cut", kind.build(_rows(kind, 600))[:-9])

    loaded = load(*paths.values(), max_bad=0.95)
    said = {Path(file.path): file for file in loaded.report.files}
    report = {what: said[path] for what, path in paths.items()}
    for file in loaded.report.files:
        assert not _INWARD.search(file.message.replace(file.path, "")), file.message
        assert file.rows == file.loaded + file.quarantined
        assert file.status != "refused" or file.path in file.message
    for column, reason in loaded.sql('SELECT "column", reason FROM quarantine'):
        assert not _INWARD.search(reason), reason
        assert reason
        assert column is None or len(column) < 60

    assert report["good"].status == "loaded"
    assert report["good"].quarantined == 0
    assert _in_file(loaded, kind, right)[1] == _sum(kind, [_plain(kind, row) for row in good])
    assert report["copy"].status == "unchanged"
    assert "same content" in report["copy"].message

    assert report["spoilt"].status == "loaded", report["spoilt"].message
    if kind.share == 1:
        assert (report["spoilt"].loaded, report["spoilt"].quarantined) == (4, bad)
    whole = [_plain(kind, row) for row in _rows(kind, 100)]
    assert _in_file(loaded, kind, paths["spoilt"])[1] == _sum(kind, whole)

    assert report["odd"].status == "loaded", report["odd"].message
    assert report["odd"].quarantined == 0
    assert _in_file(loaded, kind, paths["odd"])[1] == _sum(kind, amounts)

    assert report["empty"].status == "refused"
    assert report["gzip"].status == "refused"
    assert "ends too early" in report["gzip"].message
    if kind.needed:
        assert report["renamed"].status == "refused"
        assert kind.needed in report["renamed"].message
    if kind.suffix == "csv":
        assert report["header"].status == "refused"
        assert (report["other"].loaded, report["other"].quarantined) == (4, 0)
        assert (report["cut"].loaded, report["cut"].quarantined) == (3, 1)
    if kind.suffix == "json":
        assert report["cut"].status == "refused"
        assert "cut off" in report["cut"].message

    again = load(*paths.values(), max_bad=0.95)
    assert not again.report.changed
    assert not again.report.counts.get("loaded")


def _cut(text: str) -> str:
    """A CSV that ends in the middle of its last row."""
    body, _, last = text.rstrip("\n").rpartition("\n")
    return f"{body}\n{last[: last.index(',') + 1]}"
