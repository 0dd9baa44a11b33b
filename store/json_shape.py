"""What a JSON file is about, from its beginning: its keys, and whether it is JSON Lines."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_KEY: Final = re.compile(r'(?<!\\)"((?:[^"\\\n]|\\.){1,120})"\s*:')
_NAMED: Final = re.compile(r'"(?:object|key)"\s*:\s*"((?:[^"\\\n]|\\.){1,120})"')
_MOST_KEYS: Final = 5_000
_SCANNED: Final = 256 << 10  # characters looked at for keys: every kind of record comes by then


def json_shape_of(head: str) -> tuple[dict[str, str], bool]:
    """The keys of the documents (every key, every dotted path of the first document, and the
    values of ``object`` and ``key`` members) and whether each line is a document of its own.

    >>> json_shape_of('{"a": {"b": 1}}\\n{"a": {"b": 2}}\\n')
    ({'a': 'JSON', 'a.b': 'JSON', 'b': 'JSON'}, True)
    """
    text = head.lstrip()
    first = _first_document(text)
    names: dict[str, str] = {}
    if isinstance(first, dict):
        _add_paths(first, "", names)
    for pattern in (_KEY, _NAMED):
        for match in pattern.finditer(text, 0, _SCANNED):
            if len(names) >= _MOST_KEYS:
                break
            names.setdefault(match.group(1), "JSON")
    return names, _is_lines(text)


def _first_document(text: str) -> Any:
    start = text[1:].lstrip() if text.startswith("[") else text
    try:
        return json.JSONDecoder().raw_decode(start)[0]
    except (ValueError, RecursionError):
        return None


def _add_paths(document: dict[str, Any], prefix: str, names: dict[str, str]) -> None:
    for key, value in document.items():
        if len(names) >= _MOST_KEYS:
            return
        names.setdefault(prefix + key, "JSON")
        if isinstance(value, dict) and prefix.count(".") < 8:
            _add_paths(value, f"{prefix}{key}.", names)


def _is_lines(text: str) -> bool:
    """Whether the first line is a whole document and more follow."""
    line, _, rest = text.partition("\n")
    if not line.startswith("{") or not rest.strip():
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return rest.lstrip().startswith("{")
    return True
