"""Importing a table of cameras: a plan of what would happen, then the same plan carried out.

Each row stands alone: a row that cannot be taken is refused with its field and cause, and the others go on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from archive.errors import ArchiveError, Conflict, Malformed, NotFound, Refused
from archive.footage.advice import CityBox, Remark, remarks, sound_remarks
from archive.footage.cameras import (
    COLUMNS,
    REQUIRED,
    CameraForm,
    CameraHead,
    Registry,
    check_reason,
    exists,
    form_of,
)
from archive.footage.exchange.rows import Row, Table
from archive.ids import check_name
from archive.model.areas import NO_AREAS, Areas
from archive.model.camera import Camera, shown_streams
from archive.records.ledger.streams import check_printable

_KEPT_IF_BLANK = ("source", "segment_seconds", "sub")
_FIELD_OF: Mapping[str, str] = {
    "bad_id": "id",
    "camera_exists": "id",
    "camera_not_found": "id",
    "row_repeated": "id",
    "bad_name": "name",
    "bad_sub": "sub",
    "bad_segment_seconds": "segment_seconds",
    "bad_view": "view",
    "private_view": "view",
    "bad_source": "source",
    "source_refused": "source",
    "not_permitted": "kecamatan",
}
"""The field that a code is about, where its message does not begin with it."""

_OF_ROWS = (Malformed, Refused, Conflict, NotFound)
"""Errors that refuse one row; any other ends the import."""

Admits = Callable[[Camera | None, Camera], None]
"""Checks that the caller may make the second camera of the first (None: add it). Raises Refused, NotFound."""


class Existing(StrEnum):
    """What happens to a row whose camera is registered already."""

    REFUSE = "refuse"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Change:
    """A field before and after; a source as it may be shown."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that is taken: the camera as it will be, and what changes.

    ``head`` is the camera's newest entry, None for a new camera. ``changes`` is empty for a new camera, and
    for one that stays as it is.
    """

    line: int
    camera: Camera
    head: CameraHead | None
    texts: Mapping[str, str]
    changes: Mapping[str, Change]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not taken. ``field`` is "" if the row as a whole is wrong."""

    line: int
    id: str
    field: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import does, row by row. A row stands in exactly one of the four lists."""

    added: tuple[Taken, ...] = ()
    changed: tuple[Taken, ...] = ()
    unchanged: tuple[Taken, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Import:
    """An import by one person. ``reason`` is written with each change; ``admits`` bounds what they may do."""

    registry: Registry
    existing: Existing
    reason: str
    box: CityBox
    areas: Areas = field(default_factory=lambda: NO_AREAS)
    admits: Admits = lambda _before, _after: None

    def plan(self, table: Table) -> Plan:
        """What would happen; nothing is written.

        Raises:
            Malformed: ``bad_csv``: new cameras are to be added, and columns that they need are missing;
                ``bad_reason``.
        """
        check_printable(self.reason)
        missing = [name for name in REQUIRED if name not in table.columns]
        if missing and self.existing is Existing.REFUSE:
            raise Malformed(
                f"the CSV header lacks {missing}",
                code="bad_csv",
                hint=f"The first line is: {','.join(COLUMNS)}",
            )
        known = {head.camera.id.casefold(): head for head in self.registry.heads()}
        added: list[Taken] = []
        changed: list[Taken] = []
        unchanged: list[Taken] = []
        refused: list[RefusedRow] = []
        seen: set[str] = set()
        for row in table.rows:
            try:
                taken = self._taken(row, known, seen)
            except _OF_ROWS as error:
                refused.append(_refused(row.line, row.id, error))
                continue
            if taken.head is None:
                added.append(taken)
            else:
                (changed if taken.changes else unchanged).append(taken)
        return Plan(
            added=tuple(added),
            changed=tuple(changed),
            unchanged=tuple(unchanged),
            refused=tuple(refused),
            ignored=table.ignored,
        )

    def carry_out(self, plan: Plan, *, actor: str) -> Plan:
        """Do what the plan says; a camera that somebody changed meanwhile moves to ``refused``."""
        others = {head.camera.id.casefold(): head.camera.id for head in self.registry.heads()}
        added: list[Taken] = []
        changed: list[Taken] = []
        refused = list(plan.refused)
        for one in plan.added:
            try:
                form = CameraForm(**_whole(one.texts))
                made = self.registry.add(form, actor=actor, reason=self.reason, others=others)
            except _OF_ROWS as error:
                refused.append(_refused(one.line, one.camera.id, error))
                continue
            others[made.id.casefold()] = made.id
            added.append(replace(one, camera=made))
        for one in plan.changed:
            try:
                made = self._edited(one, actor=actor)
            except _OF_ROWS as error:
                refused.append(_refused(one.line, one.camera.id, error))
                continue
            changed.append(replace(one, camera=made))
        refused.sort(key=lambda one: one.line)
        return replace(plan, added=tuple(added), changed=tuple(changed), refused=tuple(refused))

    def _edited(self, one: Taken, *, actor: str) -> Camera:
        version = None if one.head is None else one.head.entry.version
        return self.registry.edit(one.camera.id, one.texts, actor=actor, reason=self.reason, expected=version)

    def _taken(self, row: Row, known: Mapping[str, CameraHead], seen: set[str]) -> Taken:
        if row.problem is not None:
            raise row.problem
        name = check_name("camera", row.id)
        if name.casefold() in seen:
            raise Conflict(
                f"camera {name} stands in the table twice",
                code="row_repeated",
                hint="Keep one of the rows.",
            )
        seen.add(name.casefold())
        head = known.get(name.casefold())
        if head is None:
            return self._new(row)
        if head.camera.id != name:
            raise exists(head.camera.id)
        return self._renewed(row, head)

    def _new(self, row: Row) -> Taken:
        camera = self.registry.drafted(CameraForm(**_whole(row.fields)))
        self.admits(None, camera)
        return Taken(row.line, camera, None, row.fields, {}, self._remarks(camera))

    def _renewed(self, row: Row, head: CameraHead) -> Taken:
        before = head.camera
        self.admits(before, before)  # first: what else is wrong with the row would tell where it stands
        texts = {
            name: text
            for name, text in row.fields.items()
            if name != "id" and (text or name not in _KEPT_IF_BLANK)
        }
        shown = shown_streams(before)
        for name in shown.keys() & texts.keys():
            if texts[name] == shown[name]:  # as an export shows it: the password stays
                del texts[name]
        after = self.registry.revised(before, texts)
        self.admits(before, after)
        changes = _differences(before, after)
        for name in shown.keys() & texts.keys():
            # Also if it looks the same: whether a password is the stored one is nobody's to learn here.
            changes[name] = Change(shown[name], shown_streams(after)[name])
        if not changes:
            return Taken(row.line, before, head, {}, {})
        if self.existing is Existing.REFUSE:
            raise exists(before.id)
        check_reason(before, after, self.reason)
        found = (*self._remarks(after), *sound_remarks(before, after))
        return Taken(row.line, after, head, texts, changes, found)

    def _remarks(self, camera: Camera) -> tuple[Remark, ...]:
        return tuple(remarks(camera.place, self.box, self.areas))


def _whole(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts with "" for each column that is missing."""
    return {name: texts.get(name, "") for name in COLUMNS}


def _differences(before: Camera, after: Camera) -> dict[str, Change]:
    old, new = asdict(form_of(before)), asdict(form_of(after))
    return {name: Change(old[name], new[name]) for name in COLUMNS if old[name] != new[name]}


def _refused(line: int, camera: str, error: ArchiveError) -> RefusedRow:
    shown = camera[:63] if camera[:63].isprintable() else ""
    return RefusedRow(line, shown, field_of(error), error.code, error.message, error.hint)


def field_of(error: ArchiveError) -> str:
    """The field that an error is about: by its code, else the first word of its message; "" for none."""
    first = error.message.partition(" ")[0]
    return _FIELD_OF.get(error.code) or (first if first in COLUMNS else "")


def remarks_of(plan: Plan) -> Iterator[tuple[Taken, Remark]]:
    """Every remark of a plan with its row, in the order of lines."""
    for one in sorted((*plan.added, *plan.changed), key=lambda taken: taken.line):
        for remark in one.remarks:
            yield one, remark
