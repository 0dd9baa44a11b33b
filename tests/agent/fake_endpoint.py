"""A server on loopback that speaks the chat-completions API, as well or as badly as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler", dict[str, Any]], None]


class Server(ThreadingHTTPServer):
    """What it was asked, and the replies that it still has; the last one is given for ever."""

    daemon_threads = True

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = replies
        self.asked: list[dict[str, Any]] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """The base address for a client."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def prompts(self) -> str:
        """Everything that was sent, as one text."""
        return json.dumps(self.asked)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class Handler(BaseHTTPRequestHandler):
    """One request: read, remembered, answered by the next reply."""

    server: Server

    def do_POST(self) -> None:
        """Any path is taken for chat completions."""
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or "{}")
        self.server.asked.append(body)
        replies = self.server.replies
        (replies.pop(0) if len(replies) > 1 else replies[0])(self, body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def head(self, status: int = 200, kind: str = "text/event-stream", **more: str) -> None:
        """Status and headers."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in more.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def event(self, data: object) -> None:
        """One server-sent event."""
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """A piece of a streamed reply."""
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _end(handler: Handler, finish: str, usage: bool = True) -> None:
    handler.event(chunk({}, finish))
    if usage:
        counts = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        handler.event({**chunk({}), "choices": [], "usage": counts})
    handler.event("[DONE]")


def says(text: str, *, usage: bool = True, finish: str = "stop") -> Reply:
    """A reply in words, streamed in small pieces."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.head()
        handler.event(chunk({"role": "assistant", "content": ""}))
        for start in range(0, len(text), 7):
            handler.event(chunk({"content": text[start : start + 7]}))
        _end(handler, finish, usage)

    return reply


def calls(name: str, arguments: dict[str, Any] | str, *more: tuple[str, dict[str, Any]]) -> Reply:
    """A reply that calls tools, its arguments streamed in pieces."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.head()
        for index, (called, given) in enumerate([(name, arguments), *more]):
            text = given if isinstance(given, str) else json.dumps(given)
            function = {"name": called, "arguments": ""}
            call = {"index": index, "id": f"call{index}", "type": "function", "function": function}
            handler.event(chunk({"role": "assistant", "content": None, "tool_calls": [call]}))
            for start in range(0, len(text), 11):
                piece = {"index": index, "function": {"arguments": text[start : start + 11]}}
                handler.event(chunk({"tool_calls": [piece]}))
        _end(handler, "tool_calls")

    return reply


def step(tool: str, **given: Any) -> Reply:
    """A reply of schema mode."""
    return says(json.dumps({"step": {"tool": tool, **given}}))


def fails(status: int) -> Reply:
    """An error of the API."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.head(status, "application/json", retry_after_ms="5", x_should_retry="true")
        handler.wfile.write(json.dumps({"error": {"message": "no sk-secret here"}}).encode())

    return reply


def garbage(text: str, kind: str = "application/json") -> Reply:
    """A success that is none."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.head(200, kind)
        handler.wfile.write(text.encode())

    return reply


def dies(handler: Handler, _: dict[str, Any]) -> None:
    """A stream that breaks off in the middle, without an end."""
    handler.head()
    handler.event(chunk({"role": "assistant", "content": "In October"}))


def tears(handler: Handler, _: dict[str, Any]) -> None:
    """A stream that breaks off in the middle of a chunk of the transfer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.event(chunk({"role": "assistant", "content": "In October"}))


def reports_an_error(handler: Handler, _: dict[str, Any]) -> None:
    """A stream that turns into an error."""
    handler.head()
    handler.event(chunk({"role": "assistant", "content": "In"}))
    handler.event({"error": {"message": "out of memory", "type": "server_error"}})


def silent(handler: Handler, _: dict[str, Any]) -> None:
    """No reply at all."""
    handler.server.closing.wait(30)


def drips(line: str = ": keep waiting\n\n") -> Reply:
    """A reply that never ends, a little at a time."""

    def reply(handler: Handler, _: dict[str, Any]) -> None:
        handler.head()
        handler.event(chunk({"role": "assistant", "content": "In"}))
        for _tick in range(600):
            if handler.server.closing.is_set():
                return
            handler.wfile.write(line.encode())
            handler.wfile.flush()
            time.sleep(0.05)

    return reply


def babbles(handler: Handler, _: dict[str, Any]) -> None:
    """A reply far longer than anything that was asked for."""
    handler.head()
    for _more in range(20_000):
        handler.event(chunk({"content": "and so on and so forth "}))


@contextlib.contextmanager
def endpoint(*replies: Reply) -> Iterator[Server]:
    """The server, for as long as the block runs."""
    server = Server(list(replies))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
