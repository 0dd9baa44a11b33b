"""The home folder and its settings: flags come first, then ``FINOPS_*``, then ``finops.toml``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finops_assistant.store.errors import UsageError, suggest

HOME_VARIABLE = "FINOPS_HOME"
TABLES = (
    "reporting_currency",
    "memory",
    "tags",
    "allocation",
    "principals",
    "default_principal",
    "model",
    "sync",
)
_TEXTS = ("reporting_currency", "memory", "default_principal")
_LISTS = ("allocation",)


@dataclass(frozen=True)
class Settings:
    """What ``finops.toml`` says. ``allocation``: rules (read and checked by ``allocation_rules``);
    ``memory``: what a load may take before it uses the disk;
    ``tags``: dimension -> {keys: [...], values: {alias: value}};
    ``model``: name, base_url, mode, timeout (read and checked by ``agent.models``);
    ``sync``: since, overlap_days, folders and a table a vendor (read and checked by ``sync``)."""

    reporting_currency: str | None = None
    memory: str = "3GB"
    tags: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    allocation: Sequence[Any] = ()
    principals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    default_principal: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    sync: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Home:
    """The folder that holds everything of one installation."""

    path: Path

    @classmethod
    def find(cls, path: str | Path | None = None) -> Home:
        """The folder named, else ``FINOPS_HOME``, else ``~/.finops``; UsageError for a file."""
        chosen = path or os.environ.get(HOME_VARIABLE) or Path.home() / ".finops"
        found = Path(chosen).expanduser().absolute()
        if found.is_file():
            raise UsageError(
                f"{found} is a file, not a folder. Choose a folder with FINOPS_HOME or --home."
            )
        return cls(found)

    @property
    def pointer(self) -> Path:
        """``costs.duckdb``: a link to the current version of the store."""
        return self.path / "costs.duckdb"

    @property
    def state(self) -> Path:
        """``state.sqlite``: conversations and whatever else is not cost data."""
        return self.path / "state.sqlite"

    def settings(self) -> Settings:
        """The settings of this folder; an absent file means the defaults."""
        file = self.path / "finops.toml"
        if not file.exists():
            return Settings()
        try:
            data = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UsageError(
                f"{file} cannot be read ({error.strerror}). Correct that and try again."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{file} is not valid TOML ({error}). Correct it and try again."
            ) from None
        for name, value in data.items():
            if name not in TABLES:
                near = suggest(name, TABLES)
                hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(TABLES)}."
                raise UsageError(f"{file}: unknown setting {name!r}.{hint}")
            expected, what = (
                (str, "a text in quotes")
                if name in _TEXTS
                else (list, f"rules that begin with [[{name}]]")
                if name in _LISTS
                else (dict, f"a table such as [{name}]")
            )
            if not isinstance(value, expected):
                raise UsageError(f"{file}: {name} must be {what}.")
        if not re.fullmatch(r"\d+(\.\d+)? ?[KMGT]i?B", data.get("memory", "1GB")):
            raise UsageError(f'{file}: memory must be an amount such as "3GB".')
        return Settings(**data)
