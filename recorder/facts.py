"""The facts known when a session begins, kept beside its files."""

import json
from dataclasses import dataclass
from pathlib import Path

from archive.canonical import JsonObject
from archive.durable import disk_errors, read_unless_lost
from archive.errors import Malformed
from archive.footage.ingest import place_from_json, place_to_json
from archive.model.camera import Place
from archive.model.gap import GapCause
from recorder.spool import CaptureFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureFacts:
    """The facts known when a session begins; kept as ``session.json``.

    ``not_before`` is the instant up to which the camera's time was accounted for. ``otherwise`` is the cause
    of an unexplained stretch before the first segment. ``is_live`` says whether the camera has a clock of its
    own. ``doubt`` is how late (µs) a silent camera may be noticed. ``began`` is when the connection was
    opened (0: unknown). ``noticed_by`` says how many further pictures must arrive before one is written.
    ``sound`` is the codec of the sound that is recorded too, as the camera sends it; "" for none.
    ``pictures`` is the codec of pictures that are turned into H.264; "" where they are the camera's own.
    ``is_by_arrival`` says that their times are those of their arrival.
    """

    camera: str
    recorder: str
    run: str
    place: Place | None
    is_live: bool
    not_before: int
    otherwise: GapCause
    doubt: int
    began: int = 0
    noticed_by: int = 0
    sound: str = ""
    pictures: str = ""
    is_by_arrival: bool = False

    def to_json(self) -> JsonObject:
        """The facts as JSON."""
        return {
            "camera": self.camera,
            "recorder": self.recorder,
            "run": self.run,
            "place": place_to_json(self.place),
            "is_live": self.is_live,
            "not_before": self.not_before,
            "otherwise": self.otherwise.value,
            "doubt": self.doubt,
            "began": self.began,
            "noticed_by": self.noticed_by,
            "sound": self.sound,
            "pictures": self.pictures,
            "is_by_arrival": self.is_by_arrival,
        }

    @classmethod
    def from_json(cls, kept: JsonObject) -> "CaptureFacts":
        """Read back."""
        return cls(
            camera=kept["camera"],
            recorder=kept["recorder"],
            run=kept["run"],
            place=place_from_json(kept["place"]),
            is_live=kept["is_live"],
            not_before=kept["not_before"],
            otherwise=GapCause(kept["otherwise"]),
            doubt=kept["doubt"],
            began=kept.get("began", 0),
            noticed_by=kept.get("noticed_by", 0),
            sound=kept.get("sound", ""),
            pictures=kept.get("pictures", ""),
            is_by_arrival=kept.get("is_by_arrival", False),
        )


def read_facts(folder: CaptureFolder) -> CaptureFacts:
    """Read ``session.json``. Raises Malformed ``bad_session``."""
    try:
        return CaptureFacts.from_json(json.loads((folder.path / "session.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder.path, str(error)) from error


@dataclass(frozen=True, slots=True)
class Arrivals:
    """When each segment's successor arrived: one line per segment, written on arrival.

    A line is ``NUMBER TIME`` or, if the wall clock was stepped before, ``NUMBER TIME TIME_AFTER``: the same
    instant by the clock before and after the step (µs). Not synced: after a power cut the timeline does
    without the last lines.
    """

    path: Path

    def note(self, number: int, *times: int) -> None:
        """Write one line. Raises StoreFull, Unavailable."""
        with disk_errors("arrivals"), self.path.open("a", encoding="ascii") as notes:
            notes.write(" ".join(map(str, (number, *times))) + "\n")

    def read(self) -> dict[int, list[int]]:
        """Times by segment number; a torn last line is ignored.

        Raises:
            Malformed: ``bad_session``: they stand in a bad sector. Without them a step of the clock is lost.
            Unavailable: the disk failed.
        """
        with disk_errors("arrivals"):
            content = read_unless_lost(self.path) if self.path.exists() else b""
        if content is None:
            raise _unreadable(self.path, "a bad sector")
        lines = content.split(b"\n")[:-1]
        found: dict[int, list[int]] = {}
        for line in lines:
            parts = line.split()
            if len(parts) in (2, 3) and all(part.isdigit() for part in parts):
                found[int(parts[0])] = [int(part) for part in parts[1:]]
        return found


def _unreadable(path: Path, why: str) -> Malformed:
    return Malformed(f"{path} cannot be read: {why}", code="bad_session")
