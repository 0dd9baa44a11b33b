"""Free SQL for a principal: refused with a sentence, or rows, within limits that always hold."""

from __future__ import annotations

import atexit
import os
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from finops_assistant.store.access import EVERYONE, Principal
from finops_assistant.store.database import current_version
from finops_assistant.store.errors import FinopsError, QueryRefused
from finops_assistant.store.sandbox.process import Broken, Late, Worker
from finops_assistant.store.sandbox.relations import relations_of
from finops_assistant.store.sandbox.replies import (
    UNSAFE,
    Limits,
    SqlResult,
    error_of,
    result_of,
)
from finops_assistant.store.settings import Home

TOOL: Final = "run_sql"  # what a principal's list of tools calls this
LONGEST_STATEMENT: Final = 20_000

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass
class Sandbox:
    """Free SQL over one home. Threads may share it; workers stay for the next statement."""

    home: Home
    limits: Limits = field(default_factory=Limits)
    _idle: list[Worker] = field(default_factory=list)
    _free: threading.BoundedSemaphore = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    def __post_init__(self) -> None:
        self._free = threading.BoundedSemaphore(self.limits.workers)

    def run(
        self, sql: str, principal: Principal = EVERYONE, *, before: date | None = None
    ) -> SqlResult:
        """Run one SELECT over the relations that the principal may see (``relations_of``), cut to
        its rows, and to what starts before a day.

        QueryRefused when it may not run or takes too much, UsageError when it is wrong SQL,
        StoreMissing when nothing is loaded.
        """
        started = time.monotonic()
        if not principal.unknown and not principal.may_use(TOOL):
            raise QueryRefused(
                "NOT_PERMITTED", f"You may not use {TOOL}: free SQL is not yours to run."
            )
        relations = relations_of(principal, before)
        _readable(sql)
        request = {
            "sql": sql,
            "relations": {name: relation.request for name, relation in relations.items()},
            "max_rows": self.limits.rows,
            "max_bytes": int(self.limits.megabytes * 1e6),
        }
        reply = self._ask(request, started + self.limits.seconds + self.limits.grace)
        if "problem" in reply:
            raise error_of(reply, principal, self.limits)
        try:
            return result_of(reply, relations, started)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            raise FinopsError("The query worker gave no usable reply. Run it again.") from None

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def pids(self) -> tuple[int, ...]:
        """The processes that wait for work."""
        with self._lock:
            return tuple(worker.pid for worker in self._idle)

    def _ask(self, request: dict[str, Any], deadline: float) -> dict[str, Any]:
        if not self._free.acquire(timeout=self.limits.seconds):
            raise QueryRefused(UNSAFE, "Too many other queries are running. Try again in a moment.")
        try:
            worker = self._worker(deadline)
            try:
                reply = worker.ask(request, deadline)
            except Late:
                worker.end()
                return {"problem": "stopped"}
            except Broken:
                worker.end()
                return {"problem": "broken"}
            except BaseException:
                worker.end()
                raise
            if reply.get("problem") in ("memory", "stopped"):
                worker.end()  # what it took may stay taken
            else:
                self._keep(worker)
            return reply
        finally:
            self._free.release()

    def _worker(self, deadline: float) -> Worker:
        """A worker that has the current version open: one that waits, or a new one."""
        while True:
            path = self._current()
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                break
            if worker.path == path and worker.alive:
                return worker
            worker.end()
        opening = {
            "path": path,
            "milliseconds": int(self.limits.seconds * 1000),
            "memory_mb": self.limits.memory_mb,
            "address_space_mb": self.limits.address_space_mb,
            "threads": self.limits.threads,
        }
        try:
            return Worker(opening, deadline)
        except (Late, Broken):
            if path != self._current():
                return self._worker(deadline)  # a load swapped in between
            raise FinopsError(
                "The process that runs SQL could not be started. See finops status, and try again."
            ) from None

    def _current(self) -> str:
        return str((self.home.path / current_version(self.home)).absolute())

    def _keep(self, worker: Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.end()


def _readable(sql: str) -> None:
    if len(sql) > LONGEST_STATEMENT:
        raise QueryRefused(
            UNSAFE,
            f"The statement has {len(sql):,} characters; at most {LONGEST_STATEMENT:,} may be run.",
        )
    if _CONTROL.search(sql):
        raise QueryRefused(UNSAFE, "The statement holds a control character. Remove it.")


_shared: dict[tuple[int, Home], Sandbox] = {}
_shared_lock = threading.Lock()


def shared(home: Home) -> Sandbox:
    """The sandbox of a home that a whole process uses; its workers end with the process."""
    with _shared_lock:
        key = (os.getpid(), home)  # a forked child must not talk to its parent's workers
        if key not in _shared:
            _shared[key] = Sandbox(home)
        return _shared[key]


@atexit.register
def close_shared() -> None:
    """End the workers of every shared sandbox of this process."""
    with _shared_lock:
        for pid, home in [key for key in _shared if key[0] == os.getpid()]:
            _shared.pop((pid, home)).close()
