"""``finops ask``: one answer."""

from __future__ import annotations

import os
from argparse import Namespace
from datetime import date
from typing import TYPE_CHECKING

from finops_assistant.store.errors import UsageError
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import note, say, show_json, show_markdown

if TYPE_CHECKING:
    from finops_assistant.agent.answer import Answer

NO_ANSWER = 3


def run(args: Namespace) -> int:
    """Ask and print; 0 when answered, 3 when it is a question back, an abstention or a refusal."""
    as_of = day(args.as_of)
    home = reading_home(args.home)
    from finops_assistant.agent.assistant import Assistant

    answer = Assistant.open(home).ask(
        readable(" ".join(args.question)),
        session=args.session,
        principal=args.principal,
        as_of=as_of,
        route=args.route,
        model=args.model,
    )
    if args.json:
        show_json(answer.to_json())
    else:
        show(answer, debug=args.debug)
    return 0 if answer.status == "answered" else NO_ANSWER


def show(answer: Answer, *, debug: bool = False, suggest: bool = True) -> tuple[str, ...]:
    """Print an answer and what may follow; returns the choices that a number stands for."""
    show_markdown(answer.answer)
    if answer.follow_ups and suggest and not answer.clarification:
        say("\nYou could go on with:")
        for number, question in enumerate(answer.follow_ups, 1):
            say(f"  {number}. {question}")
    if debug:
        for result in answer.results:
            note(f"-- {result.id}: {result.title} ({result.row_count} rows)\n{result.sql}")
        note(f"-- {answer.route}, {answer.elapsed_ms} ms")
    # A question back lists its options, numbered, in its own text.
    return tuple(answer.clarification["options"]) if answer.clarification else answer.follow_ups


def readable(text: str) -> str:
    """A question as valid text: bytes of the command line that are no UTF-8 become U+FFFD."""
    return os.fsencode(text).decode("utf-8", "replace")


def day(text: str | None) -> date | None:
    """The day that ``--as-of`` names; UsageError for what is none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--as-of {text!r} is no date; write it as 2026-11-30.") from None
