"""The public door: ``Assistant.open(home).ask(text) -> Answer``."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from finops_assistant.agent import outcome
from finops_assistant.agent.answer import Answer
from finops_assistant.agent.compose import compose
from finops_assistant.agent.plan import AbstainPlan, ClarifyPlan, Plan, RefusePlan
from finops_assistant.agent.planner.parse import parse
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.settings import Home
from finops_assistant.store.store import Store
from finops_assistant.tools.context import ToolContext

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from finops_assistant.agent.sessions import Sessions

Route = Literal["auto", "planner"]


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
    ) -> Answer:
        """One answer. ``session`` goes on with that conversation; ``as_of`` is the day that counts
        as today. Both routes are the embedded planner as long as no chat model is configured."""
        started = time.perf_counter()
        try:
            who = self.store.principal(principal)
            today = as_of or self.store.facts(who).today
            answer = self._turn(question, ToolContext(self.store, who, today), session)
        except QueryRefused as no:
            answer = outcome.refused(question, as_of or date.today(), no)  # noqa: DTZ011
        return replace(answer, elapsed_ms=round((time.perf_counter() - started) * 1000))

    def close(self) -> None:
        """Release the store and the conversations."""
        self.store.close()
        if self._sessions is not None:
            self._sessions.close()

    def _turn(self, question: str, context: ToolContext, session: str | None) -> Answer:
        # LangChain is dear to import: only a question that gets this far pays for it.
        from finops_assistant.agent import loop

        model = loop.PlannerChatModel(
            read=lambda messages: self._read(messages, context),
            phrase=lambda plan: compose(plan, context.results, self.store.semantics),
        )
        messages = self._run(model, question, context, session)
        plan = loop.latest_plan(messages)
        if plan is None:  # the planner always leaves one; a graph that lost it is a defect
            raise RuntimeError("the turn ended without a plan")
        if isinstance(plan.step, ClarifyPlan | AbstainPlan | RefusePlan):
            return outcome.declined(question, context.as_of, plan.step)
        no = loop.refusal(messages)
        if no is not None:
            return outcome.refused(question, context.as_of, no)
        template = str(messages[-1].text)
        return outcome.answered(
            question, context.as_of, plan, template, context.results, self.store.semantics
        )

    def _read(self, messages: Sequence[BaseMessage], context: ToolContext) -> Plan:
        """The embedded planner's reading of the last message in the light of the earlier ones."""
        from finops_assistant.agent import loop

        earlier = messages[:-1]
        view = PlannerView(
            semantics=self.store.semantics,
            catalogue=self.store.catalogue(context.principal),
            facts=self.store.facts(context.principal),
            as_of=context.as_of,
            previous=loop.latest_plan(earlier),
            previous_results=loop.latest_results(earlier),
        )
        return parse(str(messages[-1].text), view)

    def _run(
        self, model: Any, question: str, context: ToolContext, session: str | None
    ) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage

        from finops_assistant.agent import loop
        from finops_assistant.agent.sessions import Sessions

        turn = {"messages": [HumanMessage(question, id=str(uuid.uuid4()))]}
        if session is None:
            return list(loop.build_agent(model).invoke(turn, context=context)["messages"])
        if self._sessions is None:
            self._sessions = Sessions(self.home)
        thread = self._sessions.thread(session, context.principal.name)
        agent = loop.build_agent(model, self._sessions.saver)
        # Written once, at the end: a turn that was cut off leaves the conversation as it was.
        state = agent.invoke(
            turn, self._sessions.config(thread), context=context, durability="exit"
        )
        self._sessions.keep_newest(thread)
        return list(state["messages"])
