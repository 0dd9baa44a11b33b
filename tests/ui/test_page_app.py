"""The page's application: conversations, errors, two people at once, and who is let in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.assistant import Assistant
from finops_assistant.agent.events import Event, Listener
from finops_assistant.store.errors import QueryRefused, StoreMissing
from finops_assistant.ui.page.blocks import PAUSE
from finops_assistant.ui.page.desk import FAILED, Desk, Trouble


def said(question: str, **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "question": question,
        "as_of": date(2026, 11, 1),
        "status": "answered",
        "answer": f"You asked {question}.",
        "follow_ups": ("Break it down by team",),
    }
    return Answer(**{**values, **changes})


class Fake:
    """An assistant that answers as told and remembers who asked what."""

    def __init__(self, answer: Callable[[str], Answer] = said) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.store: Any = SimpleNamespace(
            principal=lambda name: name,
            facts=lambda who: SimpleNamespace(
                last_day=date(2026, 10, 31), providers={"AWS": 1}, currencies=("USD",)
            ),
        )

    def ask(
        self, question: str, *, session: str, principal: str | None, on_event: Listener
    ) -> Answer:
        self.asked.append((session, question))
        on_event(Event("step", f"Reading {question}"))
        sleep(1.5 * PAUSE if question == "slow" else 0)
        on_event(Event("text", "A **first** paragraph."))
        return self.answer(question)


@pytest.fixture
def fake() -> Fake:
    return Fake()


def in_a_loop(make: Callable[[], Any]) -> Any:
    """What ``make`` makes, inside an event loop: outside one, Gradio leaves loops behind."""

    async def inside() -> Any:
        return make()

    return asyncio.run(inside())


def page_of(fake: Fake) -> Any:
    from finops_assistant.ui.page.blocks import Page
    from finops_assistant.ui.page.tables import Shelf

    return in_a_loop(lambda: Page(Desk(lambda: (fake, False)), Shelf()))


def html(update: Any) -> str:
    """Everything that a conversation update shows."""
    return "".join(str(part.value) for m in update["value"] for part in m["content"])


def names(page: Any) -> dict[str, int]:
    """Where each part of the page stands in an update."""
    order = ["session", "box", "welcome", "talk", "whole", "table", "hint"]
    return {name: place for place, name in enumerate(order)}


def begin(page: Any) -> str:
    return str(page.begin()[1])


def test_the_steps_come_as_they_happen_and_then_the_answer(hand_home: Path) -> None:
    desk = Desk(lambda: (Assistant.open(hand_home), False))
    news = list(desk.ask("What did we spend in October 2026?", desk.begin()))
    steps = [item.text for item in news if isinstance(item, Event) and item.kind == "step"]
    assert steps == [
        "Reading the question",
        "Querying the costs: effective cost",
        "Writing the answer",
    ]
    assert isinstance(news[-1], Answer)
    assert news[-1].status == "answered"


def test_a_turn_shows_progress_then_the_answer_then_its_chips(fake: Fake) -> None:
    page = page_of(fake)
    at = names(page)
    session = begin(page)
    updates = list(page.asked("slow", session))
    assert 'class="progress"' in html(updates[0][at["talk"]])
    assert updates[0][at["box"]]["interactive"] is False
    assert "Reading slow" in html(updates[1][at["talk"]])
    assert "<strong>first</strong>" in html(updates[2][at["talk"]])
    assert "<strong>first</strong>" not in html(updates[3][at["talk"]])
    last = updates[-1]
    assert "You asked slow." in html(last[at["talk"]])
    assert last[at["box"]]["interactive"] is True
    chip = last[len(at)]
    assert (chip["value"], chip["visible"]) == ("Break it down by team", True)
    list(page.chosen(0, session))
    assert fake.asked == [(session, "slow"), (session, "Break it down by team")]


def test_a_number_answers_a_question_back_and_nothing_else() -> None:
    options = {"question": "Which?", "options": ["team search", "service Search"]}
    fake = Fake(
        lambda question: (
            said(question, status="clarify", reason="ambiguous", clarification=options)
            if question == "search?"
            else said(question)
        )
    )
    page = page_of(fake)
    session = begin(page)
    for typed in ("search?", "2", "1"):
        list(page.asked(typed, session))
    assert [question for _, question in fake.asked] == ["search?", "service Search", "1"]


def test_nothing_asked_is_nothing_done(fake: Fake) -> None:
    page = page_of(fake)
    assert list(page.asked("  \n ", begin(page))) == []
    assert list(page.chosen(7, begin(page))) == []
    assert fake.asked == []


def test_an_exception_is_one_sentence_and_a_log_line_and_the_page_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def answer(question: str) -> Answer:
        if question == "break":
            raise RuntimeError("secret detail")
        return said(question)

    page = page_of(Fake(answer))
    at = names(page)
    session = begin(page)
    (*_, last) = page.asked("break", session)
    assert FAILED.split(";")[0] in html(last[at["talk"]])
    assert "secret detail" not in html(last[at["talk"]])
    assert last[at["box"]]["interactive"] is True
    assert "secret detail" in caplog.text
    (*_, last) = page.asked("again", session)
    assert "You asked again." in html(last[at["talk"]])


def test_an_answer_that_cannot_be_shown_does_not_close_the_box(
    caplog: pytest.LogCaptureFixture,
) -> None:
    page = page_of(Fake(lambda question: said(question, numbers=({"text": "1"},))))
    at = names(page)
    (*_, last) = page.asked("odd", begin(page))
    assert "Something went wrong" in html(last[at["talk"]])
    assert last[at["box"]]["interactive"] is True
    assert "could not be shown" in caplog.text


def test_a_missing_store_says_how_to_load_and_is_found_once_it_is_there(fake: Fake) -> None:
    loaded: list[Fake] = []

    def open_assistant() -> tuple[Any, bool]:
        if not loaded:
            raise StoreMissing("Nothing is loaded.")
        return loaded[0], True

    desk = Desk(open_assistant)
    (trouble,) = desk.ask("How much?", desk.begin())
    assert trouble == Trouble("Nothing is loaded.", "missing")
    loaded.append(fake)
    (*_, answer) = desk.ask("How much?", desk.begin())
    assert isinstance(answer, Answer)
    assert desk.sample


def test_who_may_see_nothing_is_not_told_that_nothing_is_loaded(fake: Fake) -> None:
    def refuse(_: Any) -> Any:
        raise QueryRefused("NOT_PERMITTED", "You may not see this.")

    fake.store.facts = refuse
    header = str(page_of(fake).begin()[0])
    assert "loaded" not in header
    assert "yours to see" in header


def test_two_people_at_once_get_their_own_answers() -> None:
    gate = threading.Barrier(8, timeout=20)

    def answer(question: str) -> Answer:
        gate.wait()  # all eight are under way at the same time
        return said(question)

    fake = Fake(answer)
    page = page_of(fake)
    at = names(page)
    shown: dict[str, str] = {}

    def person(name: str) -> None:
        (*_, last) = page.asked(f"question of {name}", begin(page))
        shown[name] = html(last[at["talk"]])

    people = [threading.Thread(target=person, args=(f"p{i}",)) for i in range(8)]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    assert len({session for session, _ in fake.asked}) == 8
    for name in (f"p{i}" for i in range(8)):
        others = {f"question of p{i}" for i in range(8)} - {f"question of {name}"}
        assert f"question of {name}" in shown[name]
        assert not [other for other in others if other in shown[name]]


def test_one_tab_asks_one_question_at_a_time() -> None:
    slow = threading.Event()

    def answer(question: str) -> Answer:
        assert slow.wait(20)
        return said(question)

    fake = Fake(answer)
    page = page_of(fake)
    session = begin(page)
    first = page.asked("first", session)
    next(first)
    assert list(page.asked("second", session)) == []
    slow.set()
    list(first)
    assert [question for _, question in fake.asked] == ["first"]
    list(page.asked("third", session))
    assert [question for _, question in fake.asked] == ["first", "third"]


def test_a_tab_that_outlived_the_server_goes_on(fake: Fake) -> None:
    page = page_of(fake)
    for unknown in (None, "made-up"):
        (*_, last) = page.asked("How much?", unknown)
        session = last[0]
        assert session not in (None, "made-up")
        list(page.asked("And then?", session))
        assert fake.asked[-2:] == [(session, "How much?"), (session, "And then?")]


def test_conversations_are_bounded(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    from finops_assistant.ui.page import desk as module

    monkeypatch.setattr(module, "KEPT_CONVERSATIONS", 3)
    desk = Desk(lambda: (fake, False))
    first, *others = [desk.begin() for _ in range(4)]
    assert desk.find(first.session) is not first
    assert desk.find(others[-1].session) is others[-1]
    assert len(first.session) >= 20
    for turn in range(module.KEPT_TURNS + 5):
        first.keep([{"role": "user", "content": [str(turn)]}])
    assert len(first.messages) == module.KEPT_TURNS


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from starlette.testclient import TestClient

    from finops_assistant.ui.page.app import build

    app = in_a_loop(lambda: build(Desk(lambda: (Fake(), False))))
    with TestClient(app, base_url="http://127.0.0.1:7860") as opened:
        yield opened


def test_healthz(client: Any) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "store": "ready"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:7860"}, 200),
        ({"host": "[::1]:7860"}, 200),
        ({"origin": "http://127.0.0.1:7860"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example:7860"}, 403),
        ({"host": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_only_this_machine_and_this_page_are_let_in(
    client: Any, headers: dict[str, str], status: int
) -> None:
    for path in ("/", "/healthz", "/config", "/gradio_api/info"):
        assert client.get(path, headers=headers).status_code == status


def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: Any) -> None:
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    # Nothing in the page itself points at another host, except words about it that are not loaded.
    loaded = [part for part in page.text.split("<") if part.startswith(("script", "link", "img"))]
    assert not [part for part in loaded if "//" in part.partition(">")[0]]


@pytest.mark.parametrize(
    "path",
    [
        f"/gradio_api/file={Path(__file__)}",
        "/gradio_api/file=/etc/passwd",
        "/monitoring",
        "/docs",
        "/gradio_api/mcp/schema",
        "/tables/unknown.csv",
        "/tables/..%2f..%2fcosts.duckdb.csv",
    ],
)
def test_nothing_else_is_served(client: Any, path: str) -> None:
    assert client.get(path).status_code in {403, 404}


def test_nothing_is_callable_from_outside_the_page(client: Any) -> None:
    described = client.get("/gradio_api/info").json()
    assert described == {"named_endpoints": {}, "unnamed_endpoints": {}}
    upload = client.post("/gradio_api/upload", files={"files": ("a.csv", b"x" * 2048)})
    assert upload.status_code == 413


def test_gradio_is_told_to_stay_at_home() -> None:
    import os

    from finops_assistant.ui.page.gradio_offline import gr

    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    page = page_of(Fake())
    assert page.blocks.analytics_enabled is False
    assert gr.__version__.startswith("6.")


def test_a_turn_that_nobody_waits_for_ends_by_itself() -> None:
    done = threading.Event()

    def answer(question: str) -> Answer:
        sleep(0.05)
        done.set()
        return said(question)

    desk = Desk(lambda: (Fake(answer), False))
    talk = desk.ask("How much?", desk.begin())
    turn = threading.Thread(target=lambda: next(talk, None), daemon=True)
    turn.start()
    assert done.wait(20)
