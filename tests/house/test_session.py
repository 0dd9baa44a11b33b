"""The whole way, as a person takes it: the real command, a process each, over the sample."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_assistant.ui.chat import pick
from finops_assistant.ui.demo import tour

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    *("question", "as_of", "status", "reason", "answer", "clarification", "results", "numbers"),
    *("citations", "recommendations", "chart", "follow_ups", "route", "usage", "elapsed_ms"),
}


def finops(home: Path, *arguments: str, say: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command on a home; ``say`` is typed into it."""
    return subprocess.run(
        [sys.executable, "-m", "finops_assistant.ui.cli", *arguments],
        env={**os.environ, "FINOPS_HOME": str(home)},
        input=say,
        stdin=subprocess.DEVNULL if say is None else None,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def home(tmp_path: Path, sample_home: Path) -> Path:
    """A home with the sample company's store, to write conversations and settings into."""
    own = tmp_path / "home"
    own.mkdir()
    version = (sample_home / "costs.duckdb").resolve()
    shutil.copy2(version, own / version.name)
    (own / "costs.duckdb").symlink_to(version.name)
    return own


def by_hand(home: Path, sql: str) -> Decimal:
    """One figure of the store, from SQL of our own."""
    with duckdb.connect(str((home / "costs.duckdb").resolve()), read_only=True) as con:
        row = con.execute(sql).fetchone()
    assert row is not None
    return Decimal(row[0])


def test_ask_prints_the_answer_and_json_says_where_it_comes_from(home: Path) -> None:
    done = finops(home, "ask", "What did we spend last month?", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout, parse_float=Decimal)
    assert set(answer) == KEYS
    assert answer["status"] == "answered"
    scope = answer["results"][0]["scope"]
    truth = by_hand(
        home,
        "SELECT sum(EffectiveCost) FROM focus WHERE ChargePeriodStart >= "
        f"'{scope['start']}' AND ChargePeriodStart < '{scope['end']}'",
    )
    assert Decimal(answer["results"][0]["rows"][0][0]) == truth
    told = finops(home, "ask", "What did we spend last month?")
    assert f"{truth:,.2f}" in told.stdout
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        ("Delete the idle endpoints", "refused", "unsafe"),
        ("How many requests did Microsoft serve last month?", "abstained", "not_loaded"),
        ("", None, None),
        ("🎉🔥", None, None),
        ("what did we spend " * 1200, None, None),
    ],
)
def test_no_answer_is_code_3_and_says_why(
    home: Path, question: str, status: str | None, reason: str | None
) -> None:
    done = finops(home, "ask", question, "--json")
    assert done.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == status if status else answer["status"] != "answered"
    assert answer["reason"] == reason if reason else answer["reason"] is not None
    assert answer["answer"].strip()
    assert done.stderr == ""


def test_a_conversation_outlives_the_process_and_numbers_pick_suggestions(home: Path) -> None:
    first = finops(home, "ask", "What did we spend last month?", "--session", "s", "--json")
    suggestion = json.loads(first.stdout)["follow_ups"][0]
    followed = finops(home, "ask", suggestion, "--session", "s", "--json")
    assert followed.returncode == 0, followed.stdout
    chatted = finops(
        home, "chat", "--session", "t", say="What did we spend last month?\n\n1\n:new\n:quit\n"
    )
    assert chatted.returncode == 0, chatted.stderr
    assert f"1. {suggestion}" in chatted.stdout
    assert "A new conversation." in chatted.stdout
    headline = json.loads(followed.stdout)["answer"].splitlines()[0]
    assert headline in chatted.stdout


def test_a_number_picks_only_what_is_there() -> None:
    assert pick("2", ("a", "b")) == "b"
    assert pick("0", ("a", "b")) == "0"
    assert pick("3", ("a", "b")) == "3"
    assert pick("²", ("a", "b")) == "²"
    assert pick("9" * 5000, ("a",)) == "9" * 5000


def test_a_principal_sees_its_rows_in_every_command(home: Path, tmp_path: Path) -> None:
    (home / "finops.toml").write_text(
        '[principals.lead.allow]\nteam = ["search"]\n[principals.none.allow]\nteam = []\n'
    )
    mine = by_hand(home, "SELECT count(*) FROM focus WHERE x_Team = 'search'")
    assert 0 < mine < by_hand(home, "SELECT count(*) FROM focus")
    out = tmp_path / "mine.parquet"
    done = finops(home, "export", "--format", "focus", "-o", str(out), "--as", "lead")
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as con:
        written = con.execute("SELECT count(*) FROM read_parquet(?)", [str(out)]).fetchone()
    assert written == (mine,)
    for arguments in (
        ("ask", "What did we spend last month?"),
        ("status",),
        ("export", "--format", "focus", "-o", str(tmp_path / "no.parquet")),
        ("ask", "What did we spend last month?", "--as", "nobody"),
        ("status", "--as", ""),
    ):
        refused = finops(home, *arguments)
        assert refused.returncode == 3, (arguments, refused.stdout, refused.stderr)
    assert not (tmp_path / "no.parquet").exists()
    status = finops(home, "status", "--json")
    assert json.loads(status.stdout)["reason"] == "no_permission"


def test_status_in_text_and_json(home: Path) -> None:
    done = finops(home, "status", "--json")
    assert done.returncode == 0, done.stderr
    assert {"sources", "periods", "currencies", "freshness", "coverage", "quarantine"} <= set(
        json.loads(done.stdout)
    )
    told = finops(home, "status")
    rows = by_hand(home, "SELECT count(*) FROM focus")
    assert f"{rows:,}" in told.stdout


def test_the_session_in_the_readme_is_what_the_program_says(home: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    session = readme.partition("## A session")[2].partition("```\n")[2].partition("```")[0]
    turns = re.findall(
        r'^\$ finops ask "(.*?)"( --session \w+)?\n(.*?)(?=^\$|\Z)', session, re.M | re.S
    )
    assert len(turns) == 3
    for question, conversation, shown in turns:
        said = finops(home, "ask", question, *conversation.split()).stdout
        words = set(re.findall(r"[\w$.,:%–]+", said))
        assert set(re.findall(r"[\w$.,:%–]+", shown)) <= words, question


@pytest.mark.slow
def test_the_demo_builds_once_and_answers_its_tour(tmp_path: Path) -> None:
    stops = tour()
    assert len(stops) >= 8
    for run in range(2):
        done = finops(tmp_path, "demo", "--no-ui")
        assert done.returncode == 0, done.stderr
        assert ("Building" in done.stderr) == (run == 0)
        assert len(re.findall(rf"^\[\d+/{len(stops)}\]", done.stdout, re.MULTILINE)) == len(stops)
    demo = tmp_path / "demo"
    answers = [finops(demo, "ask", stop.ask, "--session", "tour", "--json") for stop in stops]
    answered = [a for a in answers if json.loads(a.stdout)["status"] == "answered"]
    assert len(answered) >= 8
    # While nothing else is loaded, what reads falls back on the sample and says so.
    fallback = finops(tmp_path, "ask", "What did we spend last month?")
    assert fallback.returncode == 0
    assert "sample company" in fallback.stderr
    assert not (tmp_path / "costs.duckdb").exists()
