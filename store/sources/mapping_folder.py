"""Mapping files that lie beside the files they describe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from finops_assistant.store.errors import UsageError
from finops_assistant.store.sources.mapping import MappingFile, read_mapping
from finops_assistant.store.sources.source import Source

_ENDINGS: Final = (".mapping.yaml", ".mapping.yml")


def is_mapping(name: str) -> bool:
    """Whether a file of this name is a mapping and no bill."""
    return name.lower().endswith(_ENDINGS)


def mappings_in(folder: Path) -> tuple[list[MappingFile], dict[Path, str]]:
    """The mapping files of a folder by name, and for those that are wrong the sentence why.

    One without a ``file`` glob recognises the files that have all the columns it reads.
    """
    found: list[MappingFile] = []
    wrong: dict[Path, str] = {}
    for path in sorted(p for p in folder.iterdir() if is_mapping(p.name) and p.is_file()):
        try:
            one = read_mapping(path)
        except UsageError as error:
            wrong[path] = str(error)
            continue
        if one.file is None:
            fields = one.source.fields
            needed = () if callable(fields) else tuple(f.name for f in fields if f.required)
            one = replace(one, source=replace(one.source, signatures=(needed,)))
        found.append(one)
    return found, wrong


def mapped(
    mappings: Iterable[MappingFile], name: str, header: Mapping[str, str], known: Source | None
) -> Source | None:
    """The source of a file beside mappings, ``known`` being the program's own source for it.

    A mapping with a matching ``file`` glob comes first, then the program's own sources, then a
    mapping without a glob.
    """
    mappings = tuple(mappings)
    for one in mappings:
        if one.file is not None and fnmatch(name, one.file):
            return one.source
    if known is not None:
        return known
    return next(
        (m.source for m in mappings if m.file is None and m.source.recognises(header)), None
    )
