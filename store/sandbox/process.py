"""One worker process, seen from the parent: start it, ask it with a deadline, end it."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, Final

# Nothing of the environment goes to the worker but where shared libraries lie: no key, no proxy.
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_START: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from finops_assistant.store.sandbox.worker import main; main(int(sys.argv[1]))"
)
_LONGEST_REPLY: Final = 32 << 20


class Late(Exception):
    """No reply by the deadline."""


class Broken(Exception):
    """The worker ended, or said what no worker says."""


class Worker:
    """A worker process. One caller at a time."""

    def __init__(self, opening: dict[str, Any], deadline: float) -> None:
        """Start a process and open a store in it; raises Late or Broken."""
        self.path: str = opening["path"]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-I", "-B", "-c", _START, str(os.getpid()), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            cwd="/",
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the worker itself
        )
        try:
            reply = self.ask(opening, deadline)
            if "problem" in reply:
                raise Broken(reply.get("message", ""))
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        """The reply to a request; raises Late or Broken, and then the worker is of no more use."""
        assert self._process.stdin is not None  # noqa: S101 - narrowed for mypy
        try:
            data = memoryview(json.dumps(request).encode() + b"\n")
            while data:
                data = data[self._process.stdin.write(data) or 0 :]
            reply = json.loads(self._line(deadline))
        except (OSError, ValueError) as error:
            raise Broken(str(error)) from None
        if not isinstance(reply, dict):
            raise Broken("no reply")
        return reply

    def end(self) -> None:
        """Kill the process, whatever it does, and wait until it is gone."""
        with suppress(OSError):
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - narrowed for mypy
        source = self._process.stdout.fileno()
        line = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise Late
                piece = os.read(source, 1 << 20)
                if not piece or len(line) > _LONGEST_REPLY:
                    raise Broken("the worker ended" if not piece else "too long a reply")
                line += piece
        return bytes(line)
