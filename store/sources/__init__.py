"""One source per kind of file. ``SOURCES`` lists them in the order they are asked."""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.focus import FOCUS
from finops_assistant.store.sources.source import Source

__all__ = ["SOURCES", "Source"]

SOURCES: Final[tuple[Source, ...]] = (FOCUS,)
