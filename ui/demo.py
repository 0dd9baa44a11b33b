"""``finops demo``: the sample company's store, a tour of questions about it, then the chat page."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from finops_assistant.store.settings import Home
from finops_assistant.ui.ask import show
from finops_assistant.ui.chat import new_session
from finops_assistant.ui.homes import demo_home
from finops_assistant.ui.terminal import Progress, note, say


@dataclass(frozen=True)
class Stop:
    """One stop of the tour: a question, and what its answer shows."""

    ask: str
    shows: str


def run(args: Namespace) -> int:
    """Build the store if it is missing, ask the tour's questions in one conversation, and serve
    the page (``--no-ui``: stop before it)."""
    home = demo_home(args.home)
    if not home.pointer.exists():
        note(f"Building the sample company in {home.path} (once; half a minute).")
        with Progress() as progress:
            build(home, progress)
    from finops_assistant.agent.assistant import Assistant

    assistant = Assistant.open(home)
    session = new_session()
    stops = tour()
    for number, stop in enumerate(stops, 1):
        say(f"\n[{number}/{len(stops)}] {stop.shows}\n> {stop.ask}\n")
        show(assistant.ask(stop.ask, session=session), debug=args.debug, suggest=False)
    finops = "finops" if shutil.which("finops") else sys.argv[0]
    own = f" --home {home.path}" if args.home.pointer.exists() else ""
    say(
        f"\nGo on with:\n  {finops} chat{own}"
        f'\n  {finops} ask{own} "Which team spends most?"'
        f"\n  {finops} ingest YOUR-FOCUS-EXPORT.csv   (your own bill, in a store of its own)"
    )
    assistant.close()
    if args.no_ui:
        return 0
    from finops_assistant.ui.serve import serve

    return serve(home, sample=True)


def build(home: Home, progress: Callable[[str, int, int], None]) -> None:
    """Generate the sample company's files and load them in one delivery, like anyone's.

    The files are written beside their place and moved there whole, so that a build that was
    stopped begins again.
    """
    from finops_assistant.store.ingest import ingest
    from finops_assistant.store.sample import generate

    sample = home.path / "sample"
    if not sample.exists():
        partial = home.path / "sample.part"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        generate(partial, progress=progress)
        partial.rename(sample)
    settings = home.path / "finops.toml"
    if not settings.exists():
        shutil.copyfile(sample / "finops.toml", settings)
    ingest(home, [sample], progress=progress)
    note(f"Loaded the bills, model usage, telemetry and business files of {sample}.")


def tour() -> tuple[Stop, ...]:
    """The stops, in order, from ``tour.yaml``."""
    import yaml

    text = (files("finops_assistant.ui") / "tour.yaml").read_text(encoding="utf-8")
    return tuple(Stop(**stop) for stop in yaml.safe_load(text))
