"""Readers: they follow the link, keep what they began with, and say plainly what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.errors import StoreError, StoreMissing, StoreNewer
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

COUNT = "SELECT count(*) FROM focus"


def test_nothing_loaded_yet_says_what_to_do(home: Home) -> None:
    with pytest.raises(StoreMissing, match="finops ingest"):
        Database.open(home)


def test_the_next_cursor_sees_the_new_version_and_the_old_one_goes_on(
    home: Home, bill: Callable[..., Path]
) -> None:
    ingest(home, [bill("a.csv", [{}])])
    with closing(Database.open(home)) as database:
        before = database.version
        running = database.cursor()
        assert running.execute(COUNT).fetchone() == (1,)
        ingest(home, [bill("b.csv", [{"day": "2024-09-05"}] * 3)])
        assert database.version != before
        assert running.execute(COUNT).fetchone() == (1,)
        assert database.cursor().execute(COUNT).fetchone() == (4,)
        assert not (home.path / before).exists()


def test_a_reader_can_neither_write_nor_read_files(
    home: Home, bill: Callable[..., Path], tmp_path: Path
) -> None:
    ingest(home, [bill("a.csv", [{}])])
    with closing(Database.open(home)) as database:
        for statement in (
            "DELETE FROM charges",
            f"SELECT * FROM read_text('{tmp_path / 'a.csv'}')",
            f"COPY charges TO '{tmp_path / 'out.csv'}'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                database.cursor().execute(statement)
        zone = database.cursor().execute("SELECT current_setting('TimeZone')").fetchone()
        assert zone == ("UTC",)


def test_a_store_of_a_newer_version_is_left_alone(
    home: Home, bill: Callable[..., Path], ask: Callable[..., list[Any]]
) -> None:
    ingest(home, [bill("a.csv", [{}])])
    with duckdb.connect(str(home.pointer.resolve())) as connection:
        connection.execute("UPDATE store_meta SET value = '99' WHERE key = 'schema_version'")
    before = home.pointer.resolve().read_bytes()
    with pytest.raises(StoreNewer, match="newer version"):
        Database.open(home)
    with pytest.raises(StoreNewer, match="newer version"):
        ingest(home, [bill("b.csv", [{}, {}])])
    assert home.pointer.resolve().read_bytes() == before


def test_a_file_that_is_no_store_is_said_to_be_none(home: Home) -> None:
    home.path.mkdir()
    (home.path / "other.duckdb").write_bytes(b"not a database")
    home.pointer.symlink_to("other.duckdb")
    with pytest.raises(StoreError, match="cannot be opened"):
        Database.open(home)
    home.pointer.unlink()
    home.pointer.write_bytes(b"not a link")
    with pytest.raises(StoreError, match="not a link"):
        Database.open(home)


def test_a_link_to_nothing_is_said_to_be_one(home: Home) -> None:
    home.path.mkdir()
    home.pointer.symlink_to("costs-000001-abcdef.duckdb")
    with pytest.raises(StoreError, match="not there"):
        Database.open(home)
