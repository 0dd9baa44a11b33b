"""The list of known failures is complete in itself, and its page is in step with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.conftest import ROOT, known_failures

CHECKS = ("focus-validator", "focus-toolkit")


@pytest.mark.parametrize("check", CHECKS)
def test_every_failure_has_a_culprit_and_a_reason(check: str) -> None:
    listed = known_failures(check)
    assert len({one.rule for one in listed}) == len(listed) > 0
    for one in listed:
        assert one.at_fault in ("rule", "source")
        assert one.rows
        assert one.reason.endswith(".")


def test_the_page_shows_the_list() -> None:
    lines = Path(ROOT / "docs/conformance.md").read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith(tuple(f"| {check}" for check in CHECKS))]
    assert shown == [
        f"| {one.check} | `{one.rule}` | {one.at_fault} | "
        f"{', '.join(one.providers) or 'none'} | {one.reason} |"
        for check in CHECKS
        for one in known_failures(check)
    ]
