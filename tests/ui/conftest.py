"""What the page's tests share: a served page, a browser, a bill with hostile names."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# A runner of this kind must have the browser: there, a missing one fails instead of skipping.
REQUIRED = "BROWSER_TESTS"
_SERVE = (
    "import sys; from pathlib import Path\n"
    "from finops_assistant.store.settings import Home\n"
    "from finops_assistant.ui.serve import serve\n"
    "sys.exit(serve(Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])))"
)
# Headless, and without Chromium's own traffic to its maker.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
)

HOSTILE = (
    "<script>alert('tag')</script>",
    "<img src=http://192.0.2.1/pixel onerror=alert('img')>",
    "![picture](http://192.0.2.1/md.png)",
    "[click](javascript:alert('md'))",
    "<svg/onload=alert('svg')>",
    "${alert('template')}{{constructor.constructor('alert(1)')()}}",
    "</td></table><iframe src=http://192.0.2.1/frame></iframe>",
    '=HYPERLINK("http://192.0.2.1","open")',
    "www.evil.example and https://evil.example/x",
    "`code` **bold** | pipe | _under_ $$x^2$$ \\(y\\)",
    '<a href="http://192.0.2.1" style="position:fixed">b</a><style>body{display:none}</style>',
)


@dataclass
class Served:
    """The page of one home, served by a process of its own."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; returns the exit code and whatever else was said."""
        self.process.send_signal(signal.SIGINT)
        _, rest = self.process.communicate(timeout=30)
        return self.process.returncode, "".join(self.said) + rest


@contextmanager
def serving(home: Path, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """Serve a home's page on a port (0: any free one) until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(home), host, str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "FINOPS_HOME": str(home)},
        text=True,
    )
    said: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            found = re.search(r"http://\S+:\d+", line)
            if found:
                yield Served(process, found[0], said)
                break
        else:
            pytest.fail("the page did not open: " + "".join(said))
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """``with serve(home) as served:`` opens the page in a process of its own."""
    return serving


@pytest.fixture
def sample_copy(tmp_path: Path, sample_home: Path) -> Path:
    """A home with the sample company's store, to write conversations into."""
    own = tmp_path / "home"
    own.mkdir()
    version = (sample_home / "costs.duckdb").resolve()
    shutil.copy2(version, own / version.name)
    (own / "costs.duckdb").symlink_to(version.name)
    return own


@pytest.fixture
def hostile_home(tmp_path: Path) -> Path:
    """A home whose bill carries markup, scripts and formulas for names."""
    from finops_assistant.store.ingest import ingest
    from finops_assistant.store.settings import Home

    home = tmp_path / "hostile"
    home.mkdir()
    charges = [
        Charge(month, after, day, f"{100 + rank}.25", name, {"team": name, "project": name})
        for month, after in (("2026-09", "2026-10"), ("2026-10", "2026-11"))
        for rank, name in enumerate(HOSTILE)
        for day in ("05", "30" if month == "2026-09" else "31")
    ]
    charges.append(Charge("2026-10", "2026-11", "31", "1.00", "Plain", {}))
    write_bill(home / "bill.csv", charges)
    ingest(Home(home), [home / "bill.csv"])
    return home


@dataclass(frozen=True)
class Charge:
    """One charge; its names are all alike."""

    month: str
    after: str
    day: str
    cost: str
    name: str
    tags: dict[str, str]


_HEADER = (
    "BilledCost EffectiveCost ListCost ContractedCost BillingAccountId BillingAccountName "
    "BillingCurrency BillingPeriodStart BillingPeriodEnd ChargeCategory ChargeClass "
    "ChargeDescription ChargePeriodStart ChargePeriodEnd InvoiceIssuerName ProviderName "
    "PublisherName PricingQuantity PricingUnit ServiceCategory ServiceName Tags"
)


def write_bill(file: Path, charges: list[Charge]) -> None:
    """The charges as a FOCUS CSV."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER.split())
        for one in charges:
            day = f"{one.month}-{one.day}"
            writer.writerow(
                [one.cost] * 4
                + [f"account {one.name}", one.name, "USD"]
                + [f"{one.month}-01T00:00:00Z", f"{one.after}-01T00:00:00Z", "Usage", "", one.name]
                + [f"{day}T00:00:00Z", f"{day}T23:00:00Z", one.name, one.name, one.name]
                + ["1", "Hours", "Compute", one.name, json.dumps(one.tags) if one.tags else ""]
            )


@dataclass
class Watched:
    """A page in the browser, and everything it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Type a question and wait for its answer."""
        before = self.answers()
        self.page.fill("#box textarea", question)
        self.page.press("#box textarea", "Enter")
        self.wait(before + 1)

    def click_chip(self, text: str) -> None:
        """Click a suggestion and wait for the answer."""
        before = self.answers()
        self.page.get_by_role("button", name=text, exact=True).click()
        self.wait(before + 1)

    def answers(self) -> int:
        return self.page.locator("#talk .answer").count()

    def wait(self, answers: int) -> None:
        self.page.wait_for_function(
            "n => document.querySelectorAll('#talk .answer').length >= n"
            " && !document.querySelector('#talk .progress')",
            arg=answers,
            timeout=60_000,
        )

    def outside(self) -> list[str]:
        """Requests to anything but this machine."""
        own = re.compile(r"(?:https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:")
        return [url for url in self.requests if not own.match(url)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, where the machine has one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None or not _has_playwright():
        missing = "these tests need Debian's chromium and the Python package playwright"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield opened
        opened.close()


def _has_playwright() -> bool:
    from importlib.util import find_spec

    return find_spec("playwright") is not None


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """``watch(url, width=..., dark=...)`` opens a page in a browser profile of its own."""
    contexts = []

    def open_page(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Watched:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        watched = Watched(page)
        # The developer tools' own log: pre-flights, pings and what was blocked are in it as well.
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        tools.on(
            "Network.requestWillBeSent", lambda e: watched.requests.append(e["request"]["url"])
        )
        tools.on("Network.webSocketCreated", lambda e: watched.requests.append(e["url"]))
        context.on("request", lambda request: watched.requests.append(request.url))
        page.on(
            "console",
            lambda m: watched.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))

        def refuse(dialog: Any) -> None:
            watched.complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", refuse)
        page.goto(url)
        page.wait_for_selector("#box textarea")
        page.wait_for_selector("#chips .chip, #hint")
        page.wait_for_function("document.querySelector('#header h1') !== null")
        return watched

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def hand_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two charges of October 2026 that are added up by eye: 90 and 40."""
    from finops_assistant.store.ingest import ingest
    from finops_assistant.store.settings import Home

    home = tmp_path_factory.mktemp("hand")
    bill = home / "bill.csv"
    write_bill(
        bill,
        [
            Charge("2026-10", "2026-11", "01", "90.00", "AWS", {"team": "search"}),
            Charge("2026-10", "2026-11", "31", "40.00", "OpenAI", {"team": "payments"}),
        ],
    )
    ingest(Home(home), [bill])
    return home
