"""Drives clients/conformance/ensemble.py: three real servers, and faults."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

DRIVER = pathlib.Path(__file__).resolve().parents[2] / "conformance" / "ensemble.py"


class Ensemble:
    def __init__(self, *flags: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(DRIVER), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._down: set[int] = set()
        self._paused: set[int] = set()
        self.endpoints: list[str] = self._answer()["endpoints"]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def heal(self) -> None:
        """All three run."""
        for server in list(self._paused):
            self.resume(server)
        for server in list(self._down):
            self.start(server)

    def leader(self) -> int:
        return int(self._ask("leader")["id"])

    def followers(self) -> list[int]:
        leader = self.leader()
        return [server for server in (1, 2, 3) if server != leader]

    def kill(self, server: int) -> None:
        self._down.add(server)
        self._ask(f"kill {server}")

    def start(self, server: int) -> None:
        self._ask(f"start {server}")
        self._down.discard(server)

    def pause(self, server: int) -> None:
        self._paused.add(server)
        self._ask(f"pause {server}")

    def resume(self, server: int) -> None:
        self._ask(f"resume {server}")
        self._paused.discard(server)

    def endpoint(self, server: int) -> str:
        return self.endpoints[server - 1]

    def first(self, server: int) -> list[str]:
        """All endpoints, that of `server` first."""
        return sorted(self.endpoints, key=lambda endpoint: endpoint != self.endpoint(server))

    def front(self, server: int) -> str:
        return str(self._ask(f"front {server}")["endpoint"])

    def fault(self, name: str, front: str) -> None:
        self._ask(f"{name} {front}")

    def other(self, kind: str) -> str:
        """An endpoint that is none of the ensemble's: silent, nobody, stranger or http."""
        return str(self._ask(kind)["endpoint"])

    def tls(self, certificate: str) -> dict[str, Any]:
        """A server that demands a certificate; its own is good ("server") or "expired"."""
        return self._ask(f"tls {certificate}")

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or '{"error": "ended"}')
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer
