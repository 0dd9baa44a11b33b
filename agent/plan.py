"""The plan: what a question means, as one typed value. Both planners emit it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from finops_assistant.store.query import MetricQuery, ReasonCode, Strict


class Span(Strict):
    """A stretch of the question and what it was taken for."""

    start: int
    end: int
    text: str
    role: str  # metric | dimension | value | time | number | order | filter | negation | filler | …


class QueryPlan(Strict):
    """Answer from the cost store."""

    intent: Literal["query"] = "query"
    query: MetricQuery


class DescribePlan(Strict):
    """Say what is in the store: ``values`` of a dimension, or the store as a whole."""

    intent: Literal["describe"] = "describe"
    topic: Literal["store", "values", "metrics", "freshness"] = "store"
    dimension: str | None = None


class SqlPlan(Strict):
    """Answer by guarded SQL that a chat model wrote, where no metric fits."""

    intent: Literal["sql"] = "sql"
    sql: str


class ClarifyPlan(Strict):
    """Ask back: a question with options that can be clicked or typed."""

    intent: Literal["clarify"] = "clarify"
    reason: ReasonCode
    question: str
    options: tuple[str, ...] = ()


class AbstainPlan(Strict):
    """Say why there is no answer, and what would give one."""

    intent: Literal["abstain"] = "abstain"
    reason: ReasonCode
    message: str


class RefusePlan(Strict):
    """Decline: not permitted, or an action this product never takes."""

    intent: Literal["refuse"] = "refuse"
    reason: ReasonCode
    message: str


class Context(Strict):
    """How the plan stands to the conversation."""

    op: Literal["new", "patch", "correct"] = "new"
    base: MetricQuery | None = None  # what a follow-up refers to, kept across a question back


Step = Annotated[
    QueryPlan | DescribePlan | SqlPlan | ClarifyPlan | AbstainPlan | RefusePlan,
    Field(discriminator="intent"),
]


class Plan(Strict):
    """What the question means, what was assumed, and how sure the planner is."""

    step: Step
    version: int = 1
    context: Context = Context()
    disclosures: tuple[str, ...] = ()  # assumptions the answer must state
    spans: tuple[Span, ...] = ()
    unconsumed: tuple[str, ...] = ()  # content words no span explains
    confidence: float = Field(default=1.0, ge=0.0, le=1.0)
