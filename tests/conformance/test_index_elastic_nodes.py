"""A node of three is killed during writes and questions: nothing acknowledged is lost, no answer is half."""

import os
import threading
import time

import pytest

from archive.errors import ArchiveError, Unavailable
from archive.timespan import Timespan
from search.elastic import connect_elastic
from search.query import SegmentQuery
from tests.support.elastic_cluster import elastic_cluster
from tests.support.indexes import entry, run_id
from tests.support.leaves import T0, segment
from tests.support.waiting import until

WHOLE = Timespan(T0, T0 + 10**12)
KILLS = int(os.environ.get("SAKSI_TEST_NODE_KILLS", "1"))
_BATCH = 10


@pytest.mark.slow
def test_a_killed_node_loses_nothing_and_no_answer_is_partial() -> None:
    with elastic_cluster() as cluster:
        index = connect_elastic(cluster.url, timeout_seconds=10)
        index.add([entry(segment(0, run=run_id(1)))])
        cluster.settled()
        acknowledged = [0]
        refused: list[ArchiveError] = []
        wrong: list[str] = []
        answered = [0]
        stop = threading.Event()

        def write() -> None:
            number = 1
            while not stop.is_set():
                try:
                    index.add([entry(segment(number + n, run=run_id(1))) for n in range(_BATCH)])
                except Unavailable as error:
                    refused.append(error)
                    time.sleep(0.2)  # real time: a pause as ingest makes it, then the same again
                    continue
                number += _BATCH
                acknowledged[0] = number - 1

        def ask() -> None:
            while not stop.is_set():
                before = acknowledged[0]
                try:
                    found = [one.seq for one in index.segments("cam-1", WHOLE)]
                    runs = index.runs(SegmentQuery(span=WHOLE, cameras=("cam-1",)))
                except Unavailable as error:
                    refused.append(error)
                    continue
                answered[0] += 1
                if found != list(range(len(found))) or len(found) <= before:
                    wrong.append(f"{len(found)} segments where {before + 1} were acknowledged")
                if runs[0].span.end < T0 + (before + 1) * 10_000_000:
                    wrong.append("coverage ends before what was acknowledged")

        threads = [threading.Thread(target=write), threading.Thread(target=ask)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                seen = acknowledged[0]
                until(lambda seen=seen: acknowledged[0] >= seen + 3 * _BATCH, "three batches more")  # type: ignore[misc]
                victim = cluster.primary_of("saksi-segments")
                victim.kill()
                seen, asked = acknowledged[0], answered[0]
                until(
                    lambda seen=seen, asked=asked: (  # type: ignore[misc]
                        acknowledged[0] >= seen + 3 * _BATCH and answered[0] >= asked + 3
                    ),
                    "writes and answers go on with two nodes",
                    seconds=120,
                )
                victim.start()
                cluster.settled()
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert wrong == []
        found = [one.seq for one in index.segments("cam-1", WHOLE)]
        assert found == list(range(len(found)))
        assert len(found) > acknowledged[0]
        assert all(error.code in {"index_unavailable", "index_busy"} for error in refused)
        index.close()
