"""store/focus_columns.csv against the FOCUS 1.4 model that focus-data-toolkit carries."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.conformance.conftest import ROOT, model

pytestmark = pytest.mark.conformance


def test_our_columns_are_those_of_focus_1_4(generators: Path) -> None:
    with (ROOT / "store/focus_columns.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["level"] != "Extension"]
    ours = {
        row["column"]: (row["level"], row["nullable"] == "yes", set(row["allowed"].split("|")))
        for row in rows
        if not row["removed"]
    }
    columns = model(generators)["datasets"]["Cost and Usage"]["columns"]
    assert ours == {
        name: (c["feature_level"], c["allows_nulls"], set(c["allowed_values"] or [""]))
        for name, c in columns.items()
    }
