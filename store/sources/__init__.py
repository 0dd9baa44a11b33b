"""One source per kind of file. ``SOURCES`` lists them in the order they are asked."""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.anthropic_costs import ANTHROPIC_COSTS
from finops_assistant.store.sources.anthropic_usage import ANTHROPIC_USAGE
from finops_assistant.store.sources.aws_cur import AWS_CUR
from finops_assistant.store.sources.azure import AZURE_ACTUAL, AZURE_AMORTISED
from finops_assistant.store.sources.context import CONTEXT
from finops_assistant.store.sources.focus import FOCUS
from finops_assistant.store.sources.gcp_billing import GCP_BILLING
from finops_assistant.store.sources.langfuse import LANGFUSE
from finops_assistant.store.sources.litellm import LITELLM
from finops_assistant.store.sources.openai_costs import OPENAI_COSTS
from finops_assistant.store.sources.openai_usage import OPENAI_USAGE
from finops_assistant.store.sources.opencost import OPENCOST
from finops_assistant.store.sources.otel_genai import OTEL_GENAI
from finops_assistant.store.sources.prometheus import PROMETHEUS
from finops_assistant.store.sources.request_log import REQUEST_LOG
from finops_assistant.store.sources.source import Source

__all__ = ["BILLS", "SOURCES", "TELEMETRY", "USAGE", "Source"]

BILLS: Final[tuple[Source, ...]] = (
    FOCUS,
    AWS_CUR,
    AZURE_AMORTISED,
    AZURE_ACTUAL,
    GCP_BILLING,
    OPENAI_COSTS,
    ANTHROPIC_COSTS,
    OPENCOST,
)
USAGE: Final[tuple[Source, ...]] = (
    OPENAI_USAGE,
    ANTHROPIC_USAGE,
    LITELLM,
    LANGFUSE,
    OTEL_GENAI,
    REQUEST_LOG,
)
TELEMETRY: Final[tuple[Source, ...]] = (PROMETHEUS, *CONTEXT)
SOURCES: Final[tuple[Source, ...]] = (*BILLS, *USAGE, *TELEMETRY)
