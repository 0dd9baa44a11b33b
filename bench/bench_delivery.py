"""The kill test and the questions during a load at full size: 1M rows instead of 100k.

Run: python -m bench.bench_delivery
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROWS: Final = "1000000"
TESTS: Final = "tests/store/test_delivery.py"


def main() -> int:
    """0 when every load was there wholly or not at all."""
    print(f"\nWhole or nothing, with {ROWS} rows", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS],
        cwd=Path(__file__).resolve().parent.parent,
        env=os.environ | {"FINOPS_KILL_ROWS": ROWS},
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
