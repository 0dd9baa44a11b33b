"""What stands behind the page: one assistant for all tabs, and a conversation for each of them."""

from __future__ import annotations

import importlib
import logging
import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from finops_assistant.store.errors import FinopsError, StoreMissing

if TYPE_CHECKING:
    from finops_assistant.agent.answer import Answer
    from finops_assistant.agent.events import Event, Listener
    from finops_assistant.store.store import Store

log = logging.getLogger(__name__)

FAILED = (
    "Something went wrong on this side while answering; the details are in the program's log. "
    "The page still works: ask again, or put it another way."
)
KEPT_CONVERSATIONS = 500
KEPT_TURNS = 25  # shown on the page; the assistant's own memory is another matter


class Asks(Protocol):
    """The part of ``Assistant`` that the page uses."""

    store: Store

    def ask(
        self, question: str, *, session: str, principal: str | None, on_event: Listener
    ) -> Answer: ...


@dataclass(frozen=True)
class Trouble:
    """A turn that ended without an answer, in one plain sentence."""

    sentence: str
    kind: str = "failed"  # failed | missing | busy


@dataclass
class Conversation:
    """One tab's conversation. Its id is random: it is the only key to it."""

    session: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    turns: list[list[dict[str, Any]]] = field(default_factory=list)  # messages as the page shows
    choices: tuple[str, ...] = ()
    asked_back: bool = False  # the choices are options of a question back: a bare number picks one
    busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Everything said, oldest first."""
        return [message for turn in self.turns for message in turn]

    def keep(self, turn: list[dict[str, Any]]) -> None:
        """Add a finished turn and forget the oldest beyond what the page shows."""
        self.turns.append(turn)
        del self.turns[:-KEPT_TURNS]


class Desk:
    """Takes questions from any number of tabs at once and never mixes them up."""

    def __init__(
        self,
        open_assistant: Callable[[], tuple[Asks, bool]],
        *,
        principal: str | None = None,
    ) -> None:
        """``open_assistant`` gives the assistant, and whether it is that of the sample company."""
        self._open = open_assistant
        self._assistant: Asks | None = None
        self._opening = threading.Lock()
        self._conversations: OrderedDict[str, Conversation] = OrderedDict()
        self._listing = threading.Lock()
        self.principal = principal
        self.sample = False

    def assistant(self) -> Asks:
        """The assistant, opened at the first need: a store loaded meanwhile is found."""
        with self._opening:
            if self._assistant is None:
                self._assistant, self.sample = self._open()
            return self._assistant

    def warm(self) -> None:
        """Load beforehand what the first question would wait for."""
        with suppress(FinopsError):  # told to whoever opens the page
            self.assistant()
        importlib.import_module("finops_assistant.agent.loop")

    def begin(self) -> Conversation:
        """A new conversation; the ones longest unused are forgotten."""
        conversation = Conversation()
        with self._listing:
            self._conversations[conversation.session] = conversation
            while len(self._conversations) > KEPT_CONVERSATIONS:
                self._conversations.popitem(last=False)
        return conversation

    def find(self, session: str | None) -> Conversation:
        """The conversation of a tab; a new one when it is not known (any more)."""
        with self._listing:
            known = self._conversations.get(session or "")
            if known is not None:
                self._conversations.move_to_end(known.session)
                return known
        return self.begin()

    def ask(self, question: str, conversation: Conversation) -> Iterator[Event | Answer | Trouble]:
        """The steps as they are taken, then the answer or what went wrong; never an exception."""
        news: queue.SimpleQueue[Event | Answer | Trouble | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                assistant = self.assistant()
                news.put(
                    assistant.ask(
                        question,
                        session=conversation.session,
                        principal=self.principal,
                        on_event=news.put,
                    )
                )
            except StoreMissing as error:
                news.put(Trouble(str(error), "missing"))
            except FinopsError as error:
                news.put(Trouble(str(error)))
            except Exception:
                log.exception("A question could not be answered")
                news.put(Trouble(FAILED))
            finally:
                news.put(None)

        # The turn goes on to its end even when the tab is closed half-way.
        threading.Thread(target=work, daemon=True).start()
        while (item := news.get()) is not None:
            yield item
