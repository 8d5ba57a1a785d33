"""The camera registry: the ``camera`` streams of the ledger.

A camera's newest entry is the camera. Its history says where it stood and what its name was when a segment
was recorded. Passwords in source URLs are sealed with a key that lies outside the archive, and are never
shown.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TextIO

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.footage.source_url import parse_source
from archive.footage.sources import SourceRule
from archive.ids import check_name
from archive.model.camera import (
    DEFAULT_SEGMENT_SECONDS,
    Camera,
    check_segment_seconds,
    check_view,
    from_state,
    parse_place,
    shown_source,
    to_state,
)
from archive.model.stay import KIND as STAYS
from archive.model.stay import stays_state
from archive.ports import SecretBox, SegmentIndex
from archive.records.ledger.streams import Entry, Ledger

KIND = "camera"
COLUMNS = (
    "id",
    "source",
    "name",
    "lat",
    "lon",
    "kecamatan",
    "kelurahan",
    "owner",
    "view",
    "segment_seconds",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraForm:
    """A camera as a person enters it: every field as text, not yet validated."""

    id: str
    source: str
    name: str
    lat: str
    lon: str
    kecamatan: str
    kelurahan: str
    owner: str
    view: str
    segment_seconds: str = ""


@dataclass(frozen=True, slots=True)
class CameraHead:
    """A camera in its newest entry, with that entry."""

    entry: Entry
    camera: Camera


class Registry:
    """Adds, edits and reads cameras. Each change is one ledger entry and two index documents.

    One document is the camera, the other its stays (:mod:`archive.model.stay`). They are views: if writing
    one fails, the entry stands, and the next reconcile or rebuild writes both. ``rule`` says where sources
    may lead. A change may name in ``expected`` the version that it is based on; without it the change is
    based on the newest.
    """

    def __init__(
        self,
        entries: Ledger,
        secrets: SecretBox,
        index: SegmentIndex,
        clock: Clock,
        rule: SourceRule | None = None,
    ) -> None:
        self._ledger = entries
        self._rule = rule or SourceRule()
        self._secrets = secrets
        self._index = index
        self._clock = clock

    def add(self, form: CameraForm, *, actor: str, reason: str = "") -> Camera:
        """Register a new camera; its timeline begins now.

        Raises:
            Malformed: a field cannot be read; ``bad_source``, ``bad_place``, ``bad_view``, …
            Refused: ``private_view``; ``source_refused``: no camera's source may lead there.
            Conflict: ``camera_exists``, also for an id that differs only in case.
        """
        camera = self._judge(form, registered_at=self._clock.now())
        for other in self.cameras():
            if other.id.casefold() == camera.id.casefold():
                raise Conflict(
                    f"camera {other.id} exists",
                    code="camera_exists",
                    hint=f"Choose another id, or change it with: saksi camera edit {other.id}",
                )
        self._append(camera, expected=0, actor=actor, action="camera.added", reason=reason)
        return camera

    def edit(
        self,
        camera_id: str,
        changes: Mapping[str, str],
        *,
        actor: str,
        reason: str = "",
        expected: int | None = None,
    ) -> Camera:
        """Change some fields, named as in :data:`COLUMNS` without ``id``.

        Raises:
            NotFound, Malformed, Refused: as :meth:`add`.
            Conflict: ``ledger_conflict``: another writer changed it meanwhile.
        """
        head = self._head(camera_id, expected)
        before = from_state(head.state)
        unknown = set(changes) - set(COLUMNS[1:])
        if unknown:
            raise Malformed(f"a camera has no field {', '.join(sorted(unknown))}", code="bad_field")
        form = CameraForm(
            id=camera_id,
            source=changes.get("source", ""),
            name=changes.get("name", before.name),
            lat=changes.get("lat", format(before.place.lat, "f")),
            lon=changes.get("lon", format(before.place.lon, "f")),
            kecamatan=changes.get("kecamatan", before.place.kecamatan),
            kelurahan=changes.get("kelurahan", before.place.kelurahan),
            owner=changes.get("owner", before.place.owner.value),
            view=changes.get("view", "public"),
            segment_seconds=changes.get("segment_seconds", str(before.segment_seconds)),
        )
        if form.source:
            after = self._judge(form, registered_at=before.registered_at)
        else:
            judged = self._judge(replace(form, source="test://"), registered_at=before.registered_at)
            after = replace(judged, source=before.source, sealed_source=before.sealed_source)
        after = replace(after, disabled=before.disabled, audio=before.audio, sight=before.sight)
        self._append(after, expected=head.version, actor=actor, action="camera.edited", reason=reason)
        return after

    def disable(self, camera_id: str, *, actor: str, reason: str, expected: int | None = None) -> Camera:
        """Stop recording a camera, with the reason on record; its timeline goes on as a ``disabled`` gap.

        Raises:
            Malformed: ``reason_missing``.
            NotFound, Conflict: as :meth:`edit`.
        """
        return self._switch(camera_id, "camera.disabled", actor=actor, reason=reason, expected=expected)

    def enable(self, camera_id: str, *, actor: str, reason: str, expected: int | None = None) -> Camera:
        """Record a disabled camera again. Raises as :meth:`disable`."""
        return self._switch(camera_id, "camera.enabled", actor=actor, reason=reason, expected=expected)

    def cameras(self) -> list[Camera]:
        """Every camera, by id."""
        return [from_state(entry.state) for entry in self._ledger.heads(KIND)]

    def camera(self, camera_id: str) -> Camera:
        """One camera. Raises NotFound ``camera_not_found``."""
        return self.head(camera_id).camera

    def head(self, camera_id: str) -> CameraHead:
        """One camera and its newest entry. Raises NotFound ``camera_not_found``."""
        entry = self._head(camera_id, None)
        return CameraHead(entry, from_state(entry.state))

    def history(self, camera_id: str) -> Iterator[Entry]:
        """Every entry of one camera, oldest first."""
        return self._ledger.history(KIND, camera_id)

    def as_of(self, camera_id: str, instant: int) -> Camera:
        """The camera as it was registered at ``instant``; its first entry for an earlier instant."""
        found: Camera | None = None
        for entry in self.history(camera_id):
            if found is not None and entry.at > instant:
                break
            found = from_state(entry.state)
        if found is None:
            raise NotFound(f"there is no camera {camera_id}", code="camera_not_found")
        return found

    def source_of(self, camera: Camera) -> str:
        """The whole source URL, for the recorder alone. Raises IntegrityError ``secret_unreadable``."""
        return self._secrets.open(camera.sealed_source)

    def import_csv(self, rows: TextIO, *, actor: str, reason: str = "") -> "ImportReport":
        """Register every row of a CSV file with the columns of :data:`COLUMNS`.

        Rows are validated one by one: a bad row is reported with its line and cause; the others are added.

        Raises:
            Malformed: ``bad_csv`` if the header is not the expected one.
        """
        reader = csv.DictReader(rows)
        missing = [name for name in COLUMNS[:-1] if name not in (reader.fieldnames or ())]
        surplus = [name for name in reader.fieldnames or () if name not in COLUMNS]
        if missing or surplus:
            raise Malformed(
                f"the CSV header lacks {missing or 'nothing'} and has unknown {surplus or 'nothing'}",
                code="bad_csv",
                hint=f"The first line is: {','.join(COLUMNS)}",
            )
        added: list[Camera] = []
        refused: list[RefusedRow] = []
        for row in reader:
            fields = {name: (row.get(name) or "").strip() for name in COLUMNS}
            try:
                added.append(self.add(CameraForm(**fields), actor=actor, reason=reason))
            except (Malformed, Refused, Conflict) as error:
                refused.append(RefusedRow(reader.line_num, fields["id"], error.code, error.message))
        return ImportReport(tuple(added), tuple(refused))

    def _switch(
        self, camera_id: str, action: str, *, actor: str, reason: str, expected: int | None
    ) -> Camera:
        if not reason.strip():
            raise Malformed("a reason is needed", code="reason_missing", hint="Give it with --reason.")
        head = self._head(camera_id, expected)
        after = replace(from_state(head.state), disabled=action == "camera.disabled")
        self._append(after, expected=head.version, actor=actor, action=action, reason=reason)
        return after

    def _judge(self, form: CameraForm, *, registered_at: int) -> Camera:
        check_view(form.view)
        if not form.name.strip() or len(form.name) > 200 or not form.name.isprintable():
            raise Malformed("a camera needs a name of 1 to 200 printable characters", code="bad_name")
        try:
            seconds = int(form.segment_seconds or DEFAULT_SEGMENT_SECONDS)
        except ValueError as error:
            raise Malformed(
                f"segment_seconds {form.segment_seconds!r} is not a number", code="bad_segment_seconds"
            ) from error
        shown = shown_source(form.source)
        parse_source(form.source)  # what no recorder could read is not registered
        self._rule.check(form.source)
        return Camera(
            id=check_name("camera", form.id),
            name=form.name.strip(),
            source=shown,
            sealed_source=self._secrets.seal(form.source),
            place=parse_place(form.lat, form.lon, form.kecamatan, form.kelurahan, form.owner),
            segment_seconds=check_segment_seconds(seconds),
            registered_at=registered_at,
        )

    def _head(self, camera_id: str, expected: int | None) -> Entry:
        return self._ledger.head_at(KIND, check_name("camera", camera_id), expected)

    def _append(self, camera: Camera, *, expected: int, actor: str, action: str, reason: str) -> None:
        state = to_state(camera)
        entry = self._ledger.append(
            KIND, camera.id, state, expected=expected, actor=actor, action=action, reason=reason
        )
        # The stays first: a camera's document then never lacks the stays of its version.
        self._put_stays(entry)
        self._index.put_document(KIND, camera.id, entry.version, public_state(entry.state))

    def _put_stays(self, entry: Entry) -> None:
        try:
            history = [entry] if entry.version == 1 else list(self.history(entry.id))
        except (IntegrityError, Malformed, NotFound):
            return  # archive check names the damaged entry; what is known of the stays is kept
        state = stays_state((one.at, one.state) for one in history)
        self._index.put_document(STAYS, entry.id, history[-1].version, state)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One CSV row that was not added."""

    line: int
    id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of an import."""

    added: tuple[Camera, ...]
    refused: tuple[RefusedRow, ...]


def public_state(state: JsonObject) -> JsonObject:
    """A camera's state for the index: without the sealed URL, which only the recorder needs."""
    return {name: value for name, value in state.items() if name != "sealed_source"}


def from_public_state(state: JsonObject) -> Camera:
    """The camera of a public state; its sealed source is "". Raises Malformed ``bad_camera``."""
    return from_state({**state, "sealed_source": ""})
