"""What happens in a turn, told while it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Event:
    """A step that is being taken, or a paragraph of the answer once it has been checked."""

    kind: Literal["step", "text"]
    text: str


Listener = Callable[[Event], None]

READING = "Reading the question"
WRITING = "Writing the answer"
_TOOLS = {
    "query_costs": "Querying the costs",
    "describe_data": "Looking at what is loaded",
    "run_sql": "Running guarded SQL",
}


def tool_words(name: str, arguments: Mapping[str, Any]) -> str:
    """A tool call in words: ``Querying the costs: effective cost by team``."""
    doing = _TOOLS.get(name, f"Using {name.replace('_', ' ')}")
    metrics = _names(arguments.get("metrics"))
    over = _names(arguments.get("dimensions")) + _names([arguments.get("grain")])
    what = " and ".join(metrics) + (f" by {' and '.join(over)}" if metrics and over else "")
    return f"{doing}: {what}" if what else doing


def _names(value: object) -> list[str]:
    if not isinstance(value, list | tuple):
        return []
    return [n.replace("_", " ") for n in value if isinstance(n, str) and n.isidentifier()][:4]
