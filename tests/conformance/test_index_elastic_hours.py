"""Elasticsearch: stored hours after crashes at every step, and with several writers and folds at once."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from elasticsearch import Elasticsearch

from archive.errors import Conflict, Unavailable
from archive.timespan import HOUR, SECOND, Timespan
from search.elastic import ElasticIndex, connect_elastic, hours, leaving
from search.elastic.cluster import Cluster
from search.elastic.questions import Questions
from search.elastic.writes import Write
from search.query import HourCoverage, SegmentQuery
from tests.support.indexes import entry, run_id, with_span
from tests.support.leaves import T0, gap, segment
from tests.support.servers import ElasticServer

FIRST = T0 - T0 % HOUR
WHOLE = SegmentQuery(span=Timespan(FIRST, FIRST + 4 * HOUR))


@pytest.fixture
def cluster(elastic_server: ElasticServer, fresh_index_prefix: str) -> Iterator[Cluster]:
    with Elasticsearch(elastic_server.url) as client:
        found = Cluster(client, elastic_server.url, fresh_index_prefix)
        found.make("hours")
        yield found


@pytest.fixture
def city(elastic_server: ElasticServer, fresh_index_prefix: str) -> Iterator[ElasticIndex]:
    index = connect_elastic(elastic_server.url, prefix=fresh_index_prefix)
    yield index
    index.close()


def computed(cluster: Cluster) -> tuple[HourCoverage, ...]:
    questions = Questions(cluster)
    return questions.hours(WHOLE, questions.gap_records(WHOLE))


def test_what_is_settled_is_read_and_not_computed(city: ElasticIndex, cluster: Cluster) -> None:
    city.add([entry(segment(n)) for n in range(6)])
    assert city.settle_hours() == 1
    (found,) = city.hours(WHOLE)
    forged = hours._write_of(replace(found, covered=7), "", 99)
    cluster.write_at_once([forged])
    (kept,) = city.hours(WHOLE)
    assert kept.covered == 7, "the hour was computed although it is kept"
    city.add([entry(segment(6))])
    (again,) = city.hours(WHOLE)
    assert (again.covered, again.segments) == (70 * SECOND, 7)


def test_a_gap_that_grows_changes_its_last_hours_alone(city: ElasticIndex) -> None:
    told = gap(FIRST, FIRST + HOUR + 1)
    city.add([entry(told)])
    assert city.settle_hours() == 2
    city.add([entry(replace(told, span=Timespan(FIRST, FIRST + 2 * HOUR + 1)))])
    assert city.settle_hours() == 2
    assert [sum(one.gaps.values()) for one in city.hours(WHOLE)] == [HOUR, HOUR, 1]


@pytest.mark.parametrize("step", ["noted", "removed", "replaced"])
def test_a_writer_that_dies_while_segments_leave(
    city: ElasticIndex, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The writer dies between any two steps of removing or moving segments."""
    leaves = [segment(n) for n in range(6)]
    city.add([entry(one) for one in leaves])
    city.settle_hours()
    said = leaving._say
    written = Cluster.write

    def die(*ignored: object, **unused: object) -> None:
        raise Unavailable("died", hint="x")

    def say(of: Cluster, notes: list[Write], *, closed: bool) -> None:
        if closed:
            die()
        said(of, notes, closed=closed)
        if step == "noted":
            monkeypatch.setattr(Cluster, "write", die)

    def act() -> None:
        if step == "replaced":
            start = leaves[0].span.start + HOUR
            city.add([entry(with_span(leaves[0], start, start + 10 * SECOND))])
        else:
            city.remove([leaves[0].ref()])

    monkeypatch.setattr(leaving, "_say", say)
    with pytest.raises(Unavailable):
        act()
    monkeypatch.setattr(Cluster, "write", written)
    left = 6 if step == "noted" else 5
    for _ in range(2):
        assert city.hours(WHOLE) == computed(cluster)
        assert city.hours(WHOLE)[0].segments == left
        city.settle_hours()
    monkeypatch.setattr(leaving, "_say", said)
    with city.rebuild() as fresh:
        fresh.add([entry(leaves[1])])
    assert city.hours(WHOLE)[0].segments == 1


class _Interrupted(hours._Fold):
    """A fold that another writer interrupts, or that dies."""

    before: Callable[[], None]
    after: Callable[[], None]

    def _keep(self, cells: list[tuple[str, int]], number: int) -> None:  # type: ignore[override]
        self.before()
        super()._keep(cells, number)
        self.after()


def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_late_fold_never_replaces_what_a_later_one_kept(
    city: ElasticIndex, cluster: Cluster, when: str
) -> None:
    leaves = [segment(n) for n in range(6)]
    city.add([entry(one) for one in leaves])

    def meanwhile() -> None:
        city.remove([leaves[0].ref()])
        city.mark_held([leaves[1].ref()])
        assert city.settle_hours() == 1

    late = _Interrupted(cluster)
    late.before, late.after = nothing, nothing
    setattr(late, when, meanwhile)
    with pytest.raises(Conflict):
        late.run()
    assert city.hours(WHOLE) == computed(cluster)
    assert (city.hours(WHOLE)[0].segments, city.hours(WHOLE)[0].held) == (5, 1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fold_that_dies_is_done_again(city: ElasticIndex, cluster: Cluster, when: str) -> None:
    city.add([entry(segment(n)) for n in range(6)])

    def die() -> None:
        raise Unavailable("died", hint="x")

    dying = _Interrupted(cluster)
    dying.before, dying.after = nothing, nothing
    setattr(dying, when, die)
    with pytest.raises(Unavailable):
        dying.run()
    city.remove([segment(0).ref()])
    assert city.hours(WHOLE) == computed(cluster)
    assert city.settle_hours() == 1
    assert city.hours(WHOLE)[0].segments == 5


def test_what_leaves_while_a_fold_computes(city: ElasticIndex, cluster: Cluster) -> None:
    """A segment is removed and its note closed after the fold read its notes: the note survives the fold."""
    leaves = [segment(n) for n in range(6)]
    city.add([entry(one) for one in leaves])
    fold = _Interrupted(cluster)
    fold.before, fold.after = nothing, lambda: city.remove([leaves[0].ref()])
    assert fold.run() == 1
    assert city.hours(WHOLE)[0].segments == 5
    assert city.settle_hours() == 1
    assert city.hours(WHOLE) == computed(cluster)


def test_many_writers_and_folds_at_once(
    city: ElasticIndex, cluster: Cluster, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    def work(number: int) -> None:
        chosen = random.Random(number)  # noqa: S311 - the same in every run
        index = connect_elastic(elastic_server.url, prefix=fresh_index_prefix)
        for _ in range(6):
            leaf = segment(chosen.randrange(4), run=run_id(chosen.randrange(3)))
            start = FIRST + chosen.randrange(3) * HOUR + chosen.randrange(3590) * SECOND
            index.add([entry(with_span(leaf, start, start + 20 * SECOND))])
            act = chosen.randrange(3)
            if act == 0:
                index.settle_hours()
            elif act == 1:
                index.remove(list(index.segments(leaf.camera, WHOLE.span))[:2])
            else:
                index.mark_held([leaf.ref()])
        index.close()

    city.add([entry(segment(0))])
    with ThreadPoolExecutor(4) as pool:
        for one in [pool.submit(work, number) for number in range(4)]:
            one.result()
    for _ in range(3):
        assert city.hours(WHOLE) == computed(cluster)
        city.settle_hours()
    assert city.settle_hours() == 0
