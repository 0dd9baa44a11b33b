"""Which files a delivery consists of, and what shape each has."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Literal

import duckdb

from finops_assistant.store.errors import LoadError
from finops_assistant.store.focus import literal, quote
from finops_assistant.store.json_shape import json_shape_of
from finops_assistant.store.load_report import FileReport

_HEAD: Final = 1 << 20
_DELIMITERS: Final = ",;\t|"
_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class BillFile:
    """One file to look at. ``named`` files were asked for by name, the others found in a folder
    or by a pattern: there a file that is no bill is normal."""

    path: Path
    label: str  # what people see
    named: bool

    @property
    def name(self) -> str:
        """The base name: what the store remembers."""
        return PurePosixPath(self.label).name

    def stamp(self) -> tuple[int, int]:
        """Size and time of the last change: another stamp is another content."""
        try:
            state = self.path.stat()
        except OSError:
            return (0, 0)
        return (state.st_size, state.st_mtime_ns)


@dataclass(frozen=True)
class Shape:
    """How a file is read: its columns with their DuckDB types (all VARCHAR in a CSV; in JSON, the
    keys and dotted paths at its beginning)."""

    format: Literal["csv", "parquet", "json"]
    columns: Mapping[str, str]
    delimiter: str = ","
    compression: str = "none"
    members: Mapping[str, str] = field(default_factory=dict)  # of Parquet STRUCTs, by dotted path
    lines: bool = False  # of JSON: a document a line
    twice: tuple[str, ...] = ()  # of CSV: names that stand in the header more than once

    @property
    def header(self) -> Mapping[str, str]:
        """What sources are recognised by: columns and members, or the keys of JSON documents."""
        return {**self.columns, **self.members}


class NoBill(LoadError):
    """The file is something else than a bill."""


def find(paths: Iterable[str | Path]) -> tuple[list[BillFile], list[FileReport]]:
    """The files behind names, folders (with their sub-folders) and patterns, each once, and a
    refusal for every name, folder or pattern with nothing behind it.
    """
    found: dict[Path, BillFile] = {}
    refused: list[FileReport] = []
    for given in paths:
        path = Path(given).expanduser()
        if os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, no error where none may look
            matches, closed = _inside(path)
            refused += [
                FileReport(str(folder), "refused", f"The folder {folder} may not be read.")
                for folder in closed
            ]
            if closed and not matches:
                continue
            nothing = f"The folder {given} holds no files. Name the one that holds the bills."
        elif os.path.isfile(path):  # noqa: PTH113
            found.setdefault(path.resolve(), BillFile(path, str(given), named=True))
            continue
        elif os.path.exists(path):  # noqa: PTH110
            what = f"{given} is not a file. Save what it gives in a file and load that."
            refused.append(FileReport(str(given), "refused", what))
            continue
        else:
            # Path.glob knows only patterns below a folder, and this one may be absolute.
            matches = [Path(p) for p in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
            matches = [p for p in matches if p.is_file()]
            nothing = f"There is no file {given}. Check the path and try again."
        if not matches:
            refused.append(FileReport(str(given), "refused", nothing))
        for match in matches:
            found.setdefault(match.resolve(), BillFile(match, str(match), named=False))
    return list(found.values()), refused


def _inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files in a folder and its sub-folders but hidden ones, and the folders that may not be
    read."""
    files: list[Path] = []
    closed: list[Path] = []
    for place, folders, names in os.walk(
        folder, onerror=lambda error: closed.append(Path(os.fsdecode(error.filename)))
    ):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(path for path in files if path.is_file()), sorted(closed)


def unpack(bill: BillFile, folder: Path) -> list[BillFile]:
    """The bill itself, or the members of a zip, written below ``folder``."""
    try:
        with bill.path.open("rb") as file:
            if file.read(4) != _ZIP:
                return [bill]
    except OSError as error:
        raise LoadError(f"{bill.label} cannot be opened: {error.strerror}.") from None
    members = []
    try:
        with zipfile.ZipFile(bill.path) as archive:
            for number, info in enumerate(i for i in archive.infolist() if not i.is_dir()):
                base = PurePosixPath(info.filename).name
                if base.startswith(".") or "__MACOSX" in info.filename:
                    continue
                target = folder / f"{number:04d}" / "member"  # never a path out of the archive
                target.parent.mkdir(parents=True)
                with archive.open(info) as packed, target.open("wb") as plain:
                    shutil.copyfileobj(packed, plain, 1 << 20)
                members.append(BillFile(target, f"{bill.label}:{base}", named=False))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise LoadError(
            f"{bill.label} is a damaged or locked zip ({error}). Fetch it again or unpack it first."
        ) from None
    if not members:
        raise NoBill(f"{bill.label} is an empty zip.")
    return members


def read_shape(connection: duckdb.DuckDBPyConnection, bill: BillFile) -> Shape:
    """Look at the beginning of a file; raises NoBill or LoadError when it is not a table."""
    try:
        with bill.path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise LoadError(f"{bill.label} cannot be opened: {error.strerror}.") from None
    if not head:
        raise NoBill(f"{bill.label} is empty.")
    if head.startswith(_PARQUET):
        return _parquet_shape(connection, bill)
    compression = "none"
    if head.startswith(_GZIP):
        compression = "gzip"
        try:
            with gzip.open(bill.path) as packed:
                head = packed.read(_HEAD)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise LoadError(truncated(bill)) from None
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        keys, lines = json_shape_of(head.decode("utf-8-sig", errors="replace"))
        return Shape("json", keys, compression=compression, lines=lines)
    return _csv_shape(bill, head, compression)


def truncated(bill: BillFile) -> str:
    """The sentence about a gzip file that ends early."""
    return f"{bill.label} is a damaged gzip file: it ends too early. Fetch it again."


def _parquet_shape(connection: duckdb.DuckDBPyConnection, bill: BillFile) -> Shape:
    try:
        rows = connection.execute(
            f"DESCRIBE SELECT * FROM read_parquet({literal(str(bill.path))})"  # noqa: S608
        ).fetchall()
    except duckdb.Error:
        raise LoadError(f"{bill.label} is a damaged Parquet file. Fetch it again.") from None
    columns = {row[0]: row[1] for row in rows}
    return Shape("parquet", columns, members=_members(connection, bill, columns))


def _members(
    connection: duckdb.DuckDBPyConnection, bill: BillFile, columns: Mapping[str, str]
) -> dict[str, str]:
    """The members of STRUCT columns, at any depth, by dotted path."""
    found: dict[str, str] = {}
    waiting = [
        name for name, kind in columns.items() if kind.startswith("STRUCT(") and kind.endswith(")")
    ]
    while waiting:
        path = waiting.pop()
        reference = ".".join(map(quote, path.split(".")))
        rows = connection.execute(
            f"DESCRIBE SELECT unnest({reference}) FROM read_parquet({literal(str(bill.path))})"  # noqa: S608
        ).fetchall()
        for name, kind, *_ in rows:
            found[f"{path}.{name}"] = kind
            if kind.startswith("STRUCT(") and kind.endswith(")"):
                waiting.append(f"{path}.{name}")
    return found


def _csv_shape(bill: BillFile, head: bytes, compression: str) -> Shape:
    if head.startswith(_UTF16):
        raise LoadError(f"{bill.label} is UTF-16 text. Save it as UTF-8 and load it again.")
    if b"\0" in head:
        raise NoBill(f"{bill.label} is not a table: neither CSV nor Parquet.")
    text = head.decode("utf-8-sig", errors="replace")
    candidates = []
    for delimiter in _DELIMITERS:
        try:
            row = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
        except csv.Error:
            continue
        candidates.append((len(row), delimiter, row))
    width, delimiter, header = max(candidates, key=lambda c: c[0], default=(0, ",", []))
    if width < 2:
        raise NoBill(f"{bill.label} is not a table: its first line has no column names.")
    columns = dict.fromkeys(_unique(header), "VARCHAR")
    twice = tuple(name for name in dict.fromkeys(header) if name and header.count(name) > 1)
    return Shape("csv", columns, delimiter, compression, twice=twice)


def _unique(header: list[str]) -> list[str]:
    seen: set[str] = set()
    names = []
    for position, name in enumerate(header):
        unique = name if name and name.lower() not in seen else f"{name}_{position}"
        seen.add(unique.lower())
        names.append(unique)
    return names
