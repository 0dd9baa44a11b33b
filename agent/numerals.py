"""The last check before an answer leaves: every numeral in it belongs to something.

A numeral may stand in an answer when it shows a result cell, is part of a name, a date, an
ordinal, or repeats a figure of the question. Anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from finops_assistant.agent.placeholders import Filled

_NUMERAL = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATES = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:–\d{{1,2}})? (?:{_MONTHS})(?: (?:19|20)\d\d)?"
    rf"|(?:{_MONTHS}) (?:19|20)\d\d|Q[1-4] (?:19|20)\d\d|\b\d{{2}}:\d{{2}}\b|\b(?:19|20)\d\d\b"
)
_ORDINALS = re.compile(r"\b\d+(?:st|nd|rd|th)\b|^\s*\d+\. ", re.MULTILINE)


class UngroundedError(ValueError):
    """A numeral that no cell holds."""


def unbound(filled: Filled, question: str, names: Iterable[str] = ()) -> list[str]:
    """The numerals of the text that nothing accounts for, in order.

    ``names`` are texts that may carry digits of their own: values, metric titles, models.
    """
    text = filled.text
    covered = bytearray(len(text))
    for bound in filled.bound:
        covered[bound.start : bound.end] = b"\1" * (bound.end - bound.start)
    for pattern in (_DATES, _ORDINALS):
        for found in pattern.finditer(text):
            covered[found.start() : found.end()] = b"\1" * (found.end() - found.start())
    for name in names:
        if any(c.isdigit() for c in name):
            for found in re.finditer(re.escape(name), text, re.IGNORECASE):
                covered[found.start() : found.end()] = b"\1" * (found.end() - found.start())
    asked = {_bare(found) for found in _NUMERAL.findall(question)}
    return [
        found.group()
        for found in _NUMERAL.finditer(text)
        if not all(covered[found.start() : found.end()]) and _bare(found.group()) not in asked
    ]


def check(filled: Filled, question: str, names: Iterable[str] = ()) -> None:
    """Raise ``UngroundedError`` when the text holds a numeral that nothing accounts for."""
    loose = unbound(filled, question, names)
    if loose:
        raise UngroundedError(f"no cell holds {', '.join(loose)}")


def _bare(numeral: str) -> str:
    return re.sub(r"[,\u00a0\u202f]", "", numeral)
