"""The sample company: generated files that go through ``finops ingest`` like anyone's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

SAMPLE_FIRST_DAY = date(2025, 9, 1)
SAMPLE_LAST_DAY = date(2026, 10, 31)

Progress = Callable[[str, int, int], None]


def generate(
    folder: Path, seed: int = 7, progress: Progress | None = None, *, scale: float = 1.0
) -> None:
    """Write Wrenfield's bills, usage, telemetry, business files and ``truth.json`` into ``folder``.

    The same seed and scale give the same bytes. ``scale`` (0 to 1) thins the ordinary resources
    and the request logs; teams, vendors and planted situations stay. ``progress`` is called with
    (what, done, total). Amounts are USD. Raises ``ValueError`` for a scale outside (0, 1].
    """
    from finops_assistant.store.sample.company import plant
    from finops_assistant.store.sample.compose import write_all

    if not 0 < scale <= 1:
        raise ValueError("scale is a share between 0 and 1, for example 0.1")
    write_all(Path(folder), plant(seed, scale), progress or (lambda what, done, total: None))
