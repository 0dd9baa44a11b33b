"""The worker process: it is confined, it is replaced when it fails, and it ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from finops_assistant.store.errors import FinopsError, QueryRefused, StoreError
from finops_assistant.store.focus import META_SQL, create_table_sql, create_view_sql
from finops_assistant.store.sandbox import process
from finops_assistant.store.sandbox.client import Sandbox, close_shared, shared
from finops_assistant.store.sandbox.process import Broken, Late, Worker
from finops_assistant.store.sandbox.replies import Limits
from finops_assistant.store.settings import Home

ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"


def version(home: Home, number: int, rows: int) -> None:
    """Write a version of the store and point the link to it, as a load does."""
    home.path.mkdir(exist_ok=True)
    file = home.path / f"costs-{number:06d}.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(create_table_sql())
        con.execute(create_view_sql())
        con.execute(META_SQL)
        con.execute("INSERT INTO charges (EffectiveCost) SELECT 1 FROM range(?)", [rows])
    link = home.path / "link"
    link.symlink_to(file.name)
    link.replace(home.pointer)
    for old in home.path.glob("costs-*.duckdb"):
        if old != file:
            old.unlink()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "ho me's")
    version(made, 1, 10)
    return made


@pytest.fixture
def sandbox(home: Home) -> Iterator[Sandbox]:
    made = Sandbox(home)
    yield made
    made.close()


def count(sandbox: Sandbox) -> object:
    return sandbox.run("SELECT count(*) FROM focus").rows[0][0]


def gone(pid: int) -> bool:
    """Whether every thread of a process has ended: until then its pipes stay open."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return all((t / "stat").read_text().split(") ")[1][0] == "Z" for t in threads)
    except (FileNotFoundError, ProcessLookupError):
        return not Path(f"/proc/{pid}").exists()


def wait_until(done: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_a_worker_is_used_again(sandbox: Sandbox) -> None:
    assert count(sandbox) == 10
    first = sandbox.pids()
    assert len(first) == 1
    with pytest.raises(FinopsError):
        sandbox.run("nonsense")
    assert count(sandbox) == 10
    assert sandbox.pids() == first


def test_a_new_version_is_read_by_the_next_statement(sandbox: Sandbox, home: Home) -> None:
    assert count(sandbox) == 10
    (old,) = sandbox.pids()
    version(home, 2, 25)
    assert count(sandbox) == 25
    assert gone(old)
    assert len(sandbox.pids()) == 1


def test_nothing_is_kept_between_statements(sandbox: Sandbox) -> None:
    from finops_assistant.store.access import Principal

    nobody = Principal(name="x", allow={"team": ("nobody",)})
    assert sandbox.run("SELECT count(*) FROM focus", nobody).rows == ((0,),)
    assert count(sandbox) == 10
    assert sandbox.run("SELECT count(*) FROM focus", nobody).rows == ((0,),)


def test_a_worker_that_died_is_replaced(sandbox: Sandbox) -> None:
    count(sandbox)
    (pid,) = sandbox.pids()
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: gone(pid))
    assert count(sandbox) == 10
    assert sandbox.pids() != (pid,)


def test_a_worker_that_dies_at_work_is_a_plain_no(home: Home) -> None:
    sandbox = Sandbox(home)
    count(sandbox)
    (pid,) = sandbox.pids()
    killer = threading.Timer(0.5, os.kill, (pid, signal.SIGKILL))
    killer.start()
    try:
        with pytest.raises(QueryRefused, match="broke the process"):
            sandbox.run(ENDLESS)
        assert count(sandbox) == 10
    finally:
        killer.join()
        sandbox.close()


def test_a_query_without_end_is_stopped(home: Home) -> None:
    sandbox = Sandbox(home, Limits(seconds=1, grace=3))
    try:
        with pytest.raises(QueryRefused, match="may take 1 seconds"):
            sandbox.run(ENDLESS)
        assert count(sandbox) == 10
    finally:
        sandbox.close()


def test_a_worker_that_cannot_be_stopped_is_killed(home: Home) -> None:
    sandbox = Sandbox(home, Limits(seconds=0.5, grace=1))
    count(sandbox)
    (pid,) = sandbox.pids()
    os.kill(pid, signal.SIGSTOP)  # as one that computes and does not look at the clock
    try:
        with pytest.raises(QueryRefused, match="was stopped"):
            sandbox.run("SELECT 1")
        assert gone(pid)
        assert count(sandbox) == 10
    finally:
        sandbox.close()


def test_questions_at_the_same_time_each_get_their_own(sandbox: Sandbox) -> None:
    found: list[object] = []

    def ask(n: int) -> None:
        found.append(sandbox.run(f"SELECT {n} + count(*) FROM focus").rows[0][0])

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == sorted((n + 10 for n in range(8)), key=str)
    assert len(sandbox.pids()) <= Limits().workers


def test_too_many_at_once_are_told_to_wait(home: Home) -> None:
    sandbox = Sandbox(home, Limits(seconds=1, grace=4, workers=1))
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(QueryRefused) as caught:
            sandbox.run(ENDLESS)
        said.append(str(caught.value))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sandbox.close()
    assert len(said) == 3
    assert any("Too many other queries" in text for text in said)
    assert any("was stopped" in text for text in said)


def test_closing_ends_the_workers(home: Home) -> None:
    sandbox = Sandbox(home)
    count(sandbox)
    (pid,) = sandbox.pids()
    sandbox.close()
    assert gone(pid)


def test_the_shared_one_is_one_per_home(home: Home) -> None:
    assert shared(home) is shared(Home(home.path))
    count(shared(home))
    (pid,) = shared(home).pids()
    close_shared()
    assert gone(pid)


@pytest.mark.parametrize("work", ["SELECT 1", ENDLESS], ids=["idle", "at work"])
def test_it_ends_with_its_parent(home: Home, work: str) -> None:
    script = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from finops_assistant.store.sandbox.client import Sandbox\n"
        "from finops_assistant.store.settings import Home\n"
        "sandbox = Sandbox(Home(Path(sys.argv[1])))\n"
        "sandbox.run('SELECT 1')\n"
        "print(*sandbox.pids(), flush=True)\n"
        "threading.Timer(0.3, print, ('now',), {'flush': True}).start()\n"
        "sandbox.run(sys.argv[2])\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(home.path), work],
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "now\n"
        assert not gone(pid)
        parent.kill()
        parent.wait()
    assert wait_until(lambda: gone(pid))


def test_a_process_that_just_ends_leaves_none_behind(home: Home) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from finops_assistant.store.sandbox.client import shared\n"
        "from finops_assistant.store.settings import Home\n"
        "sandbox = shared(Home(Path(sys.argv[1])))\n"
        "sandbox.run('SELECT 1')\n"
        "print(*sandbox.pids())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(home.path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert gone(int(done.stdout))


def test_a_damaged_store_is_one_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "costs-000001.duckdb").write_bytes(b"no database" * 1000)
    home.pointer.symlink_to("costs-000001.duckdb")
    sandbox = Sandbox(home)
    with pytest.raises(FinopsError, match="could not be started") as caught:
        sandbox.run("SELECT 1")
    assert not isinstance(caught.value, StoreError)
    sandbox.close()


@pytest.mark.parametrize(
    "says",
    ["", "print('{')", "print('[1]')", "print('x' * 100)", "import time; time.sleep(60)"],
)
def test_what_is_no_reply_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, home: Home, says: str
) -> None:
    monkeypatch.setattr(process, "_START", says)
    with pytest.raises((Broken, Late)):
        Worker({"path": str(home.pointer)}, time.monotonic() + 0.7)


def test_a_reply_has_a_longest(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(process, "_START", "while True: print('x' * 10000, end='')")
    monkeypatch.setattr(process, "_LONGEST_REPLY", 1 << 20)
    with pytest.raises(Broken, match="too long"):
        Worker({"path": str(home.pointer)}, time.monotonic() + 20)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_it_runs_without_the_rights_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new thread may start any more once the worker is confined: nothing may need one."""
    start, end = process._START.rsplit(";", 1)
    become = "import os, duckdb, zoneinfo; os.setgroups([]); os.setgid(65534); os.setuid(65534)"
    monkeypatch.setattr(process, "_START", f"{start}; {become};{end}")
    with tempfile.TemporaryDirectory() as open_to_all:
        home = Home(Path(open_to_all))
        version(home, 1, 300_000)
        home.path.chmod(0o755)
        sandbox = Sandbox(home)
        try:
            for _ in range(3):
                assert count(sandbox) == 300_000
                joined = sandbox.run(
                    "SELECT EffectiveCost, count(*) FROM focus JOIN (SELECT DISTINCT EffectiveCost "
                    "FROM focus) USING (EffectiveCost) GROUP BY ALL ORDER BY 1"
                )
                assert joined.rows == ((1, 300_000),)
            (pid,) = sandbox.pids()
            assert "Uid:\t65534\t65534" in Path(f"/proc/{pid}/status").read_text()
        finally:
            sandbox.close()
