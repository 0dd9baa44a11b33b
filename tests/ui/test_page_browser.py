"""The page in a real browser: a question, a chart, a table, a follow-up, the evidence."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.settings import Home

pytestmark = pytest.mark.slow


def by_hand(home: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the store, from SQL of our own."""
    with duckdb.connect(str(Home(home).pointer.resolve()), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_a_manager_asks_looks_follows_up_and_checks(
    sample_copy: Path, serve: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    teams = by_hand(
        sample_copy,
        "SELECT coalesce(x_Team, '(untagged)'), sum(EffectiveCost) FROM focus WHERE "
        "date_trunc('month', ChargePeriodStart) = (SELECT max(date_trunc('month', "
        "ChargePeriodStart)) FROM focus) GROUP BY 1 ORDER BY 2 DESC",
    )
    total = sum((cost for _, cost in teams), Decimal())
    with serve(sample_copy) as served:
        tab = watch(served.url)
        page = tab.page
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.get_by_role("heading", level=1).inner_text() == "finops-assistant"
        page.get_by_label("Your question").wait_for()

        tab.click_chip("What did we spend last month?")
        assert page.locator("#talk .number").inner_text() == f"${total:,.2f}"
        steps = page.locator("#talk .taken li").all_inner_texts()
        assert [step.split()[0] for step in steps] == ["Reading", "Querying", "Writing"]

        # A follow-up chip goes on with the same question.
        tab.click_chip("Break it down by team")
        figures = page.locator("#talk .number").all_inner_texts()
        assert figures[1:] == [f"${teams[0][1]:,.2f}", f"${total:,.2f}"]
        page.locator("#talk .js-plotly-plot .bars path").first.wait_for()
        assert page.locator("#talk .js-plotly-plot .bars path").count() == len(teams)
        cells = page.locator("#talk .text .scroll").last.locator("tbody tr").all_inner_texts()
        assert cells == [f"{team}\t${cost:,.2f}" for team, cost in teams]

        # The whole table opens outside the conversation and sorts by the number.
        page.locator("#whole button").first.click()
        largest = page.locator("#table").get_by_text(f"${teams[0][1]:,.2f}")
        largest.locator("visible=true").first.wait_for()

        with page.expect_download() as download:
            page.locator("#talk a.download").last.click()
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == ["team", "effective_cost (USD)"]
        assert [(team, Decimal(cost)) for team, cost in rows[1:]] == teams

        page.locator("#talk .evidence > summary").last.click()
        sheet = page.locator("#talk .sheet").last
        assert "What was understood" in sheet.inner_text()
        assert "the default, since none was named" not in sheet.inner_text()
        sheet.get_by_text("The SQL that ran").first.click()
        assert "FROM focus" in sheet.locator("pre").all_inner_texts()[1]
        sheet.get_by_text("Every figure and the cell that holds it").click()
        assert str(teams[0][1]) in sheet.locator("table").inner_text()

        # The conversation goes on after a chart and a table.
        tab.ask("Delete the idle endpoints")
        assert page.locator("#talk .refused").count() == 1
        tab.ask("How many requests did Microsoft serve last month?")
        assert page.locator("#talk .abstained").count() == 1
        tab.ask("What did we spend last month?")
        assert page.locator("#talk .number").last.inner_text() == f"${total:,.2f}"

        assert tab.outside() == []
        assert tab.complaints == []
        # Ctrl-C while a tab is still open.
        code, told = served.stop()
        assert code == 0
        assert "Traceback" not in told


def test_two_tabs_never_mix_and_a_phone_needs_no_sideways_scrolling(
    sample_copy: Path, serve: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    with serve(sample_copy) as served:
        first = watch(served.url)
        second = watch(served.url, width=390, height=844, dark=True)
        first.ask("What did OpenAI cost last month?")
        second.ask("What did AWS cost last month?")
        first.ask("and by team?")
        second.ask("and by team?")
        assert "provider OpenAI" in first.page.locator("#talk").inner_text()
        assert "AWS" not in first.page.locator("#talk").inner_text()
        assert "provider AWS" in second.page.locator("#talk .answer").last.inner_text()
        assert "OpenAI" not in second.page.locator("#talk .answer").last.inner_text()

        page = second.page
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("document.body.classList.contains('dark')")
        page.get_by_role("button", name="Light or dark").click()
        assert not page.evaluate("document.body.classList.contains('dark')")

        # A new conversation knows nothing of the one before.
        page.get_by_role("button", name="New conversation").click()
        page.locator(".welcome").wait_for()
        assert second.answers() == 0
        second.ask("and by team?")
        assert "AWS" not in page.locator("#talk").inner_text()
        for tab in (first, second):
            assert tab.outside() == []
            assert tab.complaints == []


def test_the_keyboard_alone_is_enough(
    sample_copy: Path, serve: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    with serve(sample_copy) as served:
        tab = watch(served.url)
        page = tab.page
        page.get_by_label("Your question").focus()
        page.keyboard.type("Cost by provider last month")
        page.keyboard.press("Enter")
        tab.wait(1)
        page.locator("#talk a.download").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("#talk .sheet").wait_for(state="visible")
        unnamed = page.evaluate(
            "[...document.querySelectorAll('button, a, input, textarea, summary, [tabindex]')]"
            ".filter(e => e.getClientRects().length && e.tabIndex >= 0)"
            ".filter(e => !(e.getAttribute('aria-label') || e.innerText || e.title"
            " || e.placeholder || e.labels?.length))"
            ".map(e => e.outerHTML.slice(0, 200))"
        )
        assert unnamed == []


def test_names_in_a_bill_are_text_and_nothing_else(
    hostile_home: Path, serve: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    services = by_hand(hostile_home, "SELECT DISTINCT ServiceName FROM focus")
    assert len(services) > 10
    with serve(hostile_home) as served:
        tab = watch(served.url)
        page = tab.page
        for question in (
            "Cost by service in October 2026",
            "Cost by team in October 2026 compared with the previous month",
            "Cost by provider by month",
            "Cost by service and team and project in October 2026",
            "Which teams are there?",
            "What did <img src=http://192.0.2.1/q onerror=alert(1)> ![x](http://192.0.2.1/y) cost?",
            "What did team alert cost in October 2026?",
            "What did script cost last month?",
        ):
            tab.ask(question)
            for fold in page.locator("#talk details:not([open]) > summary").all():
                if fold.is_visible():
                    fold.click()
            if page.locator("#whole").is_visible():
                page.locator("#whole button").first.click()
        page.wait_for_timeout(500)
        assert page.locator("#talk .failed").count() == 0
        shown = page.locator("#talk").inner_text()
        assert "<script>alert('tag')</script>" in shown
        assert "![picture](http://192.0.2.1/md.png)" in shown
        made = page.evaluate(
            "[...document.querySelectorAll('#talk *, #table *, #chips *')].filter(e =>"
            " ['SCRIPT', 'IFRAME', 'IMG', 'STYLE', 'OBJECT'].includes(e.tagName) && !e.closest("
            "'.js-plotly-plot') || e.tagName === 'A' && !e.matches('#talk a.download')"
            " || [...e.attributes].some(a => a.name.startsWith('on')))"
            ".map(e => e.outerHTML.slice(0, 200))"
        )
        assert made == []
        assert tab.outside() == []
        assert tab.complaints == []
        with page.expect_download() as download:
            page.locator("#talk a.download").first.click()
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert '\'=HYPERLINK("http://192.0.2.1","open")' in cells
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_an_empty_home_says_how_to_load_and_picks_up_what_is_loaded(
    tmp_path: Path, sample_copy: Path, serve: Callable[..., Any], watch: Callable[..., Any]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with serve(empty) as served:
        tab = watch(served.url)
        assert "Nothing is loaded yet" in tab.page.locator("#header").inner_text()
        tab.ask("What did we spend last month?")
        assert "finops ingest" in tab.page.locator("#talk .abstained").inner_text()
        shutil.copytree(sample_copy, empty, symlinks=True, dirs_exist_ok=True)
        tab.ask("What did we spend last month?")
        tab.page.locator("#talk .number").wait_for()
        assert tab.complaints == []
