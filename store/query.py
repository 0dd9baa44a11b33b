"""The typed query over the semantic layer: what the planners emit and the compiler takes.

Names of metrics and dimensions are those of ``metrics.yaml``; dates are UTC calendar days and
ranges are half-open, as in FOCUS.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

ReasonCode = Literal[
    "UNKNOWN_VALUE",
    "UNKNOWN_METRIC",
    "NO_DATA_SOURCE",
    "OUT_OF_RANGE",
    "OUT_OF_SCOPE",
    "NOT_PERMITTED",
    "WRITE_ACTION",
    "AMBIGUOUS_VALUE",
    "AMBIGUOUS_DATE",
    "NO_REFERENT",
]
Grain = Literal["hour", "day", "week", "month", "quarter", "year"]
Basis = Literal["effective", "billed", "list", "contracted"]
Show = Literal["total", "table", "series", "share", "rank", "pareto", "count"]
# What is meant by ``names`` in a JSON schema is filled in by ``tools.schema`` for one turn.
MetricName = Annotated[str, Field(json_schema_extra={"names": "metrics"})]
DimensionName = Annotated[str, Field(json_schema_extra={"names": "dimensions"})]


class Strict(BaseModel):
    """Frozen, and nothing but the named fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeSpec(Strict):
    """A resolved period: ``start`` inclusive, ``end`` exclusive.

    What stands behind ``SkipJsonSchema`` is the planner's own and is not asked of a chat model.
    """

    start: date
    end: date
    expr: SkipJsonSchema[
        Literal["last_complete", "to_date", "trailing", "absolute", "named", "all"]
    ] = "absolute"
    unit: SkipJsonSchema[Grain | None] = None
    n: SkipJsonSchema[int] = 1
    axis: Literal["charge", "billing"] = "charge"
    source: SkipJsonSchema[Literal["stated", "inherited", "default"]] = "stated"
    # the period had not ended on the day that counts as today
    partial: SkipJsonSchema[bool] = False


class FilterValue(Strict):
    """One value as the person wrote it and as the store spells it; a bare string is both."""

    model_config = ConfigDict(json_schema_extra={"names": "value"})

    raw: str
    canonical: str
    score: float = 1.0
    method: Literal["exact", "alias", "fuzzy", "context"] = "exact"

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"raw": given, "canonical": given} if isinstance(given, str) else given


class Filter(Strict):
    """A condition on one dimension. ``not_in`` keeps rows without a value (``include_null``)."""

    model_config = ConfigDict(json_schema_extra={"names": "filter"})

    dimension: DimensionName
    op: Literal["in", "not_in", "is_null", "not_null", "contains", "gt", "lt"]
    values: tuple[FilterValue, ...] = ()
    include_null: SkipJsonSchema[bool] = True  # read by not_in only


class Having(Strict):
    """A condition on a metric after aggregation."""

    metric: str
    op: Literal["gt", "ge", "lt", "le"]
    value: Decimal


class Order(Strict):
    """Sort by an output column: a metric, a dimension, ``period``, ``change``, ``change_ratio``."""

    by: str
    descending: bool = True


class Compare(Strict):
    """A second period beside the first, or named values beside each other.

    ``baseline`` is resolved by the planner for the period kinds; ``values`` compares the values of
    the query's one ``in`` filter, one row each.
    """

    kind: Literal["previous", "same_days_previous", "year_ago", "explicit", "values"]
    baseline: TimeSpec | None = None


class MetricQuery(Strict):
    """One governed question. Output columns, in this order:

    ``currency`` (only when the visible rows hold several), ``period`` (with a grain), the
    dimensions by name, then for each metric its name, and for show=share ``share``, show=rank
    ``rank``, show=pareto ``share`` and ``cumulative_share``; with a period comparison
    ``<metric>_previous``, ``<metric>_change`` and ``<metric>_change_ratio``. show=count gives one
    column ``count``: the distinct values of the one dimension that meet the conditions.
    """

    metrics: tuple[MetricName, ...] = ("effective_cost",)
    dimensions: tuple[DimensionName, ...] = ()
    time: TimeSpec
    grain: Grain | None = None
    filters: tuple[Filter, ...] = ()
    having: tuple[Having, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = Field(default=None, ge=1, le=1000)
    compare: Compare | None = None
    show: Show = "total"
    basis: SkipJsonSchema[Basis] = "effective"  # a model names the metric itself

    def to_json(self) -> dict[str, Any]:
        """The query as plain JSON, defaults left out."""
        return self.model_dump(mode="json", exclude_defaults=True)
