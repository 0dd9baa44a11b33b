"""The web application around the page: its door, its health, its downloads."""

from __future__ import annotations

import logging
import socket

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finops_assistant.store.errors import FinopsError
from finops_assistant.ui.loopback import hostname, is_loopback
from finops_assistant.ui.page.blocks import Page
from finops_assistant.ui.page.desk import Desk
from finops_assistant.ui.page.gradio_offline import gr
from finops_assistant.ui.page.look import head, stylesheet, theme
from finops_assistant.ui.page.tables import Shelf

# Whatever a bill may say, the browser loads and sends nothing beyond this program. Gradio builds
# its page with inline scripts and templates, hence the two ``unsafe`` words.
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build(desk: Desk) -> FastAPI:
    """The application for one desk."""
    shelf = Shelf()
    app = FastAPI(title="finops-assistant", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Door)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        """Whether the program runs, and whether it has a store to answer from."""
        try:
            desk.assistant()
        except FinopsError:
            return JSONResponse({"status": "ok", "store": "missing"})
        return JSONResponse({"status": "ok", "store": "ready"})

    @app.get("/tables/{key}.csv")
    def table(key: str) -> Response:
        """The table of an answer as CSV."""
        download = shelf.get(key)
        if download is None:
            return PlainTextResponse(
                "This download is no longer kept. Ask the question again to get it anew.", 404
            )
        return Response(
            download.content,
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{download.name}"',
                "Cache-Control": "no-store",
            },
        )

    page = Page(desk, shelf)
    gr.mount_gradio_app(
        app,
        page.blocks,
        path="/",
        theme=theme(),
        css=stylesheet(),
        head=head(),
        footer_links=[],
        run_history=False,  # it would keep questions and answers in the browser's storage
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        show_error=False,
        enable_monitoring=False,
        max_file_size="1kb",  # nothing is uploaded
    )
    return app


class Door:
    """Lets in only what this machine's own browser asks for.

    There is no sign-in, so a page of another site must not reach this one: neither by a name that
    it points at this machine (the Host header gives it away) nor across origins.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not; the answer carries the rules for the browser."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        no = _refusal(headers.get("host", ""), headers.get("origin"))
        if no:
            await PlainTextResponse(no, 403)(scope, receive, send)
            return

        async def send_with_rules(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, send_with_rules)


class Server(uvicorn.Server):
    """The server of the page, from a listening socket until Ctrl-C."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End. An open tab holds a stream for ever; that it is cut off is no error to tell."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def _refusal(host: str, origin: str | None) -> str:
    if not is_loopback(hostname(host)):
        return "This page is served on this machine only."
    if origin is not None and origin.partition("://")[2] != host:
        return "Another site may not use this page."
    return ""
