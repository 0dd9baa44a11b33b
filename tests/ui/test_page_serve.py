"""Where the page is served, and how it ends."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.errors import UsageError
from finops_assistant.ui.serve import listen


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1.nip"])  # noqa: S104
def test_a_host_that_others_reach_is_refused_in_a_sentence(host: str) -> None:
    with pytest.raises(UsageError, match="no sign-in") as refused:
        listen(host, 0)
    assert "--host 127.0.0.1" in str(refused.value)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="is no port"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_loopback_hosts_are_served(host: str) -> None:
    with listen(host, 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_the_next_free_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        if port > 65500:
            pytest.skip("the machine gave a port with none above it")
        with listen("127.0.0.1", port) as listening:
            assert port < listening.getsockname()[1] <= port + 40


@pytest.mark.slow
def test_a_taken_port_is_said_and_ctrl_c_ends_it_cleanly(
    tmp_path: Path, serve: Callable[..., Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve(tmp_path, port=port) as served:
            assert f"Port {port} is taken" in "".join(served.said)
            with urllib.request.urlopen(f"{served.url}/healthz", timeout=30) as answer:  # noqa: S310
                assert answer.read() == b'{"status":"ok","store":"missing"}'
            code, told = served.stop()
    assert code == 0
    assert "Traceback" not in told
    assert told.rstrip().endswith("The page is closed.")
