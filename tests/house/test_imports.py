"""Imports run one way: store, knowledge <- tools <- agent <- ui, evals."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "finops_assistant"
# Which other rooms a room may import.
ALLOWED = {
    "store": set[str](),
    "knowledge": set[str](),
    "tools": {"store", "knowledge"},
    "agent": {"store", "knowledge", "tools"},
    "ui": {"store", "knowledge", "tools", "agent"},
    "evals": {"store", "knowledge", "tools", "agent"},
}
# The one extra arrow: the command line may start the evaluation harness, inside a function.
LAZY = {("ui/cli.py", "evals")}
# What the lower rooms must not know of: the agent framework, and any screen.
FOREIGN = {
    "store": {
        "langchain",
        "langchain_core",
        "langgraph",
        "rich",
        "gradio",
        "slack_sdk",
        "chromadb",
    },
    "knowledge": {"langchain", "langchain_core", "langgraph", "rich", "gradio", "duckdb"},
    "tools": {"langchain", "langchain_core", "langgraph", "rich", "gradio", "duckdb"},
    "agent": {"rich", "gradio", "slack_sdk", "duckdb"},
}
MODULES = sorted(file for room in ALLOWED for file in (ROOT / room).rglob("*.py"))


def imports(file: Path) -> list[tuple[str, bool]]:
    """Every module that the file imports, and whether at its top level."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            module = node.module or ""
            # `from finops_assistant import store` names the room only in its aliases.
            names = (
                [f"{module}.{alias.name}" for alias in node.names]
                if module == PACKAGE
                else [module]
            )
        else:
            continue
        found += [(name, id(node) not in inside) for name in names]
    return found


def test_every_room_is_looked_at() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in MODULES} == set(ALLOWED)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_what_lies_below_it(file: Path) -> None:
    place = file.relative_to(ROOT)
    room = place.parts[0]
    for name, top in imports(file):
        head, *rest = name.split(".")
        assert head not in ALLOWED, f"{place} imports {name}: say {PACKAGE}.{name}"
        assert head not in FOREIGN.get(room, ()), f"{place} imports {name}"
        if head == PACKAGE and rest[0] != room and rest[0] not in ALLOWED[room]:
            assert (str(place), rest[0]) in LAZY, f"{place} imports {name}"
            assert not top, f"{place} imports {name} at the top"
