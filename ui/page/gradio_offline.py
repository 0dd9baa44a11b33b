"""Gradio, imported so that it asks nobody on the network and looks nothing up.

The page's modules take ``gr`` from here: the variables must stand before the first import.
"""

from __future__ import annotations

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import gradio as gr

__all__ = ["gr"]
