"""``finops sync``: fetch what is new from the vendors' admin APIs and from folders, and load it."""

from __future__ import annotations

from argparse import Namespace

from finops_assistant.ui.ingest import closing, outcomes
from finops_assistant.ui.terminal import Progress, say, show_json


def run(args: Namespace) -> int:
    """Fetch and load; 0 when everything that was asked came, 1 when some of it did not."""
    from finops_assistant.store.sync import sync

    with Progress() as progress:
        report = sync(args.home, progress=progress)
    if args.json:
        show_json(report.to_json())
    else:
        for line in report.pulled:
            say(f"fetched   {line}")
        if report.load:
            for outcome in outcomes(report.load.files):
                say(outcome)
            say(closing(report.load))
        else:
            say("Nothing new to load.")
        for problem in report.problems:
            say(f"failed    {problem}")
    return 1 if report.problems else 0
