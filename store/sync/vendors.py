"""The reports that vendors offer about bills and usage, as their admin APIs document them.

Sources: OpenAI, "Costs" and "Usage" of the administration API
(platform.openai.com/docs/api-reference/usage); Anthropic, "Usage and Cost API"
(platform.claude.com/docs/en/api/admin-api/usage-cost).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Final

Parameter = tuple[str, str | int | float | bool | None]  # as the HTTP client types it


@dataclass(frozen=True)
class Vendor:
    """Whom to ask: the variable that holds the key, the address, and how a day is written."""

    name: str
    key_variable: str
    base_url: str
    start: str
    end: str
    group: str
    unix_time: bool

    def headers(self, key: str) -> dict[str, str]:
        """What authenticates a request."""
        if self.name == "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        return {"Authorization": f"Bearer {key}"}

    def moment(self, day: date) -> str:
        """The beginning of a day in UTC, as the API takes it."""
        instant = datetime.combine(day, time(), UTC)
        return str(int(instant.timestamp())) if self.unix_time else f"{day}T00:00:00Z"


@dataclass(frozen=True)
class Report:
    """One report of a vendor: days in buckets, page by page."""

    vendor: Vendor
    name: str
    path: str
    groups: tuple[str, ...]
    limit: int  # buckets a page

    def parameters(self, first: date, end: date, page: str | None) -> list[Parameter]:
        """The query for the days from ``first`` until before ``end``."""
        asked: list[Parameter] = [
            (self.vendor.start, self.vendor.moment(first)),
            (self.vendor.end, self.vendor.moment(end)),
            ("bucket_width", "1d"),
            ("limit", str(self.limit)),
            *((self.vendor.group, name) for name in self.groups),
        ]
        return [*asked, ("page", page)] if page else asked


OPENAI: Final = Vendor(
    "openai",
    "OPENAI_ADMIN_KEY",
    "https://api.openai.com",
    start="start_time",
    end="end_time",
    group="group_by",
    unix_time=True,
)
ANTHROPIC: Final = Vendor(
    "anthropic",
    "ANTHROPIC_ADMIN_KEY",
    "https://api.anthropic.com",
    start="starting_at",
    end="ending_at",
    group="group_by[]",
    unix_time=False,
)
VENDORS: Final[Mapping[str, Vendor]] = MappingProxyType({v.name: v for v in (OPENAI, ANTHROPIC)})

_KEYED: Final = ("project_id", "api_key_id", "model")
REPORTS: Final = (
    Report(OPENAI, "costs", "/v1/organization/costs", ("project_id", "line_item"), 180),
    Report(
        OPENAI,
        "completions",
        "/v1/organization/usage/completions",
        (*_KEYED, "batch", "service_tier"),
        31,
    ),
    Report(OPENAI, "embeddings", "/v1/organization/usage/embeddings", _KEYED, 31),
    Report(
        ANTHROPIC,
        "costs",
        "/v1/organizations/cost_report",
        ("workspace_id", "description"),
        31,
    ),
    Report(
        ANTHROPIC,
        "messages",
        "/v1/organizations/usage_report/messages",
        ("workspace_id", "api_key_id", "model", "service_tier", "context_window"),
        31,
    ),
)
