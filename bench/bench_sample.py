"""The sample company: writing its files and loading them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import duckdb

from bench.figures import Report
from finops_assistant.store.ingest import ingest
from finops_assistant.store.sample import generate
from finops_assistant.store.settings import Home


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    report = Report("Sample company")
    with tempfile.TemporaryDirectory() as scratch:
        home = Home(Path(scratch))
        started = time.perf_counter()
        generate(home.path / "sample")
        written = time.perf_counter() - started
        ingest(home, [home.path / "sample"])
        whole = time.perf_counter() - started
        with duckdb.connect(str(home.pointer.resolve()), read_only=True) as con:
            (rows,) = con.execute("SELECT count(*) FROM charges").fetchone() or (0,)
        report.beside("rows in the store", rows, "")
        report.beside("writing the files", written, "s")
        report.beside("loading the bills", whole - written, "s")
        report.at_most("both", whole, 40, "s")
    return int(report.missed)


if __name__ == "__main__":
    raise SystemExit(main())
