"""The chart of an answer in the look of the page: readable in light and dark and on a phone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from finops_assistant.agent import figures
from finops_assistant.agent.answer import Answer
from finops_assistant.agent.untrusted import plain
from finops_assistant.store.result import Result

# Eight colours that tell apart for colour-blind eyes and hold on white and on near black.
COLOURS = (
    *("#0f8a7e", "#d9822b", "#4c78d9", "#c2477f"),
    *("#7a9e1f", "#8a63c9", "#2b9fc4", "#8d8478"),
)
LONGEST_LABEL = 22
_BARS_END = 0.62  # of the width between the names and the figures, on a phone too
_TICKS = {"year": "%Y", "quarter": "Q%q %Y", "month": "%b\n%Y", "hour": "%d %b %H:%M"}


def chart(answer: Answer) -> str | None:
    """The Plotly figure of the answer as JSON text, or nothing when it has none."""
    if not answer.chart or not answer.results:
        return None
    result = answer.results[0]
    if any(column.unit.startswith("currency") for column in result.columns):
        return None  # lengths on one axis would set amounts of different currencies side by side
    metric = str(((result.query or {}).get("metrics") or ("effective_cost",))[0])
    unit = next((c.unit for c in result.columns if c.name == metric), "count")
    traces = [_texts(trace) for trace in answer.chart.get("data", ())]
    bars = all(trace.get("type") == "bar" for trace in traces)
    if not bars and max((len(trace.get("x", ())) for trace in traces), default=0) < 2:
        return None  # a line needs two points
    data = [
        (_bar if bars else _line)(trace, COLOURS[i % len(COLOURS)], unit, result)
        for i, trace in enumerate(traces)
    ]
    figure = {
        "data": data,
        "layout": _bar_layout(data) if bars else _line_layout(data, unit, result),
        # No toolbar: its logo is a link to another site.
        "config": {"displayModeBar": False, "displaylogo": False, "scrollZoom": False},
    }
    return json.dumps(figure, default=_number)


def _texts(trace: Mapping[str, Any]) -> dict[str, Any]:
    """A trace whose every label is plain text: Plotly would read tags in it."""

    def harmless(value: Any) -> Any:
        if isinstance(value, str):
            return plain(value).replace("<", "‹").replace(">", "›")
        if isinstance(value, list | tuple):
            return [harmless(item) for item in value]
        return value

    return {key: harmless(value) for key, value in trace.items()}


def _bar(trace: dict[str, Any], colour: str, unit: str, result: Result) -> dict[str, Any]:
    labels, values = trace.get("x", []), trace.get("y", [])
    shown = [_short(str(label)) for label in labels]
    said = [figures.cell(value, unit) for value in values]
    return {
        "type": "bar",
        "orientation": "h",
        # Positions rather than names: two names that were cut alike stay two bars.
        "y": list(range(len(values))),
        "x": values,
        "customdata": [list(pair) for pair in zip(labels, said, strict=True)],
        "hovertemplate": "%{customdata[0]}<br><b>%{customdata[1]}</b><extra></extra>",
        "marker": {"color": colour, "cornerradius": 3},
        "name": str(trace.get("name", "")),
        "meta": shown,
    }


def _line(trace: dict[str, Any], colour: str, unit: str, result: Result) -> dict[str, Any]:
    grain = (result.query or {}).get("grain")
    xs, ys = trace.get("x", []), trace.get("y", [])
    said = [
        f"{figures.period(_date(x), grain)}<br><b>{figures.cell(y, unit)}</b>"
        for x, y in zip(xs, ys, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": xs,
        "y": ys,
        "text": said,
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
        "line": {"color": colour, "width": 2.5, "shape": "linear"},
        "marker": {"color": colour, "size": 7 if len(xs) <= 40 else 3},
        "name": _short(str(trace.get("name", ""))),
    }


_LAYOUT: Mapping[str, Any] = {
    "template": None,
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#6b7a8c"},
    "hoverlabel": {
        "bgcolor": "#1d2733",
        "bordercolor": "#1d2733",
        "font": {"color": "#ffffff", "size": 13},
    },
    "dragmode": False,
}


def _bar_layout(data: list[dict[str, Any]]) -> dict[str, Any]:
    labels = data[0].pop("meta") if data else []
    said = [text.partition(" per ")[0] for _, text in (data[0]["customdata"] if data else [])]
    return {
        **_LAYOUT,
        "height": 24 + 30 * max(2, len(labels)),
        "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
        "bargap": 0.32,
        "showlegend": False,
        # The figures stand in a column of their own: beside the bars they run into the names
        # and out of a narrow window.
        "xaxis": {"visible": False, "fixedrange": True, "domain": [0, _BARS_END]},
        "annotations": [
            {
                "text": text,
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "y": place,
                "yref": "y",
                "showarrow": False,
            }
            for place, text in enumerate(said)
        ],
        "yaxis": {
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "tickmode": "array",
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "ticks": "outside",
            "ticklen": 6,
            "tickcolor": "rgba(0,0,0,0)",
            "showgrid": False,
            "zeroline": False,
        },
    }


def _line_layout(data: list[dict[str, Any]], unit: str, result: Result) -> dict[str, Any]:
    grain = str((result.query or {}).get("grain"))
    code = unit.partition("/")[0]
    many = len(data) > 1
    y: dict[str, Any] = {
        "fixedrange": True,
        "automargin": True,
        "rangemode": "tozero",
        "gridcolor": "#d8dee6",
        "zerolinecolor": "#d8dee6",
        "tickformat": ".0%" if unit == "ratio" else "~s",
        "nticks": 6,
    }
    if code == "USD":
        y["tickprefix"] = "$"
    elif code.isupper():
        y["tickprefix"] = f"{code} "
    x: dict[str, Any] = {
        "type": "date",
        "fixedrange": True,
        "showgrid": False,
        "automargin": True,
        "tickformat": _TICKS.get(grain, "%d %b"),
    }
    points = list(dict.fromkeys(str(day) for trace in data for day in trace["x"]))
    if grain in _TICKS and len(points) <= 8:
        x |= {"tickmode": "array", "tickvals": points}
    return {
        **_LAYOUT,
        "height": 320 + (30 if many else 0),
        "margin": {"l": 0, "r": 12, "t": 12, "b": 0},
        "showlegend": many,
        "legend": {"orientation": "h", "y": -0.2, "x": 0},
        "xaxis": x,
        "yaxis": y,
    }


def _short(label: str) -> str:
    """A label cut in the middle: long names differ at their ends."""
    if len(label) <= LONGEST_LABEL:
        return label
    half = LONGEST_LABEL // 2
    return f"{label[: half - 1]}…{label[-half:]}"


def _date(text: Any) -> date:
    return date.fromisoformat(str(text)[:10])


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
