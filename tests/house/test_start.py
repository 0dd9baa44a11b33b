"""Start-up is dear: looking something up in the help loads nothing but the standard library."""

from __future__ import annotations

import subprocess
import sys

import pytest

from finops_assistant.ui.commands import COMMANDS

_PROBE = """
import sys
from finops_assistant.ui.cli import main
try:
    main({arguments!r})
except SystemExit as stop:
    assert stop.code in (None, 0), stop.code
print("LOADED", *sorted({{name.partition(".")[0] for name in sys.modules}}))
"""


def loaded_after(*arguments: str) -> set[str]:
    """Top-level packages in a fresh process after these arguments."""
    code = _PROBE.format(arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), *((c.name, "--help") for c in COMMANDS)]
)
def test_help_loads_no_third_party_package(arguments: tuple[str, ...]) -> None:
    ours = {"finops_assistant", "__main__", "sitecustomize"}
    # Start-up files of editable installs and coverage tools begin with an underscore.
    foreign = {
        name
        for name in loaded_after(*arguments) - ours - set(sys.stdlib_module_names)
        if not name.startswith("_")
    }
    assert not foreign


def test_a_wrong_command_line_loads_no_agent() -> None:
    code = (
        "import sys\n"
        "from finops_assistant.ui.cli import main\n"
        "assert main(['ask', 'x', '--as-of', 'soon']) == 2\n"
        "assert not {'langchain', 'duckdb', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("module", ["store.ingest", "store.store", "store.export", "store.status"])
def test_the_store_loads_neither_agent_nor_data_frames(module: str) -> None:
    code = (
        f"import sys, finops_assistant.{module}\n"
        "print(*{'langchain', 'langchain_core', 'langgraph', 'pandas', 'rich', 'sqlglot'}"
        " & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == []
