"""An Elasticsearch that is killed during writes: acknowledged entries exist afterwards."""

import threading
import time

import pytest

from archive.errors import ArchiveError, Unavailable
from archive.timespan import Timespan
from ops.stack import Stack
from search.elastic import connect_elastic
from tests.support.indexes import entry, run_id
from tests.support.leaves import T0, segment
from tests.support.waiting import until
from tests.support.workers import own_name

WHOLE = Timespan(T0, T0 + 10**12)


@pytest.mark.slow
def test_a_killed_server_keeps_what_it_acknowledged(disposable_stack: Stack) -> None:
    disposable_stack.start("elasticsearch")
    url = disposable_stack.env()["SAKSI_INDEX_URL"]
    index = connect_elastic(url, prefix=own_name("test"), timeout_seconds=5)
    acknowledged: list[int] = []
    refused: list[ArchiveError] = []
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            try:
                index.add([entry(segment(number + n, run=run_id(1))) for n in range(10)])
            except Unavailable as error:
                refused.append(error)
                time.sleep(0.2)  # real time: a pause as ingest makes it, then the same again
                continue
            acknowledged.append(number)
            number += 10

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(2):
        seen = len(acknowledged)
        until(lambda seen=seen: len(acknowledged) >= seen + 5, "five batches more")  # type: ignore[misc]
        disposable_stack.kill("elasticsearch")
        with pytest.raises(Unavailable):
            list(index.segments("cam-1", WHOLE))
        disposable_stack.start("elasticsearch")
    seen = len(acknowledged)
    until(lambda: len(acknowledged) >= seen + 2, "two batches more", seconds=60)
    stop.set()
    writer.join()
    assert refused, "the server was killed and nobody noticed"
    found = [one.seq for one in index.segments("cam-1", WHOLE)]
    assert found == list(range(len(found))), "no hole, no repeat"
    assert len(found) >= acknowledged[-1] + 10
    assert index.high_water("cam-1") == T0 + len(found) * 10_000_000
    index.close()
