"""The command line's manners: exit codes, one sentence per error, clean streams, clean text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_assistant.store.errors import LoadError, QueryRefused, StoreMissing, UsageError
from finops_assistant.store.load_report import FileReport, LoadReport, NothingLoaded, Total
from finops_assistant.ui import ask, cli, ingest
from finops_assistant.ui.commands import COMMANDS
from finops_assistant.ui.terminal import Progress, clean


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make ``finops ask`` raise."""

    def run(args: Namespace) -> int:
        raise error

    monkeypatch.setattr(ask, "run", run)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("Wrong. Do that."), 2),
        (StoreMissing("Wrong. Do that."), 2),
        (LoadError("Wrong. Do that."), 2),
        (QueryRefused("NOT_PERMITTED", "Wrong. Do that."), 3),
    ],
)
def test_an_error_is_its_sentence_and_its_code(
    error: Exception,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail_with(monkeypatch, error)
    assert cli.main(["ask", "x"]) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Wrong. Do that.\n")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ZeroDivisionError("one\ntwo"), 1, "ZeroDivisionError: one two"),
        (KeyboardInterrupt(), 130, "Stopped."),
        (OSError(28, "No space left on device", "/x"), 1, "No space left on device (/x)"),
        (PermissionError(13, "Permission denied", "/x"), 1, "Permission denied (/x)"),
    ],
)
def test_a_failure_is_one_line_and_a_traceback_only_on_request(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail_with(monkeypatch, error)
    assert cli.main(["ask", "x"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1
    assert cli.main(["--debug", "ask", "x"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_what_an_error_quotes_reaches_the_terminal_without_control_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, LoadError("bad file \x1b]0;title\x07name\x9b2J"))
    assert cli.main(["ask", "x"]) == 2
    assert capsys.readouterr().err == "bad file ]0;titlename2J\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["aks"], "did you mean ask?"),
        (["zzzz"], "there are demo, ingest"),
        (["ask"], "QUESTION"),
        (["ask", "x", "--route", "guess"], "invalid choice: 'guess'"),
        (["ask", "x", "--nonsense"], "--nonsense"),
        (["ask", "x", "--as-of", "soon"], "'soon' is no date"),
        (["ingest", "x.csv", "--max-bad", "5"], "share from 0 to 1"),
        (["export", "-o", "x.parquet"], "--format"),
        (["export", "--format", "focus"], "-o"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = cli.main(arguments)
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert all(command.name in capsys.readouterr().err for command in COMMANDS[:1])


@pytest.mark.parametrize("arguments", [["--home", "a", "ask", "x"], ["ask", "x", "--home", "a"]])
def test_the_home_may_stand_on_either_side(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []

    def run(args: Namespace) -> int:
        seen.append(args.home.path)
        return 0

    monkeypatch.setattr(ask, "run", run)
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 0
    assert seen == [tmp_path / "a"]


def test_the_reader_of_the_output_may_leave() -> None:
    code = (
        "from finops_assistant.ui import ask, cli\n"
        "def run(args):\n"
        "    print('x' * 1_000_000)\n"
        "    return 0\n"
        "ask.run = run\n"
        "raise SystemExit(cli.main(['ask', 'x']))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141


@given(st.text())
def test_cleaned_text_holds_no_code_a_terminal_obeys(text: str) -> None:
    cleaned = clean(text)
    assert all(c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160) for c in cleaned)
    assert cleaned == "".join(c for c in text if c in cleaned)


def test_markdown_from_data_stays_text_on_a_terminal() -> None:
    code = (
        "from finops_assistant.ui.terminal import show_markdown\n"
        "show_markdown('**1** [red]team[/red] \\x1b]0;title\\x07 [link](http://a.example)\\n\\n'\n"
        "  '| a | b |\\n| --- | ---: |\\n| [bold]x[/bold] | 12 |')\n"
    )
    leader, follower = os.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    subprocess.run([sys.executable, "-c", code], stdout=follower, env=env, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "[red]team[/red]" in shown
    assert "[bold]x[/bold]" in shown
    assert "http://a.example" in shown
    assert "\x1b]" not in shown  # neither a window title nor a hyperlink


def test_progress_elsewhere_than_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(every=0) as progress:
        progress("Reading a.csv", 1, 1200)
        progress("Swapping\x1b[2J", 0, 0)
    assert capsys.readouterr() == ("", "Reading a.csv (1 of 1,200)\nSwapping[2J\n")
    with Progress() as progress:
        progress("Reading a.csv", 1, 1)
    assert capsys.readouterr() == ("", "")


FILE = FileReport(
    path="a.csv",
    status="loaded",
    source="focus",
    rows=1001,
    loaded=1000,
    quarantined=1,
    periods=("2026-10",),
    totals=(Total("USD", Decimal(12), Decimal(11)), Total(None, Decimal(0), Decimal("0.1"))),
)
REFUSED = FileReport(path="b.csv", status="refused", message="No bill. Give another.")


def test_a_file_and_a_delivery_in_words() -> None:
    assert ingest.in_words(FILE).split(": ", 1)[1] == (
        "1,000 of 1,001 rows, USD 12.00 billed, 11.00 effective, "
        "no currency 0.00 billed, 0.10 effective, 1 in quarantine"
    )
    assert ingest.in_words(REFUSED) == "refused   b.csv\n          No bill. Give another."
    noisy = Total("USD", Decimal("0.1"), Decimal(1), billed_in_file=Decimal("0.1000000000000004"))
    assert ingest.in_words(replace(FILE, totals=(noisy,))).endswith(
        "billed 0.1 in the store, 0.1000000000000004 in the file, difference -0.0000000000000004."
    )
    report = LoadReport((FILE, REFUSED), changed=True)
    assert ingest.closing(report) == "1,000 rows loaded (files: 1 loaded, 1 refused)."


@pytest.mark.parametrize("files", [(REFUSED,), (REFUSED, REFUSED)])
def test_nothing_usable_is_one_sentence_or_one_object_and_code_2(
    files: tuple[FileReport, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*args: object, **kwargs: object) -> LoadReport:
        raise NothingLoaded("No bill. Give another.", LoadReport(files))

    monkeypatch.setattr("finops_assistant.store.ingest.ingest", refuse)
    assert cli.main(["ingest", "b.csv"]) == 2
    out, err = capsys.readouterr()
    assert err == "No bill. Give another.\n"
    assert out == ""
    assert cli.main(["ingest", "b.csv", "--json"]) == 2
    out, err = capsys.readouterr()
    assert len(json.loads(out)["files"]) == len(files)
    assert err == "No bill. Give another.\n"
