"""When each hour was checked: one small object per camera in the cache bucket.

The unit is one UTC hour of one camera. Losing this only means that hours are checked again. An object of the
store cannot be replaced, so each state is a new object, and the older ones are removed afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import ArchiveError, Malformed, Unavailable
from archive.ports import Content, ObjectStore
from archive.timespan import HOUR, format_instant, parse_instant

VERSION = 1
FOLDER = "fixity/"
NEVER = 0
SETTLED = 3 * HOUR
"""How long after its hour a batch may still arrive in an upload folder (:mod:`archive.records.logbook`)."""


@dataclass(slots=True)
class HourState:
    """One hour of one camera. ``journal`` holds the upload folders that contain its leaves.

    ``checked_at`` is :data:`NEVER` if the hour was not checked, or if leaves arrived after its check.
    """

    checked_at: int = NEVER
    segments: int = 0
    size: int = 0
    findings: int = 0
    journal: list[str] = field(default_factory=list)


def state_key(name: str, at: int) -> str:
    """``fixity/<name>/<time of writing in µs>.json``."""
    return f"{FOLDER}{name}/{at:020d}.json"


def save(cache: ObjectStore, name: str, at: int, state: JsonObject) -> None:
    """Keep a state, and remove the earlier ones. Raises as the store."""
    stale = list(cache.list(f"{FOLDER}{name}/"))
    newest = max((int(one.key.rpartition("/")[2].removesuffix(".json")) for one in stale), default=0)
    cache.put(state_key(name, max(at, newest + 1)), Content.of_bytes(canonical.encode(state)))
    for one in stale:
        cache.delete_version(one.key, version=one.version)


def load(cache: ObjectStore, name: str) -> JsonObject | None:
    """The newest readable state; None if there is none. Raises Unavailable."""
    for one in reversed(list(cache.list(f"{FOLDER}{name}/"))):
        try:
            state = canonical.decode(cache.get(one.key, version=one.version))
        except Unavailable:
            raise
        except ArchiveError:
            continue
        if state.get("v") == VERSION:
            return state
    return None


def names(cache: ObjectStore, kind: str) -> Iterator[str]:
    """The names of a kind (``hours``, ``records``) that have a state."""
    after = ""
    prefix = f"{FOLDER}{kind}/"
    while (first := next(cache.list(prefix, start_after=after), None)) is not None:
        name = first.key.removeprefix(prefix).split("/")[0]
        yield name
        after = f"{prefix}{name}/~"


class CameraHours:
    """The hours of one camera, as kept in the cache bucket.

    ``walked_at`` is when all its objects were last listed, to find hours that no journal names.
    """

    def __init__(self, camera: str) -> None:
        self.camera = camera
        self.hours: dict[int, HourState] = {}
        self.walked_at = NEVER

    @classmethod
    def load(cls, cache: ObjectStore, camera: str) -> "CameraHours":
        """Read the state; empty if no readable state was kept. Raises Unavailable."""
        made = cls(camera)
        state = load(cache, f"hours/{camera}")
        if state is None:
            return made
        try:
            made.walked_at = state["walked_at"]
            for hour, fields in state["hours"].items():
                made.hours[parse_instant(f"{hour}:00:00Z")] = HourState(
                    checked_at=NEVER if fields["checked_at"] is None else parse_instant(fields["checked_at"]),
                    segments=fields["segments"],
                    size=fields["bytes"],
                    findings=fields["findings"],
                    journal=list(fields["journal"]),
                )
        except (KeyError, TypeError, AttributeError, Malformed):
            return cls(camera)
        return made

    def save(self, cache: ObjectStore, at: int) -> None:
        """Keep the state. Raises as the store."""
        hours: JsonObject = {
            format_instant(hour)[:13]: {
                "checked_at": None if state.checked_at == NEVER else format_instant(state.checked_at),
                "segments": state.segments,
                "bytes": state.size,
                "findings": state.findings,
                "journal": state.journal,
            }
            for hour, state in sorted(self.hours.items())
        }
        save(cache, f"hours/{self.camera}", at, {"v": VERSION, "walked_at": self.walked_at, "hours": hours})

    def learn(self, hour: int, folder: str) -> None:
        """Note that an upload folder contains leaves of the hour; new leaves make the hour due again.

        A folder may grow until :data:`SETTLED` after its hour, so an hour checked before that is due again
        too.
        """
        state = self.hours.setdefault(hour, HourState())
        if folder not in state.journal:
            state.journal.append(folder)
            state.checked_at = NEVER
        elif state.checked_at < folder_hour(folder) + HOUR + SETTLED:
            state.checked_at = NEVER


def folder_hour(folder: str) -> int:
    """The hour of ``YYYY/MM/DD/HH``. Raises Malformed ``bad_time``."""
    year, month, day, hour = folder.split("/")
    return parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z")
