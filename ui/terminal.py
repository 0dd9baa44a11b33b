"""What leaves for the terminal: text without control codes, Markdown, JSON, progress.

Bills are written by others: a tag or a service name may hold escape sequences, rich markup or
text-direction tricks. All text passes ``clean`` and rich is never given markup to interpret.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

# C0 and C1 control codes but newline and tab, and the codes that reorder text on the screen.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NARROWEST = 20  # columns in which Markdown can still be laid out


def clean(text: str) -> str:
    r"""The text without anything a terminal would obey.

    >>> clean("a\x1b[31mb\tc\r\n")
    'a[31mb\tc\n'
    """
    return _CONTROL.sub("", text)


def interrupted(error: BaseException) -> bool:
    """Whether someone pressed Ctrl-C: DuckDB says it in its own way while a query runs."""
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    )


def say(text: str = "") -> None:
    """A line on stdout."""
    print(clean(text))


def note(text: str) -> None:
    """A line on stderr, beside the answer."""
    print(clean(text), file=sys.stderr, flush=True)


def show_markdown(text: str) -> None:
    """Markdown: laid out where stdout is a terminal, as it is where it is not, or where it does
    not fit: a figure that is cut is a wrong one."""
    text = clean(text)
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(markup=False, highlight=False)
    with console.capture() as capture:
        # Links stay visible text: what comes from data is never made clickable.
        console.print(Markdown(text, hyperlinks=False))
    laid_out = capture.get()
    fits = console.width >= _NARROWEST and laid_out.count("…") <= text.count("…")
    print(laid_out if fits else text, end="" if fits else "\n")


def show_json(value: Mapping[str, Any]) -> None:
    """One JSON object, amounts as exact numbers, dates as ISO 8601.

    Only ASCII is written: the escapes also keep control codes of data from a terminal.
    """
    import simplejson

    print(simplejson.dumps(value, use_decimal=True, ignore_nan=True, default=_iso, indent=2))


def _iso(value: Any) -> str:
    return str(value.isoformat())


class Progress:
    """Progress of a load on stderr: a bar in a terminal, elsewhere a line now and then.

    Called with what is being done, how much is done and of how much (0: unknown). The lines come
    ``every`` so many seconds and not before, so that a load that is done at once, or refused, says
    one thing only.
    """

    def __init__(self, *, every: float = 2) -> None:
        self._every = every
        self._next_line = time.monotonic() + every
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("{task.description}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)
            self._bar.start()
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        what = clean(what)
        if self._bar is not None:
            self._bar.update(self._task, description=what, completed=done, total=total or None)
        elif time.monotonic() >= self._next_line:
            note(f"{what} ({done:,} of {total:,})" if total > 1 else what)
            self._next_line = time.monotonic() + self._every

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
