"""The HTTP client of one turn with a model: every piece of a reply is counted and timed.

A client's own time-outs begin anew with each byte, so they do not end a reply that drips, and
nothing else ends one that never stops. Imported when a model is called, not before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx2
import openai

MOST_BYTES = 1_000_000  # of all replies of a turn: a plan takes some thousand


class TurnOver(RuntimeError):
    """Nobody waits for this turn any more."""


class TooLong(RuntimeError):
    """A reply far longer than anything that was asked for."""


class Watch:
    """When the turn is over, and how much has come in."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._given_up = False
        self._bytes = 0

    @property
    def over(self) -> bool:
        """Whether the time is up, or the turn was given up."""
        return self._given_up or time.monotonic() > self._deadline

    def give_up(self) -> None:
        """Let whatever still runs end at its next step."""
        self._given_up = True

    def check(self, received: int = 0) -> None:
        """Raise ``TurnOver`` or ``TooLong`` when it is time to stop."""
        self._bytes += received
        if self.over:
            raise TurnOver("the turn is over")
        if self._bytes > MOST_BYTES:
            raise TooLong(f"more than {MOST_BYTES} bytes")


class _Watched(httpx2.SyncByteStream):
    def __init__(self, stream: Any, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._stream:
            self._watch.check(len(piece))
            yield piece

    def close(self) -> None:
        self._stream.close()


def client(silence: float, connect: float, watch: Watch) -> openai.DefaultHttpxClient:
    """A client that waits ``silence`` seconds for a reply to go on, and keeps to the watch."""

    def received(response: httpx2.Response) -> None:
        watch.check()
        response.stream = _Watched(response.stream, watch)

    return openai.DefaultHttpxClient(
        timeout=httpx2.Timeout(silence, connect=connect),
        verify=_certificates(),
        event_hooks={"response": [received]},
    )


@cache
def _certificates() -> Any:
    return httpx2.create_ssl_context()  # dear to make, and the same for every client
