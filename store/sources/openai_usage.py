"""OpenAI's usage API: pages of ``/v1/organization/usage/...`` as the API returns them.

One result becomes one row of ``llm_usage``, layer ``vendor``. ``input_tokens`` includes what was
read from and written to the cache. What is not counted in tokens (images, characters, seconds,
sessions, bytes, tool calls) is ``quantity`` with its unit.
"""

from __future__ import annotations

from typing import Final

from finops_assistant.store.sources.source import Field, SqlSource

KINDS: Final = (
    "completions",
    "embeddings",
    "moderations",
    "images",
    "audio_speeches",
    "audio_transcriptions",
    "vector_stores",
    "code_interpreter_sessions",
    "file_searches",
    "file_search_calls",
    "web_searches",
    "web_search_calls",
)

_COUNTS: Final = (
    "num_model_requests",
    "num_requests",
    "num_sessions",
    "input_tokens",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "input_uncached_tokens",
    "output_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "output_image_tokens",
    "images",
    "characters",
    "seconds",
    "usage_bytes",
)

OPENAI_USAGE: Final = SqlSource(
    name="openai-usage",
    title="OpenAI usage API",
    signatures=tuple((f"organization.usage.{kind}.result",) for kind in KINDS),
    fields=(
        Field("start_time", "time", essential=True),
        Field("end_time", "time", essential=True),
        Field("object", essential=True),
        *(
            Field(name)
            for name in (
                "model",
                "project_id",
                "user_id",
                "api_key_id",
                "batch",
                "service_tier",
                "source",
                "size",
                "context_level",
                "vector_store_id",
            )
        ),
        *(Field(name, "quantity") for name in _COUNTS),
    ),
    table="llm_usage",
    nested=True,
    pages=True,
)
