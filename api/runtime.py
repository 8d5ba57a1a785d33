"""The state that one API process keeps between requests; none of that state outlives the process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from api.acts import Trace
from api.auth.cookies import Cookies
from api.auth.strangers import Strangers
from api.clips import Clips
from api.frames import Frames
from api.meters import Meters
from api.playback import PlaybackSessions
from api.readiness import Readiness
from api.services import Services
from api.slots import StreamSlots


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The services, and the process's own state."""

    services: Services
    trace: Trace
    meters: Meters
    strangers: Strangers
    cookies: Cookies
    slots: StreamSlots
    clips: Clips
    frames: Frames
    playback: PlaybackSessions
    readiness: Readiness
    readers: ThreadPoolExecutor
