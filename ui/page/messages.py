"""An answer as the parts of the page: messages of the conversation, the table, what may follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from finops_assistant.agent.answer import Answer
from finops_assistant.ui.page import render
from finops_assistant.ui.page.chart import chart
from finops_assistant.ui.page.gradio_offline import gr
from finops_assistant.ui.page.tables import Shelf, grid

if TYPE_CHECKING:
    from collections.abc import Sequence


def message(role: str, parts: Sequence[Any]) -> dict[str, Any]:
    """A message of the conversation; text is HTML of our own templates, never Markdown."""
    content = [
        gr.HTML(part, padding=False, apply_default_css=False, render=False)
        if isinstance(part, str)
        else part
        for part in parts
    ]
    return {"role": role, "content": content}


def answered(answer: Answer, steps: Sequence[str], shelf: Shelf) -> dict[str, Any]:
    """An answer: its figure and first paragraph, its chart, then the rest with the evidence."""
    main = answer.results[0] if answer.results else None
    download = f"tables/{shelf.put(main)}.csv" if main and main.rows else None
    drawn = chart(answer)
    chart_parts = [_plot(drawn)] if drawn else []
    closing = render.closing(answer, steps, download)
    return message("assistant", [render.opening(answer), *chart_parts, closing])


def _plot(figure: str) -> Any:
    from gradio.components.plot import PlotData

    return gr.Plot(
        PlotData(type="plotly", plot=figure),
        label="Chart of the answer; its figures are in the table",
        show_label=False,
        container=False,
        buttons=[],
        render=False,
    )


def choices(answer: Answer) -> tuple[str, ...]:
    """What can be clicked next: the options of a question back, else the follow-up questions."""
    if answer.clarification:
        return tuple(answer.clarification["options"])
    return answer.follow_ups


def hint(answer: Answer) -> str:
    """The words over the chips."""
    if answer.clarification:
        return "Did you mean"
    return "Go on with" if answer.follow_ups else "You could ask"


def whole_table(answer: Answer) -> tuple[Any, Any]:
    """The table of the newest answer, to sort and search: its fold and its value.

    It stands outside the conversation: inside, Gradio's table stops every later message from
    being drawn.
    """
    main = answer.results[0] if answer.results else None
    if main is None or len(main.rows) < 2:
        return gr.update(visible=False), gr.skip()
    cut = f"the first {len(main.rows):,} of " if len(main.rows) < main.row_count else ""
    label = f"Open the table: {cut}{main.row_count:,} rows to sort and search"
    return gr.update(label=label, visible=True, open=False), gr.update(value=grid(main))
