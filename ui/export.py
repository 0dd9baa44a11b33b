"""``finops export``: the store as one FOCUS dataset."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import note


def run(args: Namespace) -> int:
    """Write the file and say how many rows it holds."""
    home = reading_home(args.home)
    from finops_assistant.store.access import resolve_principal
    from finops_assistant.store.export import export_focus

    path = Path(args.output)
    principal = resolve_principal(home.settings(), args.principal)
    rows = export_focus(home, path, principal, version=args.focus_version, strict=args.strict)
    note(f"Wrote {rows:,} rows to {path} (FOCUS {args.focus_version}).")
    return 0
