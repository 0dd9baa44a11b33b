"""One question through a chat model: held to its limits, checked at every step, never half kept.

The model runs on a graph of its own without a memory, in a thread that is given up when the time
is over. What comes back is a set of calls that passed every check, or the reason why there is none;
the embedded planner's draft then answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ToolCallLimitMiddleware,
)
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain.agents.middleware.tool_call_limit import ToolCallLimitExceededError
from langchain_core.messages import HumanMessage, SystemMessage

from finops_assistant.agent import loop, models
from finops_assistant.agent.model_prompt import Brief
from finops_assistant.agent.model_reading import NoReading, Reading, late
from finops_assistant.agent.models import ModelChoice
from finops_assistant.agent.plan import Plan
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.agent.referee import Referee
from finops_assistant.agent.wire import TurnOver, Watch
from finops_assistant.tools.catalog import MODEL_TOOLS, TOOLS
from finops_assistant.tools.context import ToolContext


def read(
    choice: ModelChoice,
    question: str,
    brief: Brief,
    draft: Plan,
    view: PlannerView,
    context: ToolContext,
    reading: Reading,
    steps: AgentMiddleware[Any, Any, Any],
) -> None:
    """Fill ``reading``; its tokens are counted whatever happens.

    Raises ``ModelTrouble`` when the endpoint fails, ``NoReading`` when what the model says cannot
    be used, ``AgreedNo`` for a no that both readings meet.
    """
    watch = Watch(choice.timeout)
    model, client = models.build(choice, watch)
    referee = Referee(question, brief, draft, view, context, reading, watch, choice)
    # SQL is for models that call tools by themselves: what small ones write is not to be trusted.
    offered = MODEL_TOOLS if choice.mode == "tools" else TOOLS
    tools = [
        loop.structured(tool, tool.schema(referee.names))
        for tool in offered
        if context.principal.may_use(tool.name)
    ]
    graph = loop.build_agent(
        model,
        tools=tools,
        middleware=[
            referee,
            steps,
            ToolCallLimitMiddleware(run_limit=loop.TOOL_CALLS, exit_behavior="error"),
            ModelCallLimitMiddleware(run_limit=loop.MODEL_CALLS, exit_behavior="error"),
        ],
        system_prompt=SystemMessage(brief.system),
    )

    def run() -> None:
        state = graph.invoke(
            {"messages": [HumanMessage(brief.question)]},
            context=context,
        )
        reading.text = str(state["messages"][-1].text)

    try:
        _within(choice, run)
    except (ModelCallLimitExceededError, ToolCallLimitExceededError):
        raise NoReading("kept asking for more") from None
    finally:
        watch.give_up()
        client.close()
    if not reading.calls:
        raise NoReading("found no query for this")


def _within(choice: ModelChoice, run: Callable[[], None]) -> None:
    """Run in a thread that is waited for no longer than the turn may take.

    A client's own time-outs begin anew with each byte, so they do not end a reply that drips.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run()
        except BaseException as error:  # handed to the caller, below
            raised.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    thread.start()
    thread.join(choice.timeout)
    if thread.is_alive():
        raise late(choice)
    if raised:
        raise late(choice) if isinstance(raised[0], TurnOver) else raised[0]
