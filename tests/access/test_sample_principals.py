"""Principals over the sample company: its figures by SQL of our own, and nothing of the others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.agent.assistant import Assistant
from finops_assistant.store import catalogue
from finops_assistant.store.settings import Home

pytestmark = pytest.mark.slow

AS_OF = date(2026, 11, 1)
SETTINGS = """
[principals.searcher.allow]
team = ["search"]
[principals.modeller.allow]
provider = ["OpenAI", "Anthropic"]
environment = ["prod"]
"""
SCOPES = {
    "searcher": "x_Team = 'search'",
    "modeller": "ServiceProviderName IN ('OpenAI', 'Anthropic') AND x_Environment = 'prod'",
}
OCTOBER = "ChargePeriodStart >= DATE '2026-10-01' AND ChargePeriodStart < DATE '2026-11-01'"
QUESTIONS = (
    "What did we spend last month?",
    "cost by team last month",
    "share of each provider in October 2026",
    "cost by service and month since July",
    "Which model costs most?",
    "spend of the fraud team in October 2026",
    "GPU hours by team last month",
    "AWS cost last month",
    "OpenAI versus Anthropic by month",
    "cost of search-infra",
    "cost per million tokens by model last month",
    "which projects are there?",
    "which customers are there?",
    "how many accounts do we have?",
    "what is in the store?",
    "untagged spend last month",
    "compare checkout with recommendations",
    "savings last quarter",
    "cost in production",
    "top 5 resources last month",
    "cost by region compared with the month before",
    "cost of northgate",
    "what did mistral cost?",
)


def home_of(folder: Path, sample: Path, scope: str | None = None) -> Home:
    """A copy of the sample company's store, whole or with the rows of one scope only."""
    home = Home(folder / "home")
    home.path.mkdir(parents=True)
    (home.path / "finops.toml").write_text(SETTINGS)
    version = (sample / "costs.duckdb").resolve()
    shutil.copy2(version, home.path / version.name)
    home.pointer.symlink_to(version.name)
    if scope is not None:
        with duckdb.connect(str(home.pointer.resolve())) as connection:
            connection.execute(f"DELETE FROM charges WHERE NOT coalesce({scope}, FALSE)")
            catalogue.refresh(connection, full=True)
    return home


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, sample_home: Path) -> Iterator[Assistant]:
    assistant = Assistant.open(home_of(tmp_path_factory.mktemp("whole"), sample_home))
    yield assistant
    assistant.close()


def by_hand(assistant: Assistant, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the store by plain SQL."""
    file = str(assistant.home.pointer.resolve())
    config: dict[str, Any] = {"enable_external_access": "false"}  # as the open store has it
    with duckdb.connect(file, read_only=True, config=config) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("who", SCOPES)
def test_figures_and_shares_are_those_of_the_visible_rows(who: str, whole: Assistant) -> None:
    def rows(question: str) -> list[tuple[Any, ...]]:
        answer = whole.ask(question, principal=who, as_of=AS_OF)
        assert answer.status == "answered", answer.answer
        return list(answer.results[0].rows)

    mine = f"FROM focus WHERE {SCOPES[who]} AND {OCTOBER}"
    assert rows("What did we spend last month?") == by_hand(
        whole, f"SELECT sum(EffectiveCost) {mine}"
    )
    total = by_hand(whole, f"SELECT sum(EffectiveCost) {mine}")[0][0]
    services = dict(by_hand(whole, f"SELECT ServiceName, sum(EffectiveCost) {mine} GROUP BY 1"))
    assert dict(rows("cost by service last month")) == services
    shares = rows("share of each service in the total cost last month")
    assert {row[0] for row in shares} == set(services)
    assert sum(Decimal(str(row[-1])) for row in shares) == pytest.approx(1)
    for row in shares:
        assert float(row[-1]) == pytest.approx(float(services[row[0]] / total))


@pytest.mark.parametrize("who", SCOPES)
def test_answers_are_those_of_a_store_without_the_other_rows(
    who: str, whole: Assistant, tmp_path: Path, sample_home: Path
) -> None:
    alone = Assistant.open(home_of(tmp_path, sample_home, SCOPES[who]))
    dimensions = whole.store.semantics.dimensions.values()
    hidden = {
        value
        for dimension in dimensions
        for (value,) in by_hand(
            whole,
            f"SELECT {dimension.value} FROM focus WHERE {dimension.value} IS NOT NULL GROUP BY 1 "
            f"HAVING NOT bool_or(coalesce({SCOPES[who]}, FALSE))",
        )
    }
    assert "Mistral AI" in hidden
    for question in QUESTIONS:
        answer = json.loads(
            json.dumps(whole.ask(question, principal=who, as_of=AS_OF).to_json(), default=str)
        )
        cells = {
            cell for result in answer["results"] for row in result["rows"] for cell in row if cell
        }
        options = (answer["clarification"] or {"options": ()})["options"]
        assert hidden.isdisjoint({str(cell) for cell in cells} | set(options)), question
        same = json.loads(
            json.dumps(alone.ask(question, principal=who, as_of=AS_OF).to_json(), default=str)
        )
        assert answer | {"elapsed_ms": 0} == same | {"elapsed_ms": 0}, question
    alone.close()
