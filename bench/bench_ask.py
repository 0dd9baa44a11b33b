"""A question in a warm process over a million rows: what everything but the SQL costs, and memory.

Overhead of a question = its whole time minus the time of its own statements, run bare on the same
store, alternating in one process.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Report, middle, resident
from bench.homes import million
from finops_assistant.agent.assistant import Assistant
from finops_assistant.store.database import Database

QUESTIONS = (
    "What did we spend last month?",
    "Top 5 services by cost in the last 3 months",
    "Show cost by month for the last 6 months",
    "What is our cost per 1M tokens by model last month?",
    "Which team spends most on OpenAI?",
    "Effective cost by provider last month compared with the month before",
    "GPU hours by team last quarter",
    "What share of last month's cost is untagged by team?",
)
REPEATS = 5


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    report = Report("Ask, warm, 1M rows")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        home = million(folder)
        assistant, database = Assistant.open(home), Database.open(home)
        for question in QUESTIONS:  # warm both
            assistant.ask(question, session="bench")
        whole, bare, extra = [], [], []
        for _ in range(REPEATS):
            for question in QUESTIONS:
                started = time.perf_counter()
                answer = assistant.ask(question, session="bench")
                asked = time.perf_counter() - started
                cursor = database.cursor()
                started = time.perf_counter()
                for result in answer.results:
                    cursor.execute(result.sql).fetchall()
                queried = time.perf_counter() - started
                if answer.status != "answered":
                    print(f"  not answered ({answer.reason}): {question}")
                whole.append(asked * 1000)
                bare.append(queried * 1000)
                extra.append((asked - queried) * 1000)
        report.beside("whole answer, p50", middle(whole), "ms")
        report.beside("its bare SQL, p50", middle(bare), "ms")
        report.at_most("overhead over the bare SQL, p50", middle(extra), 60, "ms")
        now, peak = resident()
        report.at_most("memory of the warm process", now, 600, "MB")
        report.beside("the same at its highest (loading included)", peak, "MB")
    return int(report.missed)


if __name__ == "__main__":
    raise SystemExit(main())
