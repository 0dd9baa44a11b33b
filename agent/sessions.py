"""Conversations that survive a restart: a LangGraph checkpointer over ``state.sqlite``.

A conversation belongs to one principal, so that nobody reads another's by guessing its name.
"""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import quote

from langgraph.checkpoint.sqlite import SqliteSaver

from finops_assistant.store.settings import Home


class Sessions:
    """The checkpointer of one home folder."""

    def __init__(self, home: Home) -> None:
        home.path.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(home.state, check_same_thread=False, timeout=5)
        self.saver = SqliteSaver(self._connection)
        self.saver.setup()

    @staticmethod
    def thread(session: str, principal: str) -> str:
        """The key of a conversation: another for every pair of names, slashes and all."""
        return f"{quote(principal, safe='')}/{session}"

    def config(self, thread: str) -> dict[str, Any]:
        """The LangGraph configuration that resumes it."""
        return {"configurable": {"thread_id": thread}}

    def keep_newest(self, thread: str) -> None:
        """Drop all but the newest checkpoint: each holds the whole conversation."""
        with self.saver.cursor() as cursor:
            for table in ("checkpoints", "writes"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "  # noqa: S608
                    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?)",
                    (thread, thread),
                )

    def close(self) -> None:
        """Release the file."""
        self._connection.close()
