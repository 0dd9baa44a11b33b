"""From raw text to tokens with offsets: NFKC, case, quotes, numbers, currency signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal

import yaml

MAX_LENGTH = 2000

Kind = Literal["word", "number", "date", "quoted", "punctuation"]


@dataclass(frozen=True)
class Token:
    """One token. ``norm`` is what the grammars read; ``start``/``end`` index the NFKC text."""

    text: str
    norm: str
    start: int
    end: int
    kind: Kind = "word"
    number: Decimal | None = None
    mark: str = ""  # "%" or a currency code that was written with the number


@cache
def table(name: str) -> Any:
    """One of the planner's word tables (``<name>.yaml`` beside this module)."""
    from importlib.resources import files

    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    # The base loader keeps every scalar a string: "on", "no" and "yes" are words here.
    return yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))  # noqa: S506


SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_SCALE = {"k": 10**3, "m": 10**6, "mn": 10**6, "mio": 10**6, "b": 10**9, "bn": 10**9}

_TOKEN = re.compile(
    r"""
    (?P<quoted>"[^"]{1,200}"|“[^”]{1,200}”|`[^`]{1,200}`|(?<![\w'])'[^'\n]{1,200}'(?!\w))
  | (?P<date>\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d{2})\b)
  | (?P<number>(?:[$€£¥₹]\s?)?\d+(?:[.,]\d+)*\s?(?:%|(?:[kK]|[mM]n?|[bB]n?|mio)(?![\w-]))?
      (?![\w:]|[-.][^\W\d])\s?[$€£¥₹]?)
  | (?P<word>[^\W_][\w&+.@:/'-]*[\w+]|[^\W_])
  | (?P<punctuation>[^\w\s])
    """,
    re.VERBOSE,
)


# Curly quotes, en and em dash, the hyphen that does not break, the minus sign.
_TYPOGRAPHY = {0x2019: "'", 0x2018: "'", 0x2013: "-", 0x2014: "-", 0x2011: "-", 0x2212: "-"}


def clean(text: str) -> str:
    """NFKC, typographic quotes and dashes made plain, control characters gone."""
    text = unicodedata.normalize("NFKC", text)
    text = text.translate(_TYPOGRAPHY)
    return "".join(c if c.isprintable() else " " for c in text)


def fold(text: str) -> str:
    """The form under which names are compared: case, ``-``, ``_`` and spaces do not matter."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


def to_number(text: str) -> tuple[Decimal, str] | None:
    """A written number with its mark: ``$1.2k`` is (1200, "USD"), ``20 %`` is (20, "%")."""
    mark = ""
    for sign, code in SIGNS.items():
        if sign in text:
            mark, text = code, text.replace(sign, "")
    text = text.strip().casefold()
    if text.endswith("%"):
        mark, text = "%", text[:-1].strip()
    scale = re.search(r"[a-z]+$", text)
    factor = _SCALE[scale[0]] if scale else 1
    digits = text[: scale.start()].strip() if scale else text
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    elif re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}", digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"\d+,\d{1,2}", digits):
        digits = digits.replace(",", ".")
    elif not re.fullmatch(r"\d+(\.\d+)?", digits):
        return None
    return Decimal(digits) * factor, mark


def tokenise(text: str, keep: Callable[[str], bool] = lambda _: False) -> list[Token]:
    """Tokens of a cleaned text. A hyphenated word that ``keep`` does not know as one name is
    split where every part is an ordinary word (``month-over-month``)."""
    words: dict[str, Any] = table("words")
    contractions: dict[str, str] = words["contractions"]
    ordinary = frozenset(words["hyphen_parts"])
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, raw, start = match.lastgroup, match[0], match.start()
        if kind == "quoted":
            tokens.append(Token(raw, raw[1:-1].strip(), start, match.end(), "quoted"))
        elif kind == "date":
            tokens.append(Token(raw, raw, start, match.end(), "date"))
        elif kind == "number":
            tokens.extend(_number(raw, start))
        elif kind == "punctuation":
            tokens.append(Token(raw, raw, start, match.end(), "punctuation"))
        else:
            tokens.extend(_words(raw, start, contractions, ordinary, keep))
    return tokens


def _number(raw: str, start: int) -> list[Token]:
    lead = len(raw) - len(raw.lstrip())
    body = raw.strip()
    parsed = to_number(body)
    begin = start + lead
    if parsed is None:
        return [Token(body, body, begin, begin + len(body), "word")]
    value, mark = parsed
    plain = format(value.normalize(), "f")
    return [Token(body, plain, begin, begin + len(body), "number", value, mark)]


_NAMED = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*|q[1-4]"
_PERIODS = re.compile(rf"({_NAMED})-({_NAMED})")  # "Jan-Mar" is a range, not a name


def _words(
    raw: str,
    start: int,
    contractions: dict[str, str],
    ordinary: frozenset[str],
    keep: Callable[[str], bool],
) -> list[Token]:
    lower = raw.casefold()
    if lower in contractions:
        return [Token(raw, part, start, start + len(raw)) for part in contractions[lower].split()]
    if lower.endswith("'s"):
        lower, raw = lower[:-2], raw[:-2]
    elif lower.endswith("'"):
        lower, raw = lower[:-1], raw[:-1]
    numbers: dict[str, str] = table("words")["numbers"]
    if lower in numbers or lower.isdecimal():
        value = Decimal(numbers.get(lower, lower))
        return [Token(raw, str(value), start, start + len(raw), "number", value)]
    if span := re.fullmatch(r"(\d{1,3})(d|days?|w|wks?|weeks?|mos?|months?|h|hrs?|hours?)", lower):
        cut = start + span.end(1)
        unit = {"d": "days", "w": "weeks", "m": "months", "h": "hours"}[span[2][0]]
        return [
            Token(span[1], span[1], start, cut, "number", Decimal(span[1])),
            Token(span[2], unit, cut, start + len(raw)),
        ]
    if keep(raw):
        return [Token(raw, lower, start, start + len(raw))]
    if ":" in lower and "/" not in lower:
        left, _, right = raw.partition(":")
        if left and right:
            cut = start + len(left)
            return [
                *_words(left, start, contractions, ordinary, keep),
                Token(":", ":", cut, cut + 1, "punctuation"),
                *_words(right, cut + 1, contractions, ordinary, keep),
            ]
    if ends := re.fullmatch(_PERIODS, lower):
        cut = start + len(ends[1])
        return [
            *_words(raw[: len(ends[1])], start, contractions, ordinary, keep),
            Token("-", "-", cut, cut + 1, "punctuation"),
            *_words(raw[len(ends[1]) + 1 :], cut + 1, contractions, ordinary, keep),
        ]
    if re.search(r"[-/&]", lower):
        parts = list(re.finditer(r"[^-/&]+", raw))
        splits = all(
            p[0].casefold() in ordinary or p[0].isdigit() or (keep(p[0]) and "-" not in lower)
            for p in parts
        )
        led = len(parts) == 2 and (
            (parts[0][0].casefold() in ("non", "not", "ex", "all") and keep(parts[1][0]))
            or (keep(parts[0][0]) and parts[1][0].casefold() in ("only", "related", "tagged"))
        )
        if len(parts) > 1 and (splits or led):
            out: list[Token] = []
            for p in parts:
                if out and "/" in raw:
                    out.append(
                        Token("/", "/", start + p.start() - 1, start + p.start(), "punctuation")
                    )
                out.extend(_words(p[0], start + p.start(), contractions, ordinary, keep))
            return out
    return [Token(raw, lower, start, start + len(raw))]
