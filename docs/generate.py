"""Write the generated parts of the documentation; ``make docs`` runs it, a test compares.

Commands come from ``ui/commands.py``, metrics and dimensions from ``store/metrics.yaml``.
"""

from __future__ import annotations

import re
from pathlib import Path

from finops_assistant.store.metrics import Dimension, Metric, load_semantics
from finops_assistant.store.tags import DEFAULT_KEYS
from finops_assistant.ui.commands import COMMANDS, GLOBAL, Argument

DOCS = Path(__file__).resolve().parent


def cli(page: str) -> str:
    """docs/cli.md with its reference of commands."""
    parts = [
        f"### finops {c.name}\n\n{_sentence(c.help)}\n\n{_arguments(c.arguments)}" for c in COMMANDS
    ]
    parts.append(
        "### Every command\n\n"
        + _arguments((*GLOBAL, Argument(("--version",), "show the version")))
    )
    return _fill(page, "commands", "\n\n".join(parts))


def metrics(page: str) -> str:
    """docs/metrics.md with its reference of metrics and dimensions."""
    semantics = load_semantics()
    page = _fill(page, "metrics", "\n\n".join(_metric(m) for m in semantics.metrics.values()))
    rows = ["| dimension | what it is | read from |", "| --- | --- | --- |"]
    rows += [_dimension(d) for d in semantics.dimensions.values()]
    return _fill(page, "dimensions", "\n".join(rows))


def data(page: str) -> str:
    """docs/data.md with the tag keys that are known without any setting."""
    rows = ["| dimension | tag keys |", "| --- | --- |"]
    rows += [
        f"| `{name}` | {', '.join(f'`{key}`' for key in keys)} |"
        for name, keys in DEFAULT_KEYS.items()
    ]
    return _fill(page, "tags", "\n".join(rows))


PAGES = {"cli.md": cli, "data.md": data, "metrics.md": metrics}


def _metric(metric: Metric) -> str:
    if metric.kind == "ratio":
        times = f", times {metric.scale:,}" if metric.scale != 1 else ""
        how = f"`{metric.numerator}` over `{metric.denominator}`{times}: a ratio of sums"
    else:
        how = f"the sum of `{metric.value}`"
        if metric.rows:
            how += " where " + " and ".join(f"`{row}`" for row in metric.rows)
    words = ", ".join(metric.synonyms[:8])
    return (
        f"### {metric.name}\n\n{metric.description}\n\n"
        f"- unit: {metric.unit}; rests on: {metric.fact}\n"
        f"- computed as {how}\n- asked for as: {words}\n- source: {metric.source}"
    )


def _dimension(dimension: Dimension) -> str:
    columns = ", ".join(f"`{column}`" for column in dimension.columns)
    return f"| `{dimension.name}` | {dimension.description} | {columns} |"


def _arguments(arguments: tuple[Argument, ...]) -> str:
    rows = ["| argument | meaning |", "| --- | --- |"]
    for argument in arguments:
        names = ", ".join(f"`{name}`" for name in argument.names if name.startswith("-"))
        values = argument.options.get("choices") or [argument.options.get("metavar")]
        value = " or ".join(f"`{value}`" for value in values if value)
        shown = " ".join(part for part in (names, value) if part)
        rows.append(f"| {shown} | {argument.help} |")
    return "\n".join(rows)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _fill(page: str, part: str, text: str) -> str:
    begin, end = f"<!-- generated: {part} -->", f"<!-- end: {part} -->"
    filled, count = re.subn(
        f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", page, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(f"one {begin} ... {end} expected, {count} found")
    return filled


def main() -> None:
    """Rewrite the pages."""
    for name, fill in PAGES.items():
        file = DOCS / name
        file.write_text(fill(file.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
