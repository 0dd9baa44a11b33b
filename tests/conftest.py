"""What every test gets: no network, a home of its own, and the sample company built once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import runpy
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = Path(__file__).resolve().parent / "offline"

# Before any test module is imported; child processes inherit the variable and block themselves.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]
)
runpy.run_path(str(OFFLINE / "sitecustomize.py"))


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test sees the home folder, the settings or the model keys of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("FINOPS_") and name != "FINOPS_REALDATA":
            monkeypatch.delenv(name)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FINOPS_HOME", str(tmp_path_factory.getbasetemp() / "no-such-home"))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of public billing samples that ``FINOPS_REALDATA`` names."""
    folder = os.environ.get("FINOPS_REALDATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("FINOPS_REALDATA names no folder of billing samples")
    return Path(folder)


@pytest.fixture(scope="session")
def sample_home() -> Path:
    """A home that holds the sample company, built once for all workers and kept for the next run.

    Tests read it and never write to it. The folder's name is the digest of what built it, so a
    change to the store or to the generator builds another.
    """
    digest = hashlib.sha256()
    for file in sorted((ROOT / "store").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    cache = ROOT / ".sample"
    cache.mkdir(exist_ok=True)
    home = cache / digest.hexdigest()[:16]
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _build_sample(home)
            for old in sorted(cache.glob("[0-9a-f]*"), key=lambda p: p.stat().st_mtime)[:-2]:
                shutil.rmtree(old, ignore_errors=True)
    return home


def _build_sample(home: Path) -> None:
    from finops_assistant.store.ingest import ingest
    from finops_assistant.store.sample import generate
    from finops_assistant.store.settings import Home

    building = home.with_suffix(".part")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    generate(building / "sample")
    shutil.copyfile(building / "sample" / "finops.toml", building / "finops.toml")
    ingest(Home(building), [building / "sample"])
    building.rename(home)
