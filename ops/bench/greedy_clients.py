"""Clients of one account that ask without a pause: ``python -m ops.bench.greedy_clients PLAN``.

The plan is JSON: ``url, paths, headers, clients, seconds, pace, leave_s``. Each client asks for the paths in
turn, and again as soon as it has its answer; with ``pace`` all of them together ask so many times a second.
With ``leave_s`` a client leaves that long after it asked, and asks again. Prints JSON: how many asked, by
status, and the CPU seconds of this process.
"""

import json
import resource
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_PIECE = 1 << 16


def _ask(plan: dict[str, Any], path: str) -> str:
    """Ask once on a connection of its own; the status, or ``left``."""
    at = urlsplit(plan["url"])
    lines = [f"GET {path} HTTP/1.1", f"Host: {at.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in plan["headers"].items()]
    with socket.create_connection((str(at.hostname), int(at.port or 80)), timeout=30) as client:
        client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        if plan["leave_s"]:
            client.settimeout(plan["leave_s"])
        try:
            first = client.recv(_PIECE)
            while client.recv(_PIECE):
                pass
        except TimeoutError:
            return "left"
        return first[9:12].decode("ascii", "replace") or "closed"


def main() -> None:
    """Ask until the time is over."""
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    end = time.monotonic() + plan["seconds"]
    pause = plan["clients"] / plan["pace"] if plan["pace"] else 0.0
    asked: Counter[str] = Counter()
    guard = threading.Lock()

    def greedy(number: int) -> None:
        turn = number
        while time.monotonic() < end:
            due = time.monotonic() + pause
            try:
                found = _ask(plan, plan["paths"][turn % len(plan["paths"])])
            except OSError:
                found = "broken"
            with guard:
                asked[found] += 1
            turn += 1
            time.sleep(max(0.0, min(due, end) - time.monotonic()))

    threads = [threading.Thread(target=greedy, args=(one,), daemon=True) for one in range(plan["clients"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end + 1 - time.monotonic()))
    used = resource.getrusage(resource.RUSAGE_SELF)
    with guard:
        told = json.dumps({"asked": dict(asked), "cpu": used.ru_utime + used.ru_stime})
    sys.stdout.write(told)


if __name__ == "__main__":
    main()
