"""Principals: what finops.toml may say, and that nothing out of scope can be told from nothing."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from finops_assistant.store.access import EVERYONE, resolve_principal, row_scope, scope_sql
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.settings import Settings


def settings(default: str | None = None, **principals: Any) -> Settings:
    return Settings(principals=principals, default_principal=default)


def test_without_principals_everyone_sees_everything() -> None:
    assert resolve_principal(Settings(), None) is EVERYONE
    assert resolve_principal(Settings(), "anyone") is EVERYONE
    assert scope_sql(EVERYONE) == "TRUE"


@pytest.mark.parametrize("name", [None, "", "ghost", "SEARCH", " search"])
def test_once_one_is_defined_an_unknown_name_sees_nothing(name: str | None) -> None:
    who = resolve_principal(settings(search={"allow": {"team": ["search"]}}), name)
    assert who.unknown
    assert not who.may_use("query_costs")
    assert not who.may_read(["EffectiveCost"])
    with pytest.raises(QueryRefused, match=r"--as") as refusal:
        row_scope(who)
    assert refusal.value.reason == "NOT_PERMITTED"


def test_the_default_principal_counts_only_when_no_name_is_given() -> None:
    chosen = settings("search", search={"allow": {"team": ["search"]}})
    assert resolve_principal(chosen, None).name == "search"
    assert resolve_principal(chosen, "").unknown
    assert resolve_principal(settings("ghost", search={}), None).unknown
    assert resolve_principal(Settings(default_principal="ghost"), None).unknown


def test_scope_is_every_allowed_value_of_every_entry() -> None:
    who = resolve_principal(
        settings(
            a={"allow": {"team": ["search", "o'neil"], "provider": ["OpenAI"], "InvoiceId": [7]}}
        ),
        "a",
    )
    assert scope_sql(who) == (
        "x_Team IN ('search', 'o''neil') AND ServiceProviderName IN ('OpenAI')"
        " AND InvoiceId IN ('7')"
    )
    assert [f["dimension"] for f in row_scope(who).filters] == ["team", "provider", "InvoiceId"]


def test_scope_holds_on_rows_with_and_without_values() -> None:
    rows = "SELECT * FROM (VALUES ('search'), ('ads'), (NULL), ('x'') OR TRUE --')) t(x_Team)"
    for allowed, expected in (
        (["search"], {"search"}),
        (["search", "(untagged)"], {"search", None}),
        (["x') OR TRUE --"], {"x') OR TRUE --"}),
        ([], set()),
        ("ads", {"ads"}),
    ):
        who = resolve_principal(settings(a={"allow": {"team": allowed}}), "a")
        with duckdb.connect() as connection:
            found = connection.execute(f"{rows} WHERE {scope_sql(who)}").fetchall()
        assert {row[0] for row in found} == expected


def test_hide_takes_columns_dimensions_and_metrics() -> None:
    who = resolve_principal(settings(a={"hide": ["listcost", "account", "cost_per_gpu_hour"]}), "a")
    assert who.hide == {
        "ListCost",
        "SubAccountId",
        "BillingAccountId",
        "SubAccountName",
        "BillingAccountName",
        "EffectiveCost",
        "x_GpuHours",
        "PricedCost",  # of usage: an estimate of what is hidden
    }
    assert who.may_read(["BilledCost"])
    assert not who.may_read(["BilledCost", "ListCost"])


@pytest.mark.parametrize("word", ["tokens", "ConsumedQuantity"])
def test_tokens_are_hidden_with_the_quantities_they_may_come_from(word: str) -> None:
    who = resolve_principal(settings(a={"hide": [word]}), "a")
    assert {"Tokens", "ConsumedQuantity"} <= who.hide
    assert who.may_read(["Requests", "EffectiveCost"])


def test_a_dimension_may_stand_elsewhere_over_usage() -> None:
    who = resolve_principal(settings(a={"allow": {"technology": ["AI"], "team": ["x"]}}), "a")
    scope = row_scope(who)
    assert scope.on("usage") == "'AI' IN ('AI') AND x_Team IN ('x')"
    assert "x_GpuHours IS NOT NULL" in scope.on("focus")


def test_tools_are_all_unless_listed() -> None:
    assert resolve_principal(settings(a={}), "a").may_use("query_costs")
    who = resolve_principal(settings(a={"tools": ["describe_data"]}), "a")
    assert who.may_use("describe_data")
    assert not who.may_use("query_costs")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"alow": {}}, "allow"),
        ({"allow": {"teem": ["x"]}}, "team"),
        ({"allow": {"BilledCost": ["1"]}}, "text column"),
        ({"allow": {"team": {"is": "search"}}}, "list of texts"),
        ({"allow": ["search"]}, "table of lists"),
        ({"hide": ["ListCosts"]}, "ListCost"),
        ({"hide": ["ProviderName"]}, "ServiceProviderName"),
        ("search", "expected a table"),
    ],
)
def test_a_wrong_entry_is_named_and_opens_nothing(entry: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        resolve_principal(settings(a=entry), "a")


def test_rights_that_differ_are_cached_apart() -> None:
    one = resolve_principal(settings(a={"allow": {"team": ["x"]}}), "a")
    two = resolve_principal(settings(a={"allow": {"team": ["y"]}}), "a")
    three = resolve_principal(settings(a={"allow": {"team": ["x"]}, "hide": ["ListCost"]}), "a")
    assert len({one.key, two.key, three.key, EVERYONE.key}) == 4
