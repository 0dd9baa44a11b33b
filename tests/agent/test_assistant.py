"""From a question to an answer, over charges that were added up by hand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import simplejson

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.assistant import Assistant

# October 2026, effective: 90 + 40 + 12.25 + 70.07 + 9.93 + 1 - 5 + 3.75
OCTOBER = Decimal("222.00")
# September 2026, effective: 80 + 10.10 + 55.50
SEPTEMBER = Decimal("145.60")


def cells(answer: Answer, column: str) -> list[object]:
    main = answer.results[0]
    return [row[main.index(column)] for row in main.rows]


def by(answer: Answer, dimension: str, metric: str = "effective_cost") -> dict[object, object]:
    return dict(zip(cells(answer, dimension), cells(answer, metric), strict=True))


def test_a_total(assistant: Assistant) -> None:
    answer = assistant.ask("What did we spend in October 2026?")
    assert answer.status == "answered"
    assert cells(answer, "effective_cost") == [OCTOBER]
    assert answer.answer.startswith("**$222.00**")
    assert answer.as_of == date(2026, 11, 1)
    (number,) = answer.numbers
    assert (number["text"], number["value"], number["result"]) == ("$222.00", OCTOBER, "r1")


def test_a_breakdown_adds_up_to_its_total(assistant: Assistant) -> None:
    answer = assistant.ask("October 2026 cost by team")
    assert by(answer, "team")["search"] == Decimal("158.82")  # 90 + 70.07 - 5 + 3.75
    assert by(answer, "team")["payments"] == Decimal("52.25")
    assert by(answer, "team")["(untagged)"] == Decimal("9.93")
    total = answer.results[1]
    assert total.rows == ((OCTOBER,),)
    assert sum(Decimal(str(cost)) for cost in cells(answer, "effective_cost")) == OCTOBER


def test_a_comparison(assistant: Assistant) -> None:
    answer = assistant.ask("Compare October 2026 spend with September 2026")
    assert cells(answer, "effective_cost_change") == [OCTOBER - SEPTEMBER]
    assert "up **$76.40** (+52.5%)" in answer.answer


def test_billed_is_not_effective(assistant: Assistant) -> None:
    answer = assistant.ask("what was billed for AWS in September 2026")
    assert cells(answer, "billed_cost") == [Decimal("110.10")]
    assert "Billed cost in USD" in answer.answer


def test_names_from_data_render_as_text(assistant: Assistant) -> None:
    answer = assistant.ask("October 2026 cost by team")
    assert "\\<b\\>reply 999\\</b\\>" in answer.answer
    assert "<b>" not in answer.answer
    assert "](http://" not in answer.answer
    assert "999" not in [number["text"] for number in answer.numbers]


@pytest.mark.parametrize(
    ("question", "status", "reason"),
    [
        ("What did the quantum team spend?", "clarify", "ambiguous"),
        ("What did we spend in March 2019?", "abstained", "not_loaded"),
        ("How many requests did we make last month?", "abstained", "not_loaded"),
        ("What is the weather in Paris?", "abstained", "out_of_scope"),
        ("Delete the search project", "refused", "unsafe"),
        ("and for staging?", "clarify", "ambiguous"),
        ("", "abstained", "out_of_scope"),
        ("🎉🎉🎉", "abstained", "out_of_scope"),
        ("What did we spend on OpenAI in prod in October 2026?", "answered", "no_rows"),
    ],
)
def test_each_no_is_a_no_of_its_own(
    assistant: Assistant, question: str, status: str, reason: str
) -> None:
    answer = assistant.ask(question)
    assert (answer.status, answer.reason) == (status, reason), answer.answer
    assert answer.answer
    assert answer.numbers == ()


def test_a_question_of_20000_characters(assistant: Assistant) -> None:
    answer = assistant.ask("What did we spend " + "very " * 4000 + "much?")
    assert answer.status in {"clarify", "abstained"}
    assert len(answer.answer) < 400


def test_a_clarification_has_options_that_work(assistant: Assistant) -> None:
    answer = assistant.ask("What did the serach team spend in October 2026?")
    if answer.status == "clarify":
        assert answer.clarification is not None
        answer = assistant.ask(answer.clarification["options"][0])
    assert cells(answer, "effective_cost") == [Decimal("158.82")]


def test_follow_ups_can_be_clicked(assistant: Assistant) -> None:
    for number, question in enumerate(
        [
            "October 2026 spend",
            "October 2026 cost by team",
            "monthly AWS cost",
            "what data is there",
        ]
    ):
        first = assistant.ask(question, session=f"clicks-{number}")
        assert first.follow_ups
        for position, follow_up in enumerate(first.follow_ups):
            session = f"clicks-{number}-{position}"
            assistant.ask(question, session=session)
            then = assistant.ask(follow_up, session=session)
            assert then.status == "answered", (question, follow_up, then.answer)


def test_a_conversation_survives_a_restart(hand_home: Path) -> None:
    first = Assistant.open(hand_home)
    first.ask("AWS spend in October 2026", session="restart")
    first.close()
    second = Assistant.open(hand_home)
    answer = second.ask("and OpenAI?", session="restart")
    assert cells(answer, "effective_cost") == [Decimal("80.00")]
    second.close()


def test_conversations_do_not_leak(assistant: Assistant) -> None:
    assistant.ask("AWS spend in October 2026", session="one")
    assert assistant.ask("and in September?", session="two").status == "clarify"
    assert cells(assistant.ask("and in September?", session="one"), "effective_cost") == [
        Decimal("90.10")
    ]


def test_a_long_conversation_stays_small(assistant: Assistant, hand_home: Path) -> None:
    for _ in range(25):
        answer = assistant.ask("October 2026 cost by team", session="long")
    assert answer.status == "answered"
    import sqlite3

    with sqlite3.connect(hand_home / "state.sqlite") as state:
        count, size = state.execute(
            "SELECT count(*), sum(length(checkpoint)) FROM checkpoints WHERE thread_id LIKE '%long'"
        ).fetchone()
    assert count == 1
    assert size < 200_000


def test_the_json_is_the_contract(assistant: Assistant) -> None:
    answer = assistant.ask("October 2026 cost by provider")
    text = simplejson.dumps(answer.to_json(), use_decimal=True)
    data = json.loads(text)
    assert list(data) == [
        "question",
        "as_of",
        "status",
        "reason",
        "answer",
        "clarification",
        "results",
        "numbers",
        "citations",
        "recommendations",
        "chart",
        "follow_ups",
        "route",
        "usage",
        "elapsed_ms",
    ]
    result = data["results"][0]
    assert result["columns"] == [
        {"name": "provider", "unit": "text"},
        {"name": "effective_cost", "unit": "USD"},
    ]
    assert result["rows"] == [["AWS", 142], ["OpenAI", 80]]
    assert result["scope"]["start"] == "2026-10-01"
    assert result["scope"]["end"] == "2026-11-01"
    assert result["scope"]["currency"] == "USD"
    assert "SELECT" in result["sql"]
    assert data["chart"]["data"][0]["x"] == ["AWS", "OpenAI"]
    assert data["route"] == "planner"
    assert data["usage"] == {"model": None, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0}


def test_a_frame_keeps_decimals_and_zones(assistant: Assistant) -> None:
    frame = assistant.ask("cost by month in 2026").results[0].frame()
    assert str(frame["period"].dtype).endswith("UTC]")
    assert all(isinstance(cost, Decimal) for cost in frame["effective_cost"])
    assert sum(frame["effective_cost"]) == OCTOBER + SEPTEMBER


def test_as_of_is_the_day_that_counts_as_today(assistant: Assistant) -> None:
    answer = assistant.ask("spend last month", as_of=date(2026, 10, 10))
    assert cells(answer, "effective_cost") == [SEPTEMBER]
    so_far = assistant.ask("spend this month", as_of=date(2026, 10, 10))
    assert cells(so_far, "effective_cost") == [Decimal("212.32")]  # 90 + 40 + 12.25 + 70.07


# Who may see what


def test_a_principal_sees_its_rows_only(guarded: Assistant) -> None:
    answer = guarded.ask("October 2026 spend", principal="ann")
    assert cells(answer, "effective_cost") == [Decimal("158.82")]
    assert "search" in answer.answer
    teams = guarded.ask("October 2026 cost by team", principal="ann")
    assert by(teams, "team") == {"search": Decimal("158.82")}
    share = guarded.ask("what share of October 2026 spend is OpenAI?", principal="ann")
    assert cells(share, "share") == [pytest.approx(70.07 / 158.82)]


def test_a_team_out_of_sight_and_a_team_that_is_not_there_read_the_same(guarded: Assistant) -> None:
    real = guarded.ask("October 2026 spend of team payments", principal="ann")
    made_up = guarded.ask("October 2026 spend of team quantums", principal="ann")
    assert real.status == made_up.status != "answered"
    assert real.reason == made_up.reason
    assert real.answer.replace("payments", "…") == made_up.answer.replace("quantums", "…")


@pytest.mark.parametrize("name", [None, "", "nobody"])
def test_who_is_not_known_sees_nothing(guarded: Assistant, name: str | None) -> None:
    answer = guarded.ask("October 2026 spend", principal=name)
    assert (answer.status, answer.reason) == ("refused", "no_permission")
    assert answer.results == ()


def test_a_hidden_column_is_not_permitted(guarded: Assistant) -> None:
    answer = guarded.ask("list cost in October 2026", principal="cfo")
    assert (answer.status, answer.reason) == ("refused", "no_permission")
    metrics = guarded.ask("which metrics can I ask for?", principal="cfo")
    assert "list_cost" not in cells(metrics, "metric")
    assert "effective_cost" in cells(metrics, "metric")


def test_a_conversation_belongs_to_its_principal(guarded: Assistant) -> None:
    guarded.ask("OpenAI spend in October 2026", session="shared", principal="bob")
    answer = guarded.ask("and in September?", session="shared", principal="ann")
    assert answer.status == "clarify"
