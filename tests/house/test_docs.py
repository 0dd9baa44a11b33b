"""The documentation names everything there is, its generated parts are current, its links lead."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from finops_assistant.store.access import ENTRIES
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.settings import TABLES
from finops_assistant.store.sources import SOURCES
from finops_assistant.ui.commands import COMMANDS, GLOBAL

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page.parent != ROOT)


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_is_documented(name: str) -> None:
    assert f"finops {name}" in DOCS


@pytest.mark.parametrize(
    "flag",
    sorted({n for c in COMMANDS for a in (*c.arguments, *GLOBAL) for n in a.names if n[0] == "-"}),
)
def test_every_flag_is_documented(flag: str) -> None:
    assert f"`{flag}`" in DOCS


@pytest.mark.parametrize("setting", [*TABLES, *ENTRIES, "keys", "values", "FINOPS_HOME"])
def test_every_setting_is_documented(setting: str) -> None:
    assert re.search(rf"\b{setting}\b", DOCS)


@pytest.mark.parametrize("name", [*load_semantics().metrics, *load_semantics().dimensions])
def test_every_metric_and_dimension_is_documented(name: str) -> None:
    assert re.search(rf"^### {name}$|\| `{name}` \|", DOCS, re.MULTILINE)


def test_every_source_is_documented() -> None:
    for source in SOURCES:
        assert f"`{source.name}`" in DOCS, source.name


def test_the_generated_parts_are_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]
    for name, fill in pages.items():
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert fill(page) == page, f"docs/{name} is out of date: run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", text):
        assert (page.parent / target).exists(), target


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, page.name


def test_the_readme_names_the_two_commands_and_the_checks() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in ("make demo", "finops ask", "make test"):
        assert command in readme
