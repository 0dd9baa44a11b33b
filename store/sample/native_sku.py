"""What a vendor's own bill calls a thing: service, meter, operation, unit of measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from finops_assistant.store.sample.company import table
from finops_assistant.store.sample.line import Line


@dataclass(frozen=True)
class NativeSku:
    """The vendor's words; ``factor`` is how many metered units one priced unit has.

    ``service`` is the product code of AWS, the meter category of Azure, the service of Google
    Cloud; ``category`` the product family, the meter subcategory, the service's id.
    """

    service: str = ""
    category: str = ""
    meter: str = ""
    operation: str = ""
    unit: str = ""
    factor: int = 1


_NOTHING = NativeSku()
_TOKEN_WORDS = {
    "AWS": {
        "input": "input-tokens",
        "cached": "cache-read-input-token-count",
        "written": "cache-write-input-token-count",
        "output": "output-tokens",
    },
    "Microsoft": {
        "input": "Input global Tokens",
        "cached": "cached Input global Tokens",
        "output": "Output global Tokens",
    },
    "Google Cloud": {
        "input": "Text Input - Predictions",
        "cached": "Text Cached Input - Predictions",
        "output": "Text Output - Predictions",
    },
}


@lru_cache
def _skus() -> dict[tuple[str, str], NativeSku]:
    return {
        (row["vendor"], row["sku"]): NativeSku(
            row["service"], row["category"], row["meter"], row["operation"], row["unit"],
            int(row["factor"]),
        )
        for row in table("native_skus.csv")
    }  # fmt: skip


def _token_sku(line: Line) -> NativeSku:
    billed = line.text["x_ModelIdBilled"]
    base = next(
        row["sku"]
        for row in table("models.csv")
        if (row["channel"], row["billed"]) == (line.vendor, billed)
    )
    words = _TOKEN_WORDS[line.vendor][line.token_class]
    if line.vendor == "AWS":
        meter = f"USE1-{base}-{words}"
        return NativeSku("AmazonBedrock", "Amazon Bedrock", meter, "InvokeModelInference",
                         "1K tokens")  # fmt: skip
    if line.vendor == "Microsoft":
        return NativeSku("Azure OpenAI", "Azure OpenAI", f"{base} {words}",
                         "Microsoft.CognitiveServices", "1K")  # fmt: skip
    return NativeSku("Vertex AI", "C7E2-9256-1C43", f"{base} {words}", "", "1M tokens", 1_000_000)


def native_sku(line: Line) -> NativeSku:
    """The words of a cloud's bill for a line; empty ones for taxes, credits and other vendors."""
    if line.token_class and line.vendor in _TOKEN_WORDS:
        return _token_sku(line)
    if line.vendor == "Microsoft" and line.text.get("ResourceType") == "Reservation":
        return _skus()[line.vendor, "ptu"]  # the reservation is of no model
    return _skus().get((line.vendor, line.text.get("SkuMeter") or ""), _NOTHING)
