"""What only Elasticsearch can do wrong: partial answers, loose mappings, milliseconds, foreign servers."""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from archive.errors import Conflict, Malformed, Refused, StoreFull, Unavailable
from archive.ports import RecordOrder, RecordQuery
from archive.timespan import HOUR, SECOND, Timespan
from search.elastic import ElasticIndex, connect_elastic, record_documents, schema
from search.elastic.adapter import FORMAT
from search.elastic.translation import from_answer
from tests.support.indexes import ANY, ask, entry, refused_with, run_id, with_span
from tests.support.leaves import T0, gap, segment
from tests.support.servers import ElasticServer
from tests.support.waiting import until
from tests.support.written import Written, every_page, record


@pytest.fixture
def client(elastic_server: ElasticServer) -> Iterator[Elasticsearch]:
    with Elasticsearch(elastic_server.url) as bare:
        yield bare


@pytest.fixture
def city(elastic_server: ElasticServer, fresh_index_prefix: str) -> Iterator[ElasticIndex]:
    index = connect_elastic(elastic_server.url, prefix=fresh_index_prefix)
    yield index
    index.close()


def test_indices_are_monthly_strict_and_sorted(
    city: ElasticIndex, client: Elasticsearch, fresh_index_prefix: str
) -> None:
    city.add([entry(segment(0)), entry(segment(0, run=run_id(2), start=T0 + 20 * 24 * HOUR))])
    prefix = fresh_index_prefix
    aliases = client.indices.get_alias(index=f"{prefix}-segments").body
    months = {alias for found in aliases.values() for alias in found["aliases"]}
    assert months == {f"{prefix}-segments", f"{prefix}-segments-2026.11", f"{prefix}-segments-2026.12"}
    found = client.indices.get(index=f"{prefix}-segments-2026.11")
    ((name, one),) = found.body.items()
    settings = one["settings"]["index"]
    assert settings["sort"]["field"] == ["camera", "start_us"]
    assert settings["codec"] == "best_compression"
    assert one["mappings"]["dynamic"] == "strict"
    assert one["mappings"]["properties"]["start_us"]["type"] == "long"
    templates = client.indices.get_index_template(name=f"{prefix}-*")["index_templates"]
    assert len(templates) == 7
    mapping = {t["name"]: t["index_template"]["template"]["mappings"] for t in templates}
    assert mapping[f"{prefix}-segments"] == one["mappings"]
    client.index(index=name, id="x", document={"camera": "a"})
    with pytest.raises(Exception, match="strict_dynamic_mapping_exception"):
        client.index(index=name, id="y", document={"unknown": 1})


def test_a_closed_month_is_an_error_and_not_an_empty_answer(
    city: ElasticIndex, client: Elasticsearch, fresh_index_prefix: str
) -> None:
    """A partial answer about footage is a wrong answer."""
    city.add([entry(segment(0)), entry(segment(1, start=T0 + 20 * 24 * HOUR))])
    both = ask(T0, T0 + 30 * 24 * HOUR)
    assert len(city.search(both).items) == 2
    (name,) = client.indices.get_alias(name=f"{fresh_index_prefix}-segments-2026.12").body
    client.indices.close(index=name)
    refused_with(Unavailable, "index_unavailable", lambda: city.search(both))
    refused_with(Unavailable, "index_unavailable", lambda: city.runs(both))
    refused_with(Unavailable, "index_unavailable", lambda: list(city.segments("cam-1", both.span)))
    assert len(city.search(ANY).items) == 1
    client.indices.open(index=name)
    client.cluster.health(index=name, wait_for_status="yellow", timeout="20s")
    assert len(city.search(both).items) == 2


def test_missing_months_are_empty(city: ElasticIndex) -> None:
    city.add([entry(segment(0))])
    year = ask(T0 - 300 * 24 * HOUR, T0 + 60 * 24 * HOUR)
    assert len(city.search(year).items) == 1
    assert len(city.runs(year)) == 1
    assert len(list(city.segments("cam-1", Timespan(0, T0 + 10**15)))) == 1


def test_every_microsecond_of_an_hour_adds_up(city: ElasticIndex) -> None:
    """Aggregations compute in doubles and answer dates in milliseconds; coverage is exact all the same."""
    edge = T0 + 123_457
    leaves = [with_span(segment(n), edge + n * 10_000_019, edge + (n + 1) * 10_000_019) for n in range(300)]
    city.add([entry(one) for one in leaves])
    (run,) = city.runs(ANY)
    assert run.span == Timespan(edge, edge + 300 * 10_000_019)
    assert sum(one.covered for one in city.hours(ANY)) == 300 * 10_000_019


def test_a_past_month_is_merged_and_answers_as_before(
    city: ElasticIndex, client: Elasticsearch, fresh_index_prefix: str
) -> None:
    month = f"{fresh_index_prefix}-segments-2026.11"
    for number in range(8):
        city.add([entry(segment(number))])
    before = list(city.segments("cam-1", ANY.span))

    def pieces() -> int:
        (one,) = client.indices.stats(index=month, metric=["segments"])["indices"].values()
        return int(one["primaries"]["segments"]["count"])

    assert pieces() > 5
    assert city.compact(T0) == 0, "the month is not over"
    assert city.compact(T0 + 40 * 24 * HOUR) == 1
    until(lambda: pieces() == 1, "the month is merged")
    assert city.compact(T0 + 40 * 24 * HOUR) == 0
    assert list(city.segments("cam-1", ANY.span)) == before
    city.mark_held(before[:1])
    assert [one.held for one in city.segments("cam-1", ANY.span)] == [True] + [False] * 7
    city.remove(before[:1])
    assert len(list(city.segments("cam-1", ANY.span))) == 7


def test_a_value_the_server_cannot_keep_is_malformed(city: ElasticIndex) -> None:
    late = with_span(segment(0), 9_300_000_000_000_000, 9_300_000_000_000_000 + SECOND)
    with pytest.raises(Malformed) as caught:
        city.add([entry(late)])
    assert caught.value.code == "index_value"


@pytest.mark.parametrize("lacking", ["uncertainty_us", "pauses"])
def test_an_index_of_an_earlier_version_gets_the_fields_that_it_lacks(
    city: ElasticIndex,
    elastic_server: ElasticServer,
    fresh_index_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
) -> None:
    """Otherwise the server would refuse each segment, and the recorder would set it aside."""
    earlier = {name: one for name, one in schema.SEGMENTS.items() if name != lacking}
    paused = replace(segment(0), pauses=((0, 3 * SECOND), (3 * SECOND, 10 * SECOND)))
    with monkeypatch.context() as then:
        then.setattr(schema, "SEGMENTS", earlier)
        with pytest.raises(Malformed):  # the fields cannot be added: this version does not know them
            city.add([entry(paused)])
        if lacking == "pauses":
            city.add([entry(segment(2))])
    again = connect_elastic(elastic_server.url, prefix=fresh_index_prefix)
    try:
        assert again.pauses(ANY) == (), "it may be asked before it has the field"
        again.add([entry(paused), entry(segment(1))])
        assert [one.uncertainty_us for one in again.segments("cam-1", ANY.span)][:2] == [40_000, 40_000]
        assert [one.span for one in again.pauses(ANY)] == paused.paused
        again.mark_held([segment(0).ref()])
        assert [one.span for one in again.pauses(ANY)] == paused.paused, "also when the document is rewritten"
    finally:
        again.close()


def test_an_index_that_lost_a_month_is_not_whole(
    city: ElasticIndex, client: Elasticsearch, fresh_index_prefix: str
) -> None:
    city.add([entry(segment(0)), entry(segment(0, run=run_id(2), start=T0 + 20 * 24 * HOUR))])
    city.mark_whole()
    client.indices.refresh(index=f"{fresh_index_prefix}-state")
    assert city.is_whole()
    (month,) = client.indices.get_alias(index=f"{fresh_index_prefix}-segments-2026.11").body
    client.indices.delete(index=month)
    assert not city.is_whole()


def test_an_index_of_an_earlier_format_is_not_whole(
    city: ElasticIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as then:
        then.setattr("search.elastic.adapter.FORMAT", FORMAT - 1)
        city.mark_whole()
        assert city.is_whole()
    assert not city.is_whole()
    city.mark_whole()
    assert city.is_whole()


def test_records_of_acts_are_monthly_and_those_of_other_kinds_are_not(
    city: ElasticIndex, client: Elasticsearch, fresh_index_prefix: str
) -> None:
    prefix = fresh_index_prefix
    city.put_records([record("a"), record("b", 20 * 24 * HOUR), record("r", kind="request")])
    found = client.indices.get_alias(index=f"{prefix}-records").body.values()
    aliases = [set(one["aliases"]) for one in found]
    acts = {f"{prefix}-records", f"{prefix}-records-act"}
    assert sorted(aliases, key=sorted) == sorted(
        [
            acts | {f"{prefix}-records-act-2026.11"},
            acts | {f"{prefix}-records-act-2026.12"},
            {f"{prefix}-records", f"{prefix}-records-request"},
        ],
        key=sorted,
    )
    (one,) = client.indices.get(index=f"{prefix}-records-request").body.values()
    assert one["mappings"]["dynamic"] == "strict"
    assert one["settings"]["index"]["sort"]["field"] == ["at", "id"]
    (month,) = client.indices.get_alias(name=f"{prefix}-records-act-2026.12").body
    client.indices.close(index=month)
    every = RecordQuery(kind="act")
    refused_with(Unavailable, "index_unavailable", lambda: city.find_records(every, limit=9))
    refused_with(Unavailable, "index_unavailable", lambda: city.record("act", "a"))
    refused_with(Unavailable, "index_unavailable", lambda: city.remove_records("act", ["a"]))
    assert len(city.find_records(RecordQuery(kind="act", span=Timespan(T0, T0 + HOUR)), limit=9)) == 1
    client.indices.open(index=month)
    client.cluster.health(index=month, wait_for_status="yellow", timeout="20s")
    city.mark_whole()
    client.indices.refresh(index=f"{prefix}-state")
    assert city.is_whole()
    client.indices.delete(index=month)
    assert not city.is_whole(), "an index that lost a month of acts"


def test_the_first_record_of_a_kind_during_a_rebuild(city: ElasticIndex) -> None:
    """Its index is made among those that a rebuild fills, after these were told to refresh themselves."""
    with city.rebuild():
        city.put_records([record("r", kind="request"), record("a", 40 * 24 * HOUR)])
        city.add([entry(segment(0))])
    assert city.record("request", "r") is not None
    city.put_records([record("s", kind="request")])
    assert len(city.find_records(RecordQuery(kind="request"), limit=9)) == 2


def test_a_record_that_a_rebuild_reads_before_it_is_removed(
    city: ElasticIndex, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    """The rebuild may write it after the removal, and no trace of the removal is in the index of records."""
    city.put_records([record("a"), record("b")])
    with city.rebuild() as fresh:
        city.remove_records("act", ["a"])
        fresh.put_records([record("a"), record("b")])
    assert [one.id for one in city.find_records(RecordQuery(kind="act"), limit=9)] == ["b"]


def test_the_newest_of_very_many_records(city: ElasticIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of time that go back, over busy hours, quiet weeks and the borders of months."""
    monkeypatch.setattr(record_documents, "FEW", 5)
    written = Written()
    hours = [n // 4 if n < 80 else (200 + n if n < 120 else n * 30) for n in range(160)]
    records = [
        record(f"{n:03d}", hour * HOUR + n % 3, "every", f"item:{n % 3}") for n, hour in enumerate(hours)
    ]
    written.put(records)
    city.put_records(records)
    newest = RecordQuery(kind="act", order=RecordOrder.NEWEST_FIRST)
    for query in (
        newest,
        replace(newest, terms=("item:1", "every")),
        replace(newest, span=Timespan(T0 + HOUR, T0 + 400 * HOUR)),
        replace(newest, after=(T0 + 10 * HOUR, "041")),
    ):
        expected = written.find(query)
        assert len(expected) > 10
        assert city.find_records(query, limit=1_000) == expected
        assert every_page(city, query, limit=37) == expected


def test_records_of_several_requests_are_visible_too(city: ElasticIndex) -> None:
    city.put_records([record(f"{n:05d}", n, "every") for n in range(2_500)])
    asked = RecordQuery(kind="act", terms=("every",), order=RecordOrder.NEWEST_FIRST)
    assert [one.id for one in city.find_records(asked, limit=2)] == ["02499", "02498"]
    large = [record(f"large{n}", n, text="x" * 3_000_000) for n in range(4)]
    city.put_records(large)
    found = city.record("act", "large3")
    assert found is not None
    assert len(found.body["text"]) == 3_000_000


def test_a_thousand_cameras_in_one_question(city: ElasticIndex) -> None:
    cameras = tuple(f"cam-{n}" for n in range(1_000))
    city.add([entry(segment(0, camera=camera, run=run_id(n))) for n, camera in enumerate(cameras)])
    query = ask(T0, T0 + HOUR, cameras=cameras)
    assert len(city.runs(query)) == len(city.cameras(query)) == 1_000
    assert len(city.high_waters(cameras)) == 1_000


def test_writes_of_many_requests_are_visible_too(city: ElasticIndex) -> None:
    city.add([entry(segment(n)) for n in range(4_500)] + [entry(gap(T0, T0 + 1))])
    assert city.status().segments == 4_500
    assert len(city.gap_records(ANY)) == 1
    assert sum(1 for _ in city.segments("cam-1", Timespan(T0, T0 + 10**12))) == 4_500


def test_a_rebuild_that_another_took_over_ends_and_leaves_it_alone(
    city: ElasticIndex, elastic_server: ElasticServer, fresh_index_prefix: str
) -> None:
    """Another process cannot see whether the first was killed or is only slow."""
    other = connect_elastic(elastic_server.url, prefix=fresh_index_prefix)
    city.add([entry(segment(0))])

    def slow() -> None:
        with city.rebuild() as early:
            early.add([entry(segment(1))])
            early.keep_rebuild_state({"position": 1})
            with other.rebuild() as late:
                assert late.rebuild_state() == {"position": 1}
                refused_with(
                    Conflict, "rebuild_superseded", lambda: early.keep_rebuild_state({"position": 9})
                )
                refused_with(Conflict, "rebuild_superseded", _end_of(early))
                late.add([entry(segment(2))])

    def _end_of(early: ElasticIndex) -> Callable[[], None]:
        return early._claim.require  # type: ignore[union-attr]

    refused_with(Conflict, "rebuild_superseded", slow)
    assert [one.seq for one in city.search(ANY).items] == [1, 2]
    other.close()


class _Stranger(http.server.BaseHTTPRequestHandler):
    """A web server that is not Elasticsearch, or a faulty Elasticsearch."""

    answer: tuple[int, bytes] = (200, b"{}")
    genuine = False

    def do_GET(self) -> None:
        status, body = self.answer
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.genuine:
            self.send_header("X-Elastic-Product", "Elasticsearch")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, *ignored: Any) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[tuple[type[_Stranger], ElasticIndex]]:
    kind = type("Stranger", (_Stranger,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        index = connect_elastic(f"http://user:s3cret@127.0.0.1:{server.server_address[1]}")
        yield kind, index
        index.close()
        server.shutdown()


def test_a_server_that_is_something_else(stranger: tuple[type[_Stranger], ElasticIndex]) -> None:
    _, index = stranger
    error = refused_with(Unavailable, "index_unavailable", lambda: index.search(ANY))
    assert "not an Elasticsearch" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, b'{"error":{"type":"security_exception","reason":"s"}}', Refused, "index_denied"),
        (403, b'{"error":{"type":"security_exception","reason":"s"}}', Refused, "index_denied"),
        (400, b'{"error":"odd"}', Unavailable, "index_unavailable"),
        (500, b"not json", Unavailable, "index_unavailable"),
        (200, b'{"took":1', Unavailable, "index_unavailable"),
    ],
)
def test_bad_answers(
    stranger: tuple[type[_Stranger], ElasticIndex], status: int, body: bytes, kind: type[Any], code: str
) -> None:
    server, index = stranger
    server.answer, server.genuine = (status, body), True
    error = refused_with(kind, code, lambda: index.search(ANY))
    assert "s3cret" not in f"{error} {error.hint}"


def test_what_answers_mean() -> None:
    flood = {
        "type": "cluster_block_exception",
        "reason": "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];",
    }
    assert isinstance(from_answer("be written", "s", 429, {"error": flood}), StoreFull)
    shed = {"type": "es_rejected_execution_exception", "reason": "rejected execution"}
    assert from_answer("be written", "s", 429, shed).code == "index_busy"
    strict = {"type": "strict_dynamic_mapping_exception", "reason": "x"}
    assert isinstance(from_answer("be written", "s", 400, {"error": {"root_cause": [strict]}}), Malformed)
    immense = {"type": "illegal_argument_exception", "reason": "Document contains at least one immense term"}
    assert isinstance(from_answer("be written", "s", 400, immense), Malformed)
    shards = {"type": "validation_exception", "reason": "this action would add [2] shards"}
    assert from_answer("be written", "s", 400, shards).retryable
    early = {"root_cause": [{"type": "no_shard_available_action_exception", "reason": None}]}
    assert "says no_shard_available" in from_answer("be searched", "s", 503, {"error": early}).message
    whole = {"type": "search_phase_execution_exception", "reason": "all shards failed", **early}
    assert from_answer("be searched", "s", 503, {"error": whole}).message.endswith("says all shards failed")
