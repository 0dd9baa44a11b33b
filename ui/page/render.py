"""An answer as HTML. The templates escape everything; only rendered Markdown passes as it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from finops_assistant.agent import figures
from finops_assistant.agent.untrusted import masked
from finops_assistant.ui.page.desk import Trouble
from finops_assistant.ui.page.evidence import evidence
from finops_assistant.ui.page.headline import headline

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it import MarkdownIt

    from finops_assistant.agent.answer import Answer
    from finops_assistant.store.facts import Facts

LONGEST_QUESTION = 600

# What the five kinds of no are called, and the mark that goes with each.
KINDS = {
    "ambiguous": ("clarify", "?", "One thing first"),
    "no_rows": ("empty", "∅", "Nothing matched"),
    "not_loaded": ("abstained", "○", "Not in the loaded data"),
    "out_of_scope": ("abstained", "○", "Not something this data can tell"),
    "unpriced": ("abstained", "○", "Used, but without a price"),
    "no_permission": ("refused", "⊘", "Not yours to see"),
    "unsafe": ("refused", "⊘", "This assistant only reads"),
    "missing": ("abstained", "○", "Nothing is loaded yet"),
    "busy": ("clarify", "…", "One moment"),
    "failed": ("failed", "!", "That did not work"),
}


@cache
def environment() -> Environment:
    """The templates beside this module; whatever they are given is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("finops_assistant.ui.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **values: object) -> str:
    """A template with its values."""
    return environment().get_template(template).render(**values)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # No raw HTML, no links, no pictures: nothing in an answer leads or loads anywhere.
    return (
        MarkdownIt("commonmark", {"html": False, "linkify": False})
        .enable("table")
        .disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    )


def prose(text: str) -> str:
    """The Markdown of an answer as HTML of paragraphs, lists, tables and emphasis."""
    html: str = _markdown().render(text)
    opened = '<div class="scroll" role="region" tabindex="0" aria-label="Table"><table>'
    return html.replace("<table>", opened).replace("</table>", "</table></div>")


def question(text: str) -> str:
    """What the person asked."""
    shown = masked(text.strip())
    cut = shown if len(shown) <= LONGEST_QUESTION else shown[: LONGEST_QUESTION - 1] + "…"
    return fill("question.html", text=cut)


def progress(steps: Sequence[str], paragraphs: Sequence[str] = ()) -> str:
    """The steps so far, the last one still under way, and what is written of the answer."""
    written = prose("\n\n".join(paragraphs)) if paragraphs else ""
    return fill("progress.html", steps=steps, prose=written)


def opening(answer: Answer) -> str:
    """The answer down to its first paragraph: what stands above the chart."""
    whole = answer.status != "answered"
    first, _, _ = answer.answer.partition("\n\n")
    return fill(
        "answer.html",
        kind=KINDS.get(answer.reason or ""),
        figures=headline(answer),
        prose=prose(answer.answer if whole else first),
    )


def closing(answer: Answer, steps: Sequence[str], download: str | None) -> str:
    """What stands below the chart: the rest of the text, the steps, the download, the evidence."""
    _, _, rest = answer.answer.partition("\n\n")
    main = answer.results[0] if answer.results else None
    return fill(
        "closing.html",
        prose=prose(rest) if answer.status == "answered" else "",
        steps=steps,
        download=download,
        rows=len(main.rows) if main else 0,
        evidence=evidence(answer),
    )


def header(said: str, *, sample: bool = False) -> str:
    """The name of the product, and which data the answers rest on."""
    return fill("header.html", sample=sample, said=said)


def coverage(facts: Facts) -> str:
    """How far the data reaches, in a line."""
    count = len(facts.providers)
    providers = f"{count} provider{'' if count == 1 else 's'}"
    through = f"Data through {figures.day(facts.last_day)}"
    return " · ".join((through, providers, ", ".join(facts.currencies)))


def trouble(what: Trouble) -> str:
    """A turn that ended without an answer."""
    return fill(
        "trouble.html",
        kind=KINDS[what.kind],
        sentence=masked(what.sentence),
        missing=what.kind == "missing",
    )
