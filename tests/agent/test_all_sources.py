"""One question over every source: bills, usage estimates and Kubernetes splits, nothing twice."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.assistant import Assistant
from finops_assistant.store.database import Database
from finops_assistant.store.settings import Home

QUESTION = "AI spend last month by provider and team, cloud and API together"


@pytest.fixture(scope="module")
def truth(sample_home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((sample_home / "sample" / "truth.json").read_text("utf-8"))
    return found


def ask(home: Path, question: str) -> Answer:
    with closing(Assistant.open(Home(home))) as assistant:
        return assistant.ask(question)


def test_ai_spend_by_provider_and_team_is_what_the_ledger_says(
    sample_home: Path, truth: dict[str, Any]
) -> None:
    """The ledger that the vendors' files were written from, line by line, against the answer."""
    answer = ask(sample_home, QUESTION)
    assert answer.status == "answered"
    result = answer.results[0]
    names = [column.name for column in result.columns]
    provider, team, cost = (names.index(n) for n in ("provider", "team", "effective_cost"))
    came = {f"{row[provider]}/{row[team]}": row[cost] for row in result.rows}
    by_month = truth["effective_by"]["ai_by_provider_and_team"]
    wanted = {name: Decimal(months["2026-10"]) for name, months in by_month.items()}
    assert came == {name: amount for name, amount in wanted.items() if amount}
    assert {name.split("/")[0] for name in came} >= {
        "AWS", "Microsoft", "Google Cloud", "OpenAI", "Anthropic", "Cohere", "Mistral AI",
    }  # fmt: skip


def test_estimates_and_splits_are_loaded_and_add_to_no_bill(
    sample_home: Path, truth: dict[str, Any]
) -> None:
    with closing(Database.open(Home(sample_home)).cursor()) as cursor:
        row = cursor.execute(
            "SELECT (SELECT sum(EffectiveCost) FROM focus), "
            "(SELECT sum(EffectiveCost) FROM focus_split), "
            "(SELECT sum(priced_cost) FROM llm_usage), (SELECT sum(reported_cost) FROM llm_usage), "
            "(SELECT count(DISTINCT x_CostBasis) FROM focus WHERE x_CostBasis <> 'billed')"
        ).fetchone()
    assert row is not None
    billed, split, priced, reported, others = row
    assert billed == Decimal(truth["totals"]["effective"]["total"])
    assert min(split, priced, reported) > 0
    assert others == 0
