"""How the page looks: its theme, its rules, its script. Nothing of it is fetched from anywhere."""

from __future__ import annotations

from importlib.resources import files

from finops_assistant.ui.page.gradio_offline import gr

_FOLDER = files("finops_assistant.ui.page")


def theme() -> gr.themes.Base:
    """The look, with the fonts of the machine: no font is fetched from anywhere."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=sans,
        font_mono=mono,
        radius_size=gr.themes.sizes.radius_md,
    )


def stylesheet() -> str:
    """The rules of the page."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


def head() -> str:
    """The page's own script."""
    return f"<script>{(_FOLDER / 'page.js').read_text(encoding='utf-8')}</script>"
