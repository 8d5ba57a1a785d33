"""Lanes, which keep the order of what they are given."""

import threading

import pytest

from archive.errors import Malformed
from archive.evidence.worker import QUEUE, Worker


def test_a_lane_keeps_the_order_and_does_not_run_far_ahead() -> None:
    seen: list[int] = []
    gate = threading.Event()
    handed = 0
    with Worker() as worker:
        worker.do(gate.wait, 10)

        def give() -> None:
            nonlocal handed
            for number in range(50):
                worker.do(seen.append, number)
                handed = number + 1

        giver = threading.Thread(target=give)
        giver.start()
        giver.join(0.3)
        assert handed < QUEUE, "nobody waits for a lane that stands still"
        gate.set()
        giver.join(10)
        worker.settle()
    assert seen == list(range(50))


def test_what_a_step_of_a_lane_raises_comes_out() -> None:
    def broken() -> None:
        raise Malformed("broken")

    with Worker() as worker:
        worker.do(broken)
        with pytest.raises(Malformed):
            worker.settle()
