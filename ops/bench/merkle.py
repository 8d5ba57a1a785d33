"""The root over a day's leaves."""

import hashlib
import time
from collections.abc import Callable

from archive.records import merkle
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.workbench import Workbench

SUBJECT = "merkle"
_LEAVES, _FEW = 432_000, 20_000
_ROUNDS = 3
_LIMIT_S = 1.0
_LINE = 480
"""Bytes of a journal line."""


def measure(bench: Workbench) -> Findings:
    """Hash leaves and compute their root, beside as many calls of hashlib."""
    began = time.monotonic()
    bench.say("merkle: a day of 50 cameras")
    count = _FEW if bench.scale.is_brief else _LEAVES
    lines = [number.to_bytes(8, "big") * (_LINE // 8) for number in range(count)]
    hashes = [merkle.leaf_hash(line) for line in lines]
    pair = b"\x01" + bytes(64)

    def bare() -> None:
        for _ in range(count - 1):
            hashlib.sha256(pair).digest()

    root = _best(lambda: merkle.root(hashes))
    whole = _best(lambda: merkle.root(merkle.leaf_hash(line) for line in lines))
    plain = _best(bare)
    return bench.findings(
        SUBJECT,
        "The root over a day",
        seconds=time.monotonic() - began,
        conditions=(
            f"{count} leaves: a day of 50 cameras with segments of 10 s; the best of {_ROUNDS} "
            "rounds in one process, everything in memory.",
            "hashlib alone: SHA-256 of 65 bytes as often as the tree has inner nodes, in a bare loop.",
        ),
        figures=(
            Figure(
                name=f"Root of {count} leaf hashes", unit="s", ours=root, peer=plain,
                peer_name="hashlib alone", limit=_LIMIT_S, rule="≤ 1 s",
            ),
        ),
        tables=(
            Table(
                "Seconds",
                ("work", "s"),
                (
                    ("root of the leaf hashes", short(root)),
                    (f"hash leaves of {_LINE} bytes, and their root", short(whole)),
                    ("hashlib alone", short(plain)),
                ),
            ),
        ),
    )  # fmt: skip


def _best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(_ROUNDS):
        at = time.perf_counter()
        work()
        took.append(time.perf_counter() - at)
    return min(took)
