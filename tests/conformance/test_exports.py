"""What ``finops export`` writes, against focus-validator (1.2) and focus-data-toolkit (1.4).

A failure is allowed only where known_failures.csv names it, and a named one must occur: for the
rows, and of the providers, that the list says.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from tests.conformance.conftest import KnownFailure, export, known_failures

pytestmark = pytest.mark.conformance

# What ``focus-toolkit validate`` does, for every row: the command shows the first fifty only.
LINT = """
import json, sys
from focus_data_toolkit.cli import read_source_rows
from focus_data_toolkit.model.validator import lint_focus_1_4_structure
rows = read_source_rows(sys.argv[1], dataset="Cost and Usage")
report = lint_focus_1_4_structure("Cost and Usage", rows)
found = {}
for one in report.violations:
    where = "" if one.row_index is None else rows[one.row_index]["ServiceProviderName"]
    found.setdefault(f"{one.rule} {one.column or ''}".strip(), set()).add(where)
print(json.dumps({"rows": len(rows), "found": {k: sorted(v) for k, v in found.items()}}))
"""


def providers_of(path: Path, failure: KnownFailure, column: str) -> tuple[str, ...]:
    """The providers with rows that a known failure is about."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW exported AS FROM '{path}'")
        found = connection.execute(
            f"SELECT DISTINCT {column} FROM exported WHERE {failure.rows} ORDER BY 1"
        ).fetchall()
    return tuple(name for (name,) in found)


@pytest.fixture(scope="module")
def exported_1_2(sample_bills: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("export") / "focus-1.2.parquet"
    return export(sample_bills, "1.2", target)


@pytest.fixture(scope="module")
def verdicts(
    validator: Path, exported_1_2: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, bool]:
    """Rule -> whether it holds, of every rule that focus-validator has."""
    folder = tmp_path_factory.mktemp("validator")
    (package,) = validator.glob("lib/python3*/site-packages/focus_validator")
    (folder / "focus_validator").symlink_to(package)  # it opens its currencies relative to here
    command: list[str | Path] = [validator / "bin/focus-validator", "--data-file", exported_1_2]
    command += ["--validate-version", "1.2.0.1", "--applicability-criteria", "ALL"]
    command += ["--output-type", "unittest", "--output-destination", "junit.xml"]
    done = subprocess.run(
        [*command, "--block-download"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cases = ElementTree.parse(folder / "junit.xml").getroot().iter("testcase")  # noqa: S314
    return {
        case.get("name", "").split(" ::")[0]: not any(c.tag in ("failure", "error") for c in case)
        for case in cases
    }


def rules(validator: Path) -> dict[str, Any]:
    """The rules of FOCUS 1.2 that focus-validator carries."""
    (path,) = validator.glob("lib/python3*/site-packages/focus_validator/rules/model-1.2.0.1.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["ModelRules"]
    return found


def test_focus_1_2_fails_the_listed_rules_and_no_other(
    validator: Path, verdicts: Mapping[str, bool]
) -> None:
    assert len(verdicts) > 500
    every = rules(validator)
    failed = {rule for rule, holds in verdicts.items() if not holds}
    single = {rule for rule in failed if every[rule]["Function"] != "Composite"}
    assert single == {known.rule for known in known_failures("focus-validator")}

    def explained(rule: str) -> bool:
        """Whether a rule that only gathers others gathers one that failed by itself."""
        parts = every[rule]["ValidationCriteria"]["Dependencies"]
        return any(part in single or (part in failed and explained(part)) for part in parts)

    assert [rule for rule in sorted(failed - single) if not explained(rule)] == []


@pytest.mark.parametrize("known", known_failures("focus-validator"), ids=lambda k: k.rule)
def test_a_known_failure_of_1_2_is_what_the_list_says(
    exported_1_2: Path, known: KnownFailure
) -> None:
    assert providers_of(exported_1_2, known, "ProviderName") == known.providers


@pytest.mark.parametrize("more", [(), ("--strict",)], ids=["ours", "strict"])
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_focus_1_4_fails_the_listed_rules_and_no_other(
    generators: Path, sample_bills: Path, tmp_path: Path, ending: str, more: tuple[str, ...]
) -> None:
    path = export(sample_bills, "1.4", tmp_path / f"focus-1.4.{ending}", *more)
    done = subprocess.run(
        [generators / "bin/python", "-c", LINT, path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["rows"] > 1000
    known = known_failures("focus-toolkit")
    assert said["found"] == {one.rule: list(one.providers) for one in known}
    for one in known:
        assert providers_of(path, one, "ServiceProviderName") == one.providers
