"""Loading a file of a source into a store of its own, and asking that store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import FileReport, LoadReport
from finops_assistant.store.settings import Home


@dataclass
class Loaded:
    """A store after a load."""

    home: Home
    report: LoadReport

    @property
    def file(self) -> FileReport:
        """The report of the only file."""
        (only,) = self.report.files
        return only

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement over the current version of the store."""
        database = Database.open(self.home)
        with closing(database.cursor()) as cursor:
            rows = cursor.execute(statement).fetchall()
        database.close()
        return rows

    def one(self, statement: str) -> Any:
        """The only cell of a statement's only row."""
        ((cell,),) = self.sql(statement)
        return cell


class Load(Protocol):
    """Loads files as one delivery; into the same store when called again."""

    def __call__(
        self, *paths: Path, source: str | None = None, max_bad: float = 0.05
    ) -> Loaded: ...


@pytest.fixture
def load(tmp_path: Path) -> Load:
    home = Home(tmp_path / "home")

    def into_home(*paths: Path, source: str | None = None, max_bad: float = 0.05) -> Loaded:
        return Loaded(home, ingest(home, paths, source=source, max_bad=max_bad))

    return into_home


@pytest.fixture
def fixtures() -> Path:
    """The folder of files in the vendors' documented shapes."""
    return Path(__file__).resolve().parent / "fixtures"
