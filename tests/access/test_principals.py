"""Two and more principals: no row, name or total out of scope, in whatever is asked or run.

Every output is looked at in two ways: nothing in it may name what lies outside the scope, and it
must be what a store says that never held those rows.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.agent.assistant import Assistant
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.export import export_focus
from finops_assistant.store.query import MetricQuery, TimeSpec
from finops_assistant.store.settings import Home
from finops_assistant.tools.catalog import TOOLS
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.run_sql import RUN_SQL
from finops_assistant.ui import cli

GEMS = ("ruby", "topaz", "opal")
SIZE = {"ruby": 1, "topaz": 10_000, "opal": 100_000}
AS_OF = date(2026, 11, 1)
WHOSE = {"ruby": "ruby", "topaz": "topaz", "opal": "opal", "lawyer": "ruby"}
Part = Callable[[str], Home]


@pytest.fixture(scope="module")
def whole(company: Home) -> Iterator[Assistant]:
    assistant = Assistant.open(company)
    yield assistant
    assistant.close()


def said(value: Any) -> Any:
    """An answer as its JSON, without the time that it took."""
    return json.loads(json.dumps(value.to_json() | {"elapsed_ms": 0}, default=str))


def names_no_other(text: str, gem: str, asked: str = "") -> None:
    """The text names no gem but this one and those that the question named itself."""
    found = [g for g in GEMS if g != gem and g not in asked.lower() and g in text.lower()]
    assert not found, (asked, text)
    if gem != "opal" and "eur" not in asked.lower():
        assert "EUR" not in text, (asked, text)


def figures(answer: dict[str, Any]) -> Iterator[float]:
    """Every number of the rows of an answer."""
    for result in answer["results"]:
        for row in result["rows"]:
            for cell, column in zip(row, result["columns"], strict=True):
                if column["unit"] in ("USD", "EUR", "tokens") and cell is not None:
                    yield abs(float(cell))


@pytest.mark.slow
@pytest.mark.parametrize("who", WHOSE)
def test_no_answer_tells_of_rows_out_of_scope(
    who: str, whole: Assistant, part: Part, asked: list[str]
) -> None:
    assert len(asked) >= 150
    gem = WHOSE[who]
    # More than all of a gem's own costs and tokens, and less than one charge of the next.
    most = {"ruby": 5_000, "topaz": 50_000_000, "opal": None}[gem]
    alone = Assistant.open(part(gem))
    outcomes: Counter[str] = Counter()
    for number, question in enumerate(asked):
        answer = said(whole.ask(question, principal=who, as_of=AS_OF))
        outcomes[answer["status"]] += 1
        names_no_other(json.dumps(answer), gem, question)
        assert most is None or max(figures(answer), default=0) < most, question
        if number % 5 == 0:
            assert answer == said(alone.ask(question, principal=who, as_of=AS_OF)), question
    alone.close()
    assert outcomes["answered"] > 20
    assert outcomes["answered"] < len(asked)


def test_a_name_out_of_scope_and_one_that_is_nowhere_get_the_same_words(whole: Assistant) -> None:
    for question in (
        "What did team {}-team cost in October 2026?",
        "{} Cloud by month",
        "cost without {}-project-1 last month",
        "compare ruby-team with {}-team",
    ):
        there, nowhere = (
            said(whole.ask(question.format(name), principal="ruby", as_of=AS_OF))
            for name in ("topaz", "tepoz")
        )
        text = json.dumps(there).replace("topaz", "tepoz").replace("Topaz", "Tepoz")
        assert json.loads(text) == nowhere


def test_a_conversation_stays_in_scope_and_with_its_owner(
    company: Home, whole: Assistant, part: Part
) -> None:
    turns = (
        "What did Topaz Cloud cost in October 2026?",
        "break it down by team",
        "and the month before?",
        "the second one",
        "what about ruby-team?",
        "as a share of the total",
    )
    for who in ("ruby", "topaz"):
        alone = Assistant.open(part(who))
        for turn in turns:
            # The other principal uses the same name for its conversation.
            answer = said(whole.ask(turn, session="s", principal=who, as_of=AS_OF))
            assert answer == said(alone.ask(turn, session="s", principal=who, as_of=AS_OF)), turn
            names_no_other(json.dumps(answer), who, " ".join(turns))
        alone.close()
    stranger = said(whole.ask("break it down by team", session="s", principal="opal", as_of=AS_OF))
    fresh = said(whole.ask("break it down by team", session="new", principal="opal", as_of=AS_OF))
    assert stranger == fresh


def test_conversations_of_names_with_slashes_are_kept_apart() -> None:
    from finops_assistant.agent.sessions import Sessions

    assert Sessions.thread("b/c", "a") != Sessions.thread("c", "a/b")


@pytest.mark.parametrize("who", ["ruby", "topaz", "opal"])
def test_the_commands_say_what_a_store_without_those_rows_says(
    who: str,
    company: Home,
    part: Part,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(home: Home, *arguments: str) -> tuple[int, str, str]:
        code = cli.main([*arguments, "--as", who, "--home", str(home.path)])
        return code, *capsys.readouterr()

    for arguments in (
        ("status",),
        ("status", "--json"),
        ("ask", "cost by team", "--as-of", "2026-11-01"),
        ("ask", "which providers are there?", "--as-of", "2026-11-01"),
        ("ask", "what did pearl-team cost?", "--as-of", "2026-11-01"),
    ):
        code, out, err = run(company, *arguments)
        assert (code, out, err) == run(part(who), *arguments)
        names_no_other(out + err, who)
        assert out.strip()
    for version in ("1.4", "1.2"):
        for strict in ((), ("--strict",)):
            file = tmp_path / "out.csv"
            arguments = ("export", "--format", "focus", "--focus-version", version, *strict)
            assert run(company, *arguments, "-o", str(file))[0] == 0
            exported = file.read_text()
            names_no_other(exported, who)
            with file.open(newline="") as rows:
                paid = sum(Decimal(row["BilledCost"]) for row in csv.DictReader(rows))
            assert run(part(who), *arguments, "-o", str(file))[0] == 0
            assert sorted(file.read_text().splitlines()) == sorted(exported.splitlines())
            assert paid == by_hand(company, f"sum(BilledCost) FROM focus WHERE x_Team='{who}-team'")
    lines = iter(["what did we spend in October 2026?", "by team", "1", "cost of pearl-team"])
    monkeypatch.setattr("finops_assistant.ui.chat._read", lambda: next(lines, None))
    code, out, err = run(company, "chat")
    assert code == 0
    names_no_other(out + err, who)


def by_hand(home: Home, select: str) -> Any:
    """One figure of the store by plain SQL."""
    # DuckDB wants the configuration that the open store has.
    same: dict[str, Any] = {"enable_external_access": "false"}
    file = str(home.pointer.resolve())
    with duckdb.connect(file, read_only=True, config=same) as connection:
        row = connection.execute(f"SELECT {select}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("who", ["ruby", "topaz", "opal"])
def test_the_python_interface_and_the_tools_stay_in_scope(who: str, whole: Assistant) -> None:
    store = whole.store
    principal = store.principal(who)
    catalogue, facts = store.catalogue(principal), store.facts(principal)
    known = {name: catalogue.values(name) for name in store.semantics.dimensions}
    assert known["team"] == (f"{who}-team",)
    names_no_other(json.dumps([known, list(map(str, catalogue.aliases))]), who)
    names_no_other(str(facts), who)
    assert facts.row_count == by_hand(whole.home, f"count(*) FROM focus WHERE x_Team='{who}-team'")
    for text in ("topaz-team", "Topaz Cloud", "ruby-team", "Opal Cloud", "opal-sub"):
        names_no_other(json.dumps([catalogue.near(d, text) for d in known]), who)
    query = MetricQuery(
        metrics=("effective_cost",),
        dimensions=("provider",),
        time=TimeSpec(start=date(2026, 9, 1), end=date(2026, 11, 1), expr="all", source="stated"),
        show="share",
    )
    result = store.run(query, principal, as_of=AS_OF)
    assert [row[:1] + row[2:] for row in result.rows] == [(f"{who.title()} Cloud", 1)]
    names_no_other(str(result), who)
    names_no_other(result.frame().to_csv(), who)
    for tool in (*TOOLS, RUN_SQL):
        for arguments in {
            "describe_data": [
                {},
                {"topic": "freshness"},
                {"topic": "metrics"},
                *({"topic": "values", "dimension": name} for name in store.semantics.dimensions),
            ],
            "query_costs": [query.model_copy(update={"show": "table"}).model_dump()],
            "run_sql": [
                {"sql": "SELECT * EXCLUDE (ChargePeriodStart) FROM focus LIMIT 900"},
                {"sql": "SELECT x_Team, count(*), max(BilledCost) FROM focus GROUP BY 1"},
                {"sql": "SELECT 1 FROM focus WHERE CAST(x_Team AS INT) > 0"},
            ],
        }[tool.name]:
            context = ToolContext(store, principal, AS_OF)
            try:
                found = str(tool.call(context, arguments))
            except QueryRefused as no:
                found = f"{no} {no.candidates}"
            names_no_other(found, who)


def test_whoever_may_see_nothing_is_refused_everywhere(
    whole: Assistant, company: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = (
        ("ask", "what did we spend last month?"),
        ("ask", "what did we spend last month?", "--json"),
        ("ask", "which teams are there?", "--session", "s"),
        ("chat",),
        ("status",),
        ("status", "--json"),
        ("export", "--format", "focus", "-o", str(tmp_path / "x.csv")),
    )
    for flags in ([], ["--as", ""], ["--as", "stranger"], ["--as", "RUBY"], ["--as", "ruby "]):
        for command in arguments:
            assert cli.main([*command, *flags, "--home", str(company.path)]) == 3, (command, flags)
            out = "".join(capsys.readouterr())
            names_no_other(re.sub("(?i)'?ruby ?'?", "", out), "")
            if "--json" in command:
                assert (
                    json.loads(out.split("\nThere is")[0].split("\nThis store")[0])["reason"]
                    == "no_permission"
                )
    assert not (tmp_path / "x.csv").exists()
    for name in (None, "", "stranger"):
        nobody = whole.store.principal(name)
        for read in (whole.store.facts, whole.store.catalogue):
            with pytest.raises(QueryRefused) as refusal:
                read(nobody)
            assert refusal.value.reason == "NOT_PERMITTED"
    for who in ("nothing", "nobody"):  # known, and there is no row for them
        answer = said(whole.ask("what did we spend last month?", principal=who, as_of=AS_OF))
        assert (answer["status"], answer["results"]) == ("abstained", [])
        names_no_other(json.dumps(answer), "")
        export_focus(company, tmp_path / "x.csv", whole.store.principal(who))
        assert len((tmp_path / "x.csv").read_text().splitlines()) == 1


def test_a_tool_that_is_not_given_is_refused(whole: Assistant) -> None:
    answer = said(whole.ask("what did we spend last month?", principal="reader", as_of=AS_OF))
    assert (answer["status"], answer["reason"]) == ("refused", "no_permission")
    assert answer["results"] == []
    listed = said(whole.ask("which teams are there?", principal="reader", as_of=AS_OF))
    assert listed["status"] == "answered"
    reader = ToolContext(whole.store, whole.store.principal("reader"), AS_OF)
    with pytest.raises(QueryRefused, match="run_sql"):
        RUN_SQL.call(reader, {"sql": "SELECT 1"})


HIDDEN = ("EffectiveCost", "ListCost", "x_Team", "ServiceProviderName", "ProviderName", "Tags")


def test_hidden_columns_are_in_nothing(
    whole: Assistant, company: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lawyer = whole.store.principal("lawyer")
    for question in (
        "what did we spend last month?",
        "list cost last month",
        "savings by service",
        "billed cost by provider last month",
        "billed cost by team last month",
        "services with list cost above 1 last month",
        "services by billed cost, ordered by effective cost",
        "effective cost per million tokens",
        "which providers are there?",
        "which teams are there?",
        "how many teams do we have?",
        "number of providers with billed cost above 1",
    ):
        answer = said(whole.ask(question, principal="lawyer", as_of=AS_OF))
        assert answer["status"] != "answered" or "billed" in question, question
        assert not {"effective_cost", "list_cost", "savings", "team", "provider"} & {
            column["name"] for result in answer["results"] for column in result["columns"]
        }, question
        assert "Ruby Cloud" not in json.dumps(answer)
    allowed = said(whole.ask("billed cost last month", principal="lawyer", as_of=AS_OF))
    assert allowed["status"] == "answered"
    assert whole.store.catalogue(lawyer).values("team") == ()
    assert whole.store.catalogue(lawyer).exact("ruby cloud") == ()
    assert whole.store.facts(lawyer).providers == {}
    listed = said(whole.ask("which metrics can I ask for?", principal="lawyer", as_of=AS_OF))
    names = {row[0] for row in listed["results"][0]["rows"]}
    assert "billed_cost" in names
    assert names.isdisjoint({"effective_cost", "list_cost", "savings", "cost_per_1m_tokens"})
    for question in ("what data is loaded?", "how fresh is the data?", "which services are there?"):
        answer = said(whole.ask(question, principal="lawyer", as_of=AS_OF))
        assert answer["status"] == "answered", question
        assert "Ruby Cloud" not in json.dumps(answer)
    assert cli.main(["status", "--json", "--as", "lawyer", "--home", str(company.path)]) == 0
    status = capsys.readouterr().out
    assert "Ruby Cloud" not in status
    assert "effective" not in status
    for version in ("1.4", "1.2"):
        export_focus(company, tmp_path / "x.csv", lawyer, version)
        with (tmp_path / "x.csv").open(newline="") as file:
            assert set(HIDDEN).isdisjoint(next(csv.reader(file)))
    for column in HIDDEN:
        with pytest.raises(QueryRefused):
            RUN_SQL.call(
                ToolContext(whole.store, lawyer, AS_OF), {"sql": f"SELECT {column} FROM focus"}
            )
    shown = RUN_SQL.call(ToolContext(whole.store, lawyer, AS_OF), {"sql": "SELECT * FROM focus"})
    assert set(HIDDEN).isdisjoint(column.name for column in shown[0].columns)
