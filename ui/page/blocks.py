"""The page itself: what stands where, and what happens on a question."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from time import monotonic
from typing import Any

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.events import Event
from finops_assistant.store.errors import QueryRefused, StoreMissing
from finops_assistant.ui.chat import pick
from finops_assistant.ui.page import render
from finops_assistant.ui.page.desk import FAILED, Conversation, Desk, Trouble
from finops_assistant.ui.page.gradio_offline import gr
from finops_assistant.ui.page.messages import answered, choices, hint, message, whole_table
from finops_assistant.ui.page.tables import Shelf

log = logging.getLogger(__name__)

EXAMPLES = (
    "What did we spend last month?",
    "Which team spends most?",
    "Show cost by month for the last 6 months",
    "Top 5 services last quarter",
    "How does AI spend compare with the month before?",
    "What is our cost per 1M tokens by model?",
)
OPENING = "Opening the data"
CHIPS = 8
PAUSE = 0.2  # seconds
ONE_AT_A_TIME = "One question at a time, please: the one before is still being answered."


class Page:
    """The parts of the page, and what each event does to them."""

    def __init__(self, desk: Desk, shelf: Shelf) -> None:
        self.desk = desk
        self.shelf = shelf
        with gr.Blocks(
            title="finops-assistant", analytics_enabled=False, fill_width=True
        ) as self.blocks:
            self._lay_out()
            self._connect()
        self.blocks.queue(default_concurrency_limit=16)

    def _lay_out(self) -> None:
        self.session = gr.State(None)  # the key of this tab's conversation; stays on this side
        with gr.Row(elem_id="top", equal_height=True):
            self.header = gr.HTML(elem_id="header", padding=False, apply_default_css=False)
            self.look = gr.Button("Light or dark", size="sm", elem_id="look", min_width=90, scale=0)
            self.anew = gr.Button(
                "New conversation", size="sm", elem_id="anew", min_width=90, scale=0
            )
        self.welcome = gr.HTML(elem_id="welcome", padding=False, apply_default_css=False)
        self.talk = gr.Chatbot(
            elem_id="talk",
            label="Conversation",
            show_label=False,
            container=False,
            layout="panel",
            height="auto",
            autoscroll=False,
            buttons=[],
            latex_delimiters=[],
            render_markdown=False,
            sanitize_html=True,
            group_consecutive_messages=False,
            visible=False,
        )
        with gr.Accordion("The table", open=False, visible=False, elem_id="whole") as self.whole:
            self.table = gr.Dataframe(
                elem_id="table",
                label="Table of the last answer",
                show_label=False,
                interactive=False,
                wrap=True,
                max_height=460,
                buttons=[],
                show_search="search",
            )
        self.hint = gr.HTML(elem_id="hint", padding=False, apply_default_css=False)
        with gr.Row(elem_id="chips"):
            self.chips = [
                gr.Button("", size="sm", visible=False, elem_classes="chip", min_width=0)
                for _ in range(CHIPS)
            ]
        with gr.Row(elem_id="ask"):
            self.box = gr.Textbox(
                label="Your question",
                elem_id="box",
                show_label=False,
                container=False,
                placeholder="Ask about your costs",
                lines=1,
                max_lines=6,
                autofocus=True,
                scale=1,
                html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=True),
            )
            self.go = gr.Button("Ask", variant="primary", elem_id="go", scale=0, min_width=70)

    def _connect(self) -> None:
        private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        whole_page = self._outputs()
        start = [self.header, *whole_page]
        self.blocks.load(self.begin, None, start, **private)
        self.anew.click(self.begin, None, start, **private).then(
            None, None, None, js="() => finopsPage.focus()", **private
        )
        self.look.click(None, None, None, js="() => finopsPage.look()", **private)
        asking: dict[str, Any] = {"outputs": whole_page, "concurrency_id": "ask", **private}
        events = [
            listen(self.asked, [self.box, self.session], **asking)
            for listen in (self.box.submit, self.go.click)
        ]
        events += [
            chip.click(partial(self.chosen, place), [self.session], **asking)
            for place, chip in enumerate(self.chips)
        ]
        for event in events:
            event.then(None, None, None, js="() => finopsPage.answered()", **private)

    def _outputs(self) -> list[Any]:
        return [
            *(self.session, self.box, self.welcome, self.talk, self.whole, self.table, self.hint),
            *self.chips,
        ]

    def begin(self) -> list[Any]:
        """A new conversation for a tab that was just opened, or that starts over."""
        conversation = self.desk.begin()
        conversation.choices = EXAMPLES
        welcome = gr.update(value=render.fill("welcome.html"), visible=True)
        return [
            self._header(),
            conversation.session,
            gr.update(value="", interactive=True),
            welcome,
            gr.update(value=[], visible=False),
            gr.update(visible=False),
            gr.update(value=None),
            *self._choices("Try one of these", EXAMPLES),
        ]

    def chosen(self, place: int, session: str | None) -> Iterator[list[Any]]:
        """A chip was clicked: ask what it says."""
        offered = self.desk.find(session).choices
        if place < len(offered):
            yield from self.asked(offered[place], session)

    def asked(self, text: str, session: str | None) -> Iterator[list[Any]]:
        """A question: the steps as they happen, then the answer."""
        conversation = self.desk.find(session)
        asked = pick(text, conversation.choices if conversation.asked_back else ())
        if not asked:
            return
        if not conversation.busy.acquire(blocking=False):
            gr.Info(ONE_AT_A_TIME)
            return
        try:
            yield from self._turn(asked, conversation)
        finally:
            conversation.busy.release()

    def _turn(self, asked: str, conversation: Conversation) -> Iterator[list[Any]]:
        said = message("user", [render.question(asked)])
        steps: list[str] = []
        written: list[str] = []
        shown_at = monotonic()
        yield self._waiting(conversation, said, [OPENING], written)
        for news in self.desk.ask(asked, conversation):
            if isinstance(news, Event):
                (steps if news.kind == "step" else written).append(news.text)
                # Paragraphs that come together are shown together: each showing sends the lot.
                if news.kind == "text" and monotonic() - shown_at < PAUSE:
                    continue
                shown_at = monotonic()
                yield self._waiting(conversation, said, steps or [OPENING], written)
                continue
            try:
                shown = self._finished(conversation, said, news, steps)
            except Exception:  # the box must open again, whatever an answer holds
                log.exception("An answer could not be shown")
                shown = self._finished(conversation, said, Trouble(FAILED), steps)
            yield shown

    def _waiting(
        self,
        conversation: Conversation,
        said: dict[str, Any],
        steps: list[str],
        written: list[str],
    ) -> list[Any]:
        pending = message("assistant", [render.progress(steps, written)])
        return [
            conversation.session,
            gr.update(value="", interactive=False),
            gr.update(visible=False),
            gr.update(value=[*conversation.messages, said, pending], visible=True),
            gr.update(visible=False),
            gr.skip(),
            *self._choices("", ()),
        ]

    def _finished(
        self,
        conversation: Conversation,
        said: dict[str, Any],
        news: Answer | Trouble,
        steps: list[str],
    ) -> list[Any]:
        if isinstance(news, Trouble):
            conversation.keep([said, message("assistant", [render.trouble(news)])])
            conversation.choices = () if news.kind == "missing" else EXAMPLES
            conversation.asked_back = False
            over, whole = "Or try one of these", (gr.update(visible=False), gr.skip())
        else:
            over, whole = hint(news), whole_table(news)
            conversation.keep([said, answered(news, steps, self.shelf)])
            conversation.choices = choices(news) or EXAMPLES[:3]
            conversation.asked_back = news.clarification is not None
        return [
            conversation.session,  # a tab that outlived its server goes on under a new key
            gr.update(value="", interactive=True),
            gr.update(visible=False),
            gr.update(value=conversation.messages, visible=True),
            *whole,
            *self._choices(over, conversation.choices),
        ]

    def _header(self) -> str:
        try:
            assistant = self.desk.assistant()
            facts = assistant.store.facts(assistant.store.principal(self.desk.principal))
        except StoreMissing:
            return render.header("Nothing is loaded yet")
        except QueryRefused:
            return render.header("Nothing here is yours to see")
        except Exception:
            log.exception("The header could not be filled")
            return render.header("The data cannot be read at the moment")
        return render.header(render.coverage(facts), sample=self.desk.sample)

    def _choices(self, over: str, offered: tuple[str, ...]) -> list[Any]:
        shown = offered[:CHIPS]
        chips = [gr.update(value=text, visible=True) for text in shown]
        chips += [gr.update(visible=False)] * (CHIPS - len(shown))
        return [render.fill("hint.html", text=over) if shown else "", *chips]
