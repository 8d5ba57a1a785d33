"""The embedded index: :class:`SqliteIndex`, all of :class:`search.index.Index` on one SQLite file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from archive.canonical import JsonObject
from archive.ids import check_name, check_run
from archive.integrity.rebuild import SegmentRow
from archive.model.gap import Gap
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry
from archive.timespan import HOUR, Timespan, hour_of
from search import stretch
from search.checks import check_entries, check_kind, check_rows
from search.paging import Position, check_limit, position, read_cursor, write_cursor
from search.query import (
    Document,
    FootageSum,
    Heartbeat,
    HourCoverage,
    IndexStatus,
    Page,
    Pause,
    Records,
    RunCoverage,
    SegmentQuery,
    Standing,
)
from search.sqlite import database, generation, hours, late, pages, record_rows, rows, stale, switching
from search.sqlite.database import Database
from search.sqlite.record_part import RecordPart
from search.sqlite.translation import translated

_SETTLED = 2000
_SETTLED_BESIDE = 8
_WALK = 1000
"""Rows per read during a walk: no read transaction stays open between two steps of the caller."""


def open_sqlite(path: Path) -> "SqliteIndex":
    """The index at ``path``; an empty one is made, with its folder, if there is none.

    Raises:
        Malformed: ``bad_index_path``, ``index_version``.
        Unavailable, StoreFull, IntegrityError: as in :mod:`search.index`.
    """
    with translated("be opened", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if generation.current(path) is None:
            made = generation.fresh(path)
            database.create(made)
            if generation.establish(path, made):
                leftovers = generation.others(path)
            else:
                leftovers = [made]
            for leftover in leftovers:
                generation.destroy(leftover)
    index = SqliteIndex(Database(path, linked=True, durable=True))
    index.cursor("probe")
    return index


def renew_sqlite(path: Path) -> None:
    """Put an empty index in the place of one of another format, which a rebuild fills then; else do nothing.

    Nothing is lost: an index is made from the archive. Until it is whole, questions are refused.

    Raises:
        Malformed: ``bad_index_path``.
        Unavailable, StoreFull, IntegrityError: as in :mod:`search.index`.
    """
    with translated("be renewed", path):
        found = generation.current(path)
        if found is None or database.format_of(found) == database.SCHEMA_VERSION:
            return
        made = generation.fresh(path)
        database.create(made)
        generation.switch(path, made)
        for leftover in generation.others(path):
            generation.destroy(leftover)


class SqliteIndex(RecordPart):
    """See :class:`search.index.Index`. Made by :func:`open_sqlite`."""

    def __init__(self, base: Database, *, filling: bool = False) -> None:
        super().__init__(base, filling=filling)

    # Segments, gaps and runs -------------------------------------------------------------------------

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves in one transaction, durable when this returns."""
        check_entries(entries)
        if entries:
            with self._base.write("be written") as connection:
                rows.put_entries(connection, entries)
                late.note(connection, "entry", map(late.entry_to_body, entries))
                if not self._filling:
                    # Settle a few past hours, for installations without a job that does it.
                    hours.settle(connection, _SETTLED_BESIDE, before=_oldest_hour(entries))

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Remove segments; idempotent."""
        doomed = [(one.run, one.seq) for one in segments]
        with self._base.write("be written") as connection:
            rows.remove_segments(connection, doomed)
            late.note(connection, "removal", ({"run": run, "seq": seq} for run, seq in doomed))

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as held; idempotent."""
        self._mark([(one.run, one.seq) for one in segments], held=1)

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as not held; idempotent."""
        self._mark([(one.run, one.seq) for one in segments], held=0)

    def _mark(self, ids: list[tuple[str, int]], *, held: int) -> None:
        with self._base.write("be written") as connection:
            rows.mark_segments(connection, ids, held=held)
            late.note(connection, "held", ({"run": run, "seq": seq, "held": held} for run, seq in ids))

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, run and seq."""
        query = SegmentQuery(span=span, cameras=(camera,))
        after: Position | None = None
        while True:
            with self._base.read("be read") as connection:
                found = [rows.segment(row) for row in pages.page(connection, query, after, _WALK)]
            yield from found
            if len(found) < _WALK:
                return
            after = position(found[-1])

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``, ordered by start."""
        return self.gap_records(SegmentQuery(span=span, cameras=(camera,)))

    def segment(self, run: str, seq: int) -> SegmentRef | None:
        """One segment, or None."""
        sql = f"SELECT {rows.SEGMENT_COLUMNS} FROM segments WHERE run = ? AND seq = ?"  # noqa: S608
        with self._base.read("be read") as connection:
            row = connection.execute(sql, (check_run(run), seq)).fetchone()
        return None if row is None else rows.segment(row)

    def run(self, run: str) -> Run | None:
        """The record of a finished run, or None."""
        sql = f"SELECT {rows.RUN_COLUMNS} FROM runs WHERE run = ?"  # noqa: S608
        with self._base.read("be read") as connection:
            row = connection.execute(sql, (check_run(run),)).fetchone()
        return None if row is None else rows.run(row)

    def high_water(self, camera: str) -> int | None:
        """The latest end ever added of the camera, or None."""
        return self.high_waters((camera,)).get(camera)

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        """The latest end ever added, by camera."""
        asked = [check_name("camera", camera) for camera in cameras]
        with self._base.read("be read") as connection:
            found = (
                connection.execute(
                    "SELECT camera, until FROM high_waters WHERE camera = ?", (one,)
                ).fetchone()
                for one in asked
            )
            return {row[0]: row[1] for row in found if row is not None}

    # Questions ---------------------------------------------------------------------------------------

    def search(self, query: SegmentQuery, *, limit: int = 100, cursor: str | None = None) -> Page:
        """One page of matches in order of (start, camera, run, seq)."""
        check_limit(limit)
        after = None if cursor is None else read_cursor(query, cursor)
        with self._base.read("be searched") as connection:
            found = pages.page(connection, query, after, limit + 1)
        items = tuple(rows.segment(row) for row in found[:limit])
        return Page(items, write_cursor(query, position(items[-1])) if len(found) > limit else None)

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        """Coverage per run, aggregated in SQL."""
        with self._base.read("be searched") as connection:
            found = pages.stretches(connection, query, "camera, run")
            return stretch.run_coverage(found, query.span, lambda one: pages.pieces(connection, query, one))

    def pauses(self, query: SegmentQuery) -> tuple[Pause, ...]:
        """The pauses that matching segments state."""
        with self._base.read("be searched") as connection:
            return pages.pauses(connection, query)

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """Gap records that overlap the span, ordered by start."""
        with self._base.read("be searched") as connection:
            return pages.gaps(connection, query)

    def cameras(self, query: SegmentQuery) -> tuple[str, ...]:
        """Cameras with a segment or a gap record that matches."""
        with self._base.read("be searched") as connection:
            return pages.cameras(connection, query)

    def hours(self, query: SegmentQuery) -> tuple[HourCoverage, ...]:
        """Coverage per camera and UTC hour: settled hours from storage, the others computed."""
        with self._base.read("be searched") as connection:
            return hours.answer(connection, query)

    def footage_sums(self, query: SegmentQuery, step: int, origin: int) -> tuple[FootageSum, ...]:
        """The footage of hours by bucket: settled hours summed in SQL, the others computed."""
        with self._base.read("be searched") as connection:
            return hours.footage_sums(connection, query, step, origin)

    def settle_hours(self) -> int:
        """Compute and store every stale hour, a few at a time so that writers get their turns."""
        settled = 0
        while True:
            with self._base.write("be written") as connection:
                count = hours.settle(connection, _SETTLED)
            settled += count
            if count < _SETTLED:
                return settled

    def standing(self, camera: str) -> Standing:
        """The camera's document and high-water mark."""
        return Standing(self.document("camera", camera), self.high_water(camera))

    def records(self, camera: str, span: Timespan) -> Records:
        """Gap records and segments that overlap the span."""
        return Records(tuple(self.gaps(camera, span)), tuple(self.segments(camera, span)))

    def reading(self, camera: str, span: Timespan) -> tuple[Standing, Records]:
        """Both, one after the other."""
        return self.standing(camera), self.records(camera, span)

    # Documents, recorders ----------------------------------------------------------------------------

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream."""
        values = (check_kind(kind), check_name(kind, entity), version, rows.to_text(state))
        noted = {"kind": kind, "id": entity, "version": version, "state": state}
        with self._base.write("be written") as connection:
            connection.execute(rows.PUT_DOCUMENT, values)
            late.note(connection, "document", [noted])

    def document(self, kind: str, entity: str) -> Document | None:
        """The newest known state of a ledger stream, or None."""
        with self._base.read("be read") as connection:
            row = connection.execute(
                "SELECT version, state FROM documents WHERE kind = ? AND id = ?",
                (check_kind(kind), check_name(kind, entity)),
            ).fetchone()
        return None if row is None else Document(kind, entity, row[0], rows.to_state(row[1]))

    def documents(self, kind: str) -> Iterator[Document]:
        """All of a kind, by id."""
        check_kind(kind)
        after = ""
        while True:
            with self._base.read("be read") as connection:
                found = connection.execute(
                    "SELECT id, version, state FROM documents WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
                    (kind, after, _WALK),
                ).fetchall()
            for entity, version, state in found:
                yield Document(kind, entity, version, rows.to_state(state))
            if len(found) < _WALK:
                return
            after = found[-1][0]

    def documents_mark(self, kind: str) -> str:
        """Their number and the sum of their versions: a version only becomes greater."""
        with self._base.read("be read") as connection:
            count, versions = connection.execute(
                "SELECT count(*), total(version) FROM documents WHERE kind = ?", (check_kind(kind),)
            ).fetchone()
        return f"{count} {versions:.0f}"

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """Keep a recorder's heartbeat."""
        values = (check_name("recorder", recorder), at, rows.to_text(state))
        with self._base.write("be written") as connection:
            connection.execute(rows.PUT_HEARTBEAT, values)

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """The last heartbeat of every recorder."""
        with self._base.read("be read") as connection:
            found = connection.execute("SELECT recorder, at, state FROM heartbeats ORDER BY recorder")
            return tuple(Heartbeat(row[0], row[1], rows.to_state(row[2])) for row in found)

    def cursor(self, recorder: str) -> int:
        """The recorder's last journal batch that is wholly in the index; 0 for none."""
        with self._base.read("be read") as connection:
            row = connection.execute(
                "SELECT batch FROM cursors WHERE recorder = ?", (check_name("recorder", recorder),)
            ).fetchone()
        return 0 if row is None else int(row[0])

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a batch is wholly in the index."""
        values = (check_name("recorder", recorder), batch)
        with self._base.write("be written") as connection:
            connection.execute(rows.PUT_CURSOR, values)
            late.note(connection, "cursor", [{"recorder": recorder, "batch": batch}])

    # The index itself --------------------------------------------------------------------------------

    @contextmanager
    def rebuild(self) -> Iterator["SqliteIndex"]:
        """A fresh index that takes this one's place at the end; see :meth:`search.index.Index.rebuild`."""
        with switching.rebuilt(self._base, lambda fresh: SqliteIndex(fresh, filling=True).apply) as base:
            yield SqliteIndex(base, filling=True)

    def load(self, rows_: Sequence[SegmentRow]) -> None:
        """Index very many segments in one transaction."""
        check_rows(rows_)
        with self._base.write("be written") as connection:
            rows.load_segments(connection, rows_)
            if not self._filling:
                stale.mark_all(connection)

    def settle(self) -> None:
        """Does nothing: everything is stored when :meth:`load` returns."""

    def loaded(self) -> None:
        """Make the indexes, which a database without them fills faster."""
        with self._base.write("be completed") as connection:
            database.make_indexes(connection)

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """How many segments start in each UTC hour."""
        sql = f"SELECT start / {HOUR} * {HOUR}, count(*) FROM segments WHERE camera = ? GROUP BY 1"  # noqa: S608
        with self._base.read("be read") as connection:
            return dict(connection.execute(sql, (check_name("camera", camera),)).fetchall())

    def rebuild_state(self) -> JsonObject | None:
        """The progress of the rebuild that fills this database."""
        with self._base.read("be read") as connection:
            row = connection.execute("SELECT state FROM rebuild_state").fetchone()
        return None if row is None else rows.to_state(row[0])

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Store the progress of the rebuild."""
        with self._base.write("be written") as connection:
            connection.execute(rows.PUT_REBUILD_STATE, (switching.boot_id(), rows.to_text(state)))

    def is_whole(self) -> bool:
        """Whether the mark is there."""
        with self._base.read("be read") as connection:
            return connection.execute("SELECT 1 FROM whole").fetchone() is not None

    def mark_whole(self) -> None:
        """Set the mark; idempotent."""
        with self._base.write("be written") as connection:
            connection.execute("INSERT OR IGNORE INTO whole (one) VALUES (1)")

    def compared_at(self) -> int | None:
        """When the index was last compared with the journals and lacked nothing, or None."""
        with self._base.read("be read") as connection:
            row = connection.execute("SELECT at FROM compared").fetchone()
        return None if row is None else int(row[0])

    def keep_compared_at(self, at: int) -> None:
        """Store that time."""
        with self._base.write("be written") as connection:
            connection.execute(rows.PUT_COMPARED, (at,))

    def apply(self, kind: str, body: JsonObject) -> None:
        """Apply a note of :mod:`search.sqlite.late`."""
        match kind:
            case "entry":
                self.add([late.entry_from_body(body)])
            case "removal":
                with self._base.write("be written") as connection:
                    rows.remove_segments(connection, [(body["run"], body["seq"])])
            case "held":
                self._mark([(body["run"], body["seq"])], held=body["held"])
            case "document":
                self.put_document(body["kind"], body["id"], body["version"], body["state"])
            case "cursor":
                self.advance_cursor(body["recorder"], body["batch"])
            case _:
                self.apply_to_records(kind, body)

    def compact(self, now: int) -> int:
        """Does nothing: a row takes no more room than it needs."""
        return 0

    def status(self) -> IndexStatus:
        """The contents of the index, in figures."""
        with self._base.read("be read") as connection:
            count = {
                table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
                for table in ("segments", "gaps", "runs")
            }
            documents = dict(connection.execute("SELECT kind, count(*) FROM documents GROUP BY kind"))
            cursors = dict(connection.execute("SELECT recorder, batch FROM cursors"))
            by_kind = record_rows.counts(connection)
            (first,) = connection.execute("SELECT min(start) FROM segments").fetchone()
            (last,) = connection.execute("SELECT max(until) FROM high_waters").fetchone()
        return IndexStatus(
            kind="sqlite",
            location=str(self._base.path),
            segments=count["segments"],
            gaps=count["gaps"],
            runs=count["runs"],
            documents=documents,
            records=by_kind,
            cursors=cursors,
            first=first,
            last=last,
        )

    def close(self) -> None:
        """Close the connections."""
        self._base.close()


def _oldest_hour(entries: Sequence[IndexEntry]) -> int:
    return min(hour_of(entry.leaf.span.start) for entry in entries)
