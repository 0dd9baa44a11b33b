"""The semantic layer is whole, names every word once, and says truly which columns it reads."""

from __future__ import annotations

from collections import defaultdict

import pytest
import sqlglot
from sqlglot import expressions

from finops_assistant.store.focus import BY_NAME
from finops_assistant.store.metrics import Dimension, Metric, load_semantics

METRICS = [
    *("effective_cost", "billed_cost", "list_cost", "contracted_cost", "savings"),
    *("tokens", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens"),
    *("requests", "errors"),
    *("cost_per_1m_tokens", "cost_per_request", "gpu_hours", "cost_per_gpu_hour"),
]
DIMENSIONS = [
    *("provider", "service", "category", "subcategory", "technology", "account"),
    *("billing_account", "region"),
    *("resource_id", "sku", "charge_category", "commitment_id", "model", "model_family"),
    *("token_direction", "workload_type", "team", "project", "environment", "feature"),
    *("customer", "cost_centre", "initiative"),
]
SEMANTICS = load_semantics()
NAMED: list[Metric | Dimension] = [*SEMANTICS.metrics.values(), *SEMANTICS.dimensions.values()]


def columns_in(sql: str) -> set[str]:
    tree = sqlglot.parse_one(sql, read="duckdb")
    return {column.name for column in tree.find_all(expressions.Column)}


def test_every_name_of_the_contract_is_defined_in_its_order() -> None:
    assert list(SEMANTICS.metrics) == METRICS
    assert list(SEMANTICS.dimensions) == DIMENSIONS


@pytest.mark.parametrize("metric", SEMANTICS.metrics.values(), ids=lambda m: m.name)
def test_a_metric_names_exactly_the_columns_it_reads(metric: Metric) -> None:
    if metric.kind == "ratio":
        assert SEMANTICS.metrics[metric.numerator].kind == "additive"
        assert SEMANTICS.metrics[metric.denominator].kind == "additive"
        assert set().union(*map(columns_in, metric.rows)) == set(metric.columns) <= set(BY_NAME)
        assert bool(metric.match) == (len(SEMANTICS.facts(metric)) == 2)
        return
    read = set().union(*map(columns_in, (metric.value, *metric.rows)))
    assert read == set(metric.columns)
    own = {"Tokens", "Requests", "Errors"} if metric.fact == "usage" else set()
    assert read <= set(BY_NAME) | own


@pytest.mark.parametrize("dimension", SEMANTICS.dimensions.values(), ids=lambda d: d.name)
def test_a_dimension_names_exactly_the_columns_it_reads(dimension: Dimension) -> None:
    assert columns_in(dimension.value) == set(dimension.columns) <= set(BY_NAME)
    if dimension.label:
        # The label may look at the value's own columns to choose between names.
        assert set(dimension.label_columns) <= columns_in(dimension.label) <= set(BY_NAME)
    assert dimension.missing == ("(untagged)" if dimension.tag else "(none)")


def test_no_word_means_two_things() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for named in NAMED:
        words = {named.name.replace("_", " "), named.title.lower(), named.plural.lower()}
        for word in words | set(named.synonyms):
            meanings[word].add(named.name)
    assert {word: names for word, names in meanings.items() if len(names) > 1} == {}


def test_synonyms_are_plain_lower_case_text() -> None:
    for named in NAMED:
        assert all(word == word.strip().lower() for word in named.synonyms), named.name
        assert len(named.synonyms) == len(set(named.synonyms)), named.name
        assert named.description
        assert named.source


def test_the_basis_moves_effective_cost_and_the_top_of_a_ratio() -> None:
    assert SEMANTICS.cost_metric("effective_cost", "billed") == "billed_cost"
    assert SEMANTICS.cost_metric("list_cost", "billed") == "list_cost"
    assert SEMANTICS.columns("cost_per_gpu_hour", "list") == {"ListCost", "x_GpuHours"}
