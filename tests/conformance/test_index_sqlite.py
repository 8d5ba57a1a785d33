"""What only SQLite can do wrong: full disks, damaged and foreign files, deleted and replaced databases."""

import os
import random
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import IntegrityError, Malformed, StoreFull, Unavailable
from archive.ports import RecordOrder, RecordQuery
from search.sqlite import database, generation, open_sqlite, record_pages, record_rows, renew_sqlite
from tests.support.indexes import ANY, entry, refused_with, tiny_disk
from tests.support.leaves import T0, gap, segment
from tests.support.written import record, span

__all__ = ["tiny_disk"]


def test_a_full_disk_is_said_and_loses_nothing(tiny_disk: Callable[[int], Path]) -> None:
    path = tiny_disk(1024) / "index.sqlite"
    index = open_sqlite(path)
    kept = 0

    def fill() -> None:
        nonlocal kept
        while True:
            index.add([entry(segment(kept + n)) for n in range(50)])
            kept += 50

    error = refused_with(StoreFull, "index_full", fill)
    assert error.retryable
    assert kept > 0
    assert index.status().segments == kept
    refused_with(StoreFull, "index_full", lambda: index.rebuild().__enter__())
    assert [one.seq for one in index.search(ANY, limit=3).items] == [0, 1, 2]
    index.close()


def test_a_disk_that_is_full_from_the_start(tiny_disk: Callable[[int], Path]) -> None:
    folder = tiny_disk(64)
    refused_with(StoreFull, "index_full", lambda: open_sqlite(folder / "index.sqlite"))
    assert not os.path.lexists(folder / "index.sqlite")


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = open_sqlite(path)
    index.add([entry(segment(n)) for n in range(2_000)])
    index.close()
    database = path.resolve()
    whole = database.read_bytes()
    database.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))

    def use() -> None:
        again = open_sqlite(path)
        list(again.segments("cam-1", ANY.span))
        again.status()

    error = refused_with(IntegrityError, "index_damaged", use)
    assert "saksi index rebuild" in error.hint
    database.write_bytes(b"not a database at all" * 1000)
    refused_with(IntegrityError, "index_damaged", use)


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_text("somebody's notes")
    refused_with(Malformed, "bad_index_path", lambda: open_sqlite(path))
    assert path.read_text() == "somebody's notes"
    path.unlink()
    path.symlink_to("../elsewhere")
    refused_with(Malformed, "bad_index_path", lambda: open_sqlite(path))


def test_an_index_of_another_version_asks_for_a_rebuild(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    open_sqlite(path).close()
    with sqlite3.connect(path.resolve()) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    error = refused_with(Malformed, "index_version", lambda: open_sqlite(path))
    assert "rebuild" in error.hint


@pytest.mark.parametrize("other", [database.SCHEMA_VERSION - 1, 99])
def test_an_index_of_another_version_gives_way_to_a_rebuild(tmp_path: Path, other: int) -> None:
    path = tmp_path / "index.sqlite"
    renew_sqlite(path)
    assert not path.exists(), "where there is none, none is made"
    index = open_sqlite(path)
    index.add([entry(segment(0))])
    before = path.resolve()
    renew_sqlite(path)
    assert path.resolve() == before, "one of this version stays"
    with sqlite3.connect(before) as connection:
        connection.execute(f"PRAGMA user_version = {other}")
    connection.close()
    renew_sqlite(path)
    assert not before.exists()
    again = open_sqlite(path)
    assert [*again.search(ANY).items] == []
    with again.rebuild() as fresh:
        fresh.add([entry(segment(7))])
    assert [one.seq for one in again.search(ANY).items] == [7]
    assert len([name for name in tmp_path.iterdir() if not name.name.endswith(("-wal", "-shm"))]) == 2


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("a file where a folder should be")
    refused_with(Unavailable, "index_unavailable", lambda: open_sqlite(tmp_path / "notes" / "index.sqlite"))


def test_an_index_that_was_deleted_does_not_answer_that_there_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = open_sqlite(path)
    index.add([entry(segment(0))])
    path.unlink()
    refused_with(Unavailable, "index_gone", lambda: index.search(ANY))
    refused_with(Unavailable, "index_gone", lambda: index.add([entry(segment(1))]))
    again = open_sqlite(path)
    again.add([entry(segment(7))])
    assert [one.seq for one in index.search(ANY).items] == [7]
    assert len([name for name in tmp_path.iterdir() if not name.name.endswith(("-wal", "-shm"))]) == 2


def test_a_writer_that_waited_for_the_switch_writes_to_the_new_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer had opened the old database before the switch; its write must not be lost with that."""
    path = tmp_path / "index.sqlite"
    index, writer = open_sqlite(path), open_sqlite(path)
    waiting = threading.Thread(target=lambda: writer.add([entry(segment(1))]))
    switch = generation.switch

    def switch_while_the_writer_waits(link: Path, made: Path) -> None:
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive(), "the writer did not wait for the switch"
        switch(link, made)

    monkeypatch.setattr(generation, "switch", switch_while_the_writer_waits)
    with index.rebuild() as fresh:
        fresh.add([entry(segment(0))])
    waiting.join()
    assert [one.seq for one in index.search(ANY).items] == [0, 1]


def test_a_busy_database_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.sqlite.database._BUSY_SECONDS", 0.1)
    path = tmp_path / "index.sqlite"
    index = open_sqlite(path)
    lock = sqlite3.connect(path.resolve(), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    error = refused_with(Unavailable, "index_busy", lambda: index.add([entry(gap(T0, T0 + 1))]))
    assert error.retryable
    assert index.gap_records(ANY) == (), "readers do not wait for writers"
    lock.execute("ROLLBACK")
    lock.close()
    index.add([entry(gap(T0, T0 + 1))])
    assert len(index.gap_records(ANY)) == 1


def test_coverage_is_answered_from_an_index_alone(tmp_path: Path) -> None:
    """Query plans that make a month cheap: coverage reads no table row, and a page sorts none."""
    path = tmp_path / "index.sqlite"
    open_sqlite(path).close()
    with sqlite3.connect(path.resolve()) as connection:
        coverage = plan(
            connection,
            "SELECT camera, run, min(start), max(until), count(*), min(seq), max(seq) FROM segments "
            "WHERE start > 1 AND start < 9 AND until > 2 AND camera IN ('a', 'b') GROUP BY camera, run",
        )
        page = plan(
            connection,
            "SELECT * FROM segments WHERE start >= 3 AND start < 9 AND until > 2 "
            "AND (start, camera, run, seq) > (3, 'a', 'b', 4) ORDER BY start, camera, run, seq LIMIT 9",
        )
        walk = plan(
            connection,
            "SELECT * FROM segments WHERE start >= 3 AND start < 9 AND until > 2 "
            "AND (start, camera, run, seq) > (3, 'a', 'b', 4) AND camera = 'a' "
            "ORDER BY start, camera, run, seq LIMIT 9",
        )
    connection.close()
    assert "USING COVERING INDEX segments_by_camera (camera=? AND start>? AND start<?)" in coverage
    assert "USING INDEX segments_by_time (start>?" in page
    assert "TEMP B-TREE" not in page
    assert "USING INDEX segments_by_camera (camera=? AND start>? AND start<?)" in walk


def test_a_question_about_records_costs_what_it_returns(tmp_path: Path) -> None:
    """However many records the kind and one of the words have; measured in steps of SQLite's machine."""
    path = tmp_path / "index.sqlite"
    index = open_sqlite(path)
    hour = 3_600_000_000
    index.put_records(
        [
            record(
                f"{n:05d}", n * hour, "type:play", f"type:{n % 4}", f"item:{n % 50}", f"person:{n // 2000}",
                *(["rare"] if n % 2_001 == 2_000 else []), touches=(n * hour, (n + 1) * hour),
            )
            for n in range(20_000)
        ]
    )  # fmt: skip
    index.close()
    types = frozenset(f"type:{n}" for n in range(3))
    cases = (
        (0, RecordQuery(kind="act")),
        (0, RecordQuery(kind="act", terms=("type:play",))),
        (0, RecordQuery(kind="act", terms=("type:play", "item:7"))),
        (0, RecordQuery(kind="act", terms=("item:7",), any_of=(types,))),
        (0, RecordQuery(kind="act", any_of=(types, frozenset(["item:7", "item:8"])))),
        (9, RecordQuery(kind="act", terms=("type:play", "rare"))),
        (9, RecordQuery(kind="act", terms=("type:play",), any_of=(types | {"type:3"}, frozenset(["rare"])))),
        (0, RecordQuery(kind="act", terms=("person:3", "type:play"), span=span(7_000 * hour, 7_030 * hour))),
        (0, RecordQuery(kind="act", terms=("type:play",), after=(T0 + 15_000 * hour, "15000"))),
        (2, RecordQuery(kind="act", terms=("item:7",), touching=span(57 * hour, 108 * hour))),
        (0, RecordQuery(kind="act", terms=("type:play", "person:none"))),
    )
    with sqlite3.connect(path.resolve(), isolation_level=None) as connection:
        for count, oldest in cases:
            for order in RecordOrder:
                steps = 0

                def step() -> None:
                    nonlocal steps
                    steps += 1

                query = replace(oldest, order=order)
                connection.set_progress_handler(step, 100)
                found = record_pages.page(connection, query, 20)
                connection.set_progress_handler(None, 0)
                assert count in (0, len(found)), query
                assert steps <= 600, (steps, query)
    connection.close()


def test_which_filter_is_walked_changes_the_cost_and_never_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_sqlite(tmp_path / "index.sqlite")
    chosen = random.Random(7)  # noqa: S311 - the same records in every run
    made = [
        record(f"r{n:03}", chosen.randrange(90), f"a:{n % 2}", f"b:{n % 3}", f"c:{chosen.randrange(5)}")
        for n in range(240)
    ]
    index.put_records(made)
    asked = [
        RecordQuery(kind="act", terms=terms, any_of=any_of, order=order)
        for terms in (("a:0", "b:1"), ("b:2", "c:3"), ("a:1", "b:0", "c:4"))
        for any_of in ((), (frozenset(("c:1", "c:3", "c:4")),))
        for order in RecordOrder
    ]
    before = [index.find_records(query, limit=50) for query in asked]
    assert any(before)
    monkeypatch.setattr(record_pages, "_CAPS", (1, 3))  # so that every filter has very many
    assert [index.find_records(query, limit=50) for query in asked] == before
    index.close()


def test_of_filters_with_very_many_records_the_rarest_one_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_sqlite(tmp_path / "index.sqlite")
    made = [record(f"r{n:04}", n, "every", *(["some"] if n % 10 == 0 else [])) for n in range(1_000)]
    index.put_records(made)
    monkeypatch.setattr(record_pages, "_CAPS", (2, 20))
    with sqlite3.connect((tmp_path / "index.sqlite").resolve()) as connection:
        some = record_rows.numbers_of(connection, ["some"])["some"]
        for order in RecordOrder:
            asked = record_pages._asked(
                connection, RecordQuery(kind="act", terms=("every", "some"), order=order)
            )
            assert asked is not None
            assert asked.filters[0] == (some,)
    connection.close()
    index.close()


def test_no_word_stays_that_no_record_has(tmp_path: Path) -> None:
    """A word may be a person's name."""
    path = tmp_path / "index.sqlite"
    index = open_sqlite(path)
    index.put_records([record("a", 1, "person:citra", "every"), record("b", 1, "every", kind="note")])
    index.put_records([record("a", 1, "person:budi", "every", version=2)])
    with sqlite3.connect(path.resolve()) as connection:
        assert words(connection) == ["every", "person:budi"]
        index.remove_records("act", ["a"])
        assert words(connection) == ["every"]
        index.remove_records("note", ["b"])
        assert words(connection) == []
        for table in ("records", "record_terms"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    connection.close()


def words(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT word FROM terms ORDER BY word")]


def plan(connection: sqlite3.Connection, sql: str) -> str:
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
