"""What an answer's tokens cost, by the price list of ``genai-prices``; unknown stays unknown."""

from __future__ import annotations

from finops_assistant.agent.answer import Usage
from finops_assistant.agent.models import ModelChoice


def usage_of(choice: ModelChoice, input_tokens: int, output_tokens: int, known: bool) -> Usage:
    """The usage of one answer. ``known`` is False when the endpoint did not count every call."""
    cost = cost_usd(choice, input_tokens, output_tokens) if known else None
    return Usage(choice.name, input_tokens, output_tokens, cost)


def cost_usd(choice: ModelChoice, input_tokens: int, output_tokens: int) -> float | None:
    """The list price in USD; None where the model or the endpoint is not in the price list.

    A server of one's own is never priced as the vendor whose model it names.
    """
    from genai_prices import Usage as Counted
    from genai_prices import calc_price

    counted = Counted(input_tokens=input_tokens, output_tokens=output_tokens)
    try:
        if choice.base_url is None:
            price = calc_price(counted, choice.name, provider_id="openai")
        else:
            price = calc_price(counted, choice.name, provider_api_url=choice.base_url)
    except LookupError:
        return None
    return float(price.total_price)


def words(usage: Usage) -> str:
    """The usage in a few words: ``1,204 tokens with gpt-5-mini, $0.0004``; '' without a model."""
    if usage.model is None:
        return ""
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    tokens = usage.input_tokens + usage.output_tokens
    return f"{tokens:,} tokens with {usage.model}, {cost}"
