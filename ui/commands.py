"""Every command of ``finops``, once: its help, its arguments and the function that runs it.

The parser, the dispatch and docs/cli.md come from this table. A runner is named, not imported: what
a command needs is loaded when that command runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finops_assistant.store.focus import TAG_COLUMNS


@dataclass(frozen=True)
class Argument:
    """One flag or positional, as argparse takes it."""

    names: tuple[str, ...]
    help: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """One command. ``runner`` is ``module:function`` in this room, taking the parsed arguments
    and returning the exit code."""

    name: str
    help: str
    runner: str
    arguments: tuple[Argument, ...] = ()


def _flag(name: str, help: str) -> Argument:
    return Argument((name,), help, {"action": "store_true"})


HOME = Argument(
    ("--home",),
    "the folder that holds everything (default: FINOPS_HOME, else ~/.finops)",
    {"metavar": "FOLDER"},
)
DEBUG = _flag("--debug", "show the SQL that ran, and the traceback of an error")
GLOBAL = (HOME, DEBUG)

JSON = _flag("--json", "print one JSON object instead of text")
PRINCIPAL = Argument(
    ("--as",),
    "answer as this principal of finops.toml, with what it may see",
    {"metavar": "PRINCIPAL", "dest": "principal"},
)
PERIOD = Argument(
    ("--period",),
    "the month, such as 2026-10 (default: the last complete one)",
    {"metavar": "YYYY-MM"},
)
AS_OF = Argument(
    ("--as-of",),
    "the day that counts as today (default: the day after the last complete one)",
    {"metavar": "DATE"},
)
SESSION = Argument(
    ("--session",),
    "continue this conversation, or begin it under this name",
    {"metavar": "ID"},
)

ROUTE = Argument(
    ("--route",),
    "who reads the question: the built-in planner, the chat model, or the model where the planner "
    "is not sure (auto, the default)",
    {"choices": ("auto", "planner", "model"), "default": "auto"},
)
MODEL = Argument(
    ("--model",),
    "the chat model to ask (default: FINOPS_MODEL, else none)",
    {"metavar": "NAME"},
)

COMMANDS = (
    Command(
        "demo",
        "build the sample company's store (first time only), answer a short tour of questions, "
        "and serve the chat page",
        "demo:run",
        (_flag("--no-ui", "stop after the tour"),),
    ),
    Command(
        "ingest",
        "load billing files, folders or globs as one delivery",
        "ingest:run",
        (
            Argument(("paths",), "file, folder or glob", {"nargs": "+", "metavar": "PATH"}),
            Argument(
                ("--source",),
                "the kind of file where columns leave a doubt, or a mapping file for another CSV",
                {"metavar": "NAME|MAPPING.yaml"},
            ),
            Argument(
                ("--max-bad",),
                "refuse a file with more than this share of bad rows (default: 0.05)",
                {"metavar": "SHARE", "type": float, "default": 0.05},
            ),
            JSON,
        ),
    ),
    Command(
        "sync",
        "fetch new bills and usage from the OpenAI and Anthropic admin APIs (keys from the "
        "environment) and from folders, and load them",
        "sync:run",
        (JSON,),
    ),
    Command(
        "status",
        "show what is in the store: sources, periods, rows, freshness, tag coverage, quarantine",
        "status:run",
        (JSON, PRINCIPAL),
    ),
    Command(
        "reconcile",
        "compare what vendors bill for models with what the reported usage costs at list price",
        "reconcile:run",
        (PERIOD, JSON, PRINCIPAL),
    ),
    Command(
        "allocation",
        "show how shared cost is split by the rules of finops.toml, and what each team or AI "
        "initiative costs in full",
        "allocation:run",
        (
            Argument(
                ("--by",),
                "what to show full costs by (default: what the first rule splits to)",
                {"choices": tuple(TAG_COLUMNS), "metavar": "DIMENSION"},
            ),
            Argument(
                ("--period",),
                "a month, quarter or year, such as 2026-10 (default: the last complete month)",
                {"metavar": "PERIOD"},
            ),
            AS_OF,
            JSON,
            PRINCIPAL,
        ),
    ),
    Command(
        "ask",
        "answer one question",
        "ask:run",
        (
            Argument(
                ("question",), "the question, in quotes", {"nargs": "+", "metavar": "QUESTION"}
            ),
            JSON,
            AS_OF,
            SESSION,
            PRINCIPAL,
            ROUTE,
            MODEL,
        ),
    ),
    Command(
        "chat",
        "ask and follow up in the terminal",
        "chat:run",
        (SESSION, PRINCIPAL, ROUTE, MODEL),
    ),
    Command(
        "ui",
        "serve the chat page on this machine until Ctrl-C",
        "serve:run",
        (
            Argument(
                ("--host",),
                "the address to serve on; only this machine's own (default: 127.0.0.1)",
                {"metavar": "HOST", "default": "127.0.0.1"},
            ),
            Argument(
                ("--port",),
                "the port, or the next free one if it is taken (default: 7860)",
                {"metavar": "PORT", "type": int, "default": 7860},
            ),
            PRINCIPAL,
        ),
    ),
    Command(
        "sql",
        "run one guarded, read-only SELECT over the relation focus",
        "sql:run",
        (
            Argument(("sql",), "the SELECT, in quotes", {"metavar": "SQL"}),
            JSON,
            PRINCIPAL,
        ),
    ),
    Command(
        "export",
        "write the store as one FOCUS dataset",
        "export:run",
        (
            Argument(
                ("--format",),
                "the format to write: focus",
                {"choices": ("focus",), "required": True},
            ),
            Argument(
                ("--focus-version",),
                "the version of FOCUS whose columns to write: 1.4 (default) or 1.2",
                {"choices": ("1.4", "1.2"), "default": "1.4"},
            ),
            _flag("--strict", "leave out the x_ columns"),
            Argument(
                ("-o", "--output"),
                "the file to write",
                {"metavar": "FILE", "required": True},
            ),
            PRINCIPAL,
        ),
    ),
)
