"""``finops chat``: a conversation in the terminal, kept for the next time."""

from __future__ import annotations

import secrets
import sys
from argparse import Namespace

from finops_assistant.store.errors import FinopsError
from finops_assistant.ui.ask import show
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import interrupted, note, say

_HELP = "Type a question, or the number of a suggestion. :new begins again, :quit ends."


def run(args: Namespace) -> int:
    """Talk until ``:quit`` or the end of the input; the exit code is 0 whatever was answered."""
    home = reading_home(args.home)
    from finops_assistant.agent.assistant import Assistant

    assistant = Assistant.open(home)
    who = assistant.store.principal(args.principal)
    assistant.store.facts(who)  # one that may see nothing is refused now, not per question
    session = args.session or new_session()
    if sys.stdin.isatty():
        import readline  # noqa: F401  (line editing and history in input())

        say(_HELP)
    choices: tuple[str, ...] = ()
    asked = False
    while (line := _read()) is not None:
        text = pick(line, choices)
        if text in (":quit", ":q", ":exit"):
            break
        if text == ":new":
            session, choices, asked = new_session(), (), False
            say("A new conversation.")
        elif text.startswith(":"):
            say(_HELP)
        elif text:
            try:
                answer = assistant.ask(
                    text,
                    session=session,
                    principal=args.principal,
                    route=args.route,
                    model=args.model,
                )
            except FinopsError as error:
                note(str(error))
                continue
            except (KeyboardInterrupt, RuntimeError) as error:
                if not interrupted(error):
                    raise
                note("Stopped; ask something else, or :quit.")
                continue
            choices, asked = show(answer, debug=args.debug), True
            say()
    if asked:
        name = f" --as {args.principal}" if args.principal else ""
        note(f"To go on with this conversation: finops chat --session {session}{name}")
    return 0


def new_session() -> str:
    """A name for a conversation that nobody guesses."""
    return secrets.token_hex(6)


def pick(line: str, choices: tuple[str, ...]) -> str:
    """The choice a bare number stands for, else the line itself.

    >>> pick(" 2 ", ("by team", "by model")), pick("3", ("by team", "by model"))
    ('by model', '3')
    """
    text = line.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(choices):
        return choices[int(text) - 1]
    return text


def _read() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        if sys.stdin.isatty():
            say()
        return None
