"""The agent loop: a LangChain agent whose chat model may be the embedded planner.

One turn: the model reads the question and calls tools; tools read scope, user and date from the
turn's context; the model phrases the results with placeholders. Nothing here knows which kind of
model it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

# Both must stand before LangChain is imported: no tracing to a remote service, and checkpoints
# that hold nothing but known types.
os.environ.setdefault("LANGSMITH_TRACING", "false")
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    AgentState,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
)
from langchain.tools import ToolRuntime
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import ConfigDict, ValidationError

from finops_assistant.agent.events import READING, WRITING, Event, Listener, tool_words
from finops_assistant.agent.memory import recall, remember
from finops_assistant.agent.plan import (
    AbstainPlan,
    ClarifyPlan,
    DescribePlan,
    Plan,
    QueryPlan,
    RefusePlan,
    SqlPlan,
)
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.result import Result
from finops_assistant.tools.catalog import TOOLS
from finops_assistant.tools.context import ToolContext
from finops_assistant.tools.tool import Tool, compact

MODEL_CALLS = 8
TOOL_CALLS = 6
KEPT_QUESTIONS = 10  # of a conversation, the newest included
PLAN_KEY = "finops_plan"


class PlannerChatModel(BaseChatModel):
    """The embedded planner as a chat model: its tool calls come from the semantic parser.

    ``read`` turns the conversation into a plan, ``phrase`` a plan with results into a template.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    read: Callable[[Sequence[BaseMessage]], Plan]
    phrase: Callable[[Plan], str]

    @property
    def _llm_type(self) -> str:
        return "finops-planner"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> PlannerChatModel:
        """The planner knows its tools already."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            if last.status == "error":  # the planner's own arguments did not validate: a defect
                raise RuntimeError(str(last.content))
            plan = latest_plan(messages)
            refused = bool((last.artifact or {}).get("refusal"))
            message = AIMessage("" if refused or plan is None else self.phrase(plan))
        else:
            message = _as_message(self.read(messages))
        message.usage_metadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return ChatResult(generations=[ChatGeneration(message=message)])


def _as_message(plan: Plan) -> AIMessage:
    """The plan as a model would say it: a tool call, or words."""
    kept = {PLAN_KEY: plan.model_dump(mode="json")}
    step = plan.step
    if isinstance(step, QueryPlan):
        call = {"name": "query_costs", "args": step.query.model_dump(mode="json"), "id": "plan"}
        return AIMessage("", tool_calls=[call], additional_kwargs=kept)
    if isinstance(step, DescribePlan):
        arguments = step.model_dump(mode="json", exclude={"intent"})
        call = {"name": "describe_data", "args": arguments, "id": "plan"}
        return AIMessage("", tool_calls=[call], additional_kwargs=kept)
    if isinstance(step, SqlPlan):
        call = {"name": "run_sql", "args": {"sql": step.sql}, "id": "plan"}
        return AIMessage("", tool_calls=[call], additional_kwargs=kept)
    return AIMessage(words(step), additional_kwargs=kept)


def words(step: ClarifyPlan | AbstainPlan | RefusePlan) -> str:
    """What a plan without a tool call says."""
    return step.question if isinstance(step, ClarifyPlan) else step.message


def latest_plan(messages: Sequence[BaseMessage]) -> Plan | None:
    """The newest plan in a conversation."""
    for message in reversed(messages):
        kept = message.additional_kwargs.get(PLAN_KEY)
        if kept:
            return Plan.model_validate(kept)
    return None


def latest_results(messages: Sequence[BaseMessage]) -> tuple[Result, ...]:
    """What the newest tool call of a conversation returned, as far as it was kept."""
    for message in reversed(messages):
        if isinstance(message, ToolMessage) and message.artifact:
            kept = message.artifact.get("results")
            if kept:
                return tuple(recall(result) for result in kept)
    return ()


def refusal(messages: Sequence[BaseMessage]) -> QueryRefused | None:
    """The no of this turn's tools, unless a later call of the turn got through."""
    no = None
    for message in this_turn(messages):
        if isinstance(message, ToolMessage):
            said = (message.artifact or {}).get("refusal")
            no = QueryRefused(said["reason"], said["message"], said["candidates"]) if said else None
    return no


def this_turn(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages from the last question on."""
    start = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=0)
    return list(messages[start:])


class KeepNewest(AgentMiddleware[Any, ToolContext, Any]):
    """Forget the oldest turns of a long conversation, whole turns at a time."""

    def before_agent(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        messages = state["messages"]
        questions = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage)]
        if len(questions) <= KEPT_QUESTIONS:
            return None
        oldest = messages[: questions[-KEPT_QUESTIONS]]
        return {"messages": [RemoveMessage(id=str(message.id)) for message in oldest]}


class Narrate(AgentMiddleware[Any, ToolContext, Any]):
    """Tell of each step: the question is read, a tool runs, the answer is written."""

    def __init__(self, tell: Listener | None) -> None:
        super().__init__()
        self._tell = tell or (lambda event: None)

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Before the model is asked."""
        after_tools = isinstance(request.messages[-1], ToolMessage)
        self._tell(Event("step", WRITING if after_tools else READING))
        return handler(request)

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Before a tool runs."""
        call = request.tool_call
        self._tell(Event("step", tool_words(call["name"], call["args"])))
        return handler(request)


def planner_agent(
    model: BaseChatModel, checkpointer: Any = None, tell: Listener | None = None
) -> Any:
    """The compiled graph for one turn or conversation of the embedded planner."""
    return build_agent(
        model,
        tools=[structured(tool, _ANY_ARGUMENTS) for tool in TOOLS],
        middleware=[
            KeepNewest(),
            Narrate(tell),
            # The tool limit alone does not stop a model that keeps calling.
            cast(Any, ToolCallLimitMiddleware(run_limit=TOOL_CALLS)),
            cast(Any, ModelCallLimitMiddleware(run_limit=MODEL_CALLS)),
        ],
        checkpointer=checkpointer,
    )


def build_agent(
    model: BaseChatModel,
    *,
    tools: Sequence[BaseTool],
    middleware: Sequence[Any],
    checkpointer: Any = None,
    system_prompt: SystemMessage | None = None,
) -> Any:
    """The graph of a model and its tools, whatever kind of model it is."""
    return create_agent(
        model,
        list(tools),
        system_prompt=system_prompt,
        middleware=list(middleware),
        context_schema=ToolContext,
        checkpointer=checkpointer,
    )


def answered_turn(
    question: BaseMessage, plan: Plan, results: Sequence[Result], template: str
) -> list[BaseMessage]:
    """A turn that a chat model answered, as the embedded planner would have left it: what a
    follow-up needs, and nothing of the attempts on the way."""
    call = _as_message(plan)
    kept = {"results": [remember(result) for result in results]}
    reply = ToolMessage(
        "\n\n".join(compact(result) for result in results),
        name=call.tool_calls[0]["name"] if call.tool_calls else None,
        tool_call_id=str(call.tool_calls[0]["id"]) if call.tool_calls else "plan",
        artifact=kept,
    )
    return [question, call, reply, AIMessage(template)]


# The planner reads no schema.
_ANY_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}}


def structured(tool: Tool, schema: Mapping[str, Any]) -> BaseTool:
    """A tool as LangChain calls it; the context comes with the run, not from the model.

    The artifact that is checkpointed holds a few rows; all of them are in the turn's context.
    """

    # A parametrised ToolRuntime would have pydantic rebuild the context, field by field.
    def call(runtime: ToolRuntime, **arguments: Any) -> tuple[str, dict[str, Any]]:
        try:
            results = tool.call(cast(ToolContext, runtime.context), arguments)
        except ValidationError as error:
            raise ToolException(_complaint(error)) from None
        except QueryRefused as no:
            refusal = {
                "reason": no.reason,
                "message": str(no),
                "candidates": list(no.candidates),
            }
            return f"No result: {no}", {"refusal": refusal}
        kept = {"results": [remember(result) for result in results]}
        return "\n\n".join(compact(result) for result in results), kept

    return StructuredTool.from_function(
        func=call,
        name=tool.name,
        description=tool.description,
        # The schema, not the class: the class forbids what it does not know, and LangChain adds
        # the runtime to the arguments before it validates.
        args_schema=dict(schema),
        handle_tool_error=True,
        response_format="content_and_artifact",
    )


def _complaint(error: ValidationError) -> str:
    """What was wrong with the arguments, in a line a model can act on."""
    wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return "These arguments are not valid. " + "; ".join(wrong)
