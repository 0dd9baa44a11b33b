"""Run every benchmark, each in a process of its own; ``make bench`` does."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SHARE_HOMES = ("bench_cold", "bench_ask", "bench_sql")  # read the same homes: built once


def main() -> int:
    """The number of benchmarks that failed or missed a target."""
    failed = []
    with tempfile.TemporaryDirectory() as homes:
        for script in sorted(FOLDER.glob("bench_*.py")):
            arguments = [homes] if script.stem in SHARE_HOMES else []
            command = [sys.executable, "-m", f"bench.{script.stem}", *arguments]
            if subprocess.run(command, cwd=FOLDER.parent).returncode:
                failed.append(script.stem)
    print(f"\nMissed or failed: {', '.join(failed)}" if failed else "\nEvery target was met.")
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
