"""What the model usage of ``llm_usage`` costs at list price, by the dated list ``genai-prices``.

Prices are taken per token class, model, tier and period (``llm_prices``, USD per token), never by
pricing a month as one request, and multiplied in exact decimals. What the list does not know stays
NULL, with ``priced_by`` NULL; it is never 0. The same holds for what it cannot tell from a report:
audio and image tokens, prices by time of day, service tiers without a price of their own.

The list knows batch prices from October 2026. Before, batch calls of OpenAI, Anthropic and Google
count half, as these vendors' documentation has said since they offer batches.

An estimate: list price, without negotiated discounts. It never adds to a bill.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.metadata import version
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import duckdb

from finops_assistant.store.settings import Settings

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation

# Provider -> its name in the price list.
_LISTED: Final = MappingProxyType(
    {
        "OpenAI": "openai",
        "Anthropic": "anthropic",
        "AWS": "aws",
        "Microsoft": "azure",
        "Google Cloud": "google",
        "Cohere": "cohere",
        "Mistral AI": "mistral",
        "DeepSeek": "deepseek",
        "Groq": "groq",
        "xAI": "x-ai",
        "Together AI": "together",
        "Fireworks AI": "fireworks",
        "Perplexity": "perplexity",
        "OpenRouter": "openrouter",
        "Databricks": "databricks",
        "Voyage AI": "voyageai",
    }
)
# https://developers.openai.com/api/docs/guides/batch, https://ai.google.dev/gemini-api/docs/batch-api,
# https://platform.claude.com/docs/en/build-with-claude/batch-processing (November 2026)
_HALF_IN_BATCH: Final = frozenset({"OpenAI", "Anthropic", "Google Cloud"})
_STANDARD_TIERS: Final = frozenset({"", "default", "standard", "auto", "batch"})
_LONG: Final = "200k-1M"  # how Anthropic's report names requests above 200,000 tokens of input
_EXACT: Final = Decimal("1e-15")  # the last decimal of a price per token

_CREATE: Final = """
CREATE OR REPLACE TABLE llm_prices (
    provider VARCHAR, model_billed VARCHAR, batch BOOLEAN, service_tier VARCHAR,
    long_context BOOLEAN, valid_from TIMESTAMP, valid_until TIMESTAMP,
    uncached DECIMAL(18,15), cache_read DECIMAL(18,15), cache_write DECIMAL(18,15),
    cache_write_1h DECIMAL(18,15), output DECIMAL(18,15), priced_by VARCHAR
)
"""
# What tells prices apart, as columns of llm_usage.
_TERMS: Final = (
    "provider, model_billed, coalesce(batch, FALSE) AS batch, "
    "lower(coalesce(service_tier, '')) AS service_tier, "
    f"coalesce(context_window = '{_LONG}', FALSE) AS long_context"
)


@dataclass(frozen=True)
class TokenClass:
    """One of the parts that the tokens of an ``llm_usage`` row come in: how FOCUS calls it, and SQL
    over that row (``u``) and its price (``p``) for its tokens and their cost."""

    direction: str
    cache_action: str  # an SQL expression
    tokens: str
    cost: str


_CACHED: Final = "coalesce(u.cached_input_tokens, 0) + coalesce(u.cache_write_tokens, 0)"
_HOUR_LONG: Final = "coalesce(u.cache_write_1h_tokens, 0)"

CLASSES: Final = (
    TokenClass(
        "Input",
        # Where a report does not tell cached input apart, this class has both.
        "CASE WHEN coalesce(u.cached_input_tokens, u.cache_write_tokens) IS NOT NULL "
        "THEN 'Uncached' END",
        f"u.input_tokens - ({_CACHED})",
        f"(u.input_tokens - ({_CACHED})) * p.uncached",
    ),
    TokenClass("Input", "'Read'", "u.cached_input_tokens", "u.cached_input_tokens * p.cache_read"),
    TokenClass(
        "Input",
        "'Write'",
        "u.cache_write_tokens",
        f"(u.cache_write_tokens - {_HOUR_LONG}) * p.cache_write + {_HOUR_LONG} * p.cache_write_1h",
    ),
    TokenClass("Output", "NULL", "u.output_tokens", "u.output_tokens * p.output"),
)

PRICE_OF: Final = f"""
    u.provider = p.provider AND u.model_billed = p.model_billed
    AND coalesce(u.batch, FALSE) = p.batch
    AND lower(coalesce(u.service_tier, '')) = p.service_tier
    AND coalesce(u.context_window = '{_LONG}', FALSE) = p.long_context
    AND u.started_at >= p.valid_from AND u.started_at < p.valid_until
    AND u.input_tokens IS NOT NULL AND coalesce(u.media_tokens, 0) = 0
    AND (coalesce(u.output_tokens, 0) = 0 OR p.output IS NOT NULL)
"""
"""SQL: whether ``p``, a row of ``llm_prices``, is the price of ``u``, a row of ``llm_usage``."""


@dataclass(frozen=True)
class _Terms:
    """What was bought: of whom, which model, on what terms."""

    provider: str
    model_billed: str
    batch: bool
    service_tier: str
    long_context: bool


@dataclass(frozen=True)
class _Prices:
    """USD per token of each class; None where the list has none."""

    uncached: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal
    output: Decimal | None


def price_usage(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Fill ``priced_cost`` and ``priced_by`` of ``llm_usage``, and ``llm_prices``, which says at
    what prices. A step of ``derive``, after ``roll_up``."""
    bought = connection.execute(
        f"SELECT {_TERMS}, min(started_at), max(started_at) FROM llm_usage "  # noqa: S608
        "WHERE model_billed IS NOT NULL AND (input_tokens > 0 OR output_tokens > 0) GROUP BY ALL"
    ).fetchall()
    priced_by = f"genai-prices {version('genai-prices')}"
    rows = [
        [*astuple(terms), start, end, *astuple(prices), priced_by]
        for *parts, first, last in bought
        for terms in [_Terms(*parts)]
        for start, end, prices in _periods(terms, first.date(), last.date())
    ]
    connection.execute("BEGIN")
    connection.execute(_CREATE)
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO llm_prices VALUES ({marks})", rows)  # noqa: S608
    total = " + ".join(f"coalesce({one.cost}, 0)" for one in CLASSES)
    connection.execute(
        "UPDATE llm_usage SET priced_cost = NULL, priced_by = NULL WHERE priced_by IS NOT NULL"
    )
    connection.execute(
        f"UPDATE llm_usage AS u SET priced_cost = CAST({total} AS DECIMAL(38,12)), "  # noqa: S608
        f"priced_by = p.priced_by FROM llm_prices AS p WHERE {PRICE_OF}"
    )
    connection.execute("COMMIT")


def _periods(
    terms: _Terms, first: date, last: date
) -> Iterator[tuple[datetime, datetime, _Prices]]:
    """The times from ``first`` to ``last`` with the prices that held, where they are known."""
    calculation = _asked(terms, first, None)
    if calculation is None:
        return
    listed = calculation.model.prices
    constraints = [
        *(one.constraint for one in (listed if isinstance(listed, list) else ())),
        *(one.constraint for one in calculation.model.price_variants or ()),
    ]
    starts = {getattr(one, "start_date", None) for one in constraints if one is not None}
    if None in starts:  # a price by time of day, which a bucket does not tell
        return
    changes = sorted(day for day in starts if day is not None and first < day <= last)
    for day, until in pairwise([first, *changes, last + timedelta(days=1)]):
        prices = _prices(terms, day)
        if prices is not None:
            yield datetime.combine(day, time()), datetime.combine(until, time()), prices


def _prices(terms: _Terms, day: date) -> _Prices | None:
    """The prices on a day, from small requests of one class each; None where the list has none."""
    context, factor = _on_terms(terms, day)
    standard = _asked(terms, day, context)
    if factor is None or standard is None:
        return None
    if getattr(standard.model_price, "input_mtok", None) is None:
        return None
    size = 250_000 if terms.long_context else 1_000

    def of(direction: str, tokens: int, **usage: int) -> Decimal:
        found = _asked(terms, day, context, input_tokens=size, **usage)
        assert found is not None  # noqa: S101 - the same model as above
        price: Decimal = getattr(found, f"{direction}_price")
        return (price / tokens * factor).quantize(_EXACT)

    sells_output = getattr(standard.model_price, "output_mtok", None) is not None
    return _Prices(
        of("input", size),
        of("input", size, cache_read_tokens=size),
        of("input", size, cache_write_tokens=size),
        of("input", size, cache_write_tokens=size, cache_write_1h_tokens=size),
        of("output", 1_000, output_tokens=1_000) if sells_output else None,
    )


def _on_terms(terms: _Terms, day: date) -> tuple[dict[str, str] | None, Decimal | None]:
    """The list's context for the terms, and the factor for what it does not know; None: unknown."""
    context: dict[str, str] = {}
    if terms.batch:
        context["processing"] = "batch"
    if terms.service_tier not in _STANDARD_TIERS:
        context["service_tier"] = terms.service_tier
    if not context:
        return None, Decimal(1)
    with_context, without = _asked(terms, day, context), _asked(terms, day, None)
    # A context that the list has nothing for silently gives the standard price.
    if with_context and without and with_context.model_price != without.model_price:
        return context, Decimal(1)
    if set(context) == {"processing"} and terms.provider in _HALF_IN_BATCH:
        return None, Decimal("0.5")
    return None, None


def _asked(
    terms: _Terms, day: date, context: dict[str, str] | None, **usage: int
) -> PriceCalculation | None:
    """The list's price of a request on a day; None for a model or a provider it does not know."""
    from genai_prices import Usage, calc_price

    provider = _LISTED.get(terms.provider)
    if provider is None:
        return None
    try:
        return calc_price(
            Usage(**(usage or {"input_tokens": 1_000})),
            terms.model_billed,
            provider_id=provider,
            genai_request_timestamp=datetime.combine(day, time(), UTC),
            price_context=context,
        )
    except LookupError:
        return None
