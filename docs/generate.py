"""Write the generated parts of the documentation; ``make docs`` runs it, a test compares.

Commands come from ``ui/commands.py``, metrics and dimensions from ``store/metrics.yaml``.
"""

from __future__ import annotations

import re
from pathlib import Path

from finops_assistant.store.focus import VIEWS
from finops_assistant.store.metrics import Dimension, Metric, load_semantics
from finops_assistant.store.sources import BILLS, TELEMETRY, USAGE, Source
from finops_assistant.store.sources.context import CONTEXT
from finops_assistant.store.tables import TABLES, Table
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
    """docs/data.md with the sources, the tag keys known without any setting, and the tables."""
    rows = ["| dimension | tag keys |", "| --- | --- |"]
    rows += [
        f"| `{name}` | {', '.join(f'`{key}`' for key in keys)} |"
        for name, keys in DEFAULT_KEYS.items()
    ]
    page = _fill(page, "tags", "\n".join(rows))
    for part, sources in (("bills", BILLS), ("usage", USAGE), ("telemetry", TELEMETRY)):
        page = _fill(page, part, _sources(sources))
    return _fill(page, "tables", "\n\n".join(_table(table) for table in TABLES.values()))


def _sources(sources: tuple[Source, ...]) -> str:
    rows = ["| source | what | goes to | page |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{source.name}` | {source.title} | `{VIEWS.get(source.table, source.table)}` "
        f"| [{_page(source)}](sources/{_page(source)}) |"
        for source in sources
    ]
    return "\n".join(rows)


def _page(source: Source) -> str:
    """The page of a source: its own, or the one it shares."""
    stem = source.name.replace("-", "_")
    shared = "context" if source in CONTEXT else stem.split("_")[0]
    for page in (stem, shared):
        if (DOCS / "sources" / f"{page}.md").exists():
            return f"{page}.md"
    raise ValueError(f"docs/sources/{stem}.md is missing")


def _table(table: Table) -> str:
    rows = ["| column | type | meaning |", "| --- | --- | --- |"]
    for column in table.columns:
        meaning = column.meaning + (" (part of the key)" if column.key else "")
        rows.append(f"| `{column.name}` | {column.kind} | {meaning.strip()} |")
    return f"### {table.name}\n\n" + "\n".join(rows)


PAGES = {"cli.md": cli, "data.md": data, "metrics.md": metrics}


def _metric(metric: Metric) -> str:
    if metric.kind == "ratio":
        times = f", times {metric.scale:,}" if metric.scale != 1 else ""
        how = f"`{metric.numerator}` over `{metric.denominator}`{times}: a ratio of sums"
        if metric.rows:
            how += ", the cost where " + " and ".join(f"`{row}`" for row in metric.rows)
    else:
        how = f"the sum of `{metric.value}`"
        if metric.rows:
            how += " where " + " and ".join(f"`{row}`" for row in metric.rows)
    words = ", ".join(metric.synonyms[:8])
    facts = " and ".join(load_semantics().facts(metric))
    return (
        f"### {metric.name}\n\n{metric.description}\n\n"
        f"- unit: {metric.unit}; rests on: {facts}\n"
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
