"""What an ``ingest`` did, file by file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from finops_assistant.store.errors import LoadError

FileStatus = Literal["loaded", "unchanged", "refused", "skipped"]


@dataclass(frozen=True)
class Total:
    """The money of one currency in one file. ``billed_in_file`` and ``effective_in_file`` are
    there only where digits beyond the 12th decimal were rounded, with the differences (stored
    minus file) beside them."""

    currency: str | None
    billed: Decimal
    effective: Decimal
    billed_in_file: Decimal | None = None
    effective_in_file: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the ``ingest`` JSON; amounts stay Decimal for the encoder."""
        plain: dict[str, Any] = {
            "currency": self.currency,
            "billed": self.billed,
            "effective": self.effective,
        }
        for name, stored, exact in (
            ("billed", self.billed, self.billed_in_file),
            ("effective", self.effective, self.effective_in_file),
        ):
            if exact is not None:
                plain[f"{name}_in_file"] = exact
                plain[f"{name}_difference"] = stored - exact
        return plain


@dataclass(frozen=True)
class FileReport:
    """One file of a delivery. ``rows`` counts those in the file, ``restated`` the rows of older
    deliveries that it replaced; ``periods`` are the billing months (YYYY-MM)."""

    path: str
    status: FileStatus
    message: str = ""
    source: str | None = None
    rows: int = 0
    loaded: int = 0
    restated: int = 0
    quarantined: int = 0
    duplicate: bool = False
    periods: tuple[str, ...] = ()
    totals: tuple[Total, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As in the ``ingest`` JSON."""
        return asdict(self) | {
            "periods": list(self.periods),
            "totals": [total.to_json() for total in self.totals],
        }


@dataclass(frozen=True)
class LoadReport:
    """One delivery. ``changed`` says whether a new version of the store was swapped in."""

    files: tuple[FileReport, ...] = field(default=())
    changed: bool = False

    @property
    def loaded(self) -> int:
        """Rows that were added."""
        return sum(file.loaded for file in self.files)

    @property
    def quarantined(self) -> int:
        """Rows that could not be read and went to the quarantine."""
        return sum(file.quarantined for file in self.files)

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of files by status."""
        counts: dict[str, int] = {}
        for file in self.files:
            counts[file.status] = counts.get(file.status, 0) + 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The object that ``finops ingest --json`` prints."""
        return {"files": [file.to_json() for file in self.files]}


class NothingLoaded(LoadError):
    """No file of a delivery could be used; ``report`` says why for each."""

    def __init__(self, message: str, report: LoadReport) -> None:
        super().__init__(message)
        self.report = report
