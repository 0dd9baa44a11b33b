"""One adapter per kind of bill. ``SOURCES`` lists them in the order they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from finops_assistant.store.sources.focus import FOCUS


class Source(Protocol):
    """A kind of bill: how its header is known, and how its columns become FOCUS columns."""

    @property
    def name(self) -> str:
        """What ``--source`` and ``x_Source`` call it."""
        ...

    def recognises(self, header: Mapping[str, str]) -> bool:
        """Whether a file with this header (column -> DuckDB type) is meant to be such a bill."""
        ...

    def missing(self, header: Mapping[str, str]) -> tuple[str, ...]:
        """The columns without which the file cannot be loaded and which it does not have."""
        ...

    def columns(self, header: Mapping[str, str]) -> Mapping[str, str]:
        """FOCUS column -> column of the file, for those that the file has."""
        ...

    def version(self, header: Mapping[str, str]) -> str | None:
        """The version of the format, as far as the columns tell."""
        ...


SOURCES: Final[tuple[Source, ...]] = (FOCUS,)
