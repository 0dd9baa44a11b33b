"""``python -m finops_assistant.store.sample FOLDER [--seed N] [--scale S]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from finops_assistant.store.sample import generate


def main() -> None:
    """Write the sample company's files into a folder."""
    parser = argparse.ArgumentParser(prog="finops_assistant.store.sample", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    chosen = parser.parse_args()
    generate(chosen.folder, chosen.seed, scale=chosen.scale)


if __name__ == "__main__":
    main()
