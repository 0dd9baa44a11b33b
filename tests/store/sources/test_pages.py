"""Pages of a delivery: what is missing is named, what is there twice is named and counts once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.focus import create_table_sql
from finops_assistant.store.pages import Page, PageFile, count_once, missing_pages, page_warnings
from tests.store.sources.conftest import Load

FIRST = datetime.fromisoformat("2026-10-01")
OCTOBER_1 = 1790812800
DAY = 86400


def page(label: str, first: int, last: int, *, more: bool, report: str = "costs") -> Page:
    """A page of the days first to last of October, both included."""
    start, end = FIRST + timedelta(days=first - 1), FIRST + timedelta(days=last)
    return Page(label, report, start, end, more)


def a_file(
    folder: Path, name: str, days: dict[int, list[dict[str, Any]]], *, more: bool = False
) -> PageFile:
    """A page of OpenAI's costs: day of October -> results."""
    data = [
        {
            "object": "bucket",
            "start_time": OCTOBER_1 + (day - 1) * DAY,
            "end_time": OCTOBER_1 + day * DAY,
            "results": results,
        }
        for day, results in days.items()
    ]
    path = folder / name
    path.write_text(json.dumps({"object": "page", "data": data, "has_more": more}))
    return PageFile(name, path, "openai-costs")


def cost(value: float, **groups: str) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": None,
        "project_id": None,
        **groups,
    }


def warnings_of(*files: PageFile) -> list[str]:
    with duckdb.connect() as connection:
        return page_warnings(connection, files)


def test_a_whole_sequence_says_nothing() -> None:
    some = [page("b", 8, 14, more=True), page("a", 1, 7, more=True), page("c", 15, 20, more=False)]
    assert missing_pages(some) == []
    assert missing_pages([]) == []


def test_a_gap_names_its_days() -> None:
    some = [page("a.json", 1, 7, more=True), page("c.json", 15, 20, more=False)]
    (sentence,) = missing_pages(some)
    assert "a.json" in sentence
    assert "2026-10-08 to 2026-10-14" in sentence


def test_an_unfinished_sequence_names_its_end() -> None:
    (sentence,) = missing_pages([page("a.json", 1, 7, more=True)])
    assert "ends with 2026-10-07" in sentence


def test_an_overlap_is_no_gap_and_neither_is_a_report_of_its_own() -> None:
    assert missing_pages([page("a", 1, 7, more=True), page("b", 5, 12, more=False)]) == []
    months = [page("a", 1, 7, more=False), page("b", 20, 25, more=False)]
    assert missing_pages(months) == []
    other = [page("a", 1, 7, more=True), page("b", 8, 9, more=False, report="usage")]
    assert len(missing_pages(other)) == 1


def test_a_page_without_results_belongs_to_any_report_of_its_source() -> None:
    some = [
        page("a", 1, 7, more=True, report="openai-usage completions"),
        page("b", 8, 9, more=False, report="openai-usage"),
    ]
    assert missing_pages(some) == []


def test_files_are_read_for_what_they_say(tmp_path: Path) -> None:
    first = a_file(tmp_path, "1.json", {1: [cost(1)], 2: []}, more=True)
    third = a_file(tmp_path, "3.json", {4: [cost(2)]})
    (sentence,) = warnings_of(first, third)
    assert "2026-10-03" in sentence
    second = a_file(tmp_path, "2.json", {3: []}, more=True)
    assert warnings_of(first, second, third) == []
    assert warnings_of() == []


def test_the_fixtures_are_whole(fixtures: Path) -> None:
    for source in ("openai-costs", "anthropic-costs"):
        folder = fixtures / source.replace("-", "_")
        some = [PageFile(path.name, path, source) for path in sorted(folder.glob("*.json"))]
        assert warnings_of(*some) == []
        (sentence,) = warnings_of(some[0])
        assert "2026-10-02" in sentence


def test_pages_that_overlap_are_named(tmp_path: Path) -> None:
    mine = {day: [cost(day, line_item="a"), cost(1, line_item="b")] for day in (1, 2, 3)}
    one = a_file(tmp_path, "one.json", {d: mine[d] for d in (1, 2)})
    same = a_file(tmp_path, "same.json", {d: mine[d] for d in (2, 3)})
    (sentence,) = warnings_of(one, same)
    assert sentence.startswith("one.json and same.json hold the same buckets")
    assert "2026-10-02" in sentence
    assert "count once" in sentence
    newer = a_file(tmp_path, "newer.json", {2: [cost(5, line_item="a")]})
    (sentence,) = warnings_of(one, newer)
    assert "different amounts" in sentence


def test_a_report_grouped_in_two_ways_is_named(tmp_path: Path) -> None:
    by_line = a_file(tmp_path, "line.json", {1: [cost(2.5, line_item="a"), cost(1, line_item="b")]})
    by_project = a_file(tmp_path, "project.json", {1: [cost(3.5, project_id="p")]})
    (sentence,) = warnings_of(by_line, by_project)
    assert "grouped in two ways" in sentence
    # Another project's part of the same report is none of that, be its total the same.
    for value in (9.0, 3.5):
        part = a_file(tmp_path, "part.json", {1: [cost(value, project_id="q")]})
        assert warnings_of(by_project, part) == []
    assert warnings_of(by_line, a_file(tmp_path, "p.json", {1: [cost(9, project_id="q")]})) == []


def test_a_delivery_says_what_is_missing_and_counts_what_is_there_twice_once(
    load: Load, tmp_path: Path
) -> None:
    mine = {day: [cost(day, line_item="a"), cost(0.5, line_item="b")] for day in (1, 2, 3, 5)}
    one = a_file(tmp_path, "1.json", {d: mine[d] for d in (1, 2)}, more=True)
    two = a_file(tmp_path, "2.json", {d: mine[d] for d in (2, 3)}, more=True)
    three = a_file(tmp_path, "3.json", {5: mine[5]})
    store = load(one.path, two.path, three.path)
    assert store.one("SELECT sum(BilledCost) FROM focus") == Decimal("13")
    said = " ".join(file.message for file in store.report.files)
    assert "nothing for 2026-10-04" in said
    assert "hold the same buckets of openai-costs for 2026-10-02" in said


def test_many_small_pages(tmp_path: Path) -> None:
    few = [
        a_file(tmp_path, f"{n}.json", {n + 1: [cost(1, line_item="a")]}, more=n < 299)
        for n in range(300)
    ]
    assert warnings_of(*few) == []
    assert len(warnings_of(*few[:100], *few[101:])) == 1


def rows_of(
    connection: duckdb.DuckDBPyConnection, file_id: int, *rows: tuple[int, str, str]
) -> None:
    for day, meter, amount in rows:
        start = FIRST + timedelta(days=day - 1)
        connection.execute(
            "INSERT INTO charges BY NAME SELECT ? AS _file_id, 'openai-costs' AS x_Source, "
            "'openai' AS BillingAccountId, CAST(? AS TIMESTAMP) AS ChargePeriodStart, "
            "CAST(? AS TIMESTAMP) AS ChargePeriodEnd, ? AS SkuPriceId, "
            "CAST(? AS DECIMAL(18, 12)) AS BilledCost, 'USD' AS BillingCurrency",
            [file_id, start, start + timedelta(days=1), meter, amount],
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_the_same_bucket_in_two_files_counts_once(reverse: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute(create_table_sql())
        rows_of(connection, 1, (1, "a", "1"), (2, "a", "2"), (2, "b", "0.5"), (3, "a", "4"))
        again = [(2, "b", "0.5"), (2, "a", "2"), (3, "a", "4.25")]
        rows_of(connection, 2, *(reversed(again) if reverse else again))
        rows_of(connection, 3, (2, "a", "2"), (2, "b", "0.5"))  # of an earlier delivery
        assert count_once(connection, [1, 2]) == 2
        left = connection.execute(
            "SELECT sum(BilledCost) FROM charges WHERE _file_id IN (1, 2)"
        ).fetchone()
        # Day 2 once; day 3 in both, for the amounts differ and neither is known to be the newer.
        assert left == (Decimal("1") + Decimal("2.5") + Decimal("4") + Decimal("4.25"),)
        assert connection.execute("SELECT count(*) FROM charges WHERE _file_id = 3").fetchone() == (
            2,
        )
