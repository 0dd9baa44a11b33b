"""Free SQL for the agent: a result like any other, marked as what it is."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_assistant.store import catalogue
from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.delivery import deliver, locked
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.result import Column, Result
from finops_assistant.store.sandbox.client import close_shared
from finops_assistant.store.settings import Home
from finops_assistant.store.store import Store
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.run_sql import NOTE, RUN_SQL
from finops_assistant.tools.tool import compact

AS_OF = date(2026, 3, 1)
STATEMENTS = Path(__file__).parents[1] / "store" / "test_sandbox_hostile.py"
HOSTILE = runpy.run_path(str(STATEMENTS))["STATEMENTS"]


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    close_shared()


@pytest.fixture
def context_of(tmp_path: Path) -> Iterator[Callable[..., ToolContext]]:
    """Makes the context of a turn over 60 days of 1 per day and team, of some currencies."""
    opened: list[Store] = []

    def make(*currencies: str, principal: Principal = EVERYONE) -> ToolContext:
        def fill(con: duckdb.DuckDBPyConnection) -> bool:
            for currency in currencies or ("USD",):
                con.execute(
                    """
                    INSERT INTO charges BY NAME
                    SELECT 1 AS EffectiveCost, 2 AS BilledCost, ? AS BillingCurrency,
                           CASE i % 2 WHEN 0 THEN 'ml' ELSE 'search' END AS x_Team,
                           TIMESTAMP '2026-01-01' + INTERVAL (i // 2) DAY AS ChargePeriodStart,
                           TIMESTAMP '2026-01-02' + INTERVAL (i // 2) DAY AS ChargePeriodEnd,
                           'AWS' AS ServiceProviderName, 1 AS _file_id
                    FROM range(120) t(i)
                    """,
                    [currency],
                )
            catalogue.refresh(con, full=True)
            return True

        with locked(Home(tmp_path)):
            deliver(Home(tmp_path), fill)
        store = Store.open(Home(tmp_path))
        opened.append(store)
        return ToolContext(store, principal, AS_OF)

    yield make
    for store in opened:
        store.close()


def run(context: ToolContext, sql: str) -> Result:
    (result,) = RUN_SQL.call(context, {"sql": sql})
    return result


def test_the_result_has_its_evidence(context_of: Callable[..., ToolContext]) -> None:
    context = context_of()
    sql = "SELECT x_Team AS team, sum(EffectiveCost) AS cost, count(*) AS n FROM focus GROUP BY 1"
    result = run(context, sql + " ORDER BY 1")
    # January and February: AS_OF is the first of March, and later rows are not looked at.
    assert result.rows == (("ml", Decimal(59), 59), ("search", Decimal(59), 59))
    assert result.columns == (Column("team", "text"), Column("cost", "USD"), Column("n", "count"))
    assert result.id == "r1"
    assert result.query is None
    assert result.sql == sql + " ORDER BY 1"
    assert result.notes == (NOTE,)
    assert (result.row_count, result.truncated) == (2, False)
    assert (result.scope.start, result.scope.end) == (date(2026, 1, 1), AS_OF)
    assert result.scope.currency == "USD"
    assert result.scope.cost_metric == "effective_cost"
    assert result.scope.data_through == datetime(2026, 3, 1, tzinfo=UTC)
    assert context.results == [result]
    assert run(context, "SELECT 1").id == "r2"
    assert "cost [USD]" in compact(result)


def test_a_principal_is_in_the_scope(context_of: Callable[..., ToolContext]) -> None:
    ml = Principal(name="ml", allow={"team": ("ml",)})
    result = run(context_of(principal=ml), "SELECT DISTINCT x_Team FROM focus")
    assert result.rows == (("ml",),)
    assert result.scope.filters == (
        {"dimension": "team", "op": "in", "values": ["ml"], "by": "principal"},
    )
    assert result.scope.currency == ""


def test_what_may_not_run_and_what_is_wrong_are_refused(
    context_of: Callable[..., ToolContext],
) -> None:
    context = context_of()
    for sql, reason in (
        ("DELETE FROM focus", "WRITE_ACTION"),
        ("SELECT * FROM read_csv('/etc/passwd')", "WRITE_ACTION"),
        ("SELECT nothing FROM focus", "OUT_OF_SCOPE"),
        ("SELEC", "OUT_OF_SCOPE"),
    ):
        with pytest.raises(QueryRefused) as caught:
            run(context, sql)
        assert caught.value.reason == reason
    assert context.results == []


def test_currencies_are_never_added(context_of: Callable[..., ToolContext]) -> None:
    context = context_of("USD", "EUR")
    with pytest.raises(QueryRefused, match="never added") as caught:
        run(context, "SELECT sum(EffectiveCost) FROM focus")
    assert caught.value.reason == "AMBIGUOUS_VALUE"
    apart = run(
        context, "SELECT BillingCurrency, sum(EffectiveCost) AS c FROM focus GROUP BY 1 ORDER BY 1"
    )
    assert apart.rows == (("EUR", Decimal(118)), ("USD", Decimal(118)))
    assert apart.columns[1] == Column("c", "currency")
    assert run(context, "SELECT count(*) FROM focus").rows == ((236,),)


def test_the_cap_is_said(context_of: Callable[..., ToolContext]) -> None:
    result = run(context_of(), "SELECT a.x_Team FROM focus a, focus b")
    assert (result.row_count, result.truncated) == (1000, True)
    assert result.notes == (NOTE, "Only the first 1,000 rows are shown; there are more.")


def test_its_schema_is_small() -> None:
    assert len(RUN_SQL.description) + len(str(RUN_SQL.arguments.model_json_schema())) < 1200
    assert RUN_SQL.name == "run_sql"


def test_no_hostile_statement_runs(context_of: Callable[..., ToolContext]) -> None:
    context = context_of()
    for sql in HOSTILE:
        with pytest.raises(QueryRefused) as caught:
            run(context, sql)
        assert len(str(caught.value)) < 500
    assert context.results == []
