"""Figures that stand for a part of the whole come with what part that is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from finops_assistant.agent import compose, placeholders
from finops_assistant.agent.plan import Plan, QueryPlan
from finops_assistant.store.access import EVERYONE
from finops_assistant.store.evidence import COVERAGE
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.store import Store
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.query_costs import QUERY_COSTS
from tests.store.conftest import charge, connect, store_of, used

__all__ = ["charge", "connect", "store_of", "used"]  # fixtures

MARCH = {"start": "2026-03-01", "end": "2026-04-01"}


@pytest.fixture
def context(store_of: Callable[..., Store], charge: Any, used: Any) -> ToolContext:
    """Three million tokens, of which a gateway saw one; a bill for two of them."""
    openai = {"ServiceProviderName": "OpenAI", "x_ModelId": "gpt-4o", "x_TokenDirection": "Input"}
    gateway = {"Layer": "gateway", "Chosen": False, "x_Feature": "chat"}
    store = store_of(
        [charge("2026-03-10", "4", **openai), charge("2026-03-31", "1")],
        [
            used("2026-03-10", 2_000_000, ChosenDetail=False),
            used("2026-03-11", 1_000_000, ChosenDetail=False),
            used("2026-03-11", 1_000_000, **gateway),
        ],
    )
    return ToolContext(store, EVERYONE, date(2026, 4, 1))


def told(context: ToolContext, **parts: Any) -> tuple[list[str], placeholders.Filled]:
    query = MetricQuery.model_validate({"time": MARCH, **parts})
    results = QUERY_COSTS.call(context, parts | {"time": MARCH})
    text = compose.compose(Plan(step=QueryPlan(query=query)), results, context.store.semantics)
    filled = placeholders.fill(text, {result.id: result for result in results})
    return [result.title for result in results], filled


def test_a_feature_comes_with_the_share_that_is_known(context: ToolContext) -> None:
    titles, filled = told(context, metrics=["tokens"], dimensions=["feature"], show="table")
    assert titles[-1] == COVERAGE
    assert "These sources cover 33.3% of the tokens." in filled.text
    assert [(b.text, b.column) for b in filled.bound if b.unit == "ratio"] == [
        ("33.3%", "tokens_known")
    ]


def test_no_total_stands_over_rows_that_it_does_not_count(
    store_of: Callable[..., Store], charge: Any, used: Any
) -> None:
    """Two features of a gateway that saw two of three million tokens: 3M is not their total."""
    gateway = {"Layer": "gateway", "Chosen": False}
    store = store_of(
        [charge("2026-03-31", "1")],
        [
            used("2026-03-11", 3_000_000, ChosenDetail=False),
            used("2026-03-11", 1_500_000, x_Feature="chat", **gateway),
            used("2026-03-11", 500_000, x_Feature="search", **gateway),
        ],
    )
    context = ToolContext(store, EVERYONE, date(2026, 4, 1))
    _, filled = told(context, metrics=["tokens"], dimensions=["feature"], show="table")
    assert "1,500,000" in filled.text
    assert "3,000,000" not in filled.text


def test_a_unit_cost_comes_with_the_share_that_is_billed(context: ToolContext) -> None:
    _, filled = told(context, metrics=["cost_per_1m_tokens"])
    assert "**$2.00** cost per 1M tokens" in filled.text
    assert "Of the tokens, 66.7% have a bill on their day: only they count." in filled.text
    assert "Of the cost" not in filled.text


def test_a_whole_needs_no_share(context: ToolContext) -> None:
    assert told(context, metrics=["tokens"])[0] == ["Tokens, 2026-03-01 to 2026-03-31"]
    assert COVERAGE not in told(context, metrics=["effective_cost"], dimensions=["feature"])[0]
