"""Nothing but loopback: Python in this process can reach no other machine.

Python imports a module of this name at start-up when its folder is on ``PYTHONPATH``, so the block
also holds in every child process that a test starts. ``tests/conftest.py`` switches it on.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any


class OutsideConnectionError(RuntimeError):
    """A test tried to reach another machine."""


def _is_local(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _check(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise OutsideConnectionError(f"tests reach only loopback, not {address[0]!r}")


def install() -> None:
    """Refuse connections, datagrams and name look-ups that leave the machine; done once."""
    connect, connect_ex, sendto = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.socket.sendto,
    )
    lookup = socket.getaddrinfo
    if lookup.__module__ != "socket":
        return

    def local_connect(self: socket.socket, address: Any) -> None:
        _check(self.family, address)
        connect(self, address)

    def local_connect_ex(self: socket.socket, address: Any) -> int:
        _check(self.family, address)
        return connect_ex(self, address)

    def local_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        _check(self.family, rest[-1])
        return sendto(self, data, *rest)

    def local_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            raise OutsideConnectionError(f"tests look up no name but localhost, not {host!r}")
        return lookup(host, *args, **kwargs)

    patched: Any = socket.socket
    patched.connect = local_connect
    patched.connect_ex = local_connect_ex
    patched.sendto = local_sendto
    socket.getaddrinfo = local_lookup


install()
