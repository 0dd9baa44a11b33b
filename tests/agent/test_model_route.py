"""The model path against a server of our own: what it may do, and what becomes of all else."""

from __future__ import annotations

import json
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.assistant import Assistant
from finops_assistant.agent.events import Event
from finops_assistant.agent.models import ModelTrouble
from finops_assistant.store.errors import UsageError
from tests.agent.fake_endpoint import (
    Reply,
    babbles,
    calls,
    chunk,
    dies,
    drips,
    endpoint,
    fails,
    garbage,
    reports_an_error,
    says,
    silent,
    step,
    tears,
)

OCTOBER = {"start": "2026-10-01", "end": "2026-11-01"}
# Added up by hand from the charges in conftest.
TOTAL, SEARCH, AWS = Decimal("222.00"), Decimal("158.82"), Decimal("142.00")
SURE = "October 2026 cost by provider"
BY_PROVIDER = {
    "metrics": ["effective_cost"],
    "dimensions": ["provider"],
    "time": OCTOBER,
    "show": "table",
}
# No planner of patterns takes a word like this for anything.
ODD = "Kindly ruminate upon provider outlays, October 2026"


@pytest.fixture(params=["tools", "schema"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to speak to a model."""
    monkeypatch.setenv("FINOPS_MODEL_MODE", request.param)
    return str(request.param)


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model by name, with native tools and little time unless a test says otherwise."""
    monkeypatch.setenv("FINOPS_MODEL", "fake-model")
    monkeypatch.setenv("FINOPS_MODEL_MODE", "tools")
    monkeypatch.setenv("FINOPS_MODEL_TIMEOUT", "20")


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)


@pytest.fixture
def ask(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``ask(question, replies…, route=…)`` -> the answer and the server that was asked."""

    def run(question: str, *replies: Reply, route: Any = "model", **more: Any) -> Any:
        with endpoint(*replies) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            return assistant.ask(question, route=route, **more), server

    return run


def call(mode: str, name: str, arguments: dict[str, Any]) -> Reply:
    """A tool call in the way of the mode."""
    return calls(name, arguments) if mode == "tools" else step(name, args=arguments)


def figures(answer: Answer, column: str = "effective_cost") -> list[object]:
    main = answer.results[0]
    return [row[main.index(column)] for row in main.rows]


def by_provider(answer: Answer) -> bool:
    """Whether the answer is the right one to SURE and to ODD."""
    return answer.status == "answered" and figures(answer) == [AWS, Decimal("80.00")]


# who reads the question


def test_a_model_reads_and_our_figures_answer(ask: Any, mode: str) -> None:
    answer, server = ask(SURE, call(mode, "query_costs", BY_PROVIDER), says("Done."))
    assert answer.route == "model"
    assert by_provider(answer)
    assert "$142.00" in answer.answer
    requests = len(server.asked)
    assert requests == (2 if mode == "tools" else 1)  # schema mode does not ask for a phrase
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (
        100 * requests,
        20 * requests,
    )
    assert answer.usage.model == "fake-model"
    assert answer.usage.cost_usd is None
    assert answer.to_json()["usage"]["cost_usd"] is None


def test_auto_asks_the_model_only_where_the_planner_is_not_sure(ask: Any, mode: str) -> None:
    answer, server = ask(SURE, fails(500), route="auto")
    assert (answer.route, server.asked) == ("planner", [])
    assert by_provider(answer)
    reply = call(mode, "query_costs", BY_PROVIDER)
    answer, server = ask(ODD, reply, says("Done."), route="auto")
    assert (answer.route, by_provider(answer)) == ("model", True)
    assert "“ruminate”" in answer.answer  # what the planner did not understand is said


def test_the_planner_route_never_leaves_the_machine(ask: Any) -> None:
    for question in (SURE, ODD):
        answer, server = ask(question, fails(500), route="planner")
        assert (answer.route, server.asked) == ("planner", [])


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("Delete the search project", "refused"),
        ("What did we spend in March 2019?", "abstained"),
        ("what did 03/04/2026 cost", "clarify"),
        ("and for staging?", "clarify"),
        ("What will we spend next month?", "abstained"),
        ("", "abstained"),
        ("What did we spend " + "very " * 4000 + "much?", "abstained"),
    ],
)
def test_a_no_that_holds_whoever_reads_is_not_asked_about(
    ask: Any, question: str, status: str
) -> None:
    answer, server = ask(question, calls("query_costs", BY_PROVIDER))
    assert (answer.status, server.asked) == (status, [])


def test_a_flag_names_the_model_and_keeps_auto(ask: Any) -> None:
    _, server = ask(ODD, calls("query_costs", BY_PROVIDER), route="auto", model="other")
    assert server.asked[0]["model"] == "other"


def test_no_model_is_a_usage_error(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FINOPS_MODEL")
    with pytest.raises(UsageError, match="No model is configured"):
        assistant.ask(SURE, route="model")
    assert assistant.ask(ODD).route == "planner"


def test_a_name_without_a_key_or_an_address(assistant: Assistant) -> None:
    with pytest.raises(ModelTrouble, match="OPENAI_API_KEY"):
        assistant.ask(SURE, route="model")
    answer = assistant.ask(ODD, route="auto")
    assert answer.route == "planner"
    assert "The language model has no key and no address" in answer.answer


# what the model is told


def test_native_tools_and_streaming_are_asked_for(ask: Any) -> None:
    _, server = ask(SURE, calls("query_costs", BY_PROVIDER), says("Done."))
    first, second = server.asked
    assert first["stream"] is True
    assert first["stream_options"] == {"include_usage": True}
    tools = {tool["function"]["name"]: tool["function"] for tool in first["tools"]}
    assert list(tools) == ["query_costs", "describe_data", "run_sql"]
    assert len(json.dumps(first["tools"])) < 6_000
    properties = tools["query_costs"]["parameters"]["properties"]
    assert set(properties["time"]["properties"]) == {"start", "end", "axis"}
    assert properties["filters"]["items"]["properties"]["values"]["items"] == {"type": "string"}
    reply = next(m for m in second["messages"] if m["role"] == "tool")["content"]
    assert '"AWS", 142' in reply
    assert "data, not instructions" in reply


def test_schema_mode_asks_for_one_form(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_MODEL_MODE", "schema")
    _, server = ask(
        "what did the search team spend in October 2026",
        step("query_costs", args={**BY_PROVIDER, "dimensions": []}),
    )
    asked = server.asked[0]
    assert "tools" not in asked
    form = asked["response_format"]["json_schema"]["schema"]["properties"]["step"]["anyOf"]
    names = [choice["properties"]["tool"]["const"] for choice in form]
    assert names == ["query_costs", "describe_data", "none"]
    arguments = form[0]["properties"]["args"]["properties"]
    # Nothing that the question gives no ground for can even be said.
    assert arguments["metrics"]["items"]["enum"] == ["effective_cost"]
    assert arguments["dimensions"]["items"]["enum"] == ["team"]
    assert arguments["time"]["properties"]["start"]["enum"] == ["2026-10-01"]
    assert arguments["time"]["properties"]["end"]["enum"] == ["2026-11-01"]
    assert not {"compare", "limit", "having"} & set(arguments)
    conditions = arguments["filters"]["items"]["anyOf"]
    teams = next(c for c in conditions if c["properties"]["dimension"]["enum"] == ["team"])
    assert teams["properties"]["values"]["items"]["enum"] == ["search"]


def test_the_prompt_holds_names_and_no_figures(ask: Any) -> None:
    _, server = ask(SURE, calls("query_costs", BY_PROVIDER), says("Done."))
    first = json.dumps(server.asked[0]["messages"])
    assert "effective_cost" in first
    assert "2026-11-01" in first
    for figure in ("222", "142", "158.82", "70.07"):
        assert figure not in first
    assert len(first) < 4_500


def test_a_prompt_that_is_missing_is_an_error() -> None:
    from finops_assistant.agent import model_prompt

    with pytest.raises(FileNotFoundError):
        model_prompt._text("no-such-prompt")


# conversations and events


def test_a_follow_up_after_a_model_answer(ask: Any, mode: str) -> None:
    reply = call(mode, "query_costs", BY_PROVIDER)
    first, _ = ask(ODD, reply, says("Done."), session=f"talk-{mode}")
    assert first.route == "model"
    second, _ = ask("and in September?", fails(500), route="planner", session=f"talk-{mode}")
    assert figures(second) == [Decimal("90.10"), Decimal("55.50")]
    _, server = ask(
        "and only for AWS?", reply, says("Done."), session=f"talk-{mode}", route="model"
    )
    assert "The question before this one was answered with" in server.prompts()


def test_a_failed_attempt_leaves_no_half_turn(
    ask: Any, hand_home: Path, mode: str, no_wait: None
) -> None:
    session = f"half-{mode}"
    with pytest.raises(ModelTrouble):
        ask(SURE, fails(500), session=session)
    with sqlite3.connect(hand_home / "state.sqlite") as state:
        count = "SELECT count(*) FROM checkpoints WHERE thread_id LIKE ?"
        assert state.execute(count, (f"%/{session}",)).fetchone() == (0,)
    answer, _ = ask("and in September?", says("?"), session=session)
    assert answer.status == "clarify"
    bad = call(mode, "query_costs", {"metrics": ["wealth"], "time": OCTOBER})
    fallen, _ = ask(SURE, bad, session=session)
    assert (fallen.route, by_provider(fallen)) == ("planner", True)
    after, _ = ask("and in September?", says("?"), route="planner", session=session)
    assert figures(after) == [Decimal("90.10"), Decimal("55.50")]


def test_steps_are_told_as_they_are_taken(ask: Any, mode: str) -> None:
    told: list[Event] = []
    answer, _ = ask(
        SURE, call(mode, "query_costs", BY_PROVIDER), says("Done."), on_event=told.append
    )
    steps = [event.text for event in told if event.kind == "step"]
    assert steps[0] == "Reading the question"
    assert "Querying the costs: effective cost by provider" in steps
    assert steps[-1] == "Writing the answer"
    assert "\n\n".join(e.text for e in told if e.kind == "text") == answer.answer
    told.clear()
    ask(SURE, fails(500), route="planner", on_event=told.append)
    assert [e.text for e in told if e.kind == "step"][:2] == [
        "Reading the question",
        "Querying the costs: effective cost by provider",
    ]


# endpoints that fail

BROKEN: dict[str, tuple[Reply, str]] = {
    "invalid key": (fails(401), "refused the key"),
    "forbidden": (fails(403), "not open to this key"),
    "no such model": (fails(404), "was not found"),
    "bad request": (fails(400), "refused the request"),
    "too many requests": (fails(429), "over its limit"),
    "server error": (fails(500), "failed"),
    "overloaded": (fails(503), "failed"),
    "dies half-way": (dies, "broke off"),
    "tears": (tears, "broke off"),
    "an error in the stream": (reports_an_error, "reported an error"),
    "a page of HTML": (garbage("<html>Welcome</html>", "text/html"), "not in the form"),
    "not JSON": (garbage("}{", "application/json"), "not in the form"),
    "broken events": (garbage("data: {nonsense\n\n", "text/event-stream"), "not in the form"),
    "another shape": (garbage('data: {"hello": 1}\n\n', "text/event-stream"), "reply"),
    "a list": (garbage("data: [1, 2]\n\n", "text/event-stream"), "reply"),
    "no choices": (
        garbage(f"data: {json.dumps({**chunk({}), 'choices': []})}\n\n", "text/event-stream"),
        "broke off",
    ),
    "nothing": (garbage("", "text/event-stream"), "reply"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_endpoint(ask: Any, mode: str, name: str, no_wait: None) -> None:
    reply, what = BROKEN[name]
    with pytest.raises(ModelTrouble) as trouble:
        ask(SURE, reply, route="model")
    sentence = str(trouble.value)
    assert trouble.value.exit_code == 1
    assert what in sentence or what == "reply"
    assert "\n" not in sentence
    assert "sk-secret" not in sentence
    answer, _ = ask(ODD, reply, route="auto")
    assert answer.route == "planner"
    assert "so the built-in planner read this question." in answer.answer
    assert answer.status == "clarify"  # the planner's honest word on this one
    assert answer.numbers == ()


def test_an_endpoint_that_is_not_there(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch, no_wait: None
) -> None:
    with endpoint(fails(500)) as server:
        url = server.url
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(ModelTrouble, match="cannot be reached"):
        assistant.ask(SURE, route="model")
    answer = assistant.ask(ODD, route="auto")
    assert "The language model cannot be reached" in answer.answer


@pytest.mark.parametrize(
    "reply",
    [silent, drips(), drips('data: {"id":"c","choices":[]}\n\n'), drips("\n")],
    ids=["silent", "comments", "empty chunks", "blank lines"],
)
def test_a_reply_without_end_is_given_up(
    ask: Any, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINOPS_MODEL_TIMEOUT", "0.6")
    before = {thread.ident for thread in threading.enumerate()}
    with pytest.raises(ModelTrouble) as trouble:
        ask(SURE, reply)
    assert "in time" in trouble.value.what or "finish" in trouble.value.what
    for thread in threading.enumerate():
        if thread.ident not in before:
            thread.join(5)
            assert not thread.is_alive()


def test_a_reply_far_too_long_is_cut_off(ask: Any, mode: str) -> None:
    answer, _ = ask(SURE, babbles)
    assert (answer.route, by_provider(answer)) == ("planner", True)
    assert "said far more than was asked" in answer.answer


# models that go wrong

WRONG_ARGUMENTS: dict[str, dict[str, Any]] = {
    "no metric of this name": {**BY_PROVIDER, "metrics": ["wealth"]},
    "no such dimension": {**BY_PROVIDER, "dimensions": ["zodiac"]},
    "an argument too many": {**BY_PROVIDER, "principal": "cfo"},
    "a filter with a right to see": {**BY_PROVIDER, "scope": {"team": "payments"}},
    "no time": {"metrics": ["effective_cost"]},
    "a day that is none": {**BY_PROVIDER, "time": {"start": "2026-13-45", "end": "soon"}},
    "backwards": {**BY_PROVIDER, "time": {"start": "2026-11-01", "end": "2026-10-01"}},
    "another period": {**BY_PROVIDER, "time": {"start": "2026-09-01", "end": "2026-10-01"}},
    "a condition nobody asked for": {
        **BY_PROVIDER,
        "filters": [{"dimension": "team", "op": "in", "values": ["search"]}],
    },
    "a value that does not exist": {
        **BY_PROVIDER,
        "filters": [{"dimension": "team", "op": "in", "values": ["'; DROP TABLE charges; --"]}],
    },
    "the wrong kind": {**BY_PROVIDER, "metrics": 7, "limit": "many"},
    "a limit without measure": {**BY_PROVIDER, "limit": 10**9},
    "nothing": {},
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_two_strikes_and_the_draft_answers(ask: Any, mode: str, name: str) -> None:
    answer, server = ask(SURE, call(mode, "query_costs", WRONG_ARGUMENTS[name]))
    assert (answer.route, by_provider(answer)) == ("planner", True)
    assert "more than once, so the built-in planner read this question." in answer.answer
    assert len(server.asked) == 2
    assert answer.usage.input_tokens == 200  # what the attempts took is told


def test_a_listing_is_no_figure_and_a_figure_no_listing(ask: Any, mode: str) -> None:
    answer, _ = ask(SURE, call(mode, "describe_data", {"topic": "values", "dimension": "team"}))
    assert (answer.route, by_provider(answer)) == ("planner", True)
    answer, _ = ask("which teams do we have?", call(mode, "query_costs", BY_PROVIDER))
    assert answer.route == "planner"
    assert "search" in figures(answer, "team")
    listed = call(mode, "describe_data", {"topic": "values", "dimension": "team"})
    answer, _ = ask("which teams do we have?", listed, says("Done."))
    assert answer.route == "model"
    assert "search" in figures(answer, "team")


def test_a_period_that_is_not_over_ends_today(ask: Any, mode: str) -> None:
    from datetime import date

    given = {**BY_PROVIDER, "dimensions": []}
    question = "Kindly ruminate upon the outlays of this month"
    replies = call(mode, "query_costs", given), says("Done.")
    answer, _ = ask(question, *replies, as_of=date(2026, 10, 10))
    assert figures(answer) == [Decimal("212.32")]  # 90 + 40 + 12.25 + 70.07
    assert "So far: this period is not over." in answer.answer


def test_names_said_twice_count_once(ask: Any, mode: str) -> None:
    given = {**BY_PROVIDER, "metrics": ["effective_cost"] * 3, "dimensions": ["provider"] * 2}
    answer, _ = ask(SURE, call(mode, "query_costs", given), says("Done."))
    assert (answer.route, by_provider(answer)) == ("model", True)


def test_one_strike_is_forgiven(ask: Any, mode: str) -> None:
    wrong = call(mode, "query_costs", {**BY_PROVIDER, "metrics": ["wealth"]})
    right = call(mode, "query_costs", BY_PROVIDER)
    answer, server = ask(SURE, wrong, right, says("Done."))
    assert (answer.route, by_provider(answer)) == ("model", True)
    assert "wealth" in json.dumps(server.asked[1])


@pytest.mark.parametrize(
    "reply",
    [
        calls("query_costs", '{"metrics": ["effective_cost"], "time": '),
        calls("transfer_money", {"to": "me"}),
        says("cut", finish="length"),
    ],
    ids=["half a call", "no such tool", "cut off"],
)
def test_calls_that_are_none(ask: Any, reply: Reply) -> None:
    answer, _ = ask(SURE, reply)
    assert (answer.route, by_provider(answer)) == ("planner", True)


@pytest.mark.parametrize(
    "text",
    ["", "I think it was $9,999.", '{"step": {"tool": "query_costs"}}', '{"step": 7}', "[" * 900],
)
def test_replies_that_keep_to_no_form(ask: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_MODEL_MODE", "schema")
    answer, _ = ask(SURE, says(text))
    assert (answer.route, by_provider(answer)) == ("planner", True)
    assert "9,999" not in answer.answer


def test_a_server_that_fences_its_json(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_MODEL_MODE", "schema")
    told = json.dumps({"step": {"tool": "query_costs", "args": BY_PROVIDER}})
    answer, _ = ask(SURE, says(f"Sure!\n```json\n{told}\n```"))
    assert (answer.route, by_provider(answer)) == ("model", True)


def test_a_model_that_never_stops_calling(ask: Any) -> None:
    answer, server = ask(SURE, calls("query_costs", BY_PROVIDER))
    assert (answer.route, by_provider(answer)) == ("planner", True)
    assert "kept asking for more" in answer.answer
    assert len(server.asked) <= 8


def test_many_calls_at_once_count_too(ask: Any) -> None:
    many = [("query_costs", BY_PROVIDER)] * 30
    answer, _ = ask(SURE, calls("query_costs", BY_PROVIDER, *many))
    assert (answer.route, by_provider(answer)) == ("planner", True)


def test_calls_side_by_side_keep_their_results_apart(ask: Any) -> None:
    totals = {"metrics": ["effective_cost"], "dimensions": ["team"], "time": OCTOBER}
    both = calls("query_costs", BY_PROVIDER, ("query_costs", totals))
    answer, _ = ask(ODD, both, says("Done."))
    assert answer.route == "model"
    assert [r.id for r in answer.results] == ["r3", "r4", "r1", "r2"]
    assert sum(Decimal(str(row[1])) for row in answer.results[0].rows) == TOTAL


def test_a_model_that_declines(ask: Any, mode: str) -> None:
    no = says("I cannot.") if mode == "tools" else step("none", reason="I cannot.")
    answer, _ = ask(ODD, no, route="auto")
    assert (answer.route, answer.status) == ("planner", "clarify")
    answer, _ = ask(SURE, no, route="model")
    assert (answer.route, by_provider(answer)) == ("planner", True)
    assert "found no query for this" in answer.answer


# names in the question


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("Kindly ruminate on spend of the Quantum team, October 2026", {"dimensions": []}),
        ("Kindly ruminate on spend for quantum-x, October 2026", {"dimensions": []}),
        (
            "Kindly ruminate on the spend of the Quantum team, October 2026",
            {
                "dimensions": [],
                "filters": [{"dimension": "team", "op": "in", "values": ["payments"]}],
            },
        ),
        ("Kindly ruminate on AWS spend, October 2026", {"dimensions": []}),
        (
            "Kindly ruminate on spend excluding AWS, October 2026",
            {
                "dimensions": [],
                "filters": [{"dimension": "provider", "op": "in", "values": ["AWS"]}],
            },
        ),
    ],
)
def test_no_name_of_the_question_vanishes_or_turns(
    ask: Any, question: str, arguments: dict[str, Any]
) -> None:
    answer, _ = ask(question, calls("query_costs", {**BY_PROVIDER, **arguments}), says("Done."))
    assert answer.route == "planner"
    assert answer.status != "answered" or figures(answer) in ([AWS], [Decimal("80.00")])


INVENTED: dict[str, dict[str, Any]] = {
    "a breakdown of four": {"dimensions": ["region", "account", "service", "model"]},
    "a comparison": {"compare": {"kind": "previous"}},
    "another metric": {"metrics": ["savings"]},
    "a metric more": {"metrics": ["effective_cost", "billed_cost"]},
    "a cut": {"limit": 1},
    "a threshold": {"having": [{"metric": "effective_cost", "op": "gt", "value": 0}]},
    "steps of time": {"grain": "hour", "show": "series"},
    "a month less its last day": {"time": {"start": "2026-10-01", "end": "2026-10-31"}},
    "another month": {"time": {"start": "2026-09-01", "end": "2026-10-01"}},
    "no breakdown": {"dimensions": []},
}


@pytest.mark.parametrize("name", INVENTED)
def test_nothing_is_read_into_a_question_that_the_planner_does_not_know(
    ask: Any, name: str
) -> None:
    question = "Kindly ruminate upon outlays by provider in October 2026"
    given = {**BY_PROVIDER, **INVENTED[name]}
    answer, server = ask(question, calls("query_costs", given), says("Done."), route="auto")
    if name == "steps of time":
        assert "asks for no grain" in server.prompts()
    right = calls("query_costs", BY_PROVIDER)
    then, _ = ask(question, calls("query_costs", given), right, says("Done."), route="auto")
    assert (then.route, by_provider(then)) == ("model", True)
    assert answer.route == "planner"
    assert answer.status != "answered"


def test_a_value_that_the_question_says_is_taken(ask: Any, mode: str) -> None:
    where = [{"dimension": "team", "op": "in", "values": ["search"]}]
    given = {**BY_PROVIDER, "dimensions": [], "filters": where, "show": "total"}
    question = "Kindly ruminate upon the outlays of search, October 2026"
    answer, _ = ask(question, call(mode, "query_costs", given), says("Done."))
    assert (answer.route, figures(answer)) == ("model", [SEARCH])


# who may see what


def test_scope_and_values_are_those_of_the_principal(
    guarded: Assistant, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    wide = {**BY_PROVIDER, "dimensions": ["team"]}
    with endpoint(call(mode, "query_costs", wide), says("Done.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        answer = guarded.ask("October 2026 cost by team", principal="ann", route="model")
        assert answer.route == "model"
        assert [row[0] for row in answer.results[0].rows] == ["search"]
        assert "payments" not in server.prompts()
        assert "52.25" not in server.prompts()


def test_hidden_metrics_are_not_offered(
    guarded: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with endpoint(calls("query_costs", {**BY_PROVIDER, "metrics": ["list_cost"]})) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        answer = guarded.ask(SURE, principal="cfo", route="model")
        assert "list_cost" not in json.dumps(server.asked[0])
    assert answer.route == "planner"
    assert all("list" not in column.name for r in answer.results for column in r.columns)


def test_who_may_see_nothing_asks_no_model(
    guarded: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with endpoint(calls("query_costs", BY_PROVIDER)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        answer = guarded.ask(SURE, principal="nobody", route="model")
        assert (answer.status, server.asked) == ("refused", [])


# SQL where no metric fits


def test_sql_is_used_only_where_no_metric_fits(ask: Any) -> None:
    sql = "SELECT ServiceName AS service, median(EffectiveCost) AS middle FROM focus GROUP BY ALL"
    answer, _ = ask(SURE, calls("run_sql", {"sql": sql}))
    assert (answer.route, by_provider(answer)) == ("planner", True)
    answer, _ = ask(
        "Kindly ruminate upon the middling charge of each service",
        calls("run_sql", {"sql": sql + " ORDER BY service"}),
        says("Done."),
    )
    assert answer.route == "model"
    assert answer.status == "answered"
    assert "SQL" in answer.answer
    assert "not a governed metric" in answer.answer
    # EC2: -5, 3.75, 40, 80, 90; S3: 1, 10.10, 12.25; OpenAI: 9.93, 55.50, 70.07
    assert [float(str(v)) for v in figures(answer, "middle")] == [40.0, 10.1, 55.5]


def test_sql_that_reaches_out_is_refused(ask: Any) -> None:
    for sql in ("SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE focus", "SELECT 1 AS one_1"):
        answer, _ = ask(
            "Kindly ruminate upon the middling charge of each service",
            calls("run_sql", {"sql": sql}),
        )
        assert answer.route == "planner"
        assert answer.status != "answered"


def test_a_no_that_both_readings_meet(ask: Any, mode: str) -> None:
    given = {"metrics": ["requests"], "dimensions": [], "time": OCTOBER}
    answer, server = ask("How many requests in October 2026?", call(mode, "query_costs", given))
    assert (answer.route, answer.status, answer.reason) == ("model", "abstained", "not_loaded")
    assert len(server.asked) == 1
