"""``finops sql``: rows as JSON or as a table, a refusal with its reason and exit code."""

from __future__ import annotations

import json
import runpy
from argparse import Namespace
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_assistant.store import catalogue
from finops_assistant.store.database import Database
from finops_assistant.store.delivery import deliver, locked
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.result import Cell
from finops_assistant.store.sandbox.client import close_shared
from finops_assistant.store.settings import Home
from finops_assistant.ui.sql import run, table

STATEMENTS = Path(__file__).parents[1] / "store" / "test_sandbox_hostile.py"
HOSTILE = runpy.run_path(str(STATEMENTS))["STATEMENTS"]
ROWS = (
    ("search", "10.25", "USD"),
    ("search", "0.000000000001", "USD"),
    ("a\x1b[31mds\nx", "5", "USD"),
)


def load(home: Home, *rows: tuple[str, str, str]) -> None:
    """Add rows as a delivery does: team, cost and currency of one day."""

    def fill(con: duckdb.DuckDBPyConnection) -> bool:
        con.executemany(
            """
            INSERT INTO charges (x_Team, EffectiveCost, BillingCurrency, ServiceProviderName,
                ChargePeriodStart, ChargePeriodEnd, _file_id)
            VALUES (?, ?, ?, 'AWS', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', 1)
            """,
            [list(row) for row in rows],
        )
        catalogue.refresh(con, full=True)
        return True

    with locked(home):
        deliver(home, fill)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    load(made, *ROWS)
    yield made
    close_shared()


def arguments(
    home: Home, sql: str, *, as_json: bool = False, principal: str | None = None
) -> Namespace:
    return Namespace(home=home, sql=sql, json=as_json, principal=principal)


BY_TEAM = (
    "SELECT x_Team AS team, sum(EffectiveCost) AS cost, max(ChargePeriodStart) AS last FROM focus "
    "WHERE x_Team = 'search' GROUP BY 1"
)


def test_json_is_one_object(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(home, BY_TEAM, as_json=True)) == 0
    shown = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert shown.pop("elapsed_ms") >= 0
    assert shown == {
        "columns": [
            {"name": "team", "unit": "text"},
            {"name": "cost", "unit": "USD"},
            {"name": "last", "unit": "date"},
        ],
        "rows": [["search", Decimal("10.250000000001"), "2026-01-01T00:00:00"]],
        "row_count": 1,
        "truncated": False,
    }


def test_text_is_a_table(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT x_Team, sum(EffectiveCost) AS cost FROM focus GROUP BY 1 ORDER BY 2 DESC"
    assert run(arguments(home, sql)) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "x_Team                cost",
        "---------  ---------------",
        "search     10.250000000001",
        "a[31mds x                5",
    ]
    assert "\x1b" not in captured.out
    assert captured.err == "2 rows.\n"


def test_a_table_keeps_its_columns() -> None:
    rows: list[tuple[Cell, ...]] = [("a", 1, None), ("long text", Decimal("2.50"), "x" * 100)]
    assert table(["name", "n", "text"], rows) == [
        "name         n  text",
        "---------  ---  " + "-" * 60,
        "a            1",
        "long text  2.5  " + "x" * 59 + "…",
    ]
    assert table(["n"], []) == ["n", "-"]


@pytest.mark.parametrize(("principal", "reason"), [(None, "unsafe"), ("nobody", "no_permission")])
def test_a_refusal_is_exit_3_with_its_reason(
    home: Home, capsys: pytest.CaptureFixture[str], principal: str | None, reason: str
) -> None:
    if principal:
        (home.path / "finops.toml").write_text('[principals.someone.allow]\nteam = ["search"]\n')
    sql = "SELECT 1" if principal else "DROP TABLE charges"
    assert run(arguments(home, sql, as_json=True, principal=principal)) == 3
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"status", "reason", "message"}
    assert (shown["status"], shown["reason"]) == ("refused", reason)
    with pytest.raises(QueryRefused) as caught:
        run(arguments(home, sql, principal=principal))
    assert caught.value.exit_code == 3


def test_wrong_sql_is_a_usage_error(home: Home) -> None:
    with pytest.raises(UsageError, match="syntax error") as caught:
        run(arguments(home, "SELEC 1", as_json=True))
    assert caught.value.exit_code == 2


def test_a_principal_sees_its_rows(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (home.path / "finops.toml").write_text(
        '[principals.s]\nhide = ["ListCost"]\n[principals.s.allow]\nteam = ["search"]\n'
    )
    count = "SELECT count(*) AS n FROM focus"
    assert run(arguments(home, count, as_json=True, principal="s")) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [[2]]
    sql = "SELECT ListCost FROM focus"
    assert run(arguments(home, sql, as_json=True, principal="s")) == 3
    assert json.loads(capsys.readouterr().out)["reason"] == "no_permission"


def test_amounts_of_several_currencies_are_warned_about(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    load(home, ("search", "3", "EUR"))
    assert run(arguments(home, "SELECT sum(EffectiveCost) FROM focus")) == 0
    assert "Group by BillingCurrency" in capsys.readouterr().err
    sql = "SELECT BillingCurrency, sum(EffectiveCost) FROM focus GROUP BY 1"
    assert run(arguments(home, sql)) == 0
    assert "Group by" not in capsys.readouterr().err


@pytest.mark.slow
def test_no_hostile_statement_runs(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    Database.open(home).close()  # derives what rests on settings: this store was written by hand
    before = sorted(home.path.iterdir())
    for sql in HOSTILE:
        try:
            assert run(arguments(home, sql, as_json=True)) == 3
        except UsageError:
            assert capsys.readouterr().out == ""
        else:
            shown = json.loads(capsys.readouterr().out)
            assert (shown["status"], shown["reason"]) == ("refused", "unsafe"), sql
            assert shown["message"].endswith((".", "?"))
    assert sorted(home.path.iterdir()) == before
