"""``finops ui``: serve the chat page on this machine until Ctrl-C."""

from __future__ import annotations

import errno
import logging
import os
import socket
import threading
from argparse import Namespace
from contextlib import suppress

from finops_assistant.store.errors import UsageError
from finops_assistant.store.settings import Home
from finops_assistant.ui.homes import reading_home
from finops_assistant.ui.terminal import note

HOST = "127.0.0.1"
PORT = 7860
PORTS_TRIED = 40


def run(args: Namespace) -> int:
    """Serve the page over one's own store, or the sample company's while there is no other."""
    return serve(args.home, args.host, args.port, principal=args.principal)


def serve(
    home: Home,
    host: str = HOST,
    port: int = PORT,
    *,
    principal: str | None = None,
    sample: bool = False,
) -> int:
    """Serve the page until Ctrl-C, which is its proper end: 0.

    ``sample`` says that the home is that of the sample company. Raises ``UsageError`` for a host
    that others could reach, or when no port is free.
    """
    listening = listen(host, port)
    with listening:
        note("Opening the page …")
        from finops_assistant.agent.assistant import Assistant
        from finops_assistant.ui.page.app import Server, build
        from finops_assistant.ui.page.desk import Desk

        def open_assistant() -> tuple[Assistant, bool]:
            chosen = reading_home(home)
            return Assistant.open(chosen), sample or chosen != home

        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
        desk = Desk(open_assistant, principal=principal)
        server = Server(build(desk))
        address, bound = listening.getsockname()[:2]
        if bound != port and port:
            note(f"Port {port} is taken, so the page is on port {bound}.")
        shown = f"[{address}]" if ":" in address else address
        note(f"The page is at http://{shown}:{bound} (Ctrl-C ends it).")
        threading.Thread(target=desk.warm, daemon=True).start()
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listening])
    note("The page is closed.")
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket on that port, or on the next free one; 0 takes any."""
    from finops_assistant.ui.loopback import is_loopback

    if not is_loopback(host):
        raise UsageError(
            f"--host {host} would let others reach the page, and it has no sign-in: "
            f"it is served on this machine only. Use --host {HOST}."
        )
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port} is no port; use one from 1 to 65535.")
    address = HOST if host.lower() == "localhost" else host
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)) if port else [0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # a port just left is free; elsewhere this would steal one
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, candidate))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise UsageError(f"--host {host}: {error.strerror}. Use --host {HOST}.") from None
        else:
            return listening
    raise UsageError(
        f"No port from {port} to {port + PORTS_TRIED - 1} is free. Name another with --port."
    )
