"""What a chat model made of a question, or why that is nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from finops_assistant.agent.models import TIMEOUT_VARIABLE, ModelChoice, ModelTrouble
from finops_assistant.agent.plan import DescribePlan, Plan
from finops_assistant.store.result import Result


class NoReading(Exception):
    """The model gave nothing that can be used; the text completes "the language model …"."""


class AgreedNo(Exception):
    """Both readings ask for the same, and the store refuses it."""


@dataclass(frozen=True)
class Call:
    """A tool call that got through, as a plan, with everything it returned."""

    plan: Plan
    results: tuple[Result, ...]


@dataclass
class Reading:
    """What a model made of a question."""

    calls: list[Call] = field(default_factory=list)
    text: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    counted: bool = True  # whether every reply said what it took
    asked: bool = False  # whether the model was reached for at all

    @property
    def answering(self) -> list[Call]:
        """The calls that answer, the last one first: queries if there is one, each once."""
        queries = [call for call in self.calls if not isinstance(call.plan.step, DescribePlan)]
        return list(reversed(queries or self.calls[-1:]))


def late(choice: ModelChoice) -> ModelTrouble:
    """The trouble of a turn that took too long."""
    return ModelTrouble(
        f"The model {choice.name} at {choice.host} did not finish within {choice.timeout:g} "
        f"seconds: try again, raise {TIMEOUT_VARIABLE}, or ask with --route planner.",
        "did not finish in time",
    )
