"""Whatever is handed in: one plain sentence with the way out, and the store as it was."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.agent.assistant import Assistant
from finops_assistant.store import load_focus
from finops_assistant.ui import ask, cli

Run = Callable[..., tuple[int, str, str]]
ROW = {
    "BilledCost": "1.25",
    "EffectiveCost": "1.25",
    "ListCost": "1.25",
    "ContractedCost": "1.25",
    "BillingAccountId": "payer-1",
    "BillingAccountName": "Main",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2024-09-01T00:00:00Z",
    "BillingPeriodEnd": "2024-10-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargeClass": "",
    "ChargeDescription": "a charge",
    "ChargePeriodStart": "2024-09-30T00:00:00Z",
    "ChargePeriodEnd": "2024-10-01T00:00:00Z",
    "InvoiceIssuerName": "AWS",
    "ProviderName": "AWS",
    "PublisherName": "AWS",
    "PricingQuantity": "1",
    "PricingUnit": "Hours",
    "ServiceCategory": "Compute",
    "ServiceName": "Amazon EC2",
    "Tags": '{"team": "café"}',
}
QUESTION = "What did we spend in September 2024?"


def bill(path: Path, rows: list[Mapping[str, str]], leave_out: str = "") -> Path:
    """A FOCUS CSV; each row is ``ROW`` but for what it names."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [c for c in ROW if c != leave_out], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**ROW, **row} for row in rows)
    return path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loaded")
    file = bill(folder / "first.csv", [{"BilledCost": f"{n}.5"} for n in range(20)])
    assert cli.main(["ingest", str(file), "--home", str(folder / "home")]) == 0
    return folder / "home"


@pytest.fixture
def home(loaded: Path, tmp_path: Path) -> Path:
    """A home of one's own, with twenty rows."""
    return Path(shutil.copytree(loaded, tmp_path / "home", symlinks=True))


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on the home: exit code, stdout, stderr."""

    def command(*arguments: str, where: Path = home) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(["--home", str(where), *arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return command


def held(home: Path) -> dict[str, str]:
    """What the folder holds of the store: links by what they name, files by their content."""
    return {
        path.name: str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.glob("costs*"))
    }


def one_sentence(text: str, *words: str) -> None:
    """One line that ends like a sentence, says these words, and is no traceback."""
    assert text.count("\n") == 1, text
    assert text.rstrip().endswith((".", "?")), text
    assert "Traceback" not in text
    assert "program failed" not in text
    for word in words:
        assert word in text, text


# --- files ---------------------------------------------------------------------------------------


def _gz(path: Path, size: int) -> Path:
    whole = gzip.compress(b"BilledCost,EffectiveCost,ChargePeriodStart\n" * 500)
    path.write_bytes(whole[:size])
    return path


def _folder(path: Path, files: Mapping[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def _ring(path: Path) -> Path:
    path.mkdir()
    (path / "up").symlink_to("..")
    (path / "self").symlink_to("self")
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _garbage(path: Path) -> Path:
    """A bill's header, then lines of another width: DuckDB has an error per missing column."""
    path.write_text(",".join(ROW) + "\n" + "lorem,ipsum\n" * 40_000)
    return path


BAD_FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda p: p / "no.csv", "There is no file"),
    "empty": (lambda p: _folder(p / "f", {"a.csv": b""}) / "a.csv", "empty"),
    "empty folder": (lambda p: _folder(p / "f", {}), "holds no files"),
    "gzip, half": (lambda p: _gz(p / "a.csv.gz", 60), "ends too early"),
    "gzip, its head": (lambda p: _gz(p / "a.csv.gz", 12), "ends too early"),
    "no bill": (
        lambda p: _folder(p / "f", {"a.csv": b"name,age\nann,3\n"}) / "a.csv",
        "not a bill",
    ),
    "picture": (lambda p: _folder(p / "f", {"a.png": b"\x89PNG\0\0"}), "not a table"),
    "no currency": (lambda p: bill(p / "a.csv", [{}], "BillingCurrency"), "BillingCurrency"),
    "bad rows": (lambda p: bill(p / "a.csv", [{"BilledCost": "n/a"}] * 3), "--max-bad"),
    "garbage": (lambda p: _garbage(p / "a.csv"), "too many to set aside"),
    "pipe": (lambda p: _pipe(p / "a.csv"), "is not a file"),
    "ring of links": (lambda p: _ring(p / "f"), "holds no files"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_sentence_and_the_store_is_as_it_was(
    kind: str, run: Run, home: Path, tmp_path: Path
) -> None:
    make, words = BAD_FILES[kind]
    before = held(home)
    path = make(tmp_path)
    code, out, err = run("ingest", str(path))
    assert (code, out) == (2, "")
    one_sentence(err, words)
    code, out, err = run("ingest", str(path), "--json")
    assert code == 2
    assert json.loads(out)["files"][0]["status"] in ("refused", "skipped")
    assert held(home) == before


def test_bad_rows_are_counted_and_set_aside(run: Run, tmp_path: Path) -> None:
    rows: list[Mapping[str, str]] = [{}] * 60
    rows[7] = {"ChargePeriodStart": "gestern"}
    rows[9] = {"EffectiveCost": "1e400"}
    code, out, _ = run("ingest", str(bill(tmp_path / "a.csv", rows)))
    assert code == 0
    assert "58 of 60 rows" in out
    assert "2 in quarantine" in out
    assert "ChargePeriodStart" in run("status")[1]


def test_two_files_for_the_same_days_add_up_and_say_so(run: Run, tmp_path: Path) -> None:
    one = bill(tmp_path / "one.csv", [{"BilledCost": "3"}])
    two = bill(tmp_path / "two.csv", [{"BilledCost": "4"}])
    later = bill(tmp_path / "later.csv", [{"ChargePeriodStart": "2024-09-29T00:00:00Z"}])
    code, out, _ = run("ingest", str(one), str(two), str(later))
    assert code == 0
    assert "one.csv and two.csv cover the same days of the same account" in out
    assert out.count("cover the same days") == 1
    newer = bill(tmp_path / "newer.csv", [{"BilledCost": "5"}])
    code, out, _ = run("ingest", str(newer))
    assert "2 rows of earlier deliveries for the same days were replaced" in out
    assert "add up" not in out


def test_a_file_that_changes_while_it_is_read_is_refused(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bill(tmp_path / "a.csv", [{}] * 5)
    before = held(home)
    read = load_focus.optimistic

    def slowly(*arguments: Any) -> None:
        read(*arguments)
        with file.open("a") as more:
            more.write("half a row")

    monkeypatch.setattr(load_focus, "optimistic", slowly)
    code, _, err = run("ingest", str(file))
    assert code == 2
    one_sentence(err, "changed while it was being read")
    assert held(home) == before


# --- the home folder -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"broken = [", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"principal = 1", "Did you mean principals?"),
        (b"principals = 3", "principals must be a table"),
        (b"principals = []", "principals must be a table"),  # and never "everyone sees all"
        (b"default_principal = 3", "default_principal must be a text"),
        (b"tags = 5", "tags must be a table"),
        (b"[tags.teem]\nkeys = ['a']", "Did you mean team?"),
        (b"[tags]\nteam = 3", "tags.team"),
    ],
)
def test_a_wrong_setting_is_said_by_every_command(
    text: bytes, words: str, run: Run, home: Path, tmp_path: Path
) -> None:
    (home / "finops.toml").write_bytes(text)
    file = bill(tmp_path / "a.csv", [{}])
    before = held(home)
    for arguments in (("ask", QUESTION), ("status",), ("ingest", str(file)), ("chat",)):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        one_sentence(err, words)
    assert held(home) == before


def test_settings_with_a_byte_order_mark_are_read(run: Run, home: Path) -> None:
    (home / "finops.toml").write_text('default_principal = "ann"\n', encoding="utf-8-sig")
    code, _, err = run("status")
    assert code == 3
    assert "'ann'" in err


@pytest.mark.parametrize("arguments", [("ask", "x"), ("ingest", "a.csv"), ("demo",), ("status",)])
def test_a_home_that_is_a_file(arguments: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, out, err = run(*arguments, where=tmp_path / "file")
    assert (code, out) == (2, "")
    one_sentence(err, "is a file, not a folder")


@pytest.mark.parametrize("kind", ["half", "100 bytes", "0 bytes", "dangling", "plain", "foreign"])
def test_a_damaged_store_is_said_to_be_so(kind: str, run: Run, home: Path, tmp_path: Path) -> None:
    pointer = home / "costs.duckdb"
    version = pointer.resolve()
    match kind:
        case "half":
            os.truncate(version, version.stat().st_size // 2)
        case "100 bytes":
            os.truncate(version, 100)
        case "0 bytes":
            os.truncate(version, 0)
        case "dangling":
            version.unlink()
        case "plain":
            pointer.unlink()
            pointer.write_text("plain")
        case "foreign":
            version.unlink()
            with duckdb.connect(str(version)) as connection:
                connection.execute("CREATE TABLE mine (a INTEGER)")
    before = held(home)
    file = bill(tmp_path / "new.csv", [{}])
    for arguments in (
        ("ask", QUESTION),
        ("status",),
        ("ingest", str(file)),
        ("export", "--format", "focus", "-o", str(tmp_path / "o.csv")),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, ""), err
        one_sentence(err, str(home), "ove")  # "move that file away", "remove it"
    assert held(home) == before
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("kind", ["garbage", "folder"])
def test_conversations_that_cannot_be_kept(kind: str, run: Run, home: Path) -> None:
    if kind == "garbage":
        (home / "state.sqlite").write_bytes(b"garbage" * 1000)
    else:
        (home / "state.sqlite").mkdir()
    code, out, err = run("ask", QUESTION, "--session", "s")
    assert (code, out) == (2, "")
    one_sentence(err, "state.sqlite")
    assert run("ask", QUESTION)[0] == 0


def test_an_export_onto_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.csv").mkdir()
    code, _, err = run("export", "--format", "focus", "-o", str(tmp_path / "out.csv"))
    assert code == 2
    one_sentence(err, "is a folder")


# --- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        *("", "   \n ", "🎉🔥", "?!", "-5", "--", "ما تكلفة", "\u202e\u202d", "\x00\x1b[2J"),
        *("a" * 20_000, "what did we spend " * 1200, "spend last 5 99999999999999 days"),
    ],
)
def test_a_question_that_asks_nothing_is_declined_in_words(question: str, loaded: Path) -> None:
    assistant = Assistant.open(loaded)
    answer = assistant.ask(question)
    assistant.close()
    assert answer.status in ("abstained", "clarify")
    assert len(answer.answer.strip()) > 20
    assert len(answer.answer) < 1000
    assert not answer.results


def test_a_question_may_begin_with_a_dash(run: Run) -> None:
    code, out, _ = run("ask", "--json", "--", "- " + QUESTION)
    assert code == 0
    assert json.loads(out)["results"][0]["rows"] == [[25.0]]


def test_names_are_found_however_their_accents_are_written(loaded: Path) -> None:
    assistant = Assistant.open(loaded)
    rows = [
        assistant.ask(f"cost of team {unicodedata.normalize(form, 'café')}").results[0].rows
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    ]
    assistant.close()
    assert all(found == rows[0] for found in rows)
    assert rows[0][0][0] == 25


# --- the terminal --------------------------------------------------------------------------------


def test_ctrl_c_during_a_query_is_a_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> int:
        raise RuntimeError("Query interrupted")  # as DuckDB says it

    monkeypatch.setattr(ask, "run", interrupt)
    assert run("ask", QUESTION) == (130, "", "Stopped.\n")
    lines = iter(["one", "two"])
    monkeypatch.setattr("finops_assistant.ui.chat._read", lambda: next(lines, None))
    monkeypatch.setattr(Assistant, "ask", interrupt)
    code, _, err = run("chat")
    assert (code, err.count("Stopped; ask something else")) == (0, 2)


@pytest.mark.parametrize(
    ("closed", "command", "code"),
    [
        (">&-", "status", 0),
        ("<&-", "chat", 0),
        ("2>&-", "ingest nowhere.csv", 2),
        ("2>&- >&- <&-", "status", 0),
    ],
)
def test_closed_streams_are_no_failure(closed: str, command: str, code: int, home: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m finops_assistant.ui.cli {command} {closed}"],
        env={**os.environ, "FINOPS_HOME": str(home)},
        capture_output=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


@pytest.mark.parametrize("columns", [0, 1, 24, 60])
def test_no_terminal_is_so_narrow_that_a_figure_is_cut(columns: int) -> None:
    code = (
        "from finops_assistant.ui.terminal import show_markdown\n"
        "show_markdown('Total **$1,234,567.89**.\\n\\n| Service | Cost | Before | Change |\\n'\n"
        "  '| --- | ---: | ---: | ---: |\\n'\n"
        "  '| Amazon Elastic Compute Cloud | $1,234,567.89 | $2,345,678.90 | $111,111.01 |')\n"
    )
    leader, follower = os.openpty()
    env = {**os.environ, "TERM": "dumb", "COLUMNS": str(columns)}
    subprocess.run([sys.executable, "-c", code], stdout=follower, env=env, check=True)
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "…" not in shown
    assert all(figure in shown for figure in ("$1,234,567.89", "$2,345,678.90", "$111,111.01"))
