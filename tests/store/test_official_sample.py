"""Ten questions about the official FOCUS 1.0 sample, against SQL straight over its CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.agent.assistant import Assistant
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
from tests.agent.grading import grade

FILE = "focus/focus_1.0_sample_official.csv"
MONEY = "DECIMAL(38, 15)"
SEPTEMBER = (
    "ChargePeriodStart::TIMESTAMP >= DATE '2024-09-01'"
    " AND ChargePeriodStart::TIMESTAMP < DATE '2024-10-01'"
)
BILLED = f"SUM(BilledCost::{MONEY})"
EFFECTIVE = f"SUM(EffectiveCost::{MONEY})"

# The file's charges end on 30 September 2024, so "last month" is September 2024.
CASES: list[dict[str, Any]] = [
    {
        "id": "o01",
        "question": "What did we spend on EC2 in September 2024?",
        "check": "scalar",
        "sql": f"SELECT {EFFECTIVE} FROM bill WHERE {SEPTEMBER}"
        " AND ServiceName = 'Amazon Elastic Compute Cloud'",
    },
    {
        "id": "o02",
        "question": "total billed cost for September 2024",
        "check": "scalar",
        "sql": f"SELECT {BILLED} FROM bill WHERE {SEPTEMBER}",
    },
    {
        "id": "o03",
        "question": "Top 5 services by billed cost in September 2024?",
        "check": "rows",
        "ordered": True,
        "sql": f"SELECT ServiceName, {BILLED} FROM bill WHERE {SEPTEMBER}"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
    },
    {
        "id": "o04",
        "question": "billed cost per region, last month",
        "check": "rows",
        "sql": "SELECT COALESCE(NULLIF(RegionId, ''), '(none)'),"
        f" {BILLED} FROM bill WHERE {SEPTEMBER} GROUP BY 1",
        # Oracle's rows have no RegionId; their RegionName says as much as an id (us-phoenix-1).
        "also": [
            {
                "sql": "SELECT COALESCE(NULLIF(RegionId, ''), NULLIF(RegionName, ''), '(none)'),"
                f" {BILLED} FROM bill WHERE {SEPTEMBER} GROUP BY 1"
            }
        ],
    },
    {
        "id": "o05",
        "question": "Microsoft vs AWS in September 2024: who cost us more?",
        "check": "rows",
        "sql": f"SELECT ProviderName, {EFFECTIVE} FROM bill WHERE {SEPTEMBER}"
        " AND ProviderName IN ('Microsoft', 'AWS') GROUP BY 1",
    },
    {
        "id": "o06",
        "question": "how much was the billed cost of Oracle last month",
        "check": "scalar",
        "sql": f"SELECT {BILLED} FROM bill WHERE {SEPTEMBER} AND ProviderName = 'Oracle'",
    },
    {
        "id": "o07",
        "question": "Billed cost per day from 20 to 26 September 2024",
        "check": "rows",
        "ordered": True,
        "sql": f"SELECT ChargePeriodStart::TIMESTAMP::DATE, {BILLED} FROM bill"
        " WHERE ChargePeriodStart::TIMESTAMP >= DATE '2024-09-20'"
        " AND ChargePeriodStart::TIMESTAMP < DATE '2024-09-27' GROUP BY 1 ORDER BY 1",
    },
    {
        "id": "o08",
        "question": "how many different AWS services are there in September 2024",
        "check": "scalar",
        "sql": f"SELECT COUNT(DISTINCT ServiceName) FROM bill WHERE {SEPTEMBER}"
        " AND ProviderName = 'AWS'",
    },
    {
        "id": "o09",
        "question": "What share of the billed cost of September 2024 is Compute?",
        "check": "scalar",
        "among": "Compute",
        "sql": f"SELECT {BILLED} FILTER (WHERE ServiceCategory = 'Compute')::DOUBLE / {BILLED}"
        f" FROM bill WHERE {SEPTEMBER}",
    },
    {
        "id": "o10",
        "question": "list cost of the dev environment in September 2024",
        "check": "scalar",
        "sql": f"SELECT SUM(ListCost::{MONEY}) FROM bill WHERE {SEPTEMBER}"
        " AND COALESCE(Tags->>'environment', Tags->>'env') = 'dev'",
    },
]


@pytest.fixture(scope="module")
def bill(realdata: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.read_csv(
            str(realdata / FILE), all_varchar=True, header=True, na_values="NULL"
        ).create_view("bill")
        yield con


@pytest.fixture(scope="module")
def home(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("official")
    ingest(Home(home), [realdata / FILE])
    return home


@pytest.mark.realdata
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_question_about_the_official_sample_is_right(
    case: dict[str, Any], home: Path, bill: duckdb.DuckDBPyConnection
) -> None:
    assistant = Assistant.open(home)
    try:
        graded = grade(case, assistant.ask(case["question"]), bill)
    finally:
        assistant.close()
    assert graded.outcome == "right", graded.report
