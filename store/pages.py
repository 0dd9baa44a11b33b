"""The pages of an API that a delivery holds: is one missing, and do two tell the same?

A page of a report (costs and usage of OpenAI and Anthropic) holds buckets of time in order and says
with ``has_more`` whether another follows. A page that is not there is cost that is not there, so it
is named; pages that overlap are named, and whole buckets that are the same count once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Final

import duckdb

from finops_assistant.store.focus import FILE_ID, literal
from finops_assistant.store.records import largest_document

COST_SOURCES: Final = ("openai-costs", "anthropic-costs")
PAGED_SOURCES: Final = (*COST_SOURCES, "openai-usage", "anthropic-usage")
_MOST_NAMES: Final = 3


@dataclass(frozen=True)
class PageFile:
    """A JSON file of a delivery that holds pages. ``label`` is what people see."""

    label: str
    path: Path
    source: str
    compression: str = "none"


@dataclass(frozen=True)
class Page:
    """One page: the file it is in, the report it belongs to, and the time its buckets cover."""

    label: str
    report: str
    start: datetime
    end: datetime
    has_more: bool


def page_warnings(
    connection: duckdb.DuckDBPyConnection, page_files: Iterable[PageFile]
) -> list[str]:
    """One sentence for every missing page and every overlap in the files of one delivery.

    A file that is no whole JSON has been refused before and must not be among them.
    """
    pages = _read(connection, page_files)
    return [*missing_pages(pages), *_overlaps(connection)] if pages else []


def missing_pages(pages: Iterable[Page]) -> list[str]:
    """One sentence for every page that says more follows where nothing does.

    >>> day = datetime(2026, 10, 1)
    >>> missing_pages([Page("a.json", "costs", day, day + timedelta(days=2), True)])
    ['The page of costs after a.json is missing: it ends with 2026-10-02 and more was to follow.']
    """
    known = sorted(pages, key=lambda page: (page.start, page.end))
    sequences = {report: _Sequence(known, report) for report in {page.report for page in known}}
    found = []
    for page in known:
        after = sequences[page.report].after(page) if page.has_more else page.end
        if after is None:
            found.append(
                f"The page of {page.report} after {page.label} is missing: it ends with "
                f"{_last(page.end)} and more was to follow."
            )
        elif after > page.end:
            days = _days(page.end, after)
            found.append(
                f"A page of {page.report} is missing after {page.label}: this delivery has "
                f"nothing for {days}."
            )
    return found


class _Sequence:
    """The pages that may follow those of a report: its own, and those without any result, which
    do not show of which report they are."""

    def __init__(self, known: Iterable[Page], report: str) -> None:
        some = [p for p in known if f"{p.report} ".startswith(f"{report} ")
                or f"{report} ".startswith(f"{p.report} ")]  # fmt: skip
        self._starts = [page.start for page in some]
        self._reach = list(accumulate((page.end for page in some), max))

    def after(self, page: Page) -> datetime | None:
        """Where the next page starts: at the end of this one, later, or nowhere."""
        place = bisect_right(self._starts, page.end)
        if self._reach[place - 1] > page.end:
            return page.end
        return self._starts[place] if place < len(self._starts) else None


def count_once(connection: duckdb.DuckDBPyConnection, own: Collection[int]) -> int:
    """Delete from ``charges`` the buckets of cost reports that a later file of the delivery (its
    files given by their ids) repeats without a difference; the number of rows deleted."""
    ids = ", ".join(str(int(i)) for i in own)
    sources = ", ".join(map(literal, COST_SOURCES))
    row = connection.execute(
        f"""
        DELETE FROM charges AS c USING (
            SELECT {FILE_ID}, x_Source, BillingAccountId, ChargePeriodStart, ChargePeriodEnd
            FROM (
                SELECT {FILE_ID}, x_Source, BillingAccountId, ChargePeriodStart, ChargePeriodEnd,
                       list_sort(list(hash(BilledCost, BillingCurrency, SubAccountId, x_ApiKeyId,
                           SkuPriceId, SkuPriceDetails, ChargeDescription, ConsumedQuantity, Tags)))
                       AS content
                FROM charges WHERE {FILE_ID} IN ({ids}) AND x_Source IN ({sources})
                GROUP BY ALL
            )
            QUALIFY {FILE_ID} < max({FILE_ID}) OVER (
                PARTITION BY x_Source, BillingAccountId, ChargePeriodStart, ChargePeriodEnd, content
            )
        ) AS old
        WHERE c.{FILE_ID} = old.{FILE_ID} AND c.x_Source = old.x_Source
          AND c.BillingAccountId = old.BillingAccountId
          AND c.ChargePeriodStart = old.ChargePeriodStart
          AND c.ChargePeriodEnd = old.ChargePeriodEnd
        """  # noqa: S608
    ).fetchone()
    return int(row[0]) if row else 0


def _read(connection: duckdb.DuckDBPyConnection, page_files: Iterable[PageFile]) -> list[Page]:
    """Fill the temporary tables ``page`` and ``page_result``, and give the pages."""
    chosen = list(page_files)
    if not chosen:
        return []
    parts = []
    for compression in sorted({f.compression for f in chosen}):
        alike = [f.path for f in chosen if f.compression == compression]
        paths = ", ".join(literal(str(path)) for path in alike)
        parts.append(
            "SELECT filename, json FROM read_json_objects("  # noqa: S608
            f"[{paths}], filename = true, format = 'auto', compression = {literal(compression)}, "
            f"maximum_object_size = {largest_document(alike, compression)})"
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE page_file (filename VARCHAR, label VARCHAR, source VARCHAR)"
    )
    connection.executemany(
        "INSERT INTO page_file VALUES (?, ?, ?)", [[str(f.path), f.label, f.source] for f in chosen]
    )
    sql = files("finops_assistant.store").joinpath("pages.sql").read_text("utf-8")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE page_result AS WITH document AS "
        f"({' UNION ALL '.join(parts)})\n{sql.strip().removesuffix(';')}"
    )
    rows = connection.execute(
        "SELECT label, report, min(started), max(ended), any_value(has_more) FROM page_result "
        "GROUP BY page, label, report ORDER BY page"
    ).fetchall()
    return [Page(*row) for row in rows]


def _overlaps(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Buckets that pages in different files have in common, in sentences."""
    rows = connection.execute(
        """
        WITH bucket AS (
            SELECT source, report, label, page, started, ended, sum(amount) AS total,
                   list_sort(list(DISTINCT groups)) AS groups,
                   list(DISTINCT shape) AS shapes,
                   list_sort(list(hash(groups, content))) AS content
            FROM page_result WHERE content IS NOT NULL GROUP BY ALL
        )
        SELECT a.source, a.report, a.label, b.label, min(a.started), max(a.ended),
               CASE WHEN a.content = b.content THEN 'same'
                    WHEN list_has_any(a.groups, b.groups) THEN 'other amounts'
                    ELSE 'other groups' END AS how
        FROM bucket a JOIN bucket b
          ON a.report = b.report AND a.started = b.started AND a.ended = b.ended
         AND a.page < b.page AND a.label <> b.label
        WHERE list_has_any(a.groups, b.groups)
           OR (a.total = b.total AND a.total <> 0 AND NOT list_has_any(a.shapes, b.shapes))
        GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    found: dict[tuple[str, str, str], list[tuple[str, str, datetime, datetime]]] = {}
    for source, report, one, other, start, end, how in rows:
        found.setdefault((source, report, how), []).append((one, other, start, end))
    sentences = []
    for (source, report, how), some in found.items():
        names = list(dict.fromkeys(name for one, other, *_ in some for name in (one, other)))
        who = " and ".join(names) if len(names) <= _MOST_NAMES else f"{len(names):,} files"
        days = _days(min(s for *_, s, _ in some), max(e for *_, e in some))
        sentences.append(f"{who} {_SAID[how, source in COST_SOURCES]}".format(days, report))
    return sentences


# What is said of an overlap: in cost reports, whose files add up, and in usage reports, whose rows
# have keys.
_SAID: Final = {
    ("same", True): "hold the same buckets of {1} for {0}; they count once.",
    ("same", False): "hold the same buckets of {1} for {0}; they count once.",
    ("other amounts", True): (
        "hold different amounts of {1} for the same groups in {0}, and both are counted. If one is "
        "newer, load it once more by itself: it then replaces the other."
    ),
    ("other amounts", False): (
        "hold different numbers of {1} for the same groups in {0}; the later file counts."
    ),
    ("other groups", True): (
        "hold the same total of {1} for {0}, grouped in two ways, so it is counted twice. "
        "Load only one of them."
    ),
    ("other groups", False): (
        "hold the same total of {1} for {0}, grouped in two ways, so it is counted twice. "
        "Load only one of them."
    ),
}


def _last(end: datetime) -> str:
    """The last day before an exclusive end."""
    return (end - timedelta(microseconds=1)).date().isoformat()


def _days(start: datetime, end: datetime) -> str:
    first, last = start.date().isoformat(), _last(end)
    return first if first == last else f"{first} to {last}"
