"""What a tool may know of the turn: the store, who asks, and the day that counts as today.

Tools read these from here, never from a model's arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from finops_assistant.store.access import Principal
from finops_assistant.store.result import Result
from finops_assistant.store.store import Store


@dataclass
class ToolContext:
    """One turn. ``results`` collects, in order, everything the tools of this turn returned."""

    store: Store
    principal: Principal
    as_of: date
    results: list[Result] = field(default_factory=list)

    def next_id(self) -> str:
        """The id of the next result: r1, r2, …"""
        return f"r{len(self.results) + 1}"

    def keep(self, result: Result) -> Result:
        """Remember a result for the answer and hand it back."""
        self.results.append(result)
        return result
