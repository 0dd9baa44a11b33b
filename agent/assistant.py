"""The public door: ``Assistant.open(home).ask(text) -> Answer``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from finops_assistant.agent import models, outcome
from finops_assistant.agent.answer import Answer, Usage
from finops_assistant.agent.compose import compose
from finops_assistant.agent.events import READING, Event, Listener
from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, Plan, RefusePlan
from finops_assistant.agent.planner.parse import parse
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.errors import QueryRefused, UsageError
from finops_assistant.store.settings import Home
from finops_assistant.store.store import Store
from finops_assistant.tools.context import ToolContext

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from finops_assistant.agent.models import ModelChoice
    from finops_assistant.agent.sessions import Sessions

Route = Literal["auto", "planner", "model"]
EARLIEST_YEAR = 2000


class Assistant:
    """Answers questions about one home folder; one question at a time in one session."""

    def __init__(self, home: Home, store: Store) -> None:
        self.home = home
        self.store = store
        self._sessions: Sessions | None = None

    @classmethod
    def open(cls, home: str | Path | Home | None = None) -> Assistant:
        """Open the store of a home folder. Raises ``StoreMissing`` when nothing is loaded."""
        found = home if isinstance(home, Home) else Home.find(home)
        return cls(found, Store.open(found))

    def ask(
        self,
        question: str,
        *,
        session: str | None = None,
        principal: str | None = None,
        as_of: date | None = None,
        route: Route = "auto",
        model: str | None = None,
        on_event: Listener | None = None,
    ) -> Answer:
        """One answer. ``session`` goes on with that conversation; ``as_of`` is the day that counts
        as today.

        ``route`` ``planner`` asks no model; ``auto`` asks the one that is configured where the
        planner is not sure; ``model`` asks it always, and raises ``ModelTrouble`` when it cannot be
        asked. ``model`` names one for this question. ``on_event`` is told of each step, and of the
        paragraphs of the answer once they have been checked.
        """
        started = time.perf_counter()
        if as_of is not None and as_of.year < EARLIEST_YEAR:
            raise UsageError(f"There is no cost data as of {as_of}; name a day of this century.")
        tell = on_event or (lambda event: None)
        choice = None if route == "planner" else models.choose(self.store.settings, model)
        if route == "model" and choice is None:
            raise UsageError(
                "No model is configured: name one with --model or FINOPS_MODEL, and give "
                "OPENAI_API_KEY or OPENAI_BASE_URL; --route planner needs none."
            )
        try:
            who = self.store.principal(principal)
            today = as_of or self.store.facts(who).today
            turn = _Turn(self, question, ToolContext(self.store, who, today), session, tell)
            answer = turn.planned() if choice is None else turn.read_by(choice, route)
        except QueryRefused as no:
            answer = outcome.refused(question, as_of or date.today(), no)  # noqa: DTZ011
        for paragraph in answer.answer.split("\n\n"):
            tell(Event("text", paragraph))
        return replace(answer, elapsed_ms=round((time.perf_counter() - started) * 1000))

    def sessions(self) -> Sessions:
        """The conversations of this home, opened at the first need."""
        from finops_assistant.agent.sessions import Sessions

        if self._sessions is None:
            self._sessions = Sessions(self.home)
        return self._sessions

    def close(self) -> None:
        """Release the store and the conversations."""
        self.store.close()
        if self._sessions is not None:
            self._sessions.close()


class _Turn:
    """One question: who reads it, and what is kept of it."""

    def __init__(
        self,
        assistant: Assistant,
        question: str,
        context: ToolContext,
        session: str | None,
        tell: Listener,
    ) -> None:
        # LangChain is dear to import: only a question that gets this far pays for it.
        from langchain_core.messages import HumanMessage

        from finops_assistant.agent import loop

        self.store = assistant.store
        self.context = context
        self.question = question
        self.tell = tell
        self.asked = HumanMessage(question, id=str(uuid.uuid4()))
        self.draft: Plan | None = None
        self.sessions = assistant.sessions() if session is not None else None
        self.thread = (
            self.sessions.thread(session, context.principal.name)
            if self.sessions is not None and session is not None
            else ""
        )
        planner = loop.PlannerChatModel(
            read=self._planner_reads,
            phrase=lambda plan: compose(plan, context.results, self.store.semantics),
        )
        saver = self.sessions.saver if self.sessions is not None else None
        self.agent = loop.planner_agent(planner, saver, tell)

    def planned(self) -> Answer:
        """The embedded planner's answer."""
        from finops_assistant.agent import loop

        messages = self._run()
        plan = loop.latest_plan(messages)
        if plan is None:  # the planner always leaves one; a graph that lost it is a defect
            raise RuntimeError("the turn ended without a plan")
        if isinstance(plan.step, ClarifyPlan | AbstainPlan | RefusePlan):
            return outcome.declined(self.question, self.context.as_of, plan.step)
        no = loop.refusal(messages)
        if no is not None:
            return outcome.refused(self.question, self.context.as_of, no)
        return outcome.answered(
            self.question,
            self.context.as_of,
            plan,
            str(messages[-1].text),
            self.context.results,
            self.store.semantics,
        )

    def read_by(self, choice: ModelChoice, route: Route) -> Answer:
        """The model's answer; the planner's where it is sure, where its no holds whoever reads,
        and where the model gives nothing that can be used."""
        from finops_assistant.agent import accord, pricing
        from finops_assistant.agent.model_reading import AgreedNo, NoReading, Reading

        view = self._view(self._earlier())
        self.tell(Event("step", READING))
        self.draft = parse(self.question, view)
        if accord.settled(self.question, self.draft) or (
            route == "auto" and accord.sure(self.draft)
        ):
            return self.planned()
        reading = Reading()
        try:
            answer = self._modelled(choice, view, self.draft, reading)
            note = ""
        except AgreedNo:
            answer, note = replace(self.planned(), route="model"), ""
        except models.ModelTrouble as trouble:
            if route == "model":
                raise
            answer, note = self.planned(), trouble.what
        except NoReading as nothing:
            answer, note = self.planned(), str(nothing)
            if route == "auto" and answer.status != "answered":
                note = ""  # both say no, the planner with a reason
        usage = pricing.usage_of(
            choice, reading.input_tokens, reading.output_tokens, reading.counted
        )
        if note:
            said = f"The language model {note}, so the built-in planner read this question."
            answer = replace(answer, answer=f"{answer.answer}\n\n{said}")
        return replace(answer, usage=usage if reading.asked else Usage())

    def _modelled(
        self, choice: ModelChoice, view: PlannerView, draft: Plan, reading: Any
    ) -> Answer:
        from finops_assistant.agent import loop, model_turn
        from finops_assistant.agent.model_answer import answer_from
        from finops_assistant.agent.model_prompt import brief

        context = replace(self.context, results=[])  # of a failed attempt nothing is left
        about = brief(
            self.question, draft, view, self.store.semantics, context.principal, choice.mode
        )
        narrator = loop.Narrate(self.tell)
        model_turn.read(choice, self.question, about, draft, view, context, reading, narrator)
        answer, template, main = answer_from(
            reading, self.question, context.as_of, self.store.semantics
        )
        if self.sessions is not None:
            messages = loop.answered_turn(self.asked, main.plan, main.results, template)
            config = self.sessions.config(self.thread)
            self.agent.update_state(config, {"messages": messages}, as_node="model")
            self.sessions.keep_newest(self.thread)
        return answer

    def _planner_reads(self, messages: Sequence[BaseMessage]) -> Plan:
        """The embedded planner's reading of the last message in the light of the earlier ones."""
        if self.draft is None:
            self.draft = parse(str(messages[-1].text), self._view(messages[:-1]))
        return self.draft

    def _view(self, earlier: Sequence[BaseMessage]) -> PlannerView:
        from finops_assistant.agent import loop

        return PlannerView(
            semantics=self.store.semantics,
            catalogue=self.store.catalogue(self.context.principal),
            facts=self.store.facts(self.context.principal),
            as_of=self.context.as_of,
            previous=loop.latest_plan(earlier),
            previous_results=loop.latest_results(earlier),
        )

    def _earlier(self) -> list[BaseMessage]:
        if self.sessions is None:
            return []
        state = self.agent.get_state(self.sessions.config(self.thread))
        return list(state.values.get("messages", ()))

    def _run(self) -> list[BaseMessage]:
        turn = {"messages": [self.asked]}
        if self.sessions is None:
            return list(self.agent.invoke(turn, context=self.context)["messages"])
        # Written once, at the end: a turn that was cut off leaves the conversation as it was.
        config = self.sessions.config(self.thread)
        state = self.agent.invoke(turn, config, context=self.context, durability="exit")
        self.sessions.keep_newest(self.thread)
        return list(state["messages"])
