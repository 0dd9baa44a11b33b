"""Errors a person can act on.

FinopsError                 one plain sentence with the way out; never a traceback
├── UsageError              wrong flags, names or settings               (exit code 2)
├── StoreError              the store cannot be used as it is            (exit code 2)
│   ├── StoreMissing        nothing has been loaded yet
│   ├── StoreNewer          written by a newer version of the program
│   └── StoreBusy           another load is running
├── LoadError               a file, or a whole delivery, cannot be loaded (exit code 2)
│   └── NothingLoaded       no file of the delivery was usable (``store.load_report``)
└── QueryRefused            the query may not run; ``reason`` says which kind of no it is
"""

from __future__ import annotations

from collections.abc import Iterable


class FinopsError(Exception):
    """Base of every error whose text is meant for the user."""

    exit_code = 1


class UsageError(FinopsError):
    """The command line, a setting or a name is wrong."""

    exit_code = 2


class StoreError(FinopsError):
    """The store cannot be used as it is."""

    exit_code = 2


class StoreMissing(StoreError):
    """Nothing has been loaded yet."""


class StoreNewer(StoreError):
    """The store was written by a newer version of the program."""


class StoreBusy(StoreError):
    """Another load holds the store."""


class LoadError(FinopsError):
    """A file or a delivery cannot be loaded; the store is as it was."""

    exit_code = 2


class QueryRefused(FinopsError):
    """A query that may not run. ``reason`` is a plan reason code (see ``store.query``)."""

    exit_code = 3

    def __init__(self, reason: str, message: str, candidates: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.candidates = tuple(candidates)


def suggest(name: str, known: Iterable[str], *, limit: int = 3) -> list[str]:
    """The known names nearest to ``name``, best first: the one "did you mean" of the program.

    >>> suggest("serach", ["search", "platform"])
    ['search']
    """
    from rapidfuzz import fuzz, process, utils

    found = process.extract(
        name, list(known), scorer=fuzz.WRatio, processor=utils.default_process, limit=limit
    )
    return [match for match, score, _ in found if score >= 60]
