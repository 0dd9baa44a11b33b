"""``finops sync`` against a loopback server that answers as the vendors document, with faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.errors import UsageError
from finops_assistant.store.settings import Home
from finops_assistant.store.sync import SyncReport, sync
from finops_assistant.store.sync.pull import ATTEMPTS, PullError

FIRST, TODAY = date(2026, 10, 1), date(2026, 10, 6)
KEY = "sk-admin-not-a-real-key"


class Vendor(ThreadingHTTPServer):
    """Two vendors in one: costs and usage by day, two days a page, and a list of faults to show."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.cents: dict[date, int] = {FIRST + timedelta(days=n): 100 + n for n in range(60)}
        self.faults: list[int | str] = []
        self.requests: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.stale: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Vendor

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = parse_qs(asked.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((asked.path, query, headers))
        if self.server.faults:
            fault = self.server.faults.pop(0)
            if fault == "cut":
                self._send(200, b'{"object": "page", "data": [')
            elif fault == "drop":
                self.close_connection = True
            elif isinstance(fault, int) and fault:
                self._send(fault, b"{}", {"Retry-After": "7"} if fault == 429 else {})
            else:
                self._page(asked.path, query)
            return
        self._page(asked.path, query)

    def _page(self, path: str, query: dict[str, list[str]]) -> None:
        token = query.get("page", [""])[0]
        if token in self.server.stale:
            self._send(400, b'{"error": "unknown page"}')
            return
        openai = "/organization/" in path
        first = _day(query["start_time" if openai else "starting_at"][0])
        end = _day(query["end_time" if openai else "ending_at"][0])
        days = [first + timedelta(days=n) for n in range((end - first).days)]
        place = int(token.removeprefix("page_")) if token else 0
        shown = days[place : place + 2]
        more = place + 2 < len(days)
        make = _openai if openai else _anthropic
        page: dict[str, Any] = {
            "data": [make(path, day, self.server.cents[day]) for day in shown],
            "has_more": more,
            "next_page": f"page_{place + 2}" if more else None,
        }
        if openai:
            page = {"object": "page", **page}
        self._send(200, json.dumps(page).encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _day(text: str) -> date:
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC).date()
    return date.fromisoformat(text[:10])


def _openai(path: str, day: date, cents: int) -> dict[str, Any]:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    if path.endswith("/costs"):
        result: dict[str, Any] = {
            "object": "organization.costs.result",
            "amount": {"value": cents / 100, "currency": "usd"},
            "line_item": "gpt-4o-2024-08-06, input",
            "project_id": "proj_a",
        }
    else:
        kind = path.rsplit("/", 1)[1]
        result = {
            "object": f"organization.usage.{kind}.result",
            "input_tokens": 1000,
            "num_model_requests": 3,
            "project_id": "proj_a",
            "api_key_id": "key_a",
            "model": "gpt-4o-2024-08-06",
        }
        if kind == "completions":
            result |= {"output_tokens": 100, "input_cached_tokens": 200, "batch": False}
    return {
        "object": "bucket",
        "start_time": start,
        "end_time": start + 86_400,
        "results": [result],
    }


def _anthropic(path: str, day: date, cents: int) -> dict[str, Any]:
    if path.endswith("cost_report"):
        result: dict[str, Any] = {
            "amount": f"{cents}.5",
            "currency": "USD",
            "cost_type": "tokens",
            "token_type": "output_tokens",
            "model": "claude-opus-4-6",
            "service_tier": "standard",
            "context_window": "0-200k",
            "description": "Claude Opus 4.6 Usage - Output Tokens",
            "workspace_id": "wrkspc_a",
        }
    else:
        result = {
            "uncached_input_tokens": 10,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
            "cache_read_input_tokens": 5,
            "output_tokens": 7,
            "model": "claude-opus-4-6",
            "workspace_id": "wrkspc_a",
            "api_key_id": "apikey_a",
            "service_tier": "standard",
            "context_window": "0-200k",
        }
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "results": [result],
    }


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    server = Vendor()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "finops.toml").write_text(
        f'[sync]\nsince = {FIRST}\noverlap_days = 2\n[sync.openai]\nbase_url = "{vendor.url}"\n'
        f'[sync.anthropic]\nbase_url = "{vendor.url}"\n'
    )
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    return Home(folder)


def run(home: Home, today: date = TODAY, waits: list[float] | None = None) -> SyncReport:
    pauses = [] if waits is None else waits
    return sync(home, today=today, sleep=pauses.append)


def billed(home: Home, provider: str) -> Decimal:
    cursor = Database.open(home).cursor()
    row = cursor.execute(
        "SELECT sum(BilledCost) FROM focus WHERE ServiceProviderName = ?", [provider]
    ).fetchone()
    assert row is not None
    return Decimal(row[0] or 0)


def expected(vendor: Vendor, end: date) -> tuple[Decimal, Decimal]:
    """The bills of both vendors until before ``end``, in dollars."""
    cents = [c for day, c in vendor.cents.items() if day < end]
    anthropic = sum((Decimal(c) + Decimal("0.5") for c in cents), Decimal(0)) / 100
    return Decimal(sum(cents)) / 100, anthropic


def test_everything_that_is_over_is_fetched_and_loaded(home: Home, vendor: Vendor) -> None:
    report = run(home)
    assert not report.problems
    assert len(report.pulled) == 5
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(vendor, TODAY)
    tokens = (
        Database.open(home)
        .cursor()
        .execute(
            "SELECT provider, sum(input_tokens), sum(output_tokens) FROM llm_usage "
            "GROUP BY 1 ORDER BY 1"
        )
    )
    # Five days: 10 + 1 + 2 + 5 in and 7 out; 1,000 twice (completions and embeddings) and 100 out.
    assert tokens.fetchall() == [("Anthropic", 90, 35), ("OpenAI", 10_000, 500)]


def test_it_asks_as_the_vendors_document(home: Home, vendor: Vendor) -> None:
    run(home)
    asked = {path: (query, headers) for path, query, headers in reversed(vendor.requests)}
    query, headers = asked["/v1/organization/costs"]
    assert query["start_time"] == ["1790812800"]  # 2026-10-01T00:00:00Z
    assert query["end_time"] == ["1791244800"]
    assert query["group_by"] == ["project_id", "line_item"]
    assert headers["authorization"] == f"Bearer {KEY}"
    query, headers = asked["/v1/organizations/cost_report"]
    assert query["starting_at"] == ["2026-10-01T00:00:00Z"]
    assert query["group_by[]"] == ["workspace_id", "description"]
    assert headers["x-api-key"] == KEY
    assert headers["anthropic-version"] == "2023-06-01"


def test_the_key_is_written_nowhere(home: Home) -> None:
    run(home)
    for file in home.path.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def test_a_second_run_asks_for_the_new_days_and_those_before_them(
    home: Home, vendor: Vendor
) -> None:
    run(home)
    vendor.requests.clear()
    assert run(home).pulled == ()
    assert not vendor.requests
    vendor.cents[date(2026, 10, 5)] = 999  # restated
    report = run(home, date(2026, 10, 8))
    assert report.pulled[0] == "openai costs: 2026-10-04 to 2026-10-07"
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(
        vendor, date(2026, 10, 8)
    )


def test_faults_are_waited_out(home: Home, vendor: Vendor) -> None:
    vendor.faults = [429, 0, 500, "cut", "drop", 0, 503]
    waits: list[float] = []
    report = run(home, waits=waits)
    assert not report.problems
    assert waits == [7.0, 1.0, 2.0, 4.0, 1.0]
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(vendor, TODAY)


def test_a_run_that_breaks_off_goes_on_after_the_last_page(home: Home, vendor: Vendor) -> None:
    vendor.faults = [0, *[500] * ATTEMPTS]
    report = run(home)
    (problem,) = report.problems
    assert problem.startswith("openai costs from 2026-10-01 to 2026-10-06 could not be fetched")
    assert billed(home, "OpenAI") == 0
    assert billed(home, "Anthropic") == expected(vendor, TODAY)[1]
    vendor.requests.clear()
    assert not run(home).problems
    costs = [query for path, query, _ in vendor.requests if path == "/v1/organization/costs"]
    assert [query["page"] for query in costs] == [["page_2"], ["page_4"]]
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(vendor, TODAY)


def test_a_page_that_is_no_longer_known_begins_the_days_anew(home: Home, vendor: Vendor) -> None:
    vendor.faults = [0, *[500] * ATTEMPTS]
    run(home)
    vendor.stale = {"page_2"}
    vendor.faults = []
    original = vendor.stale

    def forgiving(path: str) -> None:
        original.clear()

    vendor.requests.clear()
    waits: list[float] = []
    # The old token is refused once; from then on the server hands out and knows its tokens.
    server_page = _Answer._page

    def page(self: _Answer, path: str, query: dict[str, list[str]]) -> None:
        server_page(self, path, query)
        forgiving(path)

    _Answer._page = page  # type: ignore[method-assign]
    try:
        assert not run(home, waits=waits).problems
    finally:
        _Answer._page = server_page  # type: ignore[method-assign]
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(vendor, TODAY)


def test_days_that_were_fetched_but_not_loaded_do_not_add_up(home: Home, vendor: Vendor) -> None:
    run(home)
    for mark in home.path.glob("pulled/*/*/*/loaded"):
        mark.unlink()  # as if the load had been killed
    run(home, date(2026, 10, 8))
    assert (billed(home, "OpenAI"), billed(home, "Anthropic")) == expected(
        vendor, date(2026, 10, 8)
    )


def test_a_refused_key_is_said_and_not_retried(home: Home, vendor: Vendor) -> None:
    vendor.faults = [401]
    report = run(home)
    (problem,) = report.problems
    assert problem.startswith("openai refused the key in OPENAI_ADMIN_KEY (answer 401).")
    assert KEY not in problem


def test_when_nothing_comes_it_is_an_error(home: Home, vendor: Vendor) -> None:
    vendor.faults = [403] * 5
    with pytest.raises(PullError, match="refused the key"):
        run(home)


def test_without_keys_and_folders_there_is_nothing_to_do(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_ADMIN_KEY")
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    with pytest.raises(UsageError, match="nothing to sync from"):
        run(home)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sync]\nfolder = []", "Did you mean folders"),
        ('[sync]\nsince = "soon"', "since must be a date"),
        ("[sync]\noverlap_days = -1", "overlap_days"),
        ("[sync]\nfolders = 3", "folders must be a list"),
        ("[sync.openai]\nkey = 'x'", "takes base_url"),
    ],
)
def test_settings_that_make_no_sense(home: Home, text: str, said: str) -> None:
    (home.path / "finops.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        run(home)


def test_a_folder_is_loaded_as_well(home: Home, vendor: Vendor, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    page = {"object": "page", "data": [_openai("/costs", date(2026, 11, 1), 100)]}
    (folder / "costs.json").write_text(json.dumps(page))
    text = (home.path / "finops.toml").read_text()
    settings = text.replace("[sync]", f'[sync]\nfolders = ["{folder}"]', 1)
    (home.path / "finops.toml").write_text(settings)
    run(home)
    assert billed(home, "OpenAI") == expected(vendor, TODAY)[0] + 1
