"""One report of a vendor, page by page, into files: retried, and taken up where it broke off.

The pages of the days from A until before B lie in ``pulled/<vendor>/<report>/<A>_<B>/``, as they
came and numbered. The folder's name says what was asked, so a run that was stopped goes on after
the last page that is there; a page is written beside and renamed, so one that is there is whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finops_assistant.store.errors import LoadError
from finops_assistant.store.sync.vendors import Report

if TYPE_CHECKING:
    import httpx2
    from tenacity import RetryCallState

ATTEMPTS: Final = 6
_LONGEST_WAIT: Final = 60.0
_MOST_PAGES: Final = 10_000
Tell = Callable[[str], None]


class PullError(LoadError):
    """A vendor's API did not give what was asked. What came before stays for the next run."""


class _Again(Exception):
    """Worth another attempt: the API is busy or out of order for the moment."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True)
class Pull:
    """The days of one report to fetch: from ``first`` until before ``end``."""

    report: Report
    first: date
    end: date
    folder: Path

    def run(
        self, client: httpx2.Client, key: str, tell: Tell, sleep: Callable[[float], None]
    ) -> None:
        """Fetch the pages that are not there yet; raises PullError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pages = sorted(self.folder.glob("page-*.json"))
        more, token = True, None
        seen: set[str] = set()
        for page in pages:
            more, token = _next(json.loads(page.read_text("utf-8")), self.report)
        number = len(pages)
        while more:
            if token is not None and (token in seen or number >= _MOST_PAGES):
                raise PullError(f"{self._name} goes round in circles at page {number}.")
            seen.add(token or "")
            try:
                document = self._page(client, key, token, sleep)
            except _Stale:
                # The vendor no longer knows where we were: begin these days anew.
                for page in pages:
                    page.unlink()
                pages, number, token, seen = [], 0, None, set()
                continue
            more, token = _next(document, self.report)
            number += 1
            path = self.folder / f"page-{number:04d}.json"
            partial = path.with_suffix(".part")
            partial.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
            partial.replace(path)
            tell(f"{self._name}, page {number}")

    @property
    def _name(self) -> str:
        return f"{self.report.vendor.name} {self.report.name} from {self.first} to {self.end}"

    def _page(
        self,
        client: httpx2.Client,
        key: str,
        token: str | None,
        sleep: Callable[[float], None],
    ) -> dict[str, Any]:
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=sleep,
            reraise=True,
        )
        try:
            document: dict[str, Any] = retrying(self._once, client, key, token)
        except _Again as error:
            raise PullError(
                f"{self._name} could not be fetched after {ATTEMPTS} attempts: {error}. What came "
                "is kept; run finops sync again to go on."
            ) from None
        return document

    def _once(self, client: httpx2.Client, key: str, token: str | None) -> dict[str, Any]:
        import httpx2

        vendor = self.report.vendor
        try:
            answer = client.get(
                self.report.path,
                params=tuple(self.report.parameters(self.first, self.end, token)),
                headers=vendor.headers(key),
            )
        except httpx2.TransportError as error:
            raise _Again(f"no answer ({type(error).__name__})") from None
        status = answer.status_code
        if status == 429 or status >= 500:
            raise _Again(f"the API answered {status}", _retry_after(answer.headers))
        if status in (401, 403):
            raise PullError(
                f"{vendor.name} refused the key in {vendor.key_variable} (answer {status}). "
                "It takes an admin key of the organisation."
            )
        if status in (400, 404, 410) and token is not None:
            raise _Stale
        if status != 200:
            raise PullError(f"{self._name}: the API answered {status}.")
        try:
            document = answer.json()
        except ValueError:
            raise _Again("the page was cut off") from None
        if not isinstance(document, dict) or not isinstance(document.get("data"), list):
            raise PullError(f"{self._name}: the API answered something that is no page.")
        return document


class _Stale(Exception):
    """The API does not know the page that comes next any more."""


def _next(document: dict[str, Any], report: Report) -> tuple[bool, str | None]:
    """Whether there is more, and by which token."""
    if not document.get("has_more"):
        return False, None
    token = document.get("next_page")
    if not isinstance(token, str) or not token:
        raise PullError(
            f"{report.vendor.name} {report.name}: a page says there is more, not where."
        )
    return True, token


def _retry_after(headers: Any) -> float | None:
    """Seconds that the API asks to wait, as far as it says so in seconds."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _wait(state: RetryCallState) -> float:
    """As long as the API asks for, else twice as long each time."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _Again) else None
    wait = asked if asked is not None else float(2 ** (state.attempt_number - 1))
    return min(wait, _LONGEST_WAIT)
