"""Which holds cover a stretch of one camera. Pure: no store, no clock."""

from collections import defaultdict
from collections.abc import Iterable

from archive.model.hold import Hold, from_state
from archive.model.segment import Segment, SegmentRef
from archive.records.ledger.streams import Entry
from archive.timespan import Timespan


class HoldBook:
    """All holds of an archive, including released ones."""

    def __init__(self, holds: Iterable[Hold]) -> None:
        self.holds = tuple(sorted(holds, key=lambda hold: hold.id))
        self._by_camera: dict[str, list[Hold]] = defaultdict(list)
        for hold in self.holds:
            if hold.in_force:
                for camera in hold.cameras:
                    self._by_camera[camera].append(hold)

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> "HoldBook":
        """From ledger heads. Raises Malformed ``bad_hold``: a hold that cannot be read may cover anything."""
        return cls(from_state(entry.id, entry.state) for entry in entries)

    def covering(self, camera: str, span: Timespan) -> tuple[Hold, ...]:
        """The holds in force that cover the camera in the span, by id."""
        return tuple(hold for hold in self._by_camera.get(camera, ()) if hold.covers(camera, span))

    def is_held(self, segment: Segment | SegmentRef) -> bool:
        """Whether the segment must stay."""
        return bool(self.covering(segment.camera, segment.span))
