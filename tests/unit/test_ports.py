"""Ports that two processes choose at the same moment are never the same."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.parts import ports

CHOOSE = """
import json, sys
from infra.local.parts.ports import free_port
print(json.dumps([free_port() for _ in range(100)]), flush=True)
sys.stdin.read()
"""


def test_no_port_is_chosen_twice_by_processes_that_live_at_once() -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", CHOOSE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    try:
        chosen = [port for one in running for port in json.loads(one.stdout.readline() if one.stdout else b"[]")]
    finally:
        for one in running:
            one.communicate()
    assert len(chosen) == len(set(chosen)) == 400
    assert set(chosen) <= set(ports.RANGE)


def test_a_port_on_which_somebody_listens_or_that_is_to_be_avoided_is_not_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])
    avoided = set(ports.RANGE) - {wanted := ports.free_port()}
    assert ports.free_port(avoided) == wanted


def test_where_no_block_can_be_had_there_are_ports_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "RANGE", range(port, port + 2))
        assert ports._own_block() == range(port + 1, port + 2)


def test_ports_are_remembered(tmp_path: Path) -> None:
    first = ports.remembered_ports(tmp_path, "kafka", "redis")
    assert ports.remembered_ports(tmp_path, "redis", "kafka", "postgres").items() >= first.items()
    assert len(set(ports.remembered_ports(tmp_path, "kafka", "redis", "postgres").values())) == 3
