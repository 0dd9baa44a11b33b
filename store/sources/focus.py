"""FOCUS 1.0 to 1.4 exports of any vendor, levelled up to 1.4.

``ProviderName`` (removed in 1.4) becomes ``ServiceProviderName``; ``PublisherName``, which has no
successor, is kept as ``x_PublisherName``; ``HostProviderName`` is never invented. Columns that a
version did not have stay NULL. Our own ``x_`` columns are taken where a file carries them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from finops_assistant.store.focus import (
    ALL_COLUMNS,
    BY_NAME,
    CHARGES,
    COLUMNS,
    MANDATORY,
    VERSIONS,
)

_SIGNATURE: Final = ("BilledCost", "EffectiveCost", "ChargePeriodStart")
_RENAMED: Final[Mapping[str, str]] = MappingProxyType(
    {"ServiceProviderName": "ProviderName", "x_PublisherName": "PublisherName"}
)
_ENOUGH: Final = 5  # mandatory columns that make a file a FOCUS file with something missing
_FILLED_HERE: Final = frozenset({"x_Source"})


@dataclass(frozen=True)
class FocusExport:
    """The adapter for FOCUS files."""

    name: str = "focus"
    title: str = "FOCUS export"
    table: str = CHARGES

    def recognises(self, header: Mapping[str, str]) -> bool:
        """By the three columns every release has, or by enough of the mandatory ones."""
        known = {name.lower() for name in header}
        present = sum(column.lower() in known for column in MANDATORY)
        return all(c.lower() in known for c in _SIGNATURE) or present >= _ENOUGH

    def missing(self, header: Mapping[str, str]) -> tuple[str, ...]:
        """Mandatory columns that no release since 1.0 lets a file leave out."""
        have = self.columns(header)
        return tuple(column for column in MANDATORY if column not in have)

    def columns(self, header: Mapping[str, str]) -> Mapping[str, str]:
        """By name, whatever its case; a removed name stands in for its successor."""
        spelled = {name.strip().lower(): name for name in reversed(list(header))}
        found = {}
        for column in COLUMNS:
            if column.name in _FILLED_HERE:
                continue
            for name in (column.name, _RENAMED.get(column.name)):
                if name is not None and name.lower() in spelled:
                    found[column.name] = spelled[name.lower()]
                    break
        return found

    def version(self, header: Mapping[str, str]) -> str | None:
        """The earliest release that has every FOCUS column of the file."""
        known = {name.strip().lower() for name in header}
        used = [c for c in ALL_COLUMNS if not c.extension and c.name.lower() in known]
        for version in VERSIONS[VERSIONS.index("1.0") :]:
            if all(c.in_version(version) for c in used):
                return version
        return None


FOCUS: Final = FocusExport()


def unknown_columns(header: Mapping[str, str]) -> list[str]:
    """Columns of a file that the schema does not know, in the file's order."""
    known = {name.lower() for name in BY_NAME}
    return [name for name in header if name.strip().lower() not in known]
