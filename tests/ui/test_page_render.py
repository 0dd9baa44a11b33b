"""What the page makes of an answer: figures, text, evidence, chart, tables. No browser."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest

from finops_assistant.agent.answer import Answer, Usage
from finops_assistant.store.result import Column, Result, Scope
from finops_assistant.ui.page import render
from finops_assistant.ui.page.chart import chart
from finops_assistant.ui.page.desk import Trouble
from finops_assistant.ui.page.evidence import evidence, understood
from finops_assistant.ui.page.headline import headline
from finops_assistant.ui.page.tables import Shelf, csv_text, grid, safe_cell

EVIL = "<img src=x onerror=alert(1)>{{7*7}}${alert(1)}"


def result(**changes: Any) -> Result:
    whole = Result(
        id="r1",
        title="Effective cost by team",
        columns=(
            Column("team", "text"),
            Column("effective_cost", "USD"),
            Column("effective_cost_change", "USD"),
            Column("effective_cost_change_ratio", "ratio"),
            Column("effective_cost_previous", "USD"),
        ),
        rows=(
            ("search", Decimal("12.345"), Decimal("-2.00"), -0.1394, Decimal("14.345")),
            (EVIL, Decimal("1"), Decimal("1"), None, Decimal("0")),
        ),
        row_count=2,
        truncated=False,
        query={
            "metrics": ["effective_cost"],
            "dimensions": ["team"],
            "time": {"start": "2026-10-01", "end": "2026-11-01", "source": "default"},
            "filters": [{"dimension": "provider", "op": "not_in", "values": [{"canonical": EVIL}]}],
            "compare": {
                "kind": "previous",
                "baseline": {"start": "2026-09-01", "end": "2026-10-01"},
            },
        },
        sql=f"SELECT '{EVIL}'",
        scope=Scope(
            start=date(2026, 10, 1),
            end=date(2026, 11, 1),
            filters=(
                {"dimension": "team", "op": "in", "values": ["a", EVIL], "source": "principal"},
            ),
            currency="USD",
            cost_metric="effective_cost",
            data_through=datetime(2026, 11, 1, tzinfo=UTC),
        ),
    )
    return replace(whole, **changes)


def number(
    text: str, value: Any, column: str, *, row: int = 0, unit: str = "USD"
) -> dict[str, Any]:
    return {
        "text": text,
        "value": value,
        "unit": unit,
        "result": "r1",
        "row": row,
        "column": column,
    }


def answer(**changes: Any) -> Answer:
    whole = Answer(
        question="?",
        as_of=date(2026, 11, 1),
        status="answered",
        answer="**$12.34** effective cost, down **$2.00** (-13.9%) from $14.34.\n\n"
        "| Team | Effective cost |\n| --- | ---: |\n| search | $12.34 |\n\n_In USD_",
        results=(result(),),
        numbers=(
            number("$12.34", Decimal("12.345"), "effective_cost"),
            number("$2.00", Decimal("-2.00"), "effective_cost_change"),
            number("-13.9%", -0.1394, "effective_cost_change_ratio", unit="ratio"),
            number("$14.34", Decimal("14.345"), "effective_cost_previous"),
            number("$12.34", Decimal("12.345"), "effective_cost"),
        ),
        elapsed_ms=12,
    )
    return replace(whole, **changes)


class Tags(HTMLParser):
    """Every tag and attribute of a text, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_figure_of_the_answer_stands_first_with_its_change() -> None:
    (figure,) = headline(answer())
    assert figure.text == "$12.34"
    assert figure.caption == "search · Effective cost · 1–31 October 2026"
    assert figure.change is not None
    assert (figure.change.direction, figure.change.text) == ("down", "$2.00 (-13.9%)")
    assert figure.change.against == "from $14.34"


def test_a_no_and_an_empty_answer_have_no_figure() -> None:
    assert headline(answer(status="abstained", reason="not_loaded")) == []
    assert headline(answer(results=(), numbers=())) == []


def test_two_currencies_are_two_figures_and_none_is_a_sum() -> None:
    both = result(
        columns=(Column("currency", "text"), Column("effective_cost", "currency")),
        rows=(("USD", Decimal("5")), ("EUR", Decimal("7"))),
    )
    text = "- **$5.00** effective cost.\n- **EUR 7.00** effective cost.\n\n_Basis_"
    shown = headline(
        answer(
            answer=text,
            results=(both,),
            numbers=(
                number("$5.00", Decimal("5"), "effective_cost"),
                number("EUR 7.00", Decimal("7"), "effective_cost", row=1, unit="EUR"),
            ),
        )
    )
    assert [figure.text for figure in shown] == ["$5.00", "EUR 7.00"]


@pytest.mark.parametrize(
    "hostile",
    [
        EVIL,
        "<script>alert(1)</script>",
        "![x](http://192.0.2.1/a.png)",
        "[x](javascript:alert(1)) <http://192.0.2.1> http://192.0.2.1 www.evil.example",
        "a & b &lt;b&gt; &#60;i&#62;",
        "[ref]: http://192.0.2.1\n\n[ref]",
    ],
)
def test_markdown_renders_no_markup_of_its_own(hostile: str) -> None:
    seen = Tags(render.prose(hostile))
    assert set(seen.tags) <= {"p"}
    assert seen.names == []


def test_hostile_text_stays_text_everywhere() -> None:
    whole = answer(
        answer=f"**$12.34** for {EVIL}",
        numbers=(*answer().numbers, number(EVIL, EVIL, EVIL, unit=EVIL)),
    )
    html = "".join(
        (
            render.opening(whole),
            render.closing(whole, [], "tables/x.csv"),
            render.question(EVIL),
            render.trouble(Trouble(EVIL)),
            render.header(EVIL, sample=True),
            render.progress([EVIL], [EVIL]),
            render.fill("hint.html", text=EVIL),
        )
    )
    seen = Tags(html)
    assert not {"img", "script", "iframe", "style"} & set(seen.tags)
    assert not [name for name in seen.names if name.startswith("on")]
    assert seen.tags.count("a") == 1
    assert seen.text.count(EVIL) >= 8
    assert "49" not in seen.text


def test_a_secret_in_the_question_or_in_the_evidence_is_masked() -> None:
    key = "sk-" + "a" * 40
    masked = render.question(key) + render.closing(answer(results=(result(sql=key),)), [], None)
    assert key not in masked


def test_a_long_question_is_shown_shortened() -> None:
    assert len(render.question("word " * 5000)) < 1000


def test_evidence_says_what_was_understood_and_where_each_figure_stands() -> None:
    whole = evidence(answer())
    (source,) = whole.sources
    told = dict(source.understood)
    assert told["Period"] == "1–31 October 2026 (the default, since none was named)"
    assert told["Compared with"] == "the period before: 1–30 September 2026"
    assert told["Only where"] == f"Provider is not {EVIL}"
    covers = dict(source.covers)
    assert covers["Filter (what you may see)"] == f"Team is a or {EVIL}"
    assert covers["Data through"] == "31 October 2026 (up to 2026-11-01 00:00 UTC)"
    assert json.loads(source.query)["dimensions"] == ["team"]
    assert whole.figures[0].value == "12.345"
    assert whole.figures[0].cell == "r1, row 1, effective_cost"
    assert understood({}) == []


def test_evidence_says_who_read_the_question_and_what_that_took() -> None:
    assert dict(evidence(answer()).turn)["Read by"] == "the built-in planner"
    usage = Usage(model="small", input_tokens=1200, output_tokens=30, cost_usd=None)
    told = dict(evidence(answer(route="model", usage=usage)).turn)
    assert told["Read by"] == "the model small (1,200 + 30 tokens, cost unknown)"


def test_each_kind_of_no_has_its_own_words() -> None:
    titles = {
        render.opening(answer(status=status, reason=reason, results=(), numbers=()))
        for status, reason in (
            ("answered", "no_rows"),
            ("abstained", "not_loaded"),
            ("abstained", "out_of_scope"),
            ("abstained", "unpriced"),
            ("refused", "no_permission"),
            ("refused", "unsafe"),
            ("clarify", "ambiguous"),
        )
    }
    assert len(titles) == 7


def test_the_chart_keeps_the_figures_and_no_markup() -> None:
    drawn = chart(
        answer(
            chart={
                "data": [
                    {
                        "type": "bar",
                        "name": "effective_cost",
                        "x": ["search", "<a href='http://192.0.2.1'>x</a>" + "y" * 60],
                        "y": [Decimal("12.345"), Decimal("1")],
                    }
                ],
                "layout": {"title": {"text": "t"}},
            }
        )
    )
    assert drawn is not None
    assert "<a" not in drawn
    figure = json.loads(drawn)
    assert figure["data"][0]["x"] == [12.345, 1.0]
    beside = [note["text"] for note in figure["layout"]["annotations"]]
    assert beside == ["$12.34", "$1.00"]
    assert figure["config"]["displayModeBar"] is False
    assert chart(answer()) is None


def test_currencies_are_not_drawn_on_one_axis() -> None:
    both = result(
        columns=(Column("currency", "text"), Column("effective_cost", "currency")),
        rows=(("USD", Decimal("5")), ("EUR", Decimal("7"))),
    )
    trace = {"type": "bar", "name": "effective_cost", "x": ["USD", "EUR"], "y": [5, 7]}
    assert chart(answer(results=(both,), chart={"data": [trace], "layout": {}})) is None


def test_a_series_with_gaps_draws() -> None:
    monthly = result(
        columns=(Column("period", "date"), Column("effective_cost", "USD")),
        rows=((date(2026, 9, 1), None), (date(2026, 10, 1), Decimal("3"))),
        query={"metrics": ["effective_cost"], "grain": "month"},
    )
    trace = {"type": "scatter", "name": "all", "x": ["2026-09-01", "2026-10-01"], "y": [None, 3]}
    drawn = chart(answer(results=(monthly,), chart={"data": [trace], "layout": {}}))
    assert drawn is not None
    figure = json.loads(drawn)
    assert figure["data"][0]["y"] == [None, 3]
    assert figure["data"][0]["text"] == [
        "September 2026<br><b>n/a</b>",
        "October 2026<br><b>$3.00</b>",
    ]
    assert figure["layout"]["xaxis"]["tickformat"] == "%b\n%Y"
    point = {**trace, "x": ["2026-10-01"], "y": [3]}
    assert chart(answer(results=(monthly,), chart={"data": [point], "layout": {}})) is None


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_no_cell_of_a_download_is_a_formula(start: str) -> None:
    evil = result(rows=((f"{start}cmd|' /C calc'!A0", Decimal("-3.10"), None, None, None),))
    header, row = list(csv.reader(io.StringIO(csv_text(evil))))
    assert header[:2] == ["team", "effective_cost (USD)"]
    assert row[0].startswith("'")
    assert row[1:] == ["-3.10", "", "", ""]
    assert safe_cell('plain, "quoted"\nand more') == 'plain, "quoted" and more'


def test_the_table_sorts_by_number_and_shows_words() -> None:
    value = grid(result())
    assert value["headers"][:2] == ["Team", "Effective cost"]
    assert value["data"][0][:2] == ["search", 12.345]
    assert value["metadata"]["display_value"][0] == [
        "search",
        "$12.34",
        "-$2.00",
        "-13.9%",
        "$14.34",
    ]
    assert value["metadata"]["display_value"][1][3] == "n/a"


def test_the_shelf_makes_room_and_names_are_not_guessable() -> None:
    shelf = Shelf(limit=400)
    keys = [shelf.put(result()) for _ in range(5)]
    assert len(set(keys)) == 5
    assert min(map(len, keys)) >= 20
    assert shelf.get(keys[0]) is None
    kept = shelf.get(keys[-1])
    assert kept is not None
    assert kept.name == "costs_2026-10-01_2026-11-01.csv"
    assert kept.content.startswith(b"\xef\xbb\xbfteam")
    assert shelf.get("nothing") is None
