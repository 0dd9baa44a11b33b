"""Tag dimensions: folded keys, literal values, the alias table, and changing it later."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.delivery import locked
from finops_assistant.store.errors import UsageError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home, Settings
from finops_assistant.store.tags import fold, tag_rules

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]


def settle(home: Home, text: str) -> None:
    home.path.mkdir(exist_ok=True)
    (home.path / "finops.toml").write_text(text)


def tagged(*tags: dict[str, Any]) -> list[dict[str, str]]:
    return [{"Tags": json.dumps(tag), "ResourceId": str(n)} for n, tag in enumerate(tags)]


def teams(ask: Ask) -> list[str | None]:
    return [team for (team,) in ask("SELECT x_Team FROM focus ORDER BY ResourceId::INT")]


@pytest.mark.parametrize("key", ["Team", "team", "TEAM", "owner_team", "Owner-Team", "user:team"])
def test_keys_are_folded(home: Home, bill: Bill, ask: Ask, key: str) -> None:
    ingest(home, [bill("a.csv", tagged({key: "search", "other": "x"}))])
    assert teams(ask) == ["search"]


def test_values_stay_literal_and_blanks_are_untagged(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", tagged({"team": "Search"}, {"team": "search"}, {"team": " "}, {}))])
    assert teams(ask) == ["Search", "search", None, None]


def test_the_first_key_with_a_value_wins(home: Home, bill: Bill, ask: Ask) -> None:
    rows = tagged({"owner_team": "b", "team": "a"}, {"team": "", "owner_team": "b"})
    ingest(home, [bill("a.csv", rows)])
    assert teams(ask) == ["a", "b"]


def test_odd_keys_and_values_do_no_harm(home: Home, bill: Bill, ask: Ask) -> None:
    rows = tagged(
        {"team": "o'brien", 'it\'s "quoted"/~': "1"},
        {"te'); DROP TABLE charges; --": "x", "TEAM": "💥"},
        {"team": 42},
        {"team": {"name": "nested"}},
    )
    ingest(home, [bill("a.csv", rows)])
    assert teams(ask) == ["o'brien", "💥", "42", '{"name":"nested"}']


def test_near_unique_tags_are_resolved_too(home: Home, bill: Bill, ask: Ask) -> None:
    rows = tagged(*({"Name": f"node-{n}", "team": f"t{n % 3}"} for n in range(6000)))
    rows += tagged({"OWNER TEAM": "late"})
    ingest(home, [bill("a.csv", rows)])
    assert ask("SELECT x_Team, count(*) FROM focus GROUP BY 1 ORDER BY 1") == [
        ("late", 1),
        ("t0", 2000),
        ("t1", 2000),
        ("t2", 2000),
    ]


def test_the_alias_table_names_keys_and_joins_values(home: Home, bill: Bill, ask: Ask) -> None:
    settle(home, '[tags.team]\nkeys = ["Chapter"]\n[tags.team.values]\nsrch = "search"\n')
    rows = tagged({"chapter": "srch"}, {"team": "search"}, {"chapter": "x", "team": "y"})
    ingest(home, [bill("a.csv", rows)])
    assert teams(ask) == ["search", "search", "x"]


def test_a_changed_alias_table_applies_to_what_is_loaded(home: Home, bill: Bill, ask: Ask) -> None:
    rows = tagged({"chapter": "srch"}, {"team": "search"}, {"colour": "red"})
    rows.append({"Tags": "NULL", "ResourceId": "3", "x_Team": "carried"})
    ingest(home, [bill("a.csv", rows, header=["x_Team"])])
    assert teams(ask) == [None, "search", None, "carried"]
    before = home.pointer.readlink()
    settle(home, '[tags.team]\nkeys = ["Chapter"]\n[tags.team.values]\nsrch = "search"\n')
    assert teams(ask) == ["search", "search", None, "carried"]
    assert home.pointer.readlink() != before
    assert ask("SELECT value, rows FROM catalogue WHERE dimension = 'team' ORDER BY 1") == [
        ("carried", 1),
        ("search", 2),
    ]
    settle(home, "")
    assert teams(ask) == [None, "search", None, "carried"]


def test_a_load_applies_changed_settings_to_older_rows(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", tagged({"chapter": "one"}))])
    settle(home, '[tags.team]\nkeys = ["chapter"]\n')
    later = [{"day": "2024-09-09", "Tags": '{"chapter": "two"}', "ResourceId": "1"}]
    ingest(home, [bill("b.csv", later)])
    assert teams(ask) == ["one", "two"]


def test_while_a_load_runs_a_reader_keeps_the_old_tags(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", tagged({"chapter": "one"}))])
    settle(home, '[tags.team]\nkeys = ["chapter"]\n')
    with locked(home), closing(Database.open(home)) as database:
        assert database.cursor().execute("SELECT x_Team FROM focus").fetchall() == [(None,)]
    assert teams(ask) == ["one"]


@pytest.mark.parametrize(
    "tags",
    [
        {"teem": {}},
        {"team": {"key": []}},
        {"team": {"keys": "team"}},
        {"team": {"values": {"a": 1}}},
    ],
)
def test_settings_that_make_no_sense_are_said(tags: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"finops\.toml"):
        tag_rules(Settings(tags=tags))


def test_folding() -> None:
    assert {fold(k) for k in ("Cost Centre", "cost-centre", "COST_CENTRE")} == {"costcentre"}
