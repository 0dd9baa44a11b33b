"""Repeatable pseudo-randomness and the calendar's rhythm.

Everything random is a pure function of (seed, name, position), so adding a resource never
disturbs another one, and the numbers do not depend on a library's generator.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finops_assistant.store.sample import SAMPLE_FIRST_DAY, SAMPLE_LAST_DAY

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DAYS = (SAMPLE_LAST_DAY - SAMPLE_FIRST_DAY).days + 1
EPOCH = date(1970, 1, 1)
FIRST_SECOND = (SAMPLE_FIRST_DAY - EPOCH).days * 86_400

_WEEK = {  # Monday to Sunday
    "consumer": (1.00, 0.97, 0.98, 1.00, 1.06, 1.18, 1.14),
    "office": (1.02, 1.06, 1.05, 1.03, 0.95, 0.30, 0.26),
    "batch": (1.0, 1.0, 1.0, 1.0, 1.0, 0.92, 0.92),
    "steady": (1.0,) * 7,
}
_MONTH = {"consumer": {9: 0.98, 10: 1.0, 11: 1.24, 12: 1.38, 1: 0.92}, "office": {12: 0.86, 8: 0.9}}


def digest(*parts: object) -> int:
    """A stable 64-bit number for a name."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def code(*parts: object, length: int = 12) -> str:
    """A stable hexadecimal identifier for a name."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()[:length]


def uniform(count: int, *name: object) -> Floats:
    """``count`` numbers in [0, 1), by the splitmix64 sequence that the name starts."""
    with np.errstate(over="ignore"):
        state = np.uint64(digest(*name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    numbers: Floats = (state >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    return numbers


def day_of(number: int) -> date:
    """The calendar day at a position of the sample's time axis."""
    return SAMPLE_FIRST_DAY + timedelta(days=number)


def number_of(day: date) -> int:
    """The position of a calendar day on the sample's time axis (0 is the first day)."""
    return (day - SAMPLE_FIRST_DAY).days


def month_number(day: date) -> int:
    """Months since the year 0, so that neighbouring months differ by one."""
    return day.year * 12 + day.month - 1


def day_start(number: int) -> int:
    """Seconds since 1970 at which a day of the sample begins."""
    return FIRST_SECOND + number * 86_400


def rhythm(profile: str, growth: float, wobble: float, *name: object) -> Floats:
    """One factor a day: weekday, season, ``growth`` percent a month, and noise of ``wobble``."""
    days: list[date] = [day_of(number) for number in range(DAYS)]
    week = np.array([_WEEK[profile][day.weekday()] for day in days])
    season: dict[int, float] = _MONTH.get(profile, {})
    month = np.array([season.get(day.month, 1.0) for day in days])
    trend: Any = (1 + growth / 100) ** (np.arange(DAYS) / 30.4)
    noise = 1 + wobble * (2 * uniform(DAYS, *name) - 1)
    factors: Floats = week * month * trend * noise
    return factors
