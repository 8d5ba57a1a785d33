"""Whether one recorder may be stopped because another has footage of all its cameras. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from archive.records.heartbeat import Beat
from recorder.placement.duties import Witnesses


@dataclass(slots=True)
class Succession:
    """``old`` is to be stopped once ``new`` records what it records. Ask :meth:`missing` again and again."""

    old: str
    new: str
    _first: int | None = None

    def missing(self, beats: Collection[Beat], now: int) -> frozenset[str] | None:
        """The cameras that the old one has footage of and the new one has not, by heartbeats at ``now`` (µs).

        None until the new one has sent a heartbeat since the first call: an earlier one may be of a process
        that has ended. None, too, while nothing is heard of the old one, which may record all the same; one
        that said at its end that it stopped has no camera.
        """
        sent = {beat.recorder: beat for beat in beats}
        at = sent[self.new].at if self.new in sent else 0
        if self._first is None:
            self._first = at
        if at == self._first:
            return None
        if self.old in sent and sent[self.old].state.get("stopped"):
            return frozenset()
        said = Witnesses(beats, now)
        if self.old not in said.hosts:
            return None
        return frozenset(
            camera
            for camera in said.cameras(self.old)
            if said.has_footage(self.old, camera) and not said.has_footage(self.new, camera)
        )
