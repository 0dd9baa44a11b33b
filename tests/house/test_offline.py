"""The socket block itself: loopback works, everything else is refused, in children too."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

OUTSIDE = "192.0.2.1"  # RFC 5737: an address for documentation, never a machine


def test_another_machine_is_out_of_reach() -> None:
    with socket.socket() as outside, pytest.raises(RuntimeError, match="only loopback"):
        outside.connect((OUTSIDE, 80))
    with socket.socket() as outside, pytest.raises(RuntimeError, match="only loopback"):
        outside.connect_ex((OUTSIDE, 80))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside,
        pytest.raises(RuntimeError, match="only loopback"),
    ):
        outside.sendto(b"x", (OUTSIDE, 53))
    with pytest.raises(RuntimeError, match="no name but localhost"):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(RuntimeError, match="no name but localhost"):
        socket.create_connection((OUTSIDE, 80), timeout=1)


def test_loopback_and_local_pairs_work() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        client.sendall(b"hello")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(5) == b"hello"
    left, right = socket.socketpair()
    with left, right:
        left.sendall(b"pair")
        assert right.recv(4) == b"pair"


def test_child_processes_are_held_too() -> None:
    code = f"import socket; socket.create_connection(('{OUTSIDE}', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "OutsideConnectionError" in done.stderr
