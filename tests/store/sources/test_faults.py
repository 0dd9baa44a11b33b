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

pytestmark = pytest.mark.slow

# What only those who write the program should ever read.
_INWARD = re.compile(
    r"Error|INTERNAL|Binder|\bcast|DECIMAL|VARCHAR|BIGINT|INT64|TIMESTAMP|read_csv|json_|Traceback"
)
_MARKUP = "<b>'; DROP TABLE charges; --\"\\{$x} \x1b[31m \u202e ![](http://x)\n" + "long " * 9_000


def _rows(kind: Kind, start: int, count: int = 4) -> list[Row]:
    return [kind.row(n) for n in range(start, start + count)]


def _spoilt(kind: Kind, start: int) -> tuple[list[Row], int]:
    """Good rows with bad ones among them, and how many are bad."""
    changes = [(kind.amount, text) for text in kind.bad if kind.amount]
    changes += [(kind.amount, text) for text in ("-7", "0.5", "9" * 23) if kind.whole]
    changes += [(kind.time, text) for text in kind.never if kind.time]
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


def _write(folder: Path, name: str, kind: Kind, rows: Sequence[Row]) -> Path:
    folder.mkdir(exist_ok=True)
    if kind.name == "zendesk":
        (folder / "zendesk.mapping.yaml").write_text(MAPPING)
    path = folder / f"{kind.name}-{name}.{kind.suffix}"
    path.write_text(kind.build(rows))
    return path


@pytest.mark.parametrize("kind", BILLS, ids=lambda kind: kind.name)
def test_a_restated_month_replaces_its_days_and_keeps_the_others(
    kind: Kind, tmp_path: Path, load: Load
) -> None:
    rows = _rows(kind, 3, 6)
    load(_write(tmp_path / "files", "first", kind, rows))
    newer = [{**row, kind.amount: f"7{row[kind.amount]}"} for row in rows[:2]]
    loaded = load(_write(tmp_path / "files", "newer", kind, newer))
    assert loaded.file.restated == 2
    assert "replaced" in loaded.file.message
    assert "kept" in loaded.file.message
    truth = _sum(kind, [_plain(kind, row) for row in (*newer, *rows[2:])])
    assert loaded.one(f"SELECT {kind.measure} FROM {kind.table}") == truth


@pytest.mark.parametrize("kind", USAGE, ids=lambda kind: kind.name)
def test_usage_that_two_files_tell_counts_once(kind: Kind, tmp_path: Path, load: Load) -> None:
    rows = _rows(kind, 1, 8)
    one = _write(tmp_path / "files", "one", kind, rows[:4])
    two = _write(tmp_path / "files", "two", kind, rows[2:6])
    said = " ".join(file.message for file in load(one, two).report.files)
    assert "2 rows have the same key as a later one of this delivery" in said
    loaded = load(_write(tmp_path / "files", "three", kind, rows[5:]))
    assert loaded.file.restated == 1
    truth = _sum(kind, [_plain(kind, row) for row in rows])
    assert loaded.one(f"SELECT {kind.measure} FROM {kind.table}") == truth


def test_one_bad_page_among_many_is_alone(tmp_path: Path, load: Load) -> None:
    kind = next(kind for kind in BILLS if kind.name == "openai-costs")
    folder, truth = tmp_path / "files", Decimal()
    for number in range(40):
        rows = _rows(kind, 2 * number, 2)
        if number == 13:
            rows[1]["currency"] = "XXQ"
        path = _write(folder, f"{number:03}", kind, rows)
        if number == 29:
            path.write_text(path.read_text()[:-20])
            continue
        truth += sum(_plain(kind, row) for row in rows[: 1 if number == 13 else 2])
    loaded = load(folder, max_bad=0.5)
    assert loaded.report.counts == {"loaded": 39, "refused": 1}
    assert loaded.report.quarantined == 1
    assert loaded.report.loaded == 77
    assert loaded.sql("SELECT count(*), sum(BilledCost) FROM focus") == [(77, truth)]


def test_cents_read_as_dollars_are_noticed_beside_usage(tmp_path: Path, load: Load) -> None:
    def bucket(number: int, result: object) -> object:
        start = FIRST + number * DAY
        times = {"start_time": start, "end_time": start + DAY}
        return {"object": "bucket", **times, "results": [result]}

    def page(name: str, result: object) -> Path:
        path = tmp_path / name
        buckets = [bucket(number, result) for number in range(3)]
        path.write_text(json.dumps({"object": "page", "data": buckets, "has_more": False}))
        return path

    usage = {
        "object": "organization.usage.completions.result",
        "input_tokens": 4_000_000,
        "output_tokens": 0,
        "num_model_requests": 3,
        "model": "gpt-4o-2024-08-06",
    }
    cost = {
        "object": "organization.costs.result",
        "amount": {"value": 1000, "currency": "usd"},  # cents: 4 million tokens are 10 dollars
        "line_item": "gpt-4o-2024-08-06, input",
    }
    loaded = load(page("usage.json", usage), page("costs.json", cost))
    said = " ".join(file.message for file in loaded.report.files)
    assert "OpenAI, 2026-10-01 to 2026-10-03 (gpt-4o): The bill is about 100 times" in said
    right = {**cost, "amount": {"value": 10, "currency": "usd"}}
    loaded = load(page("right.json", right))
    assert "100 times" not in loaded.file.message


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("date,from,to,rate,rate\n2026-10-01,EUR,USD,1.1,9.9\n")
    with pytest.raises(NothingLoaded, match="column rate twice"):
        load(path)
    path.write_text("date,from,to,rate,note,note\n2026-10-01,EUR,USD,1.1,a,b\n")
    assert load(path).file.loaded == 1


def test_a_wrong_mapping_beside_a_file_is_named(tmp_path: Path, load: Load) -> None:
    kind = next(kind for kind in BILLS if kind.name == "zendesk")
    path = _write(tmp_path / "files", "one", kind, _rows(kind, 1))
    (path.parent / "zendesk.mapping.yaml").write_text(MAPPING.replace("decimal", "decimals"))
    with pytest.raises(NothingLoaded, match=r"mapping file beside it that is wrong: .*decimals"):
        load(path)


def test_a_page_without_its_buckets_is_no_page(tmp_path: Path, load: Load) -> None:
    kind = next(kind for kind in USAGE if kind.name == "openai-usage")
    path = _write(tmp_path / "files", "page", kind, _rows(kind, 1))
    text = path.read_text()
    path.write_text(text.replace('"data"', '"items"'))
    with pytest.raises(NothingLoaded, match="no 'data'"):
        load(path)
    document = json.loads(text)
    del document["data"][1]["results"]
    path.write_text(json.dumps(document))
    loaded = load(path, max_bad=0.5)
    assert (loaded.file.loaded, loaded.file.quarantined) == (3, 1)


@pytest.mark.parametrize("name", ["prometheus", "otel-genai"])
def test_a_file_without_a_record_says_so(name: str, tmp_path: Path, load: Load) -> None:
    kind = next(kind for kind in KINDS if kind.name == name)
    path = _write(tmp_path / "files", "one", kind, _rows(kind, 1))
    renamed = re.sub('"(result|spans)"', '"renamed"', path.read_text())
    path.write_text(renamed)
    loaded = load(path)
    assert loaded.file.loaded == 0
    assert "holds no record" in loaded.file.message


@pytest.mark.slow
def test_a_line_without_end_is_refused_alone(tmp_path: Path) -> None:
    kind = next(kind for kind in USAGE if kind.name == "langfuse")
    folder = tmp_path / "files"
    _write(folder, "good", kind, _rows(kind, 1))
    long = _write(folder, "long", kind, _rows(kind, 10))
    with long.open("a") as file:
        file.write('{"id": "o99", "input": "' + "x" * 200_000_000 + '"}\n')
    pages = next(kind for kind in BILLS if kind.name == "openai-costs")
    page = _write(folder, "page", pages, _rows(pages, 1))
    document = json.loads(page.read_text())
    page.write_text(json.dumps({**document, "more": "x" * 100_000_000}))
    home = Home(tmp_path / "home")
    home.path.mkdir()
    (home.path / "finops.toml").write_text('memory = "400MB"\n')
    report = ingest(home, [folder])
    assert report.counts == {"loaded": 1, "refused": 2}
    said = " ".join(file.message for file in report.files)
    assert "a line of more than 16 MB" in said
    assert "too long for the memory" in said


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path, load: Load) -> None:
    kind = next(kind for kind in BILLS if kind.name == "aws-cur")
    more = {f"column {number}": "v" for number in range(10_000)}
    rows = [{**row, **more} for row in _rows(kind, 1)]
    loaded = load(_write(tmp_path / "files", "wide", kind, rows))
    truth = _sum(kind, [_plain(kind, row) for row in rows])
    assert loaded.one("SELECT sum(BilledCost) FROM focus") == truth
