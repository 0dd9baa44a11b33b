"""Text that comes from data: shown as text, whatever it says."""

from __future__ import annotations

import re

LONGEST = 90
KEPT_START = 20  # of a long name, as most identifiers differ at their end

# Shapes of well-known credentials; the tail is masked wherever one is shown.
_SECRETS = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{12,}|AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|xox[abprs]-[\w-]{10,}"
    r"|AIza[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]*)?)"
)
# Characters that start something in Markdown or HTML. An underscore inside a word does not.
_MARKUP = re.compile(r"[\\`*\[\]<>|~&{}]|(?<!\w)_|_(?!\w)|^[#+=-](?=\s)")


def masked(text: str) -> str:
    """The text with anything that looks like a key or token cut to its first characters.

    >>> masked("key sk-abcdefghijklmnop")
    'key sk-a…'
    """
    return _SECRETS.sub(lambda found: found.group()[:4] + "…", text)


def plain(text: str) -> str:
    """One line of printable text: no control characters, secrets masked, long text cut
    in the middle."""
    visible = "".join(c if c.isprintable() else " " for c in masked(text))
    visible = " ".join(visible.split())
    if len(visible) <= LONGEST:
        return visible
    return f"{visible[:KEPT_START]}…{visible[-(LONGEST - KEPT_START - 1) :]}"


def escaped(sentence: str) -> str:
    """A sentence that may carry names from data or from the question, free of markup and links."""
    visible = "".join(c if c.isprintable() else " " for c in masked(sentence))
    return _MARKUP.sub(lambda found: "\\" + found.group(), visible).replace("://", ":\\//")


def markdown(text: str) -> str:
    """A name from data as Markdown that renders to just its characters: no markup, no links.

    >>> markdown("![x](http://a.example/?q)")
    '!\\\\[x\\\\](http:\\\\//a.example/?q)'
    """
    return escaped(plain(text))
