"""The environments that ``make conformance`` sets up, the bills of the generator, our exports."""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.sample import generate

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ROOT / ".conformance"
# koku-nise with its dice loaded: the same bills in every run, so a failure can be looked at.
SEEDED = """
import random, sys
from faker import Faker
random.seed(7)
Faker.seed(7)
from nise.__main__ import main
sys.argv[0] = "nise"
main()
"""


@dataclass(frozen=True)
class KnownFailure:
    """A row of known_failures.csv. ``rows`` is a predicate over the exported file for the rows that
    the rule is about, as it is worded; ``providers`` are theirs, none where the rule holds."""

    check: str
    rule: str
    at_fault: str
    rows: str
    providers: tuple[str, ...]
    reason: str


def known_failures(check: str) -> tuple[KnownFailure, ...]:
    """The listed failures of a check, ``focus-validator`` or ``focus-toolkit``."""
    with (HERE / "known_failures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        KnownFailure(
            row["check"],
            row["rule"],
            row["at_fault"],
            row["rows"],
            tuple(sorted(filter(None, row["providers"].split("|")))),
            row["reason"],
        )
        for row in rows
        if row["check"] == check
    )


def environment(name: str) -> Path:
    """The folder of an environment; where it is missing the test is skipped, in CI it fails."""
    folder = ENVIRONMENTS / name
    if not (folder / ".installed").exists():
        said = f"there is no {folder.relative_to(ROOT)}; `make conformance` sets it up"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    return folder


@pytest.fixture(scope="session")
def generators() -> Path:
    """The environment of koku-nise and focus-data-toolkit."""
    return environment("generators")


@pytest.fixture(scope="session")
def validator() -> Path:
    """The environment of focus-validator (Python 3.12)."""
    return environment("validator")


def model(generators: Path) -> Any:
    """FOCUS 1.4 as focus-data-toolkit took it from the specification's workbook."""
    (path,) = generators.glob(
        "lib/python3*/site-packages/focus_data_toolkit/model/focus_1_4_model.json"
    )
    return json.loads(path.read_text(encoding="utf-8"))


def finops(*arguments: str | Path) -> str:
    """Run the command as a user does; return what it printed."""
    command = [Path(sys.executable).with_name("finops"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def generated(generators: Path, provider: str, plan: str = "") -> list[Path]:
    """The files with rows of one month that koku-nise writes for ``aws``, ``azure`` or ``gcp``.

    ``plan`` names a YAML file beside this module that says what to generate, else it is a bit of
    everything. The files are kept for the next run, unless the plan changes. (For Azure koku-nise
    writes one more, of the day after the month, that is a header only.)
    """
    written = HERE / plan if plan else None
    digest = hashlib.sha256(written.read_bytes()).hexdigest()[:8] if written else "all"
    folder = ENVIRONMENTS / "bills" / f"{provider}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            command: list[str | Path] = [generators / "bin/python", "-c", SEEDED]
            command += ["report", provider, "--write-monthly"]
            command += ["--start-date", "2026-10-01", "--end-date", "2026-10-31"]
            command += ["--static-report-file", written] if written else []
            subprocess.run(command, cwd=partial, check=True, capture_output=True)
            partial.rename(folder)
    return [path for path in sorted(folder.glob("*.csv")) if _has_rows(path)]


def _has_rows(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return len([line for line, _ in zip(file, range(2), strict=False)]) == 2


@pytest.fixture(scope="session")
def sample_bills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the sample company's bills of two months, of every vendor."""
    sample = tmp_path_factory.mktemp("sample")
    generate(sample, scale=0.1)
    for path in (sample / "bills").rglob("*.*"):
        if path.suffix != ".yaml" and not any(m in path.name for m in ("2026-09", "2026-10")):
            path.unlink()
    home = tmp_path_factory.mktemp("home")
    report = json.loads(finops("ingest", sample / "bills", "--json", "--home", home))
    assert {file["status"] for file in report["files"]} <= {"loaded", "skipped"}
    return home


def export(home: Path, version: str, target: Path, *more: str) -> Path:
    """Write ``target`` as FOCUS ``version``."""
    chosen = ["--format", "focus", "--focus-version", version, *more]
    finops("export", *chosen, "-o", target, "--home", home)
    return target
