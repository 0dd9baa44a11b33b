"""The dated tables that say what SKU texts mean, and the SQL made of them.

* ``sku_meters.csv``: a row says one thing about the SKUs of a provider's service. ``provider`` is
  a name or empty (any), ``service`` a pattern over the service's name or empty. Where ``pattern``
  matches what the row ``reads`` (see ``READS``) and ``unless`` does not match the meter, the row
  ``sets`` its ``value``: ``direction``, ``cache``, ``tier``, ``workload``; ``model`` and ``gpu``
  (the text captured by ``\\1``, looked up in the tables below; ``model_name`` is kept as the
  vendor's API name where the lookup does not know it); or ``expects`` a model or a GPU, so that
  what is not found is listed. The first row that matches counts, for models and GPUs the first
  whose text is known; an empty value leaves the column empty.
* ``ai_models.csv``: model id -> developer, family, other spellings (``aliases``).
* ``gpu_types.csv``: machine type or GPU SKU -> GPU and how many of it.

Patterns are RE2 without regard to case; names are compared without case and punctuation. A row
with ``since`` or ``until`` (both inclusive, ISO dates) holds for charges of those days only. Each
row names its ``source``.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from finops_assistant.store.focus import literal

_EVER: Final = date(1, 1, 1)

READS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "meter": "c.SkuMeter",
        "description": "c.ChargeDescription",
        "endpoint": (
            "coalesce(nullif(regexp_extract(c.ResourceId, '/([a-z]+endpoints)/', 1, 'i'), ''), "
            "c.ResourceType)"
        ),
        "billed": "coalesce(c.x_ModelIdBilled, c.x_ModelId)",
        "instance": (
            "coalesce(c.x_InstanceType, CASE WHEN contains(c.SkuPriceDetails, 'InstanceType') "
            "THEN TRY(json_extract_string(c.SkuPriceDetails, '/InstanceType')) END)"
        ),
    }
)
"""What a row of ``sku_meters.csv`` may read, as SQL over a charge ``c``; besides these ``service``
and ``subcategory``, and ``tag`` (what the tags of a GPU machine say that it works on)."""
_ROW_READS: Final = (*READS, "service", "subcategory")


@dataclass(frozen=True)
class Meter:
    """One row of ``sku_meters.csv``."""

    provider: str
    service: str
    reads: str
    pattern: str
    unless: str
    sets: str
    value: str
    since: str
    until: str

    @property
    def scope(self) -> str:
        """SQL: whether it speaks of the provider and service (and subcategory) of a row."""
        tests = []
        if self.provider:
            tests.append(f"provider = {literal(self.provider)}")
        if self.service:
            tests.append(_matches("service", self.service))
        if self.reads in ("service", "subcategory"):
            tests.append(_matches(self.reads, self.pattern))
        if self.reads == "billed":
            tests.append("names_models")
        return " AND ".join(tests) or "TRUE"

    @property
    def test(self) -> str:
        """SQL: whether it matches a text (see ``sku_texts``) on its day."""
        tests = [self.scope, _matches(self.reads, self.pattern)]
        if self.unless:
            tests.append(f"NOT {_matches('meter', self.unless)}")
        tests += _dated(self.since, self.until)
        return " AND ".join(tests)

    @property
    def captured(self) -> str:
        """SQL: the text that stands for a model or a machine, as it is written, or NULL."""
        found = f"regexp_extract({self.reads}, {literal(self.pattern)}, 1, 'i')"
        return f"CASE WHEN {self.test} THEN nullif({found}, '') END"

    @property
    def before(self) -> str:
        """What the value puts before the captured text to make a name of it."""
        return self.value.removesuffix(r"\1")


@dataclass(frozen=True)
class SkuTables:
    """The three tables; ``digest`` tells one version of them from another."""

    meters: tuple[Meter, ...]
    models: tuple[Mapping[str, str], ...]
    gpus: tuple[Mapping[str, str], ...]
    digest: str

    def setting(self, *dimensions: str) -> tuple[Meter, ...]:
        """The rows that set one of the dimensions, in order, but for those that read tags."""
        return tuple(m for m in self.meters if m.sets in dimensions and m.reads != "tag")

    def reading(self, column: str = "") -> str:
        """SQL over a provider's service: whether some row speaks of it (and reads ``column``)."""
        scopes = {m.scope for m in self.meters if m.reads in ((column,) if column else _ROW_READS)}
        return f"({' OR '.join(f'({scope})' for scope in sorted(scopes)) or 'FALSE'})"

    @property
    def names(self) -> list[tuple[str | None, ...]]:
        """Every spelling of a model: name, model, developer, family, since, until."""
        return [
            (name, m["model"], m["developer"], m["family"], m["since"] or None, m["until"] or None)
            for m in self.models
            for name in dict.fromkeys((m["model"], *filter(None, m["aliases"].split("|"))))
        ]

    @property
    def machines(self) -> list[tuple[str | None, ...]]:
        """Every machine type and GPU SKU: name, provider, GPUs, since, until."""
        return [
            (g["type"], g["provider"], g["gpus"], g["since"] or None, g["until"] or None)
            for g in self.gpus
        ]

    def value(self, dimension: str) -> str:
        """SQL over a text: the value of a dimension, or NULL."""
        cases = [
            f"WHEN {m.test} THEN {literal(m.value) if m.value else 'NULL'}"
            for m in self.setting(dimension)
        ]
        return f"CASE {' '.join(cases)} END" if cases else "NULL"

    def expects(self, thing: str) -> str:
        """SQL over a text: whether its SKU looks as if it had a ``model`` or a ``gpu``."""
        tests = [f"({m.test})" for m in self.setting("expects") if m.value == thing]
        return f"coalesce({' OR '.join(tests)}, FALSE)" if tests else "FALSE"

    def tag_value(self, text: str) -> str:
        """SQL: the workload that a tag's text names, or NULL."""
        cases = [
            f"WHEN regexp_matches({text}, {literal(m.pattern)}, 'i') THEN {literal(m.value)}"
            for m in self.meters
            if m.reads == "tag"
        ]
        return f"CASE {' '.join(cases)} END" if cases else "NULL"

    def era(self, day: str) -> str:
        """SQL: the first day of the time, around a day, in which no row comes or goes."""
        spans = [(m.since, m.until) for m in self.meters]
        spans += [(row["since"], row["until"]) for row in (*self.models, *self.gpus)]
        starts = {date.fromisoformat(since) for since, _ in spans if since}
        ends = {date.fromisoformat(until) + timedelta(days=1) for _, until in spans if until}
        cases = [
            f"WHEN {day} >= DATE '{start}' THEN DATE '{start}'"
            for start in sorted(starts | ends, reverse=True)
        ]
        never = f"DATE '{_EVER.isoformat()}'"
        return f"CASE {' '.join(cases)} ELSE {never} END" if cases else never


def folded(text: str) -> str:
    """SQL: a name without case and punctuation."""
    return f"regexp_replace(lower({text}), '[^a-z0-9]', '', 'g')"


@cache
def packaged() -> SkuTables:
    """The tables of this version of the program."""
    texts = [
        files("finops_assistant.store").joinpath(name).read_text("utf-8")
        for name in ("sku_meters.csv", "ai_models.csv", "gpu_types.csv")
    ]
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    meters, models, gpus = (tuple(csv.DictReader(text.splitlines())) for text in texts)
    names = ("provider", "service", "reads", "pattern", "unless", "sets", "value", "since", "until")
    return SkuTables(
        tuple(Meter(*(row[name] for name in names)) for row in meters), models, gpus, digest
    )


def _matches(text: str, pattern: str) -> str:
    return f"coalesce(regexp_matches({text}, {literal(pattern)}, 'i'), FALSE)"


def _dated(since: str, until: str) -> list[str]:
    tests = [f"era >= DATE {literal(since)}"] if since else []
    return [*tests, f"era <= DATE {literal(until)}"] if until else tests
