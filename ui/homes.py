"""Which home folder a command works in: one's own, or that of the sample company.

The sample company lives in ``<home>/demo`` and nowhere else, so its figures never mix with a bill.
A command that reads uses it while the home has no store of its own, and says so.
"""

from __future__ import annotations

from finops_assistant.store.settings import Home
from finops_assistant.ui.terminal import note


def demo_home(home: Home) -> Home:
    """Where the sample company of this home lives."""
    return Home(home.path / "demo")


def reading_home(home: Home) -> Home:
    """The home itself, or the sample company's while nothing else is loaded."""
    demo = demo_home(home)
    if home.pointer.exists() or not demo.pointer.exists():
        return home
    note("Nothing of your own is loaded yet, so this is the sample company.")
    return demo
