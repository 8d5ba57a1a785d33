"""Every index: threads, processes, odd input, servers that do not answer."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Malformed, Unavailable
from search.index import Index
from search.locations import open_index
from search.query import SegmentQuery
from tests.support.indexes import (
    ANY,
    DAY_OF_T0,
    IndexUnderTest,
    entry,
    everything,
    free_port,
    refused_with,
    run_id,
)
from tests.support.leaves import T0, gap, segment

# Several at once -----------------------------------------------------------------------------------


def test_reopening_keeps_everything(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(n)) for n in range(3)])
    index.put_document("camera", "cam-1", 1, {"name": "x"})
    index.advance_cursor("rec-1", 4)
    before = everything(index)
    again = under_test.reopened()
    assert everything(again) == before
    assert again.document("camera", "cam-1") == index.document("camera", "cam-1")
    assert again.cursor("rec-1") == 4
    again.close()


_WRITER = """
import sys
from search.locations import open_index
from tests.support.indexes import entry, run_id
from tests.support.leaves import segment
index = open_index(sys.argv[1], prefix=sys.argv[2])
for number in range(int(sys.argv[4])):
    index.add([entry(segment(number, camera=sys.argv[3], run=run_id(int(sys.argv[3][4:]))))])
    print(number, flush=True)
"""


def test_what_another_process_wrote_is_visible_at_once(under_test: IndexUnderTest) -> None:
    index = under_test.index
    count = 60 if under_test.kind == "sqlite" else 12
    writers = [spawn_writer(under_test, f"cam-{n}", count) for n in (1, 2)]
    for number in range(count):
        for camera, writer in zip(("cam-1", "cam-2"), writers, strict=True):
            assert writer.stdout is not None
            assert int(writer.stdout.readline()) == number
            high_water = index.high_water(camera)
            found = list(index.segments(camera, DAY_OF_T0))
            assert len(found) >= number + 1
            assert high_water is not None
            assert high_water <= found[-1].span.end
            index.add([entry(segment(number, camera="cam-3", run=run_id(3)))]) if number % 10 == 0 else None
    for writer in writers:
        assert writer.wait(30) == 0
        assert writer.stdout is not None
        writer.stdout.close()


def spawn_writer(under_test: IndexUnderTest, camera: str, count: int) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, under_test.url, under_test.prefix, camera, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


def test_many_threads(index: Index) -> None:
    def work(number: int) -> int:
        camera = f"cam-{number}"
        for at in range(0, 30, 10):
            index.add([entry(segment(at + n, camera=camera, run=run_id(number))) for n in range(10)])
            assert len(index.search(replace(ANY, cameras=(camera,))).items) == at + 10
            index.put_document("camera", camera, at + 1, {})
        return len(index.runs(replace(ANY, cameras=(camera,))))

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(work, range(16))) == [1] * 16
    assert index.status().segments == 480


def test_the_first_writers_race_for_an_empty_index(under_test: IndexUnderTest) -> None:
    """The first write makes indices and databases: two concurrent writers make them once."""
    indices = [under_test.reopened() for _ in range(6)]
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        indices[number].add([entry(segment(number)), entry(gap(T0, T0 + 1, gap_id=run_id(number)))])
        indices[number].put_document("camera", f"cam-{number}", 1, {})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    found = under_test.index.status()
    assert (found.segments, found.gaps, found.documents) == (6, 6, {"camera": 6})
    for one in indices:
        one.close()


# Bad ids, bad servers ------------------------------------------------------------------------------


ODD = [
    "'; DROP TABLE segments;--",
    '" OR ""="',
    "*",
    "_all",
    "cam-*",
    "../x",
    "a b",
    "",
    "\x00",
    "\ud800",
    "ñ",
    "x" * 64,
]


def attempts(index: Index, odd: str) -> tuple[Callable[[], object], ...]:
    return (
        lambda: list(index.segments(odd, DAY_OF_T0)),
        lambda: index.gaps(odd, DAY_OF_T0),
        lambda: index.high_water(odd),
        lambda: SegmentQuery(span=DAY_OF_T0, cameras=(odd,)),
        lambda: index.segment(odd, 0),
        lambda: index.run(odd),
        lambda: index.document("camera", odd),
        lambda: index.put_document("camera", odd, 1, {}),
        lambda: index.put_document(odd, "cam-1", 1, {}),
        lambda: index.put_heartbeat(odd, 1, {}),
        lambda: index.cursor(odd),
        lambda: index.add([entry(gap(T0, T0 + 1, camera=odd))]),
        lambda: index.add([entry(gap(T0, T0 + 1, gap_id=odd))]),
    )


def test_odd_ids_are_refused_and_harmless(index: Index) -> None:
    index.add([entry(segment(0))])
    for odd in ODD:
        for act in attempts(index, odd):
            with pytest.raises(Malformed):
                act()
    assert index.status().segments == 1


def test_odd_area_codes_match_nothing(index: Index) -> None:
    index.add([entry(segment(0)), entry(gap(T0, T0 + 1))])
    for odd in ("73.71.13' OR 1=1 --", "*", "73.71.%", '{"match_all":{}}'):
        query = replace(ANY, kecamatan=(odd,))
        assert index.search(query).items == ()
        assert index.cameras(query) == ()


# Servers and disks ---------------------------------------------------------------------------------


@pytest.fixture
def unreachable() -> Iterator[Index]:
    index = open_index(f"http://someone:s3cret@127.0.0.1:{free_port()}")
    yield index
    index.close()


def test_a_server_that_does_not_answer_is_unavailable(unreachable: Index) -> None:
    for act in (
        lambda: unreachable.add([entry(segment(0))]),
        lambda: unreachable.search(ANY),
        lambda: unreachable.high_water("cam-1"),
        lambda: list(unreachable.documents("camera")),
        lambda: unreachable.status(),
        lambda: unreachable.rebuild().__enter__(),
    ):
        error = refused_with(Unavailable, "index_unavailable", act)
        assert error.retryable
        assert "s3cret" not in f"{error} {error.hint} {error.__cause__}"
        assert "someone" not in f"{error} {error.hint}"
