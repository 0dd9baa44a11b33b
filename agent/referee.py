"""The rules that a chat model plays by: what it says is counted, and let through only if sound.

Two things in a row that cannot be used end its turn.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from pydantic import ValidationError

from finops_assistant.agent import accord, fidelity, models
from finops_assistant.agent.model_prompt import Brief
from finops_assistant.agent.model_reading import AgreedNo, Call, NoReading, Reading, late
from finops_assistant.agent.models import EarlyEnd, ModelChoice
from finops_assistant.agent.plan import DescribePlan, Plan, QueryPlan, SqlPlan
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.agent.wire import TooLong, Watch
from finops_assistant.store.errors import FinopsError
from finops_assistant.store.query import MetricQuery
from finops_assistant.store.result import Result
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.schema import Names

log = logging.getLogger(__name__)

STRIKES = 2
_UNKNOWN = ("UNKNOWN_VALUE", "UNKNOWN_METRIC", "OUT_OF_SCOPE")


class Referee(AgentMiddleware[Any, ToolContext, Any]):
    """Counts tokens and strikes, and lets a call through only when it is sound."""

    def __init__(
        self,
        question: str,
        brief: Brief,
        draft: Plan,
        view: PlannerView,
        context: ToolContext,
        reading: Reading,
        watch: Watch,
        choice: ModelChoice,
    ) -> None:
        super().__init__()
        self._question = question
        self._brief = brief
        self._draft = draft
        self._view = view
        self._context = context
        self._reading = reading
        self._watch = watch
        self._choice = choice
        self._strikes = 0
        self._one_at_a_time = threading.Lock()  # tool calls of one reply run side by side

    @property
    def names(self) -> Names:
        """The names for the schemas: in schema mode the server holds the model to the question."""
        if self._choice.mode == "tools":
            return self._brief.names
        brief = self._brief
        return fidelity.offered(brief.names, self._question, self._draft, self._view, brief.linked)

    # Replies

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Ask the model; ask once more when the reply cannot be read."""
        while True:
            response = self._asked(request, handler)
            message = response.result[-1]
            wrong = _unreadable(message)
            if wrong is None:
                return response
            self._strike(wrong)
            request = request.override(
                messages=[
                    *request.messages,
                    AIMessage(str(message.text)[:500] or "…"),
                    HumanMessage(f"That was {wrong}. Give one valid call."),
                ]
            )

    def _asked(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        self._watch.check()
        self._reading.asked = True
        try:
            response = handler(request)
            message = response.result[-1]
            self._count(message)
            if self._calls_model(request) and not message.response_metadata.get("finish_reason"):
                raise EarlyEnd("the reply ended without a finish reason")
        except TooLong:
            raise NoReading("said far more than was asked") from None
        except Exception as error:  # whatever a server sends, and however the client takes it
            self._reading.counted = False
            if self._watch.over:
                raise late(self._choice) from error
            raise models.trouble(error, self._choice) from error
        return response

    def _calls_model(self, request: Any) -> bool:
        """Whether this step asked the endpoint: in schema mode a result needs no phrasing."""
        last = request.messages[-1]
        done = isinstance(last, ToolMessage) and bool((last.artifact or {}).get("results"))
        return not (self._choice.mode == "schema" and done)

    def _count(self, message: AIMessage) -> None:
        usage = message.usage_metadata
        if usage is None:
            if message.response_metadata:
                self._reading.counted = False
            return
        self._reading.input_tokens += usage["input_tokens"]
        self._reading.output_tokens += usage["output_tokens"]

    # Tool calls

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Run a call that is sound; answer any other with what is wrong with it."""
        with self._one_at_a_time:
            self._watch.check()
            call = request.tool_call
            wrong, plan, arguments = self._examined(call["name"], call["args"])
            if wrong:
                self._strike("a query that does not fit")
                return ToolMessage(
                    f"Not run. {' '.join(wrong)}",
                    name=call["name"],
                    tool_call_id=call["id"],
                    status="error",
                )
            before = len(self._context.results)
            try:
                reply = handler(request.override(tool_call={**call, "args": arguments}))
            except FinopsError:
                raise
            except Exception as error:
                log.exception("A tool call of the model failed")
                raise NoReading("asked for something that failed") from error
            refusal = (reply.artifact or {}).get("refusal")
            if reply.status == "error" or (refusal and refusal["reason"] in _UNKNOWN):
                self._strike("a call that is not valid")
                return reply
            if refusal and plan is not None and plan.confidence > accord.MODEL_ALONE:
                raise AgreedNo(refusal["message"])
            if not refusal and plan is not None:
                results = tuple(self._context.results[before:])
                if isinstance(plan.step, SqlPlan) and not _nameable(results[0]):
                    del self._context.results[before:]
                    self._strike("columns without plain names")
                    return reply.model_copy(
                        update={"content": _ALIASES, "status": "error", "artifact": None}
                    )
                self._strikes = 0
                self._reading.calls.append(Call(plan, results))
            return reply

    def _examined(
        self, name: str, arguments: Mapping[str, Any]
    ) -> tuple[list[str], Plan | None, Mapping[str, Any]]:
        """What is wrong with a call, what it means, and its arguments made complete."""
        try:
            if name == "query_costs":
                query = accord.completed(MetricQuery.model_validate(arguments), self._view)
                wrong = fidelity.objections(
                    query, self._question, self._draft, self._view, self._brief.linked
                )
                return wrong, self._plan(query), query.model_dump(mode="json")
            if name == "describe_data":
                step = DescribePlan(**arguments)
                wrong = []
                if accord.sure(self._draft) and isinstance(self._draft.step, QueryPlan):
                    wrong = ["The question asks for figures: use query_costs."]
                return wrong, Plan(step=step, confidence=accord.MODEL_ALONE), arguments
            if name == "run_sql":
                sql = str(arguments["sql"])
                wrong = fidelity.sql_objections(sql, self._draft, self._view)
                plan = Plan(
                    step=SqlPlan(sql=sql),
                    disclosures=accord.left_over(self._draft),
                    confidence=accord.MODEL_ALONE,
                )
                return wrong, plan, arguments
        except (ValidationError, TypeError, ValueError, KeyError, OverflowError):
            pass  # the tool itself says what is wrong with its arguments
        return [], None, arguments

    def _plan(self, query: MetricQuery) -> Plan:
        """The query as a plan: the draft itself, and surer, where both readings agree."""
        if accord.agrees(query, self._draft):
            sure = round((1 + self._draft.confidence) / 2, 3)
            return self._draft.model_copy(update={"confidence": sure})
        notes = accord.left_over(self._draft)
        if query.time.partial:
            notes = ("So far: this period is not over.", *notes)
        return Plan(step=QueryPlan(query=query), disclosures=notes, confidence=accord.MODEL_ALONE)

    def _strike(self, what: str) -> None:
        self._strikes += 1
        if self._strikes >= STRIKES:
            raise NoReading(f"gave {what}, more than once")


_ALIASES = "Not used. Give every column an alias of its own, of letters and underscores only."


def _nameable(result: Result) -> bool:
    """Whether every column can be named in an answer."""
    names = [column.name for column in result.columns]
    return len(set(names)) == len(names) and all(
        re.fullmatch(r"[A-Za-z_]+", name) for name in names
    )


def _unreadable(message: AIMessage) -> str | None:
    """Why a reply is neither a call nor words; None when it is one of them."""
    if message.response_metadata.get("finish_reason") == "length":
        return "cut off because it was too long"
    if message.invalid_tool_calls:
        return "not valid JSON of the form asked for"
    return None
