"""The command line: reads the arguments, runs one command, turns errors into a sentence and a code.

Exit codes: 0 answered; 1 the program failed; 2 usage or configuration; 3 the answer was a question
back, an abstention or a refusal; 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import gc
import io
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn, cast

from finops_assistant.store.errors import FinopsError, suggest
from finops_assistant.ui.commands import COMMANDS, GLOBAL, Argument, Command
from finops_assistant.ui.terminal import interrupted

STOPPED = 130  # 128 + SIGINT, as shells report it
PIPE_CLOSED = 141  # 128 + SIGPIPE
# Errors of DuckDB that say something of the file, not of our SQL.
_UNREADABLE = ("IOException", "FatalException", "SerializationException")
_CHECK = "See that it can be written, that there is space, and that no other program holds it."
_DESCRIPTION = (
    "Ask a cloud or AI cost question in plain words; get a right answer with its evidence."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _open_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what an encoding cannot say is no failure
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    parser = _parser()
    debug = False
    args = argparse.Namespace()
    try:
        args = parser.parse_args(argv)
        debug = args.debug
        if args.command is None:
            parser.print_help(sys.stderr)
            return 2
        if not debug:
            import warnings

            warnings.simplefilter("ignore")  # those of libraries say nothing to a user
        code = _run(args)
        sys.stdout.flush()
        return code
    except FinopsError as error:
        return _fail(str(error), error.exit_code, debug)
    except KeyboardInterrupt:
        return _fail("Stopped.", STOPPED, debug)
    except BrokenPipeError:
        # Whatever read our output has gone; leave nothing for the interpreter to flush into it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        out = "Free some space" if error.errno == errno.ENOSPC else "See to that"
        return _fail(f"{error.strerror or error}{where}. {out} and run it again.", 1, debug)
    except Exception as error:
        if interrupted(error):
            return _fail("Stopped.", STOPPED, debug)
        what = " ".join(str(error).split())[:200]
        if (place := _place(error, args)) is not None:
            return _fail(f"{place} cannot be used: {what.rstrip('.')}. {_CHECK}", 2, debug)
        return _fail(
            f"The program failed ({type(error).__name__}: {what}). "
            "Run it again with --debug to see where, and report it.",
            1,
            debug,
        )


def _open_streams() -> None:
    """Put nothing in the place of streams that the caller closed: print() without stderr would
    write to stdout, and the next file that is opened would take the place of stdout."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


def _place(error: Exception, args: argparse.Namespace) -> str | None:
    """What of the home folder an error of SQLite or DuckDB is about."""
    kind = type(error)
    if kind.__module__ == "sqlite3":
        return f"The file of conversations {args.home.state}"
    if kind.__module__ == "_duckdb" and kind.__name__ in _UNREADABLE:
        return f"The store in {args.home.path}"
    return None


def _start_light() -> None:
    """Keep the start short: it costs more than a question."""
    # Imports make objects that stay; looking through them for garbage again and again is for
    # nothing.
    gc.set_threshold(50_000, 20, 50)
    # Pydantic would read the metadata of every installed package in search of plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # httpx brings its own command line, with click, pygments and rich, wherever those happen to be
    # installed. None stands for a module that cannot be imported; httpx goes on without it.
    cast("dict[str, object]", sys.modules).setdefault("httpx._main", None)


def _run(args: argparse.Namespace) -> int:
    from finops_assistant.store.settings import Home

    _start_light()
    args.home = Home.find(args.home)
    command = next(c for c in COMMANDS if c.name == args.command)
    module, _, function = command.runner.partition(":")
    runner = getattr(import_module(f"finops_assistant.ui.{module}"), function)
    return int(runner(args))


def _fail(sentence: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    from finops_assistant.ui.terminal import clean

    print(clean(sentence), file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """argparse, with one plain sentence for an error."""

    def error(self, message: str) -> NoReturn:
        if (
            unknown := re.match(r"argument COMMAND: invalid choice: '(.*?)' ", message)
        ) is not None:
            names = [command.name for command in COMMANDS]
            near = suggest(unknown[1], names, limit=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
            print(f"There is no command {unknown[1]!r}; {hint}", file=sys.stderr)
            raise SystemExit(2)
        print(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.", file=sys.stderr)
        raise SystemExit(2)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        print(f"finops-assistant {version('finops-assistant')}")
        raise SystemExit(0)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser("finops", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    for argument in GLOBAL:
        _add(parser, argument)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        _add_command(commands, command)
    return parser


def _add_command(commands: Any, command: Command) -> None:
    sub = commands.add_parser(
        command.name,
        help=command.help,
        description=f"{command.help[0].upper()}{command.help[1:]}.",
        allow_abbrev=False,
    )
    for argument in command.arguments:
        _add(sub, argument)
    for argument in GLOBAL:  # accepted after the command too; unset there, the first one stands
        _add(sub, argument, default=argparse.SUPPRESS)


def _add(parser: argparse.ArgumentParser, argument: Argument, **more: Any) -> None:
    text = argument.help.replace("%", "%%")
    parser.add_argument(*argument.names, help=text, **{**argument.options, **more})


if __name__ == "__main__":
    raise SystemExit(main())
