"""Thousands of small files in one delivery."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

FILES = 1_000
DAY = 86_400
FIRST = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.slow
def test_a_page_a_day_for_years(tmp_path: Path) -> None:
    """One small page per file; every tenth is spoilt and must not stop the others."""
    folder = tmp_path / "pages"
    folder.mkdir()
    expected = Decimal(0)
    for number in range(FILES):
        amount = Decimal(number + 1) / 100
        start = FIRST + number * DAY
        result = {
            "object": "organization.costs.result",
            "amount": {"value": float(amount), "currency": "usd"},
            "line_item": "gpt-4o-2024-08-06, input",
            "project_id": "proj_a",
        }
        bucket = {
            "object": "bucket",
            "start_time": start,
            "end_time": start + DAY,
            "results": [result],
        }
        text = json.dumps({"object": "page", "data": [bucket], "has_more": False})
        spoilt = number % 10 == 9
        if not spoilt:
            expected += amount
        (folder / f"{number:05}.json").write_text(text[:-20] if spoilt else text)
    seen: list[int] = []
    home = Home(tmp_path / "home")
    report = ingest(home, [folder], progress=lambda what, done, total: seen.append(done))
    assert report.counts == {"loaded": FILES * 9 // 10, "refused": FILES // 10}
    assert max(seen) > FILES // 2
    with closing(Database.open(home).cursor()) as cursor:
        row = cursor.execute("SELECT count(*), sum(BilledCost) FROM focus").fetchone()
    assert row == (FILES * 9 // 10, expected)
    assert ingest(home, [folder]).counts == {"unchanged": FILES * 9 // 10, "refused": FILES // 10}
