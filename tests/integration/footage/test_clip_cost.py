"""The cost of a clip: memory by tracemalloc, bytes read by counting."""

import tracemalloc
from collections import deque
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.footage.clip.exact import plan_clip
from archive.objects.filesystem import FilesystemStore
from archive.timespan import MINUTE, SECOND, Timespan
from tests.support.recordings import T0, reading_of, store_made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FilesystemStore:
    return FilesystemStore(tmp_path_factory.mktemp("footage"), ManualClock(T0))


@pytest.mark.parametrize("fps", [15, 60])
def test_ten_minutes_cost_two_mib_and_sixteen_bytes_a_frame(store: FilesystemStore, fps: int) -> None:
    refs = store_made(store, seconds=60, segments=11, frame_bytes=6000, fps=fps)
    reading = reading_of(refs, Timespan(T0 + SECOND + 1, T0 + 10 * MINUTE + SECOND + 1))
    deque(plan_clip(reading, store).stream(0, 1), maxlen=0)  # imports and caches are not part of the cost
    tracemalloc.start()
    try:
        clip = plan_clip(reading, store)
        planned, _ = tracemalloc.get_traced_memory()
        deque(clip.stream(), maxlen=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert clip.frames == 600 * fps
    assert planned <= (64 << 10) + 16 * clip.frames
    assert peak <= (2 << 20) + 16 * clip.frames


def test_the_header_of_ten_minutes_is_small(store: FilesystemStore) -> None:
    refs = store_made(store, seconds=60, segments=11, frame_bytes=6000)
    reading = reading_of(refs, Timespan(T0 + SECOND + 1, T0 + 10 * MINUTE + SECOND + 1))
    clip = plan_clip(reading, store)
    assert clip.head_size <= 5 * clip.frames


def test_reading_the_header_reads_no_footage(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    refs = store_made(store, segments=2)
    clip = plan_clip(reading_of(refs, Timespan(T0 + SECOND, T0 + 15 * SECOND)), store)
    for ref in refs:
        store.delete_version(ref.key, version=ref.version)
    assert len(b"".join(clip.stream(0, clip.head_size))) == clip.head_size
