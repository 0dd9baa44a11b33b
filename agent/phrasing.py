"""May a model's own sentence open the answer? Only if everything it asserts is shown by cells.

Figures stand in it as placeholders, each beside the name of its row; no other numeral, no number
word, no link, no markup, no direction that the figures do not take, and no word from outside the
question and the trade: so neither a name that the figures are not about nor a message that some tag
carries gets through. Whatever fails is not mended: the composed sentence takes its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set
from datetime import date, timedelta
from decimal import Decimal

from finops_assistant.agent import figures
from finops_assistant.agent.placeholders import Bound, Filled, UnknownCellError, fill
from finops_assistant.store.result import Result

LONGEST = 600
# Words that a sentence about a figure needs, besides those of the trade and of the question.
GLUE = frozenset(
    re.findall(
        r"\w+",
        """a an and the of in on for to from by with at as was were is are be been has have had it
        its this that which who came comes amounted amounts stood stands reached against compared
        before after during over period month quarter year week day days last previous spent spend
        cost costs costing charged followed then while we you your our company rose rise rises up
        higher fell fall falls down lower increase increased decrease decreased january february
        march april may june july august september october november december""",
    )
)
_WORD = re.compile(r"[^\W\d_]+")
_LINK = re.compile(
    r"://|www\.|mailto:|@|\]\(|!\[|[<>`|\[\]{}\\#]|\b[\w-]+\.(?:[a-z]{2,24})(?:/|\b)", re.IGNORECASE
)
_NUMBER_WORDS = re.compile(
    r"\b(?:zero|nil|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|"
    r"fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|half|"
    r"halved?|halves|thirds?|quarters of|fifths?|tenths?|double[ds]?|doubling|triple[ds]?|twice|"
    r"thrice|twofold|tenfold|\w+fold|per ?cent|percentage|majority|minority|nothing|couple|pair)\b",
    re.IGNORECASE,
)
_UP = re.compile(
    r"\b(?:rose|risen|rise|rises|rising|increas\w+|grew|grow\w*|up|higher|climb\w*|jump\w*|gain\w*|"
    r"more|surg\w+|dearer)\b",
    re.IGNORECASE,
)
_DOWN = re.compile(
    r"\b(?:fell|fall\w*|decreas\w+|drop\w*|declin\w+|down|lower\w*|shr[aiu]nk\w*|less|sank|sunk|"
    r"reduc\w+|cheaper)\b",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\b(?:highest|most|largest|biggest|top|leads?|lowest|least|smallest|cheapest|only|all|none|"
    r"never|always|every|average|mean|median|total(?:s|led|ling)?|sum|together|overall)\b",
    re.IGNORECASE,
)


def acceptable(
    text: str, results: Sequence[Result], names: Iterable[str], vocabulary: Set[str]
) -> bool:
    """Whether a model's text may open the answer.

    ``names`` are texts that may stand in it as they are (titles, the values that the query filters
    on); ``vocabulary`` are the other words that it may use, in lower case.
    """
    template = text.strip()
    if not template or len(template) > LONGEST or not _one_paragraph(template):
        return False
    try:
        filled = fill(template, {result.id: result for result in results})
    except UnknownCellError:
        return False
    figures_shown = [b for b in filled.bound if b.is_number]
    if not figures_shown:
        return False
    own = _own_words(filled)
    for name in sorted({*names, *_period_names(results)}, key=len, reverse=True):
        own = own.replace(name, " ")
    if {word.casefold() for word in _WORD.findall(own)} - vocabulary:
        return False
    if any(unicodedata.category(c)[0] == "N" for c in own) or _NUMBER_WORDS.search(own):
        return False
    if _LINK.search(own):
        return False
    return _in_their_rows(filled, results) and _true_directions(own, filled.bound, results)


def _one_paragraph(text: str) -> bool:
    return "\n" not in text and all(c.isprintable() for c in text)


def _own_words(filled: Filled) -> str:
    """The text without what cells show."""
    parts, position = [], 0
    for bound in filled.bound:
        parts.append(filled.text[position : bound.start])
        position = bound.end
    parts.append(filled.text[position:])
    return " ".join(parts).replace("**", "")


def _period_names(results: Sequence[Result]) -> Iterable[str]:
    """How the periods of the results may be written."""
    for result in results:
        scope = result.scope
        yield figures.days(scope.start, scope.end)
        for day in (scope.start, scope.end - timedelta(days=1), scope.end):
            yield from (figures.day(day), day.isoformat())
        if _whole_month(scope.start, scope.end):
            yield f"{scope.start:%B %Y}"


def _whole_month(start: date, end: date) -> bool:
    return start.day == end.day == 1 and (end - start).days <= 31


def _in_their_rows(filled: Filled, results: Sequence[Result]) -> bool:
    """Whether each figure of a list stands in a sentence with the name of its row."""
    by_id = {result.id: result for result in results}
    breaks = [m.end() for m in re.finditer(r"[.;!?](?=\s)", filled.text)]

    def sentence(bound: Bound) -> int:
        return sum(1 for at in breaks if at <= bound.start)

    named = {(sentence(b), b.result, b.row) for b in filled.bound if not b.is_number}
    return all(
        (sentence(b), b.result, b.row) in named
        for b in filled.bound
        if b.is_number and by_id[b.result].row_count > 1
    )


def _true_directions(own: str, bound: Sequence[Bound], results: Sequence[Result]) -> bool:
    """Whether words such as "rose" or "highest" are borne out by the cells that are shown."""
    moves = [b.value for b in bound if "_change" in b.column]
    changes = [value for value in moves if isinstance(value, int | float | Decimal)]
    if _UP.search(own) and not (changes and min(changes) > 0):
        return False
    if _DOWN.search(own) and not (changes and max(changes) < 0):
        return False
    # What a list as a whole says is the composed sentence's to say.
    return not _EXTREME.search(own) or all(result.row_count < 2 for result in results)
