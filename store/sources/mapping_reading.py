"""How numbers and dates are read in a file that a mapping describes: SQL over the text of a cell.

What is not written as declared is NULL here, and its line is quarantined: ``1,500`` is never taken
for 1.5 nor for 1500 unless the mapping says which of the two a comma is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from finops_assistant.store.focus import literal

NUMBER: Final = "DECIMAL(38,12)"  # two of them can be multiplied without loss
_SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "USD": ("US$", "$"),
    "EUR": ("€",),
    "GBP": ("£",),
    "JPY": ("¥",),
    "CNY": ("¥",),
    "INR": ("₹",),
}
_NEVER_A_POINT: Final = r"\s\x{00A0}\x{202F}'\x{2019}"
_MONTHS: Final = ("%Y-%m", "%Y/%m", "%b %Y", "%B %Y")


def number_sql(text: str, decimal: str, thousands: str | None, currency: str | None) -> str:
    """A text such as ``-1,234.50``, ``$12``, ``1 234,5 €``, ``(3.20)`` or ``7-`` as a number.

    Without a declared ``thousands`` a group is believed only where it cannot be a fraction; a sign
    of another currency than the declared one makes the text unreadable.
    """
    mark = thousands if thousands is not None else "," if decimal == "." else "."
    group = f"[{re.escape(mark)}{_NEVER_A_POINT}]"
    fraction = f"{re.escape(decimal)}[0-9]{{1,12}}0*"
    grouped = f"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+"
    if thousands is None:
        grouped = (
            f"{grouped}{fraction}|[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{2,}}"
            f"|[0-9]{{1,3}}(?:[{_NEVER_A_POINT}][0-9]{{3}})+"
        )
    else:
        grouped = f"{grouped}(?:{fraction})?"
    plain = f"(?:[0-9]+(?:{fraction})?|{fraction})(?:[eE][-+]?[0-9]+)?"
    sign = _signs(currency)
    pattern = (
        rf"^\s*(\(?)\s*([-+]?)\s*(?:{sign})?\s*([-+]?)\s*({grouped}|{plain})"
        rf"\s*(?:{sign})?\s*(-?)\s*\)?\s*$"
    )
    names = "['open', 'before', 'after', 'digits', 'behind']"
    found = f"regexp_extract({text}, {literal(pattern)}, {names})"
    bare = f"regexp_replace(f.digits, {literal(group)}, '', 'g')"
    value = f"TRY_CAST(replace({bare}, {literal(decimal)}, '.') AS {NUMBER})"
    negative = "regexp_matches(f.open || f.before || f.after || f.behind, '[-(]')"
    return (
        f"list_transform([{found}], lambda f: "
        f"CASE WHEN {negative} THEN -({value}) ELSE {value} END)[1]"
    )


def moment_sql(text: str, formats: tuple[str, ...]) -> str:
    """A text as TIMESTAMP in UTC: in one of the strptime ``formats``, else ISO 8601 or a month."""
    if formats:
        # try_strptime makes the year 1900 of the word infinity
        date = f"CASE WHEN {text} SIMILAR TO '.*[0-9].*' THEN trim({text}) END"
        return f"CAST(try_strptime({date}, {_list(formats)}) AS TIMESTAMP)"
    iso = f"make_timestamp(epoch_us(TRY_CAST(trim({text}) AS TIMESTAMPTZ)))"
    return f"coalesce({iso}, CAST(try_strptime(trim({text}), {_list(_MONTHS)}) AS TIMESTAMP))"


def _signs(currency: str | None) -> str:
    if currency is None:
        return "|".join(["[A-Z]{3}", *(re.escape(s) for signs in _SYMBOLS.values() for s in signs)])
    return "|".join(map(re.escape, (currency, *_SYMBOLS.get(currency, ()))))


def _list(formats: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(literal, formats)) + "]"
