"""The camera registry: the ``camera`` streams of the ledger.

A camera's newest entry is the camera. Its history says where it stood and what its name was when a segment
was recorded. Passwords in source URLs are sealed with a key that lies outside the archive, and are never
shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from archive.clock import Clock
from archive.errors import Conflict, IntegrityError, Malformed, NotFound
from archive.footage.source_url import check_second, device_of, parse_source
from archive.footage.sources import SourceRule
from archive.ids import check_name
from archive.model import camera_details as detailed
from archive.model import sight as sights
from archive.model.areas import NO_AREAS, Areas
from archive.model.camera import (
    DEFAULT_SEGMENT_SECONDS,
    Camera,
    check_segment_seconds,
    check_view,
    from_state,
    has_moved,
    parse_place,
    public_state,
    shown_source,
    to_state,
)
from archive.model.sound_permission import UNDECIDED, SoundDecision, SoundPermission, SoundProposal
from archive.model.stay import KIND as STAYS
from archive.model.stay import stays_state
from archive.model.sub_stream import NO_SUB, SubStream, check_sub
from archive.ports import SecretBox, SegmentIndex
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import Separation
from archive.separation import Decision

KIND = "camera"
REQUIRED = ("id", "source", "name", "lat", "lon", "kecamatan", "kelurahan", "owner", "view")
COLUMNS = (*REQUIRED, "segment_seconds", *sights.FIELDS, *detailed.FIELDS, "sub")
"""The fields of a camera, as forms and tables name them; those of :data:`REQUIRED` must be given."""
LONGEST_REASON = 200
"""Characters of the reason why sound is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraForm:
    """A camera as a person enters it: every field as text, not yet validated.

    ``kecamatan`` and ``kelurahan`` are codes, or names that the table of areas has.
    """

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
    bearing: str = ""
    field_of_view: str = ""
    reach_m: str = ""
    address: str = ""
    height_m: str = ""
    owner_name: str = ""
    permit: str = ""
    purpose: str = ""
    signage: str = ""
    installed_on: str = ""
    integrated_on: str = ""
    onvif: str = ""
    sub: str = ""


def form_of(camera: Camera) -> CameraForm:
    """The form of a registered camera. Its sources are "": only the recorder opens them."""
    sight = camera.sight
    return CameraForm(
        id=camera.id,
        source="",
        name=camera.name,
        lat=format(camera.place.lat, "f"),
        lon=format(camera.place.lon, "f"),
        kecamatan=camera.place.kecamatan,
        kelurahan=camera.place.kelurahan,
        owner=camera.place.owner.value,
        view="public",
        segment_seconds=str(camera.segment_seconds),
        **{name: "" if sight is None else str(getattr(sight, name)) for name in sights.FIELDS},
        **detailed.texts_of(camera.details),
    )


@dataclass(frozen=True, slots=True)
class CameraHead:
    """A camera in its newest entry, with that entry."""

    entry: Entry
    camera: Camera


class Registry:
    """Adds, edits and reads cameras. Each change is one ledger entry and two index documents.

    One document is the camera, the other its stays (:mod:`archive.model.stay`). They are views: if writing
    one fails, the entry stands, and the next reconcile or rebuild writes both. ``rule`` says where sources
    may lead, ``areas`` which names of areas are known. A change may name in ``expected`` the version that it
    is based on; without it the change is based on the newest.
    """

    def __init__(
        self,
        entries: Ledger,
        secrets: SecretBox,
        index: SegmentIndex,
        clock: Clock,
        rule: SourceRule | None = None,
        *,
        areas: Areas = NO_AREAS,
    ) -> None:
        self._ledger = entries
        self._rule = rule or SourceRule()
        self._secrets = secrets
        self._index = index
        self._clock = clock
        self._areas = areas
        self._separation = Separation(entries, clock)

    def add(
        self, form: CameraForm, *, actor: str, reason: str = "", others: Mapping[str, str] | None = None
    ) -> Camera:
        """Register a new camera; its timeline begins now.

        ``others`` are the ids of all registered cameras by themselves in lower case (``casefold``), if the
        caller knows them; else they are listed.

        Raises:
            Malformed: a field cannot be read; ``bad_source``, ``bad_place``, ``bad_view``, …
            Refused: ``private_view``; ``source_refused``: no camera's source may lead there.
            Conflict: ``camera_exists``, also for an id that differs only in case.
        """
        camera = self.drafted(form)
        if others is None:
            others = {known.id.casefold(): known.id for known in self.cameras()}
        if camera.id.casefold() in others:
            raise exists(others[camera.id.casefold()])
        self._append(camera, expected=0, actor=actor, action="camera.added", reason=reason)
        return camera

    def drafted(self, form: CameraForm) -> Camera:
        """The camera that :meth:`add` would register; nothing is written. Raises Malformed, Refused."""
        camera = self._judge(form, registered_at=self._clock.now())
        return replace(camera, sub=self._sub(form.sub, camera, None))

    def edit(
        self,
        camera_id: str,
        changes: Mapping[str, str],
        *,
        actor: str,
        reason: str = "",
        expected: int | None = None,
    ) -> Camera:
        """Change some fields, named as in :data:`COLUMNS` without ``id``; "" clears one that is optional.

        A blank source stays as it is, and so does a blank sub stream, which "none" takes away.

        Raises:
            NotFound, Malformed, Refused: as :meth:`add`.
            Malformed: ``reason_missing``: the camera stands or looks elsewhere afterwards.
            Conflict: ``ledger_conflict``: another writer changed it meanwhile.
        """
        head = self._head(camera_id, expected)
        before = from_state(head.state)
        after = self.revised(before, changes)
        check_reason(before, after, reason)
        self._append(after, expected=head.version, actor=actor, action="camera.edited", reason=reason)
        return after

    def revised(self, before: Camera, changes: Mapping[str, str]) -> Camera:
        """The camera that :meth:`edit` would make of it; nothing is written. Raises Malformed, Refused.

        A permission to record sound is for one device at one place: of another device, or at another place,
        no sound is recorded until it is allowed anew.
        """
        unknown = set(changes) - set(COLUMNS[1:])
        if unknown:
            raise Malformed(f"a camera has no field {', '.join(sorted(unknown))}", code="bad_field")
        form = CameraForm(**{**asdict(form_of(before)), **changes})
        if form.source:
            after = self._judge(form, registered_at=before.registered_at)
        else:
            judged = self._judge(replace(form, source="test://"), registered_at=before.registered_at)
            after = replace(judged, source=before.source, sealed_source=before.sealed_source)
        after = replace(after, disabled=before.disabled, sub=self._sub(form.sub, after, before.sub))
        if has_moved(before, after) or before.place != after.place or self._is_another(before, form.source):
            return after
        return replace(after, audio=before.audio, sound=before.sound)

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

    def propose_sound(
        self, camera_id: str, *, actor: str, reason: str, expected: int | None = None
    ) -> Camera:
        """Propose that the camera's sound be recorded; a second person must allow it.

        Raises:
            Malformed: ``reason_missing``; ``bad_detail``: it is longer than 200 characters.
            NotFound: ``camera_not_found``.
            Conflict: ``sound_allowed_already``, ``sound_proposed_already``; ``ledger_conflict``.
            Refused: ``person_unknown``: the actor is not a known person.
        """
        _check_repeatable(reason)
        head = self._head(camera_id, expected)
        before = from_state(head.state)
        if before.audio:
            raise Conflict(f"the sound of {camera_id} is recorded already", code="sound_allowed_already")
        if before.sound.proposal is not None:
            raise Conflict(
                f"to record the sound of {camera_id} already waits for a second admin",
                code="sound_proposed_already",
                hint="Approve that proposal, or end it first.",
            )
        self._separation.check_known(actor)
        proposal = SoundProposal(by=actor, at=self._clock.now(), reason=reason.strip())
        after = replace(before, sound=SoundDecision(proposal=proposal))
        self._append(after, expected=head.version, actor=actor, action="camera.audio_proposed", reason=reason)
        return after

    def allow_sound(
        self, camera_id: str, *, actor: str, reason: str = "", expected: int | None = None
    ) -> Camera:
        """Record the camera's sound from now on, as another person proposed.

        Raises:
            NotFound: ``camera_not_found``.
            Conflict: ``sound_not_proposed``; ``ledger_conflict``.
            Refused: ``same_person``: the actor proposed it; ``person_unknown``, ``persons_tied``,
                ``host_unlinked``: as :func:`archive.separation.check_separation`.
        """
        self._separation.check_known(actor)
        head = self._head(camera_id, expected)
        before = from_state(head.state)
        proposal = before.sound.proposal
        if proposal is None:
            raise Conflict(
                f"nobody proposed to record the sound of {camera_id}",
                code="sound_not_proposed",
                hint="Propose it with a reason; another administrator allows it.",
            )
        self._separation.check(Decision.SOUND_ALLOW, actor, (proposal.by,))
        permission = SoundPermission(
            proposed_by=proposal.by, allowed_by=actor, reason=proposal.reason, since=self._clock.now()
        )
        after = replace(before, audio=True, sound=SoundDecision(permission=permission))
        self._append(after, expected=head.version, actor=actor, action="camera.audio_allowed", reason=reason)
        return after

    def end_sound(self, camera_id: str, *, actor: str, reason: str, expected: int | None = None) -> Camera:
        """Record no sound from now on, and drop a proposal; one person is enough. What is recorded stays.

        Raises:
            Malformed: ``reason_missing``.
            NotFound, Conflict: as :meth:`edit`.
        """
        _check_given(reason)
        head = self._head(camera_id, expected)
        after = replace(from_state(head.state), audio=False, sound=UNDECIDED)
        self._append(after, expected=head.version, actor=actor, action="camera.audio_ended", reason=reason)
        return after

    def heads(self) -> list[CameraHead]:
        """Every camera with its newest entry, by id."""
        return [CameraHead(entry, from_state(entry.state)) for entry in self._ledger.heads(KIND)]

    def cameras(self) -> list[Camera]:
        """Every camera, by id."""
        return [head.camera for head in self.heads()]

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

    def sub_of(self, camera: Camera) -> str:
        """The whole URL of its sub stream; "" if it has none. Raises IntegrityError ``secret_unreadable``."""
        return "" if camera.sub is None else self._secrets.open(camera.sub.sealed_source)

    def sealed(self, url: str) -> tuple[str, str]:
        """A source that no camera has yet: as it may be shown, and sealed for recorders.

        Raises:
            Malformed: ``bad_source``. Refused: ``source_refused``: no camera's source may lead there.
        """
        shown = shown_source(url)
        parse_source(url)  # what no recorder could read is refused
        self._rule.check(url)
        return shown, self._secrets.seal(url)

    def _switch(
        self, camera_id: str, action: str, *, actor: str, reason: str, expected: int | None
    ) -> Camera:
        _check_given(reason)
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
        shown, sealed_source = self.sealed(form.source)
        details = detailed.parse_details(asdict(form))
        if details.onvif:
            self._rule.check(details.onvif)
        kecamatan = self._areas.kecamatan(form.kecamatan)
        kelurahan = self._areas.kelurahan(form.kelurahan, kecamatan=kecamatan)
        return Camera(
            id=check_name("camera", form.id),
            name=form.name.strip(),
            source=shown,
            sealed_source=sealed_source,
            place=parse_place(form.lat, form.lon, kecamatan, kelurahan, form.owner),
            segment_seconds=check_segment_seconds(seconds),
            registered_at=registered_at,
            sight=sights.parse_sight(asdict(form)),
            details=details,
        )

    def _sub(self, url: str, camera: Camera, kept: SubStream | None) -> SubStream | None:
        """The sub stream of a form. Raises Malformed ``bad_sub``; Refused as :meth:`sealed`."""
        if url.strip() == NO_SUB:
            return None
        found = kept
        if url:
            try:
                shown, sealed_source = self.sealed(url)
            except Malformed as error:
                raise Malformed(f"sub: {error.message}", code="bad_sub", hint=error.hint) from error
            check_second(url, self.source_of(camera))
            found = SubStream(source=shown, sealed_source=sealed_source)
        return found if found is None else check_sub(found, camera.source)

    def _is_another(self, before: Camera, source: str) -> bool:
        """Whether a source leads to another device than the camera's; credentials make no other device."""
        if not source or not (before.audio or before.sound.proposal):
            return False
        try:
            return device_of(source) != device_of(self.source_of(before))
        except IntegrityError:
            return True  # what the camera was cannot be read: nobody knows that it is the same

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


def check_reason(before: Camera, after: Camera, reason: str) -> None:
    """Let a change pass that is no move, or has a reason. Raises Malformed ``reason_missing``."""
    if has_moved(before, after) and not reason.strip():
        raise Malformed(
            f"camera {before.id} stands or looks elsewhere, and no reason is given",
            code="reason_missing",
            hint="Say why it was moved, turned or corrected; its moves show it.",
        )


def _check_repeatable(reason: str) -> None:
    """A reason that packages and papers repeat. Raises Malformed ``reason_missing``, ``bad_detail``."""
    _check_given(reason)
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Malformed(
            f"the reason is not a text of at most {LONGEST_REASON} printable characters", code="bad_detail"
        )


def _check_given(reason: str) -> None:
    if not reason.strip():
        raise Malformed("a reason is needed", code="reason_missing", hint="Give it with --reason.")


def exists(camera_id: str) -> Conflict:
    """The error for an id that a camera has already."""
    return Conflict(
        f"camera {camera_id} exists",
        code="camera_exists",
        hint=f"Choose another id, or change it with: saksi camera edit {camera_id}",
    )
