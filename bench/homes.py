"""Homes that the benchmarks read: the sample company, and the same with a million rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from finops_assistant.store.settings import Home
from finops_assistant.ui.demo import build

MILLION = 1_000_000


def sample(folder: Path) -> Home:
    """The sample company in ``folder``, built if it is not there."""
    home = Home(folder / "sample-company")
    if not home.pointer.exists():
        build(home, lambda what, done, total: None)
    return home


def million(folder: Path) -> Home:
    """The sample company's rows, repeated until there are a million.

    The copies are written into the store's file directly: what is measured is reading, and the
    catalogue of names stays the same.
    """
    small, large = sample(folder), Home(folder / "million-rows")
    if large.pointer.exists():
        return large
    shutil.rmtree(large.path, ignore_errors=True)
    large.path.mkdir(parents=True)
    version = small.pointer.resolve()
    shutil.copy2(version, large.path / version.name)
    with duckdb.connect(str(large.path / version.name)) as con:
        (rows,) = con.execute("SELECT count(*) FROM charges").fetchone() or (0,)
        con.execute(
            "INSERT INTO charges SELECT charges.* FROM charges, range(?) LIMIT ?",
            [-(-MILLION // rows), max(MILLION - rows, 0)],
        )
        con.execute("CHECKPOINT")
    large.pointer.symlink_to(version.name)
    return large
