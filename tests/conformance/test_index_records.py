"""Every index keeps and finds what is written down, as a plain loop over the same records would."""

from dataclasses import replace
from random import Random
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.ports import Record, RecordOrder, RecordQuery
from archive.timespan import DAY, HOUR, Timespan
from search.index import Index
from tests.support.indexes import IndexUnderTest, refused_with
from tests.support.leaves import T0
from tests.support.written import Written, every_page, ids, record, span

ACTS = RecordQuery(kind="act")
NEWEST = replace(ACTS, order=RecordOrder.NEWEST_FIRST)


def test_an_index_without_records_finds_none(index: Index) -> None:
    assert ids(index, ACTS) == []
    assert ids(index, replace(ACTS, terms=("type:login",), touching=span(0, 1))) == []
    assert index.record("act", "a") is None
    assert dict(index.record_marks("custody")) == {}
    index.remove_records("act", ["a"])
    assert index.status().records == {}


def test_every_field_comes_back(index: Index) -> None:
    whole = record(
        "a", 7, "item:cam-1", "person:user:citra", version=3, touches=(-5, 2 * HOUR),
        text="ä\0\n\u2028", nested={"list": [1, None, True, {}], "": 2**53 - 1}, outcome="done",
    )  # fmt: skip
    bare = Record(kind="act", id="b", version=0, at=0)
    index.put_records([whole, bare])
    assert index.record("act", "a") == whole
    assert index.record("act", "b") == bare
    assert index.find_records(ACTS, limit=2) == [bare, whole]
    assert index.record("act", "c") is None
    assert index.record("request", "a") is None


def test_put_twice_is_put_once_and_an_older_version_changes_nothing(index: Index) -> None:
    index.put_records([record("a", 1, "status:submitted", "agency:x", kind="request", version=2)])
    index.put_records([record("a", 1, "status:older", kind="request", version=1)])
    assert [one.version for one in index.find_records(RecordQuery(kind="request"), limit=9)] == [2]
    index.put_records([record("a", 1, "status:submitted", "agency:x", kind="request", version=2, n=1)])
    found = index.record("request", "a")
    assert found is not None
    assert found.body == {"n": 1}, "of the same version the last one counts"
    index.put_records([record("a", 1, "status:approved", "agency:x", kind="request", version=3, n=2)])
    for term, expected in (("status:older", []), ("status:submitted", []), ("status:approved", ["a"])):
        assert ids(index, RecordQuery(kind="request", terms=(term,))) == expected
    assert ids(index, RecordQuery(kind="request", terms=("agency:x",))) == ["a"]
    assert index.status().records == {"request": 1}


def test_of_one_id_in_one_call_the_newest_version_counts(index: Index) -> None:
    versions = (2, 1, 3, 3, 2)
    index.put_records([record("a", 1, f"n:{n}", version=v, n=n) for n, v in enumerate(versions)])
    found = index.record("act", "a")
    assert found is not None
    assert (found.version, found.body, found.terms) == (3, {"n": 3}, {"n:3"})
    assert ids(index, ACTS) == ["a"]


def test_a_newer_version_touches_something_else(index: Index) -> None:
    index.put_records([record("a", 1, "x", kind="hold", touches=(0, 10))])
    index.put_records([record("a", 1, "x", kind="hold", version=2, touches=(2 * HOUR, 3 * HOUR))])
    asked = RecordQuery(kind="hold", terms=("x",))
    assert ids(index, replace(asked, touching=span(0, 10))) == []
    assert ids(index, replace(asked, touching=span(2 * HOUR, 2 * HOUR + 1))) == ["a"]
    index.put_records([record("a", 1, "x", kind="hold", version=3)])
    assert ids(index, replace(asked, touching=span(0, 10))) == ["a"]


def test_records_are_in_order_of_time_and_then_of_id(index: Index) -> None:
    written = Written()
    names = ["b", "a", "B", "ä", "z", "a-1", "ab", "\U0001f512", "￿"]
    records = [record(f"{name}{n}", n % 4, "every") for n, name in enumerate(names * 5)]
    written.put(records)
    index.put_records(records)
    for query in (
        ACTS,
        NEWEST,
        replace(NEWEST, terms=("every",)),
        replace(ACTS, any_of=(frozenset(["every"]),)),
    ):
        expected = written.find(query)
        assert index.find_records(query, limit=1000) == expected
        for limit in (1, 2, 7):
            assert every_page(index, query, limit=limit) == expected


@pytest.mark.parametrize("order", RecordOrder)
def test_pages_neither_repeat_nor_skip_while_records_are_written(index: Index, order: RecordOrder) -> None:
    """Many share one instant, so that a page ends among them."""
    present = [record(f"a{n:05d}", n // 40, "every", f"item:{n % 7}") for n in range(2_400)]
    index.put_records(present)
    query = replace(ACTS, terms=("every",), order=order)
    found: list[Record] = []
    while True:
        page = index.find_records(query, limit=500)
        found += page
        if len(page) < 500:
            break
        last = page[-1]
        query = replace(query, after=last.position)
        changed = replace(last, version=last.version + 1, terms=frozenset({"every", "changed"}))
        beside = replace(last, id=f"{last.id}-x")
        outside = [record(f"b{len(found)}", -1, "every"), record(f"c{len(found)}", 99, "every")]
        index.put_records([changed, beside, *outside])
    seen = [one.id for one in found if one.id.startswith("a") and "-" not in one.id]
    expected = [one.id for one in present]
    assert seen == (expected if order is RecordOrder.OLDEST_FIRST else expected[::-1])
    assert len({one.id for one in found}) == len(found)
    assert found == sorted(found, key=lambda one: one.position, reverse=order is RecordOrder.NEWEST_FIRST)


def test_filters(index: Index) -> None:
    index.put_records(
        [
            record("a", 0, "person:citra", "type:play", "item:cam-1"),
            record("b", 1, "person:citra", "type:seal", "item:cam-1", "item:cam-2"),
            record("c", 2, "person:budi", "type:play", "item:cam-2"),
            record("d", 3, "person:budi", "type:login"),
            record("a", 0, "person:citra", kind="request"),
        ]
    )

    def found(*terms: str, any_of: tuple[set[str], ...] = ()) -> str:
        sets = tuple(frozenset(words) for words in any_of)
        oldest = ids(index, replace(ACTS, terms=terms, any_of=sets))
        assert ids(index, replace(NEWEST, terms=terms, any_of=sets)) == oldest[::-1]
        return "".join(oldest)

    assert found("person:citra") == "ab"
    assert found("person:citra", "type:play") == "a"
    assert found("type:play", "type:play") == "ac"
    assert found("person:citra", "person:budi") == ""
    assert found("person:nobody") == ""
    assert found("person") == "", "a term is a whole word"
    assert found(any_of=({"item:cam-1", "item:cam-2"},)) == "abc", "each once, though it has both"
    assert found(any_of=({"item:cam-1", "item:cam-2"}, {"type:play", "type:login"})) == "ac"
    assert found("person:budi", any_of=({"type:play", "type:login", "type:none"},)) == "cd"
    assert found(any_of=(set(),)) == ""
    assert found("person:citra", any_of=({"type:play"}, set())) == "", "an empty set admits nothing"
    assert found(any_of=({"type:none"},)) == ""
    assert ids(index, RecordQuery(kind="request", terms=("person:citra",))) == ["a"]


def test_the_span_is_half_open(index: Index) -> None:
    index.put_records([record(str(n), n, "every") for n in range(5)])
    for query in (ACTS, replace(ACTS, terms=("every",))):
        assert ids(index, replace(query, span=span(1, 3))) == ["1", "2"]
        assert ids(index, replace(query, span=span(1, 3), order=RecordOrder.NEWEST_FIRST)) == ["2", "1"]
        assert ids(index, replace(query, span=span(1, 4), after=(T0 + 2, "2"))) == ["3"]
        assert ids(index, replace(query, span=span(1, 4), after=(T0 + 9, "2"))) == []
        assert ids(index, replace(query, span=span(2, 4), after=(T0, "0"))) == ["2", "3"]
        newest = replace(query, order=RecordOrder.NEWEST_FIRST)
        assert ids(index, replace(newest, span=span(1, 4), after=(T0 + 2, "2"))) == ["1"]
        assert ids(index, replace(newest, span=span(1, 4), after=(T0 + 9, ""))) == ["3", "2", "1"]
        assert ids(index, replace(query, span=Timespan(0, 10**17))) == list("01234")


def test_what_touches_a_span(index: Index) -> None:
    index.put_records(
        [
            record("before", 0, "x", touches=(0, 10)),
            record("inside", 1, "x", touches=(12, 13)),
            record("around", 2, "x", touches=(-DAY, DAY)),
            record("after", 3, "x", touches=(20, 30)),
            record("later", 4, "x", touches=(20 + HOUR, 30 + 3 * HOUR)),
            record("unknown", 5, "x"),
        ]
    )

    def touching(start: int, end: int) -> list[str]:
        found = ids(index, replace(ACTS, terms=("x",), touching=span(start, end)))
        assert ids(index, replace(NEWEST, touching=span(start, end))) == found[::-1]
        return found

    assert touching(10, 20) == ["inside", "around", "unknown"]
    assert touching(9, 10) == ["before", "around", "unknown"]
    assert touching(13, 21) == ["around", "after", "unknown"]
    assert touching(2 * HOUR, 2 * HOUR + 1) == ["around", "later", "unknown"]
    assert touching(-3 * DAY, -2 * DAY) == ["unknown"]
    assert touching(DAY - 1, 2 * DAY) == ["around", "unknown"]
    assert touching(DAY, 2 * DAY) == ["unknown"]


def test_hostile_texts_are_only_texts(index: Index) -> None:
    words = [
        "'; DROP TABLE records; --", '"quoted" \\ {"json": 1}', "%", "_", "*", "a b", "jalan\u202ekebalik",
        "e\u0301", "\u00e9", "\u00c9", "\U0001f600" * 600, "x" * 600, "line\nbreak\ttab", "[]", "$(id)",
    ]  # fmt: skip
    notes = RecordQuery(kind="note")
    index.put_records([record(one[:128], n, one, "every", kind="note", w=one) for n, one in enumerate(words)])
    for word in words:
        assert ids(index, replace(notes, terms=(word,))) == [word[:128]]
        assert ids(index, replace(notes, any_of=(frozenset([word, "none"]),), terms=("every",))) == [
            word[:128]
        ]
        found = index.record("note", word[:128])
        assert found is not None
        assert found.body == {"w": word}
    for never in ("\0", "a\0", "\ud800", "", "x" * 601):
        assert ids(index, replace(notes, terms=(never,))) == []
        assert ids(index, replace(notes, any_of=(frozenset([never]),))) == []
        assert ids(index, replace(notes, any_of=(frozenset([never, "every"]),), terms=("%",))) == ["%"]
        assert index.record("note", never) is None
        index.remove_records("note", [never])
    index.remove_records("note", ["%", "*' OR 1=1"])
    assert len(ids(index, notes)) == len(words) - 1


BAD = (
    replace(record("a"), kind="Acts"),
    replace(record("a"), kind="act-2026.11"),
    replace(record("a"), kind=""),
    record(""),
    record("a\0"),
    record("\ud800"),
    record("a" * 129),
    record("a", 0, ""),
    record("a", 0, "x\0"),
    record("a", 0, "\udfff"),
    record("a", 0, "x" * 601),
    record("a", 0, *(str(n) for n in range(301))),
    record("a", -T0 - 1),
    record("a", 2**53),
    record("a", version=-1),
    record("a", text="\ud800"),
    record("a", number=float("nan")),
    record("a", thing=object()),
)


def test_a_record_that_cannot_be_indexed_is_refused_with_all_beside_it(index: Index) -> None:
    for bad in BAD:
        refused_with(Malformed, "bad_record", lambda bad=bad: index.put_records([record("b"), bad]))
    assert ids(index, ACTS) == []


def test_the_most_terms_and_the_longest_ones(index: Index) -> None:
    words = [f"{n:03d}" + "é" * 597 for n in range(300)]
    index.put_records([record("é" * 128, 1, *words)])
    assert ids(index, replace(ACTS, terms=tuple(words))) == ["é" * 128]
    assert ids(index, replace(ACTS, any_of=(frozenset(words),))) == ["é" * 128]


OUT_OF_BOUNDS = (
    (ACTS, 0, "bad_limit"),
    (ACTS, 1001, "bad_limit"),
    (replace(ACTS, any_of=(frozenset(map(str, range(1001))),)), 1, "bad_filter"),
    (replace(ACTS, terms=tuple(map(str, range(1001)))), 1, "bad_filter"),
    (replace(ACTS, after=(2**70, "a")), 1, "bad_cursor"),
    (replace(ACTS, after=(T0, "a\0")), 1, "bad_cursor"),
    (RecordQuery(kind="*"), 1, "bad_record"),
)


def test_a_question_out_of_bounds_is_refused(index: Index) -> None:
    index.put_records([record("a", 0, *map(str, range(300)))])
    for query, limit, code in OUT_OF_BOUNDS:
        refused_with(Malformed, code, lambda query=query, limit=limit: index.find_records(query, limit=limit))
    many = frozenset(map(str, range(1_000)))
    assert ids(index, replace(ACTS, any_of=(many, many))) == ["a"]


def test_records_are_counted_up_to_a_bound(index: Index) -> None:
    index.put_records([record(f"a{n:02d}", n // 3, "every", f"item:{n % 2}") for n in range(30)])
    every = replace(ACTS, terms=("every",))
    either = replace(ACTS, any_of=(frozenset({"item:0", "item:1", "every"}),))
    for query, there in (
        (ACTS, 30),
        (every, 30),
        (either, 30),
        (replace(every, terms=("every", "item:1")), 15),
        (replace(every, span=span(2, 4)), 6),
        (replace(every, terms=("none",)), 0),
        (replace(every, any_of=(frozenset(),)), 0),
        (replace(every, kind="hold"), 0),
        (replace(every, after=(T0 + 5, "a99")), 30),
        (replace(NEWEST, terms=("every",), after=(T0, "")), 30),
    ):
        for most in (1, 6, 29, 30, 31, 100_000):
            assert index.count_records(query, most=most) == min(there, most), (query, most)
    for most in (0, -1, 100_001):
        refused_with(Malformed, "bad_limit", lambda most=most: index.count_records(every, most=most))
    refused_with(Malformed, "bad_record", lambda: index.count_records(replace(every, kind="A"), most=1))


def test_removed_records_are_gone_with_their_words(index: Index) -> None:
    index.put_records([record(str(n), n * 40 * DAY, "every", f"person:{n}") for n in range(4)])
    index.put_records([record("1", 0, "every", kind="note")])
    index.remove_records("act", ["1", "3", "unknown"])
    index.remove_records("act", ["1"])
    assert ids(index, ACTS) == ids(index, replace(ACTS, terms=("every",))) == ["0", "2"]
    assert ids(index, replace(ACTS, terms=("person:1",))) == []
    assert index.record("act", "1") is None
    assert ids(index, RecordQuery(kind="note")) == ["1"]
    assert index.status().records == {"act": 2, "note": 1}
    index.put_records([record("1", 40 * DAY, "every")])
    assert ids(index, ACTS) == ["0", "1", "2"]


def test_marks_only_grow(index: Index) -> None:
    index.keep_record_marks("custody", {"2026/11/24/06": 3, "2026/11/24/07": 0})
    index.keep_record_marks("custody", {"2026/11/24/06": 2, "2026/11/24/08": 5, "2026/11/24/07": 1})
    index.keep_record_marks("custod", {"y:2026/11/24/06": 9})
    index.keep_record_marks("custody", {})
    assert dict(index.record_marks("custody")) == {
        "2026/11/24/06": 3, "2026/11/24/07": 1, "2026/11/24/08": 5,
    }  # fmt: skip
    assert dict(index.record_marks("custod")) == {"y:2026/11/24/06": 9}
    assert dict(index.record_marks("nothing")) == {}
    for name, marks in (
        ("", {"a": 1}),
        ("a", {"": 1}),
        ("a", {"é": 1}),
        ("a", {"a": -1}),
        ("a", {"a": 2**53}),
    ):
        refused_with(
            Malformed, "bad_record", lambda name=name, marks=marks: index.keep_record_marks(name, marks)
        )


def test_records_of_many_months_are_one_kind(index: Index) -> None:
    month = 31 * DAY
    names = ["00", "01", "02", "03", "99"]
    index.put_records([record(name, int(name) * month, "every") for name in names])
    assert ids(index, ACTS) == ids(index, replace(ACTS, terms=("every",))) == names
    assert ids(index, replace(ACTS, span=span(month, 2 * month + 1))) == ["01", "02"]
    assert ids(index, replace(ACTS, span=span(-5 * 366 * DAY, 1))) == ["00"]
    assert ids(index, replace(ACTS, span=span(4 * month, 20 * month))) == []
    assert ids(index, replace(NEWEST, after=(T0 + 2 * month, "02"))) == ["01", "00"]
    assert [one.id for one in every_page(index, NEWEST, limit=2)] == names[::-1]
    found = index.record("act", "99")
    assert found is not None
    assert found.at == T0 + 99 * month
    index.put_records([replace(found, version=2)])
    assert index.status().records == {"act": 5}


def test_a_rebuild_replaces_records_and_keeps_what_is_written_meanwhile(under_test: IndexUnderTest) -> None:
    index, elsewhere = under_test.index, under_test.reopened()
    index.put_records([record(name, 1, "old", "every") for name in "abc"])
    index.keep_record_marks("custody", {"before": 7})
    with index.rebuild() as fresh:
        fresh.put_records([record(name, 1, "every", version=v) for name, v in (("a", 1), ("b", 2), ("x", 1))])
        fresh.keep_record_marks("custody", {"hour": 3, "other": 9})
        assert ids(fresh, replace(ACTS, terms=("every",))) == ["a", "b", "x"]
        assert fresh.record("act", "x") is not None
        elsewhere.put_records([record("b", 1, "every", "late"), record("d", 2, "every", "late")])
        elsewhere.put_records([record("r", 2, kind="request", touches=(0, 5))])
        elsewhere.put_records([record("e", 70 * DAY, "every", "late")])
        elsewhere.remove_records("act", ["a"])
        elsewhere.keep_record_marks("custody", {"hour": 5, "other": 1})
        assert ids(index, ACTS) == ["b", "c", "d", "e"]
        fresh.loaded()
    for one in (index, elsewhere):
        assert ids(one, ACTS) == ["b", "x", "d", "e"]
        assert ids(one, replace(ACTS, terms=("late",))) == ["d", "e"], (
            "the older version of b changed nothing"
        )
        assert ids(one, replace(ACTS, terms=("old",))) == []
        assert ids(one, RecordQuery(kind="request", touching=span(4, 9))) == ["r"]
        assert dict(one.record_marks("custody")) == {"hour": 5, "other": 9}
        assert one.status().records == {"act": 4, "request": 1}
    elsewhere.put_records([record("f", 3, "every")])
    assert "f" in ids(index, ACTS)
    elsewhere.close()


def test_a_rebuild_after_a_rebuild_knows_nothing_of_the_first(index: Index) -> None:
    with index.rebuild() as fresh:
        fresh.put_records([record("a", 1, "every")])
        index.remove_records("act", ["b"])
        index.keep_record_marks("custody", {"hour": 5})
    with index.rebuild() as fresh:
        fresh.put_records([record("b", 1, "every")])
    assert ids(index, ACTS) == ["b"]
    assert dict(index.record_marks("custody")) == {}


def test_what_comes_again_during_a_rebuild_counts_as_ever(index: Index) -> None:
    """A fresh index may keep every version that comes, and must know at its end which one counts."""
    chosen, written = Random(11), Written()  # noqa: S311 - the same records in every run

    def again() -> Record:
        kind, name = chosen.choice(("act", "request")), chosen.choice("abcdefgh")
        words = frozenset(chosen.sample(WORDS, 2))
        made = _record(kind, name, chosen.randrange(1, 4), words, (0, HOUR))
        return replace(made, at=T0 + chosen.randrange(9))

    with index.rebuild() as fresh:
        for _ in range(30):
            records = [again() for _ in range(6)]
            fresh.put_records(records)
            written.put(records)
        first = written.find(ACTS)[0]
        copied = replace(first, at=first.at + 7, version=first.version - 1)
        fresh.put_records([copied, replace(first, id="once", body={"n": 1})])
        written.put([copied, replace(first, id="once", body={"n": 1})])
        fresh.loaded()
        for query in (ACTS, RecordQuery(kind="request")):
            assert fresh.find_records(query, limit=100) == written.find(query)
        fresh.put_records([replace(first, version=9, body={"n": 2})])
        written.put([replace(first, version=9, body={"n": 2})])
    for query in (ACTS, NEWEST, RecordQuery(kind="request")):
        for asked in (query, *(replace(query, terms=(word,)) for word in WORDS)):
            assert index.find_records(asked, limit=100) == written.find(asked), asked
            assert index.count_records(asked, most=100) == len(written.find(asked))
    assert sum(index.status().records.values()) == len(written.kept)


WORDS = ("person:citra", "person:budi", "type:play", "type:seal", "every")
NAME, AT, VERSION = st.sampled_from("abcdefgh"), st.integers(0, 5), st.integers(1, 3)
EDGES = st.tuples(st.integers(-3, 9), st.integers(1, 4)).map(
    lambda one: (one[0] * HOUR, (one[0] + one[1]) * HOUR)
)
PUT = st.tuples(
    st.just("put"),
    st.lists(
        st.tuples(NAME, VERSION, st.frozensets(st.sampled_from(WORDS)), st.none() | EDGES),
        min_size=1,
        max_size=9,
    ),
)
STEP = st.one_of(PUT, PUT, PUT, st.tuples(st.just("remove"), st.lists(NAME, max_size=2)))
QUERY = st.builds(
    RecordQuery,
    kind=st.just("request"),
    terms=st.lists(st.sampled_from((*WORDS, "none")), max_size=2).map(tuple),
    any_of=st.lists(st.frozensets(st.sampled_from((*WORDS, "none"))), max_size=2).map(tuple),
    span=st.none() | st.tuples(AT, st.integers(1, 4)).map(lambda one: span(one[0], one[0] + one[1])),
    touching=st.none() | EDGES.map(lambda one: span(one[0] + 1, one[1])),
    order=st.sampled_from(RecordOrder),
    after=st.none() | st.tuples(AT.map(lambda at: T0 + at), st.sampled_from(("", *"abcdefgh", "zz"))),
)
"""Few names, words and instants, so that they meet; ``at`` follows from the name, and never changes."""


def test_answers_are_those_of_a_plain_loop(under_test: IndexUnderTest) -> None:
    examples = 150 if under_test.kind == "sqlite" else 20
    kinds = (f"kind_{one}{other}" for one in ascii_lowercase for other in ascii_lowercase)

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        derandomize=True,
    )
    @given(st.lists(STEP, min_size=1, max_size=6), st.lists(QUERY, min_size=6, max_size=6), st.integers(1, 4))
    def holds(steps: list[tuple[str, list[Any]]], queries: list[RecordQuery], limit: int) -> None:
        index, written, kind = under_test.index, Written(), next(kinds)
        gone: set[str] = set()
        for what, values in steps:
            if what == "remove":
                index.remove_records(kind, values)
                written.remove(kind, values)
                gone.update(values)
                continue
            records = [_record(kind, *one) for one in values if one[0] not in gone]
            index.put_records(records)
            written.put(records)
        for query in (replace(one, kind=kind) for one in queries):
            expected = written.find(query)
            assert index.find_records(query, limit=1000) == expected, query
            every = written.find(replace(query, after=None))
            assert index.count_records(query, most=limit) == min(limit, len(every)), query
            assert every_page(index, query, limit=limit) == expected, query
        assert index.status().records.get(kind, 0) == len(written.kept)

    holds()


def _record(
    kind: str, name: str, version: int, terms: frozenset[str], touches: tuple[int, int] | None
) -> Record:
    at = "abcdefgh".index(name) // 3 * 2
    return record(name, at, *sorted(terms), kind=kind, version=version, touches=touches, v=version)
