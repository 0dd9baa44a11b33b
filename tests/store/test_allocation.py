"""Shared cost is split exactly, by rules that are read strictly, and counted once."""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store import focus
from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.allocation import allocate
from finops_assistant.store.allocation_rules import allocation_rules, fingerprint, rules_of
from finops_assistant.store.database import Database
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.full_costs import Allocations, FullCost
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.tables import TABLES

DOCS = Path(__file__).parents[2] / "docs" / "allocation.md"
FIXED = {
    "name": "vectors",
    "scope": "project=vector-store",
    "to": "initiative",
    "method": "fixed",
    "shares": {"search": 0.6, "help": 0.4},
}
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
UNIT = Decimal("0.000000000001")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A store without rows."""
    with duckdb.connect() as connection:
        connection.execute(focus.create_table_sql(focus.MONEY_COLUMNS))
        connection.execute(focus.create_view_sql())
        connection.execute(focus.META_SQL)
        for name in ("business_metrics", "resource_metrics"):
            connection.execute(TABLES[name].create_sql())
        yield connection


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def charge(day: str, cost: str | Decimal, **columns: Any) -> dict[str, Any]:
    start = datetime.fromisoformat(day)
    return {
        "ServiceProviderName": "AWS",
        "ServiceName": "EC2",
        "BillingCurrency": "USD",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
        "EffectiveCost": Decimal(cost),
        "BilledCost": Decimal(cost),
        **columns,
    }


def split(con: duckdb.DuckDBPyConnection, *rules: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Rule, target, month, currency and sums of what was allocated."""
    allocate(con, Settings(allocation=list(rules)))
    return con.execute(
        "SELECT Rule, Target, strftime(ChargePeriodStart, '%Y-%m'), BillingCurrency, "
        "sum(EffectiveCost) FROM allocated GROUP BY ALL ORDER BY ALL"
    ).fetchall()


def business(day: str, value: int, initiative: str | None, **more: str) -> dict[str, Any]:
    tags = f'{{"initiative":"{initiative}"}}' if initiative else None
    return {"date": day, "metric": "gateway_calls", "value": value, "tags": tags, **more}


PROXY = {
    "name": "gateway",
    "scope": "project=gateway",
    "to": "initiative",
    "method": "proxy",
    "metric": "gateway_calls",
}


# --- settings ------------------------------------------------------------------------------------


def test_the_documented_rules_are_read_and_come_back_from_their_fingerprint() -> None:
    text = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)[0]
    settings = Settings(allocation=tomllib.loads(text)["allocation"])
    rules = allocation_rules(settings)
    assert [rule.method for rule in rules] == ["fixed", "proxy", "proportional", "even"]
    assert rules[0].shares == (("semantic-search", "0.6"), ("help-assistant", "0.4"))
    assert (rules[1].meter, rules[1].metric) == ("business_metrics", "gateway_calls")
    assert rules_of(fingerprint(settings)) == rules


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "rule 1"),
        ({"scope": None}, "lacks scope"),
        ({"scope": " ; "}, "scope is empty"),
        ({"scope": "projct=x"}, "Did you mean project"),
        ({"scope": "project"}, "not written like dimension=value"),
        ({"to": "tem"}, "Did you mean team"),
        ({"to": "provider"}, "to is 'provider'"),
        ({"method": "proportionl"}, "Did you mean proportional"),
        ({"sharse": {}}, "Did you mean shares"),
        ({"targets": ["a"]}, "belongs to method even and proportional and proxy, not fixed"),
        ({"shares": {"a": 0.6, "b": 0.3}}, "add up to 0.9, not to 1"),
        ({"shares": {"a": 1.5, "b": -0.5}}, "not a number from 0 to 1"),
        ({"shares": {"a": True}}, "not a number from 0 to 1"),
        ({"shares": {"a": "all"}}, "not a number from 0 to 1"),
        ({"shares": {"a": float("nan")}}, "not a number from 0 to 1"),
        ({"shares": {"a": 0.33333333333333, "b": 0.66666666666667}}, "more than 12 decimals"),
        ({"shares": {}}, "must be a table"),
        ({"shares": {"(unallocated)": 1}}, "cannot be a target"),
        ({"method": "even", "shares": None}, "targets must be a list"),
        ({"method": "even", "shares": None, "targets": ["a", "a"]}, "named twice"),
        ({"method": "proxy", "shares": None}, "lacks metric"),
        (
            {"method": "proxy", "shares": None, "metric": "calls", "from": "llm_usage"},
            "metric of llm_usage",
        ),
        (
            {"method": "proxy", "shares": None, "metric": "x", "from": "llm_usge"},
            "Did you mean llm_usage",
        ),
        (
            {"method": "proxy", "shares": None, "metric": "x", "layer": "gateway"},
            "layer belongs to llm_usage",
        ),
        (
            {"method": "proxy", "shares": None, "metric": "tokens", "where": "vendor:OpenAI"},
            "not written like",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_said_in_one_sentence(
    change: dict[str, Any], words: str
) -> None:
    entry = {key: value for key, value in {**FIXED, **change}.items() if value is not None}
    with pytest.raises(UsageError, match=re.escape(words)) as error:
        allocation_rules(Settings(allocation=[entry]))
    assert str(error.value).startswith("finops.toml, allocation")


def test_two_rules_of_one_name_and_a_rule_that_is_no_table_are_refused() -> None:
    with pytest.raises(UsageError, match="two allocation rules are named 'vectors'"):
        allocation_rules(Settings(allocation=[FIXED, FIXED]))
    with pytest.raises(UsageError, match=r"\[\[allocation\]\]"):
        allocation_rules(Settings(allocation=["half each"]))


def test_a_wrong_rule_stops_a_load_before_anything_is_written(
    home: Home, bill: Callable[..., Path]
) -> None:
    home.path.mkdir()
    (home.path / "finops.toml").write_text('[allocation]\nname = "x"\n')
    with pytest.raises(UsageError, match=r"\[\[allocation\]\]"):
        ingest(home, [bill("a.csv", [{}])])
    (home.path / "finops.toml").write_text('[[allocation]]\nname = "x"\n')
    with pytest.raises(UsageError, match="lacks method"):
        ingest(home, [bill("a.csv", [{}])])
    assert not home.pointer.exists()


# --- exactness -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_parts_add_up_to_every_line_and_are_the_months_share_rounded_once(
    seed: int, con: duckdb.DuckDBPyConnection
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same figures every time
    rows = []
    for day in range(20, 40):  # the end of September, the beginning of October
        for service in ("EC2", "S3", "RDS"):
            for currency in ("USD", "EUR"):
                digits = chance.choice([6, 12, 17, 22])
                cost = Decimal(chance.randrange(-(10**digits) // 3, 10**digits)).scaleb(-12)
                start = date(2026, 9, 1) + timedelta(days=day)
                rows.append(
                    charge(
                        start.isoformat(),
                        cost,
                        ServiceName=service,
                        BillingCurrency=currency,
                        x_Project="pool",
                        BilledCost=-cost,
                    )
                )
    insert(con, "charges", rows)
    shares = {"a": "0.123456789012", "b": "0.5", "c": "0.000000000001", "d": "0.376543210987"}
    rule = {
        "name": "p",
        "scope": "project=pool",
        "to": "team",
        "method": "fixed",
        "shares": {target: Decimal(share) for target, share in shares.items()},
    }
    allocate(con, Settings(allocation=[rule]))
    lines: dict[tuple[Any, ...], list[Decimal]] = {}
    pools: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        line = (row["ChargePeriodStart"], row["ServiceName"], row["BillingCurrency"])
        lines[line] = [row["EffectiveCost"], row["BilledCost"]]
        pools[f"{row['ChargePeriodStart']:%Y-%m}", row["BillingCurrency"]] += row["EffectiveCost"]
    found = con.execute(
        "SELECT ChargePeriodStart, ServiceName, BillingCurrency, sum(EffectiveCost), "
        "sum(BilledCost) FROM allocated GROUP BY 1, 2, 3"
    ).fetchall()
    assert {row[:3]: list(row[3:]) for row in found} == lines
    by_target = con.execute(
        "SELECT strftime(ChargePeriodStart, '%Y-%m'), BillingCurrency, Target, sum(EffectiveCost) "
        "FROM allocated WHERE Target <> 'd' GROUP BY 1, 2, 3"  # d takes what rounding leaves
    ).fetchall()
    with localcontext(prec=80):
        assert {row[:3]: row[3] for row in by_target} == {
            (*pool, target): (total * Decimal(share)).quantize(UNIT, ROUND_HALF_EVEN)
            for pool, total in pools.items()
            for target, share in shares.items()
            if target != "d"
        }


def test_half_a_unit_goes_to_the_even_side(con: duckdb.DuckDBPyConnection) -> None:
    days = [charge(f"2026-{month:02}-01", month * UNIT, x_Project="tools") for month in range(1, 7)]
    insert(con, "charges", days)
    even = {"name": "t", "scope": "project=tools", "to": "team", "method": "even",
            "targets": ["a", "b"]}  # fmt: skip
    first = [row[4] / UNIT for row in split(con, even) if row[1] == "a"]
    assert first == [0, 1, 2, 2, 2, 3]


def test_a_proxys_share_is_exact_to_the_last_stored_decimal(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "charges", [charge(f"2026-10-{d:02}", "13.1", x_Project="gateway") for d in (1, 9)])
    insert(con, "business_metrics", [business("2026-10-01", n, who) for n, who in
                                     ((7, "search"), (3, "help"), (11, None))])  # fmt: skip
    found = split(con, PROXY)
    total = Decimal("26.2")
    search, rest = (total * 7 / 21).quantize(UNIT), (total * 3 / 21).quantize(UNIT)
    assert found == [
        ("gateway", "(untagged)", "2026-10", "USD", total - search - rest),
        ("gateway", "help", "2026-10", "USD", rest),
        ("gateway", "search", "2026-10", "USD", search),
    ]
    ((basis,),) = con.execute(
        "SELECT DISTINCT Basis FROM allocated WHERE Target = 'search'"
    ).fetchall()
    assert basis == "7 of 21 gateway_calls, metered on 1 of 31 days"


# --- methods -------------------------------------------------------------------------------------


def test_fixed_and_even(con: duckdb.DuckDBPyConnection) -> None:
    insert(
        con,
        "charges",
        [
            charge("2026-10-01", "10", x_Project="vector-store"),
            charge("2026-10-02", "-2", x_Project="vector-store", BillingCurrency="EUR"),
            charge("2026-10-02", "1", x_Project="tools"),
        ],
    )
    even = {"name": "tools", "scope": "project=tools", "to": "team", "method": "even",
            "targets": ["a", "b", "c"]}  # fmt: skip
    third = Decimal("0.333333333333")
    assert split(con, FIXED, even) == [
        ("tools", "a", "2026-10", "USD", third),
        ("tools", "b", "2026-10", "USD", third),
        ("tools", "c", "2026-10", "USD", 1 - 2 * third),
        ("vectors", "help", "2026-10", "EUR", Decimal("-0.8")),
        ("vectors", "help", "2026-10", "USD", Decimal(4)),
        ("vectors", "search", "2026-10", "EUR", Decimal("-1.2")),
        ("vectors", "search", "2026-10", "USD", Decimal(6)),
    ]


PROPORTIONAL = {
    "name": "support",
    "scope": "service=Support",
    "to": "team",
    "method": "proportional",
}


def test_proportional_goes_by_the_months_own_cost_in_the_same_currency(
    con: duckdb.DuckDBPyConnection,
) -> None:
    insert(
        con,
        "charges",
        [
            charge("2026-09-30", "99", x_Team="ads"),  # another month
            charge("2026-10-01", "30", x_Team="search"),
            charge("2026-10-05", "10", x_Team="ads"),
            charge("2026-10-05", "-5", x_Team="credit-only"),
            charge("2026-10-05", "60"),
            charge("2026-10-05", "7", x_Team="ads", BillingCurrency="EUR"),
            charge("2026-10-31", "50", ServiceName="Support", x_Team="platform"),
            charge("2026-10-31", "14", ServiceName="Support", BillingCurrency="EUR"),
            charge("2026-10-31", "3", ServiceName="Support", BillingCurrency="GBP"),
        ],
    )
    assert split(con, PROPORTIONAL) == [
        ("support", "(unallocated)", "2026-10", "GBP", Decimal(3)),
        ("support", "(untagged)", "2026-10", "USD", Decimal(30)),
        ("support", "ads", "2026-10", "EUR", Decimal(14)),
        ("support", "ads", "2026-10", "USD", Decimal(5)),
        ("support", "search", "2026-10", "USD", Decimal(15)),
    ]
    assert con.execute("SELECT Basis FROM allocated WHERE Target = '(unallocated)'").fetchall() == [
        ("no GBP of direct cost in 2026-10",)
    ]
    listed = {**PROPORTIONAL, "targets": ["ads", "search"]}
    assert [row[1:] for row in split(con, listed) if row[3] == "USD"] == [
        ("ads", "2026-10", "USD", Decimal("12.5")),
        ("search", "2026-10", "USD", Decimal("37.5")),
    ]


def test_a_month_without_a_measure_is_unallocated_and_never_vanishes(
    con: duckdb.DuckDBPyConnection,
) -> None:
    insert(con, "charges", [charge(f"2026-{m:02}-01", "8", x_Project="gateway") for m in (9, 10)])
    insert(con, "business_metrics", [business("2026-10-03", 5, "search")])
    assert split(con, PROXY) == [
        ("gateway", "(unallocated)", "2026-09", "USD", Decimal(8)),
        ("gateway", "search", "2026-10", "USD", Decimal(8)),
    ]
    assert split(con, {**PROXY, "targets": ["help"]}) == [
        ("gateway", "(unallocated)", "2026-09", "USD", Decimal(8)),
        ("gateway", "(unallocated)", "2026-10", "USD", Decimal(8)),
    ]


def test_a_proxys_where_and_tag_aliases(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "charges", [charge("2026-10-01", "8", x_Project="gateway")])
    rows = [
        {**business("2026-10-01", 3, None, team="a"), "tags": '{"Initiative":"srch","zone":"x"}'},
        {
            **business("2026-10-01", 1, None, team="b"),
            "tags": '{"AI-Initiative":"help","zone":"x"}',
        },
        {**business("2026-10-01", 50, None, team="c"), "tags": '{"initiative":"no","zone":"y"}'},
    ]
    insert(con, "business_metrics", rows)
    settings = Settings(
        allocation=[{**PROXY, "where": "Zone=x"}],
        tags={"initiative": {"values": {"srch": "search"}}},
    )
    allocate(con, settings)
    assert con.execute("SELECT Target, EffectiveCost FROM allocated ORDER BY 1").fetchall() == [
        ("help", Decimal(2)),
        ("search", Decimal(6)),
    ]
    assert [row[1::3] for row in split(con, {**PROXY, "to": "team", "where": "team=b"})] == [
        ("b", Decimal(8))
    ]


def test_a_proxy_of_model_usage_takes_the_chosen_layer(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "charges", [charge("2026-10-01", "8", x_Project="gateway")])
    con.execute(
        "CREATE TABLE usage AS SELECT TIMESTAMP '2026-10-01' AS ChargePeriodStart, * FROM (VALUES "
        "('gateway', 'OpenAI', 'a', 'f', 3, NULL, NULL, FALSE, TRUE), "
        "('vendor', 'OpenAI', 'b', NULL, 5, NULL, NULL, TRUE, FALSE), "
        "('vendor', 'OpenAI', 'b', NULL, NULL, 90, 'Input', TRUE, FALSE), "
        "('vendor', 'Anthropic', 'c', NULL, NULL, 30, 'Input', TRUE, FALSE), "
        "('vendor', 'Anthropic', 'c', NULL, NULL, 80, 'Output', TRUE, FALSE)) AS t(Layer, "
        "ServiceProviderName, x_Team, x_Feature, Requests, Tokens, x_TokenDirection, Chosen, "
        "ChosenDetail)"
    )

    def targets(**more: str) -> dict[str, Decimal]:
        rule = {**PROXY, "to": "team", "metric": "requests", **more}
        return {row[1]: row[4] for row in split(con, rule)}

    assert targets() == {"b": 8}
    assert targets(layer="gateway") == {"a": 8}
    assert targets(to="feature") == {"f": 8}
    assert targets(metric="input_tokens") == {"b": 6, "c": 2}
    assert targets(metric="tokens") == {"b": Decimal("3.6"), "c": Decimal("4.4")}
    assert targets(metric="tokens", where="provider=anthropic") == {"c": 8}


def test_a_proxy_of_telemetry_goes_by_who_the_resource_is_billed_to(
    con: duckdb.DuckDBPyConnection,
) -> None:
    insert(
        con,
        "charges",
        [
            charge("2026-10-01", "8", x_Project="gateway"),
            charge("2026-10-01", "1", ResourceId="arn:aws:ec2:x:1:instance/i-1", x_Team="a"),
            charge("2026-10-02", "9", ResourceId="arn:aws:ec2:x:1:instance/i-1", x_Team="b"),
            charge("2026-10-02", "9", ResourceId="endpoint-2", x_Team="c"),
        ],
    )
    measured = (("i-1", 30), ("endpoint-2", 50), ("unknown", 20))
    rows = [
        {"timestamp": "2026-10-04", "resource_id": r, "metric": "invocations", "value": v}
        for r, v in measured
    ]
    insert(con, "resource_metrics", rows)
    rule = {**PROXY, "to": "team", "metric": "invocations"}
    assert {row[1]: row[4] for row in split(con, rule)} == {
        "b": Decimal("2.4"),
        "c": Decimal(4),
        "(untagged)": Decimal("1.6"),
    }
    one = {**rule, "where": "resource_id=endpoint-2"}
    assert {row[1]: row[4] for row in split(con, one)} == {"c": Decimal(8)}


# --- overlaps, full costs, principals ------------------------------------------------------------


def company(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], ...]:
    """A company of 1,000 USD in October, and the rules that split 100 and 40 of it."""
    ai = {"ServiceCategory": "AI and Machine Learning"}
    search = {"x_Initiative": "search", "x_Team": "search"}
    insert(
        con,
        "charges",
        [
            charge("2026-10-01", "300", **ai, **search, x_ModelId="gpt-5"),
            charge("2026-10-02", "150", **ai, **search),
            charge("2026-10-03", "80", **ai, **search, x_ModelId="o", CommitmentDiscountId="ptu"),
            charge("2026-10-04", "70", x_WorkloadType="training", x_Initiative="help", x_Team="ml"),
            charge("2026-10-05", "20", x_WorkloadType="pipeline", x_Initiative="help", x_Team="ml"),
            charge("2026-10-06", "240", x_Team="ml"),
            charge("2026-10-07", "100", x_Project="vector-store", x_Team="platform"),
            charge("2026-10-08", "40", x_Project="gateway", x_Team="platform"),
            charge("2026-11-01", "5000", **search),
        ],
    )
    second = {"name": "platform", "scope": "team=platform", "to": "initiative", "method": "even",
              "targets": ["search", "help"]}  # fmt: skip
    third = {"name": "for teams", "scope": "project=vector-store", "to": "team", "method": "even",
             "targets": ["search", "ml"]}  # fmt: skip
    rules = (FIXED, second, third)
    allocate(con, Settings(allocation=list(rules)))
    return rules


def test_the_first_rule_has_a_charge_and_the_next_says_what_it_lost(
    con: duckdb.DuckDBPyConnection,
) -> None:
    company(con)
    found = Allocations.of(con, EVERYONE)
    proofs = [proof for rule in found.rules for proof in found.proofs(rule, *OCTOBER)]
    assert [
        (p.rule, p.charges, p.effective, p.split_effective, p.lost, p.exact) for p in proofs
    ] == [
        ("vectors", 1, 100, 100, 0, True),
        ("platform", 1, 40, 40, 100, True),
        ("for teams", 1, 100, 100, 0, True),
    ]


def test_full_costs_are_own_charges_by_kind_and_shares(con: duckdb.DuckDBPyConnection) -> None:
    company(con)
    everything = Allocations.of(con, EVERYONE)
    found = {one.target: one for one in everything.full_costs("initiative", *OCTOBER)}
    assert found["search"] == FullCost(
        "search",
        "USD",
        {
            "model API": Decimal(300),
            "endpoint": Decimal(150),
            "provisioned throughput": Decimal(80),
        },
        {"vectors": Decimal(60), "platform": Decimal(20)},
    )
    assert found["search"].total == 610
    assert found["help"] == FullCost(
        "help",
        "USD",
        {"training GPU": Decimal(70), "pipeline": Decimal(20)},
        {"vectors": Decimal(40), "platform": Decimal(20)},
    )
    assert found["(untagged)"].direct == {"other": Decimal(240)}
    assert sum(one.total for one in found.values()) == 1000


def test_every_charge_counts_once_in_each_dimension(con: duckdb.DuckDBPyConnection) -> None:
    company(con)
    everything = Allocations.of(con, EVERYONE)
    found = {one.target: one.total for one in everything.full_costs("team", *OCTOBER)}
    # the gateway's 40 stays with platform: no rule splits it to teams
    assert found == {"search": 580, "ml": 380, "platform": 40}


def test_a_rule_changed_at_the_next_opening(
    home: Home, bill: Callable[..., Path], ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    ingest(home, [bill("a.csv", [{"EffectiveCost": "10"}, {"ServiceName": "S3"}])])
    query = "SELECT Target, EffectiveCost FROM allocated ORDER BY 1"
    assert ask(query) == []
    rule = (
        '[[allocation]]\nname = "x"\nscope = "service=Amazon EC2"\nto = "team"\n'
        'method = "fixed"\nshares = {{ a = {}, b = {} }}\n'
    )
    (home.path / "finops.toml").write_text(rule.format(0.25, 0.75))
    assert ask(query) == [("a", Decimal("2.5")), ("b", Decimal("7.5"))]
    (home.path / "finops.toml").write_text(rule.format(0.5, 0.5))
    assert ask(query) == [("a", Decimal(5)), ("b", Decimal(5))]
    (home.path / "finops.toml").unlink()
    assert ask(query) == []


def test_a_principal_sees_its_own_rows_and_shares_of_what_is_its_own_as_a_whole(
    con: duckdb.DuckDBPyConnection,
) -> None:
    company(con)
    lead = Principal("lead", {"team": ("search",)})
    found = Allocations.of(con, lead)
    assert {one.target: one.total for one in found.full_costs("initiative", *OCTOBER)} == {
        "search": 610
    }
    assert [(s.rule, s.target, s.effective, s.share, s.basis) for s in
            found.splits("initiative", *OCTOBER)] == [
        ("vectors", "search", 60, None, None),
        ("platform", "search", 20, None, None),
    ]  # fmt: skip
    assert [found.proofs(rule, *OCTOBER) for rule in found.rules] == [(), (), ()]
    # a share of an initiative that others pay for as well would tell what they pay
    insert(con, "charges", [charge("2026-10-09", "1", x_Initiative="search", x_Team="ml")])
    assert found.splits("initiative", *OCTOBER) == ()


def test_what_is_hidden_is_not_shown(con: duckdb.DuckDBPyConnection) -> None:
    company(con)
    with pytest.raises(QueryRefused):
        Allocations.of(con, Principal("p", hide=frozenset({"EffectiveCost"})))
    with pytest.raises(QueryRefused):
        Allocations.of(con, Principal("p", unknown=True))
    with pytest.raises(QueryRefused):
        Allocations.of(con, Principal("p", tools=frozenset({"query_costs"})))
    without_teams = Allocations.of(con, Principal("p", hide=frozenset({"x_Team"})))
    with pytest.raises(QueryRefused, match="by team"):
        without_teams.full_costs("team", *OCTOBER)
    hidden = Allocations.of(con, Principal("p", hide=frozenset({"BilledCost", "x_ModelId"})))
    first = hidden.splits("initiative", *OCTOBER)[0]
    assert (first.effective, first.billed) == (60, None)
    assert {kind for one in hidden.full_costs("team", *OCTOBER) for kind in one.direct} == {
        "direct"
    }
    no_project = Allocations.of(con, Principal("p", hide=frozenset({"x_Project"})))
    assert [no_project.may_see(rule) for rule in no_project.rules] == [False, True, False]


def test_the_sample_companys_initiatives_cost_what_its_truth_file_says(sample_home: Path) -> None:
    """Parts and totals to the last decimal, and every split adds up in every month."""
    text = (sample_home / "sample" / "truth.json").read_text(encoding="utf-8")
    truth = json.loads(text)["planted"]["initiative_full_cost"]
    database = Database.open(Home(sample_home))
    with closing(database.cursor()) as cursor:
        found = Allocations.of(cursor, EVERYONE)
        shared = {rule.name: rule.pool.filters.get("project", ("",))[0] for rule in found.rules}
        full = {one.target: one for one in found.full_costs("initiative", *OCTOBER)}
        for name, expected in truth.items():
            one = full[name]
            assert one.direct == {k: Decimal(v) for k, v in expected["direct"].items()}, name
            given = {shared[rule]: amount for rule, amount in one.allocated.items()}
            assert given == {k: Decimal(v) for k, v in expected["shared"].items()}, name
            assert one.total == Decimal(expected["total"]), name
        ((everything,),) = cursor.execute(
            "SELECT sum(EffectiveCost) FROM focus WHERE ChargePeriodStart >= '2026-10-01' "
            "AND ChargePeriodStart < '2026-11-01'"
        ).fetchall()
        assert sum(one.total for one in full.values()) == everything
        ever = date(2020, 1, 1), date(2030, 1, 1)
        proofs = [proof for rule in found.rules for proof in found.proofs(rule, *ever)]
        assert len(proofs) == len(found.rules)
        assert all(proof.exact and proof.effective for proof in proofs)
    database.close()
