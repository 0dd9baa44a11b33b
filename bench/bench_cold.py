"""Cold start: processor time of `finops --help` and of one question in a new process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Report, middle
from bench.homes import sample

REPEATS = 5
QUESTION = "What did we spend last month?"


def cpu(arguments: list[str], env: dict[str, str]) -> float:
    """User and system seconds of one run, the middle of several after one to warm the disk."""
    taken = []
    for _ in range(REPEATS + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "finops_assistant.ui.cli", *arguments],
            env=env,
            check=True,
            capture_output=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return middle(taken[1:])


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    report = Report("Cold start, CPU seconds")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        env = {**os.environ, "FINOPS_HOME": str(sample(folder).path)}
        empty = Path(scratch) / "no-bytecode"
        without = {**env, "PYTHONPYCACHEPREFIX": str(empty), "PYTHONDONTWRITEBYTECODE": "1"}
        report.beside("python -c pass", cpu_of_python(env), "s")
        report.at_most("finops --help", cpu(["--help"], env), 0.3, "s")
        report.at_most("finops ask, with bytecode", cpu(["ask", QUESTION], env), 2, "s")
        report.at_most("finops ask, without bytecode", cpu(["ask", QUESTION], without), 3, "s")
    return int(report.missed)


def cpu_of_python(env: dict[str, str]) -> float:
    """The same for the bare interpreter: the floor of this machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(REPEATS):
        subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / REPEATS


if __name__ == "__main__":
    raise SystemExit(main())
