"""What one principal may see of the archive: every camera, span and package is checked here.

To a principal bound to districts, a camera outside them answers exactly as one that does not exist: its
existence alone would be information. Where existence is public (police see every camera's public facts), the
answer is 403. Footage belongs to the place where its camera stood *when it was recorded*.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from api.auth.permissions import RIGHT_OF, Reach
from api.auth.principal import Principal
from api.cameras import camera_facts
from api.places import Where
from api.services import Services
from archive.errors import NotFound, Refused
from archive.footage.reader import Reading
from archive.model.camera import Camera, Place, from_state
from archive.model.evidence import EvidenceRecord
from archive.model.request import KIND as REQUEST
from archive.model.request import from_state as request_from_state
from archive.model.segment import SegmentRef
from archive.model.sound_permission import facts_only
from archive.persons import same_person
from archive.records.ledger.streams import Ledger
from archive.timespan import Timespan


class Access:
    """Applies the rules of :mod:`api.auth.permissions` to objects, for one principal and one action.

    ``denied`` receives the reason of each refusal, for the audit trail; the answer must not give it.
    """

    def __init__(
        self, services: Services, principal: Principal, action: str, denied: Callable[[str], None]
    ) -> None:
        self._services = services
        self._principal = principal
        self._action = action
        self._denied = denied
        self._reach = principal.reach(action)
        self._stays: dict[str, list[tuple[int, Place]]] = {}

    # -- cameras ---------------------------------------------------------------------------------------

    def camera(self, camera: str) -> Camera:
        """A camera as the principal may see it: those with reach ``facts`` do not see its device's address.

        Raises:
            NotFound: ``camera_not_found``: it does not exist, or the principal may not know of it.
            Refused: ``not_permitted``.
        """
        return self.found(camera_facts(self._services, camera))

    def found(self, camera: Camera) -> Camera:
        """As :meth:`camera`, for a camera that was already looked up. Raises as :meth:`camera`."""
        if not self.admits(camera.place):
            raise self._no_camera(camera.id)
        return self.shown(camera)

    def shown(self, camera: Camera) -> Camera:
        """A camera that the principal may know of, without the fields that they may not see."""
        if self.sees_more_than_facts:
            return camera
        return replace(
            camera,
            source="",
            sealed_source="",
            sub=None,
            sound=facts_only(camera.sound),
            details=replace(camera.details, owner_name=""),
        )

    @property
    def sees_more_than_facts(self) -> bool:
        """Whether more than the public facts of a camera may be shown: its device, its owner's name."""
        return Reach.ALL in self._reach or Reach.OWN in self._reach

    def admits(self, place: Place) -> bool:
        """Whether the principal may know of a camera that stands there now."""
        if self._reach & {Reach.ALL, Reach.FACTS, Reach.GRANTED, Reach.MINE}:
            return True
        return Reach.OWN in self._reach and self._principal.is_own(place.kecamatan)

    def change(self, camera: str, kecamatan: str | None) -> None:
        """Check that the principal may change a camera, and move it to a district if one is given.

        Raises:
            NotFound: ``camera_not_found``.
            Refused: ``not_permitted``.
        """
        if Reach.ALL in self._reach:
            return
        self.camera(camera)
        if kecamatan is not None:
            self.district(kecamatan)

    def district(self, kecamatan: str) -> None:
        """Check that the principal may act in a district. Raises Refused ``not_permitted``."""
        if Reach.ALL not in self._reach and not (
            Reach.OWN in self._reach and self._principal.is_own(kecamatan)
        ):
            raise self._refused("that district is not yours")

    # -- footage ---------------------------------------------------------------------------------------

    def footage(self, camera: str, span: Timespan) -> None:
        """Check that the principal may have all footage of a camera in a span.

        Raises:
            NotFound: ``camera_not_found``: it does not exist, or the principal may not know of it.
            Refused: ``not_granted``, ``not_permitted``.
        """
        if Reach.ALL in self._reach:
            return
        if self._may(camera, span):
            return
        if Reach.GRANTED in self._reach:
            camera_facts(self._services, camera)
            self._denied("grant")
            raise Refused(
                "that footage was not granted to you",
                code="not_granted",
                hint="A grant opens only its own cameras and its own span; file a request for more.",
            )
        if Reach.OWN in self._reach:
            raise self._no_camera(camera)
        raise self._refused("you may not see footage")

    def whole(self, camera: str, segments: Iterable[SegmentRef]) -> None:
        """Check that the principal may have whole segments of a camera, beyond the span that they asked for.

        Raises:
            Refused: ``whole_segments_refused``: footage at an edge is not open to them.
        """
        if Reach.ALL in self._reach:
            return
        for ref in segments:
            if not self._may(camera, ref.span):
                self._denied("whole segments")
                raise Refused(
                    f"the segments of {camera} reach beyond what is open to you: {ref.span}",
                    code="whole_segments_refused",
                    hint="Segments are not cut. Request a clip (container=mp4), frames, or another span.",
                )

    def sees_footage(self, camera: str, span: Timespan) -> bool:
        """Whether the principal may have all footage of a camera in a span, as :meth:`footage` checks it."""
        return Reach.ALL in self._reach or self._may(camera, span)

    def playable(self, reading: Reading) -> Reading:
        """As :meth:`trim`. Raises Refused as :meth:`whole` if nothing is left: that is not "no footage"."""
        kept = self.trim(reading)
        if not kept.segments:
            self.whole(reading.camera, reading.segments)
        return kept

    def trim(self, reading: Reading) -> Reading:
        """A reading without the segments that the principal may not have whole."""
        if Reach.ALL in self._reach:
            return reading
        kept = tuple(ref for ref in reading.segments if self._may(reading.camera, ref.span))
        return replace(reading, segments=kept)

    def _may(self, camera: str, span: Timespan) -> bool:
        if Reach.OWN in self._reach and self._stood_in_own(camera, span):
            return True
        return self._principal.is_granted(self._action, camera, span, self._services.clock.now())

    def _stood_in_own(self, camera: str, span: Timespan) -> bool:
        """Whether the camera stood in the principal's districts through the whole span."""
        places = self._places(camera, span)
        return bool(places) and all(self._principal.is_own(place.kecamatan) for place in places)

    def _places(self, camera: str, span: Timespan) -> list[Place]:
        """Where the camera stood from the start to the end of a span; empty if it does not exist."""
        found: list[Place] = []
        for at, place in self._history(camera):
            if at <= span.start or not found:
                found = [place]
            elif at < span.end:
                found.append(place)
        return found

    def _history(self, camera: str) -> list[tuple[int, Place]]:
        """When the camera came to each place. Read once: a playlist checks each of its segments."""
        if camera not in self._stays:
            entries = self._services.registry.history(camera)
            self._stays[camera] = [(entry.at, from_state(entry.state).place) for entry in entries]
        return self._stays[camera]

    # -- searches --------------------------------------------------------------------------------------

    def narrowed(self, where: Where) -> Where:
        """The filters of a search, limited to the principal's districts. An empty list admits nothing."""
        own = self._principal.district_filter(self._action)
        if own is None:
            return where
        asked = where.kecamatan
        return replace(where, kecamatan=own if asked is None else tuple(one for one in asked if one in own))

    def searched(self, cameras: Iterable[str], stood: Callable[[], Iterable[str]]) -> None:
        """Check that the principal may name cameras in a search: within reach now, or among ``stood``.

        ``stood`` gives the cameras that stood within reach at the time of the search.

        Raises:
            NotFound: ``camera_not_found``.
        """
        if self._principal.district_filter(self._action) is None:
            return
        now = [camera for camera in cameras if not self._stands_in_own(camera)]
        then = set(stood()) if now else set()
        for camera in now:
            if camera not in then:
                raise self._no_camera(camera)

    def _stands_in_own(self, camera: str) -> bool:
        try:
            return self.admits(camera_facts(self._services, camera).place)
        except NotFound:
            return False

    # -- packages --------------------------------------------------------------------------------------

    def package(self, record: EvidenceRecord) -> None:
        """Check that the principal may see a package. Raises NotFound ``evidence_not_found`` if not."""
        if not self.has_part_in(record):
            self._denied("package")
            evidence_id = record.request.evidence_id
            raise NotFound(f"there is no evidence {evidence_id}", code="evidence_not_found")

    def has_part_in(self, record: EvidenceRecord) -> bool:
        """Whether the principal asked for a package, a grant opens it to them, or they reach all packages."""
        if Reach.ALL in self._reach:
            return True
        request = record.request
        if Reach.MINE in self._reach and asked_for(
            self._services.ledger, self._principal, actor=request.actor, request_id=request.request_id
        ):
            return True
        if Reach.OWN in self._reach:
            return all(self._stood_in_own(camera, request.span) for camera in request.cameras)
        action = self._action if self._action in RIGHT_OF else "evidence.download"
        now = self._services.clock.now()
        return bool(self._reach & {Reach.MINE, Reach.GRANTED}) and all(
            self._principal.is_granted(action, camera, request.span, now) for camera in request.cameras
        )

    def _no_camera(self, camera: str) -> NotFound:
        self._denied("district")
        return NotFound(f"there is no camera {camera}", code="camera_not_found")

    def _refused(self, sentence: str) -> Refused:
        self._denied("reach")
        return Refused(
            sentence,
            code="not_permitted",
            hint="Ask an administrator for a role that includes it.",
        )


def asked_for(ledger: Ledger, principal: Principal, *, actor: str, request_id: str) -> bool:
    """Whether the principal, or an account of their agency, filed the request of a package.

    A package without a request (``request_id`` "") belongs to ``actor``, who had it sealed.
    """
    if not request_id:
        return same_person(actor, principal.id)
    request = request_from_state(request_id, ledger.head(REQUEST, request_id).state)
    return same_person(request.requester.person, principal.id) or (
        bool(principal.agency) and principal.agency == request.agency_account
    )
