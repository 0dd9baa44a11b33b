"""Owners fill what rows do not say, and give it back when they change."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store import focus
from finops_assistant.store.database import Database
from finops_assistant.store.ingest import ingest
from finops_assistant.store.owners import apply_owners, release_owners, release_usage
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.tables import TABLES

Rows = Callable[[str, Sequence[Mapping[str, Any]]], None]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A store without rows."""
    with duckdb.connect() as connection:
        for table in focus.VIEWS:
            connection.execute(focus.create_table_sql(table=table))
        connection.execute(focus.META_SQL)
        for name in ("owners", "llm_usage"):
            connection.execute(TABLES[name].create_sql())
        yield connection


@pytest.fixture
def add(con: duckdb.DuckDBPyConnection) -> Rows:
    """Adds rows to a table, and the files they say they come from."""

    def insert(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))
            number = row.get("_file_id")
            if number is not None:
                con.execute(
                    "INSERT OR IGNORE INTO files BY NAME SELECT ? AS file_id, 'f' AS file, "
                    "CAST(? AS VARCHAR) AS sha256, 's' AS source, 1 AS delivery, 1 AS rows, "
                    "1 AS loaded, 0 AS quarantined, TIMESTAMP '2026-01-01' AS loaded_at, "
                    "[]::VARCHAR[] AS extra_columns",
                    [number, number],
                )

    return insert


def charge(
    provider: str, account: str | None, key: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "ServiceProviderName": provider,
        "SubAccountId": account,
        "x_ApiKeyId": key,
        "EffectiveCost": 1,
        "_file_id": 1,
        **more,
    }


def owner(kind: str, identity: str, **said: str) -> dict[str, Any]:
    return {"kind": kind, "id": identity, **said}


def teams(con: duckdb.DuckDBPyConnection, columns: str = "x_Team") -> list[Any]:
    found = con.execute(f"SELECT {columns} FROM charges ORDER BY rowid").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


@pytest.mark.parametrize(
    ("kind", "identity", "provider", "account"),
    [
        ("openai_project", "proj_1", "OpenAI", "proj_1"),
        ("anthropic_workspace", "wrkspc_1", "Anthropic", "wrkspc_1"),
        ("anthropic_workspace", "default", "Anthropic", None),
        ("aws_account", "012345678901", "AWS", "012345678901"),
        ("aws_account", "12345678901", "AWS", "012345678901"),  # a spreadsheet dropped the zero
        ("azure_subscription", "AB-12", "Microsoft", "/subscriptions/ab-12"),
        ("azure_subscription", "/subscriptions/ab-12", "Microsoft", "ab-12"),
        ("gcp_project", "growth-7", "Google Cloud", "growth-7"),
    ],
)
def test_an_account_has_its_owner(
    kind: str,
    identity: str,
    provider: str,
    account: str | None,
    con: duckdb.DuckDBPyConnection,
    add: Rows,
) -> None:
    add("owners", [owner(kind, identity, team="search", cost_centre="CC-1")])
    add("charges", [charge(provider, account), charge("Oracle", account), charge(provider, "z")])
    apply_owners(con, Settings())
    assert teams(con, "x_Team, x_CostCentre") == [("search", "CC-1"), (None, None), (None, None)]


def test_what_the_row_says_stays_and_a_key_beats_its_project(
    con: duckdb.DuckDBPyConnection, add: Rows
) -> None:
    add(
        "owners",
        [
            owner("openai_project", "p", team="search", project="box", environment="prod"),
            owner("openai_api_key", "k", team="copy"),
        ],
    )
    add(
        "charges",
        [
            charge("OpenAI", "p"),
            charge("OpenAI", "p", "k"),
            charge("OpenAI", "p", "other"),
            charge("OpenAI", "p", "k", x_Team="own"),
            charge("Anthropic", "p", "k"),
        ],
    )
    apply_owners(con, Settings())
    assert teams(con, "x_Team, x_Project, x_Environment") == [
        ("search", "box", "prod"),
        ("copy", "box", "prod"),
        ("search", "box", "prod"),
        ("own", "box", "prod"),
        (None, None, None),
    ]


def test_owners_that_change_take_back_only_what_they_gave(
    con: duckdb.DuckDBPyConnection, add: Rows
) -> None:
    add("owners", [owner("openai_project", "p", team="search", project="box")])
    add("charges", [charge("OpenAI", "p"), charge("OpenAI", "p", x_Team="own")])
    before = con.execute("SELECT * FROM charges ORDER BY rowid").fetchall()
    apply_owners(con, Settings())
    con.execute("UPDATE owners SET team = 'ads', project = NULL")
    apply_owners(con, Settings())
    assert teams(con, "x_Team, x_Project") == [("ads", None), ("own", None)]
    con.execute("DELETE FROM owners")
    apply_owners(con, Settings())
    assert con.execute("SELECT * FROM charges ORDER BY rowid").fetchall() == before


def test_released_owners_leave_no_trace_and_come_again(
    con: duckdb.DuckDBPyConnection, add: Rows
) -> None:
    add("owners", [owner("aws_account", "1" * 12, team="data")])
    add("charges", [charge("AWS", "1" * 12), charge("AWS", "1" * 12, x_Team="own")])
    add("split_charges", [charge("AWS", "1" * 12)])
    before = con.execute("FROM charges UNION ALL FROM split_charges").fetchall()
    apply_owners(con, Settings())
    assert con.execute("SELECT x_Team FROM split_charges").fetchall() == [("data",)]
    release_owners(con)
    assert con.execute("FROM charges UNION ALL FROM split_charges").fetchall() == before
    apply_owners(con, Settings())
    assert teams(con) == ["data", "own"]


def test_only_new_files_are_looked_at_while_owners_stay(
    con: duckdb.DuckDBPyConnection, add: Rows
) -> None:
    add("owners", [owner("openai_project", "p", team="search")])
    add("charges", [charge("OpenAI", "p")])
    apply_owners(con, Settings())
    con.execute("UPDATE charges SET x_Team = NULL, _owned = NULL")  # as if it were never filled
    add("charges", [charge("OpenAI", "p", _file_id=2)])
    apply_owners(con, Settings())
    assert teams(con) == [None, "search"]


def test_usage_has_the_owners_of_its_layer(con: duckdb.DuckDBPyConnection, add: Rows) -> None:
    add(
        "owners",
        [
            owner("openai_project", "p", team="search"),
            owner("litellm_team", "t", team="copy", project="studio"),
            owner("litellm_key", "k", team="spike"),
        ],
    )
    common = {"provider": "OpenAI", "requests": 1}
    add(
        "llm_usage",
        [
            {**common, "source": "openai-usage", "account": "p"},
            {**common, "source": "litellm", "gateway_team": "t"},
            {**common, "source": "litellm", "gateway_team": "t", "api_key": "k"},
            {**common, "source": "litellm", "gateway_team": "p", "team": "own"},
        ],
    )
    before = con.execute("SELECT * FROM llm_usage ORDER BY rowid").fetchall()
    apply_owners(con, Settings())
    found = con.execute("SELECT team, project FROM llm_usage ORDER BY rowid").fetchall()
    assert found == [("search", None), ("copy", "studio"), ("spike", "studio"), ("own", None)]
    release_usage(con)
    after = con.execute("SELECT * EXCLUDE (_owned) FROM llm_usage ORDER BY rowid").fetchall()
    assert after == before


def test_a_change_of_tag_settings_keeps_owners_and_tags_apart(
    home: Home, bill: Callable[..., Path], ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    """Tags come first; what owners gave is neither taken for a value of the file nor kept."""
    owners = home.path.parent / "owners.csv"
    with owners.open("w", newline="") as file:
        csv.writer(file).writerows(
            [["kind", "id", "team"], ["aws_account", "account-1", "from-owner"]]
        )
    charges = bill(
        "bill.csv",
        [{}, {"Tags": json.dumps({"crew": "from-tag"})}, {"Tags": json.dumps({"team": "t"})}],
    )
    ingest(home, [charges, owners])
    query = "SELECT x_Team, count(*) FROM focus GROUP BY 1 ORDER BY 1"
    assert ask(query) == [("from-owner", 2), ("t", 1)]
    (home.path / "finops.toml").write_text('[tags.team]\nkeys = ["crew"]\n')
    assert ask(query) == [("from-owner", 1), ("from-tag", 1), ("t", 1)]
    (home.path / "finops.toml").write_text("")
    assert ask(query) == [("from-owner", 2), ("t", 1)]


def test_a_newer_usage_report_replaces_rows_that_have_owners(home: Home, tmp_path: Path) -> None:
    owners, report = tmp_path / "owners.csv", tmp_path / "usage.json"
    owners.write_text("kind,id,team\nopenai_project,proj_1,search\n")

    def usage(tokens: int) -> None:
        result = {
            "object": "organization.usage.completions.result",
            "input_tokens": tokens,
            "output_tokens": 1,
            "input_cached_tokens": 0,
            "num_model_requests": 1,
            "project_id": "proj_1",
            "model": "gpt-5",
        }
        bucket = {
            "object": "bucket",
            "start_time": 1_790_812_800,
            "end_time": 1_790_899_200,
            "results": [result],
        }
        report.write_text(
            json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None})
        )
        ingest(home, [report, owners])

    usage(100)
    usage(250)
    database = Database.open(home)
    found = database.cursor().execute("SELECT team, input_tokens FROM llm_usage").fetchall()
    database.close()
    assert found == [("search", 250)]
