"""The wheel holds every file of the six rooms, built through the sdist too, and it runs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("agent", "tools", "knowledge", "store", "ui", "evals")

pytestmark = pytest.mark.slow


def package_files() -> set[str]:
    """What git holds, or would hold, of the rooms."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *ROOMS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheel built from the tree, and the one built from the sdist."""
    built: list[Path] = []
    for name, arguments in (("direct", ["--wheel"]), ("sdist", [])):
        folder = tmp_path_factory.mktemp(name)
        subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), *arguments],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=300,
        )
        built += folder.glob("*.whl")
    assert len(built) == 2
    return built


def test_every_file_of_the_rooms_is_inside(wheels: list[Path]) -> None:
    expected = {f"finops_assistant/{name}" for name in package_files()}
    assert any(name.endswith(".yaml") for name in expected)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == expected


def test_it_installs_and_answers(wheels: list[Path], tmp_path: Path) -> None:
    fresh = tmp_path / "venv"
    venv.create(fresh, with_pip=False)
    python = fresh / "bin" / "python"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
            *("--no-deps", "--no-index", str(wheels[1])),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    # The packages it needs are those of the environment that runs the tests; a path in a .pth file
    # does not bring that environment's own editable install along.
    own = next((fresh / "lib").glob("python*/site-packages"))
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    env = {**os.environ, "FINOPS_HOME": str(tmp_path / "home")}

    def finops(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(fresh / "bin" / "finops"), *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert "demo" in finops("--help").stdout
    where = subprocess.run(
        [str(python), "-c", "import finops_assistant.store.errors as e; print(e.__file__)"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert str(fresh) in where
    missing = finops("ask", "What did we spend last month?")
    assert missing.returncode == 2, missing.stderr
    assert len(missing.stderr.strip().splitlines()) == 1
    assert "finops ingest" in missing.stderr
