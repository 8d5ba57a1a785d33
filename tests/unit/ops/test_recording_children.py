"""The recorder sees the ends of its FFmpegs without a thread for each."""

import asyncio
import sys
import threading
from collections.abc import Iterator

import pytest

from ops.recording import watch_children


@pytest.fixture(autouse=True)
def watcher() -> Iterator[None]:
    """The event loop policy of before, with its own watcher."""
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(None)
    yield
    asyncio.set_event_loop_policy(before)


async def threads_of_a_child() -> set[str]:
    """The names of the threads that a child process brings while it runs; its status is checked too."""
    watch_children()
    before = set(threading.enumerate())
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input(); exit(3)", stdin=asyncio.subprocess.PIPE
    )
    found = {one.name for one in set(threading.enumerate()) - before}
    await child.communicate(b"\n")
    assert child.returncode == 3
    return found


def test_no_thread_waits_for_the_end_of_a_child() -> None:
    assert asyncio.run(threads_of_a_child()) == set()
