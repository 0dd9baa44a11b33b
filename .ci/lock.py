"""Write constraints.txt: the versions in this environment of all that pyproject.toml leads to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# The exact versions the tests ran with. make lock writes them, make installs them.\n"


def installed(requirements: Iterable[str], extras: frozenset[str], found: dict[str, str]) -> None:
    """Add to ``found`` every distribution that the requirements lead to, with its version."""
    for text in requirements:
        wanted = Requirement(text)
        environments = [{"extra": extra} for extra in extras or {""}]
        if wanted.marker and not any(wanted.marker.evaluate(e) for e in environments):
            continue
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        dist = distribution(wanted.name)
        if not wanted.specifier.contains(dist.version, prereleases=True):
            raise SystemExit(f"{name} {dist.version} is installed, {wanted} is asked for")
        if name not in found or wanted.extras:
            found[name] = dist.version
            installed(dist.requires or (), frozenset(wanted.extras), found)


def main() -> None:
    """Rewrite the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, str] = {}
    installed(project["dependencies"], frozenset(), found)
    for requirements in project["optional-dependencies"].values():
        installed(requirements, frozenset(), found)
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))
    (ROOT / "constraints.txt").write_text(HEADER + lines, encoding="utf-8")
    print(f"{len(found)} packages")


if __name__ == "__main__":
    main()
