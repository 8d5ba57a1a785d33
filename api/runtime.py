"""The state that one API process keeps between requests; it ends with the process."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from api.audit import AuditTrail
from api.auth.cookies import Cookies
from api.auth.unauthenticated import UnauthenticatedAttempts
from api.camera_texts import CameraTexts
from api.changes.watching import Watching
from api.clips import Clips
from api.frames import Frames
from api.metrics import Metrics
from api.playback import PlaybackSessions
from api.readiness import Readiness
from api.services import Services
from api.skim import Skims
from api.slots import Slots
from api.viewing_copies import ViewingCopies
from api.web.rendering import Pages
from search.stays import StayBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The services, and the process's own state."""

    services: Services
    audit: AuditTrail
    metrics: Metrics
    unauthenticated: UnauthenticatedAttempts
    cookies: Cookies
    slots: Slots
    clips: Clips
    frames: Frames
    copies: ViewingCopies
    skims: Skims
    playback: PlaybackSessions
    readiness: Readiness
    pages: Pages
    stays: StayBook
    camera_texts: CameraTexts
    readers: ThreadPoolExecutor
    watching: Watching
