"""The rules by which shared cost is split: ``[[allocation]]`` of ``finops.toml``, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from finops_assistant.store.errors import UsageError, suggest
from finops_assistant.store.focus import TAG_COLUMNS
from finops_assistant.store.scopes import Scope, parse_pairs, parse_scope
from finops_assistant.store.settings import Settings
from finops_assistant.store.sources.context import RESOURCE_METRICS

SETTING: Final = "allocation_rules"  # in store_meta: the rules that ``allocated`` was made with
UNALLOCATED: Final = "(unallocated)"
METHODS: Final = ("fixed", "even", "proportional", "proxy")
USAGE_METRICS: Final = ("requests", "tokens", "input_tokens", "output_tokens")
METERS: Final = ("llm_usage", "business_metrics", "resource_metrics")
LAYERS: Final = ("vendor", "gateway", "trace")
_DECIMALS: Final = 12  # of a fixed share
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "fixed": ("shares",),
    "even": ("targets",),
    "proportional": ("targets",),
    "proxy": ("targets", "metric", "from", "where", "layer"),
}
_COMMON: Final = ("name", "scope", "to", "method")


@dataclass(frozen=True)
class Rule:
    """One rule. ``shares`` are of ``fixed`` (they add up to 1), ``targets`` those that count
    (empty: all), ``meter`` the table that ``metric`` is counted in."""

    name: str
    scope: str
    to: str
    method: str
    shares: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    metric: str = ""
    meter: str = ""
    where: str = ""
    layer: str = ""

    @property
    def column(self) -> str:
        """The column of a charge that names the target."""
        return TAG_COLUMNS[self.to]

    @property
    def pool(self) -> Scope:
        """The charges that it splits."""
        return parse_scope(self.scope, f"finops.toml, allocation {self.name!r}")


def allocation_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules in their order; UsageError for one that makes no sense."""
    rules: list[Rule] = []
    for number, entry in enumerate(settings.allocation, start=1):
        rule = _rule(entry, number)
        if rule.name in [other.name for other in rules]:
            raise UsageError(f"finops.toml: two allocation rules are named {rule.name!r}.")
        rules.append(rule)
    return tuple(rules)


def fingerprint(settings: Settings) -> str:
    """The rules as text, from which ``rules_of`` makes them again."""
    return json.dumps([asdict(rule) for rule in allocation_rules(settings)])


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules that a fingerprint stands for."""
    return tuple(
        Rule(
            **{
                **entry,
                "shares": tuple((target, share) for target, share in entry["shares"]),
                "targets": tuple(entry["targets"]),
            }
        )
        for entry in json.loads(text)
    )


def _rule(entry: object, number: int) -> Rule:
    where = f"finops.toml, allocation rule {number}"
    if not isinstance(entry, Mapping):
        raise UsageError(f"{where}: expected a table, begun with [[allocation]].")
    name = _text(entry, "name", where)
    where = f"finops.toml, allocation {name!r}"
    method = _one_of(_text(entry, "method", where), METHODS, f"{where}: method")
    known = (*_COMMON, *_ALLOWED[method])
    for key in entry:
        if key not in known:
            near = suggest(str(key), known)
            other = [m for m in METHODS if key in _ALLOWED[m]]
            hint = (
                f"It belongs to method {' and '.join(other)}, not {method}."
                if other
                else f"Did you mean {near[0]}?"
                if near
                else f"Known: {', '.join(known)}."
            )
            raise UsageError(f"{where}: unknown entry {key!r}. {hint}")
    scope = _text(entry, "scope", where)
    if not parse_scope(scope, f"{where}, scope").filters:
        raise UsageError(f"{where}: scope is empty. Name what to split, such as project=gateway.")
    meter, metric = _meter(entry, where) if method == "proxy" else ("", "")
    return Rule(
        name=name,
        scope=scope,
        to=_one_of(_text(entry, "to", where), TAG_COLUMNS, f"{where}: to"),
        method=method,
        shares=_shares(entry.get("shares"), where) if method == "fixed" else (),
        targets=_targets(entry, where, needed=method == "even"),
        metric=metric,
        meter=meter,
        where=_where(entry, meter, where),
        layer=_layer(entry, meter, where),
    )


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        lacks = "lacks" if value is None else "must give as a text in quotes:"
        raise UsageError(f"{where} {lacks} {key}.")
    return value.strip()


def _one_of(value: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    if value not in names:
        near = suggest(value, names)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names)}."
        raise UsageError(f"{what} is {value!r}. {hint}")
    return value


def _shares(value: object, where: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise UsageError(f"{where}: shares must be a table such as {{ search = 0.6, ads = 0.4 }}.")
    found = []
    for target, share in value.items():
        number = isinstance(share, int | float | Decimal) and not isinstance(share, bool)
        exact = Decimal(str(share)) if number else Decimal("NaN")
        if not (exact.is_finite() and 0 <= exact <= 1):
            raise UsageError(f"{where}: the share of {target!r} is not a number from 0 to 1.")
        if exact != round(exact, _DECIMALS):
            raise UsageError(
                f"{where}: the share of {target!r} has more than {_DECIMALS} decimals."
            )
        found.append((_target(target, where), format(exact, "f")))
    total = sum(Decimal(share) for _, share in found)
    if total != 1:
        raise UsageError(
            f"{where}: the shares add up to {total:f}, not to 1. For equal parts take method = "
            '"even".'
        )
    return tuple(found)


def _targets(entry: Mapping[str, Any], where: str, *, needed: bool) -> tuple[str, ...]:
    listed = entry.get("targets")
    if listed is None and not needed:
        return ()
    if not isinstance(listed, list) or not listed or not all(isinstance(t, str) for t in listed):
        raise UsageError(f'{where}: targets must be a list such as ["search", "ads"].')
    names = tuple(_target(target, where) for target in listed)
    if len(set(names)) < len(names):
        raise UsageError(f"{where}: a target is named twice.")
    return names


def _target(name: str, where: str) -> str:
    if not name.strip() or name == UNALLOCATED:
        raise UsageError(f"{where}: {name!r} cannot be a target.")
    return name


def _meter(entry: Mapping[str, Any], where: str) -> tuple[str, str]:
    metric = _text(entry, "metric", where)
    default = (
        "llm_usage"
        if metric in USAGE_METRICS
        else "resource_metrics"
        if metric in RESOURCE_METRICS
        else "business_metrics"
    )
    meter = _one_of(_text({"from": default, **entry}, "from", where), METERS, f"{where}: from")
    known = {"llm_usage": USAGE_METRICS, "resource_metrics": RESOURCE_METRICS}.get(meter)
    if known:
        _one_of(metric, known, f"{where}: metric of {meter}")
    return meter, metric


def _where(entry: Mapping[str, Any], meter: str, where: str) -> str:
    if "where" not in entry:
        return ""
    text = _text(entry, "where", where)
    if meter == "llm_usage":
        parse_scope(text, f"{where}, where")
    else:
        parse_pairs(text, f"{where}, where")
    return text


def _layer(entry: Mapping[str, Any], meter: str, where: str) -> str:
    if "layer" not in entry:
        return ""
    if meter != "llm_usage":
        raise UsageError(f"{where}: layer belongs to llm_usage, not to {meter}.")
    return _one_of(_text(entry, "layer", where), LAYERS, f"{where}: layer")
