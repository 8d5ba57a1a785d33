"""The audit trail: the operations that are recorded, and the writing of their events (invariant I8).

An event's type is the operation (``clip.describe``); an operation that lasts adds its phase
(``clip.download.started``, ``clip.download.ended``). A refusal or failure has the operation alone as its type
and says so in its outcome. The first event is durable before the first byte leaves; the last one records what
was sent.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from archive.errors import ArchiveError
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.records.custody import CustodyWriter


class Act(StrEnum):
    """The operations of the API that are recorded."""

    CAMERA_CHANGE = "camera.change"
    CAMERA_IMPORT = "camera.import"
    CAMERA_READ = "camera.read"
    CAMERA_TRIAL = "camera.trial"
    CAMERA_TRIAL_STILL = "camera.trial_still"
    POLICY_CHANGE = "policy.change"
    HOLD_PLACE = "hold.place"
    HOLD_EXTEND = "hold.extend"
    HOLD_REVIEW = "hold.review"
    HOLD_RELEASE = "hold.release"
    HOLD_READ = "hold.read"
    RECORDINGS_SEARCH = "recordings.search"
    SEGMENTS_SEARCH = "segments.search"
    CAMERAS_SEARCH = "cameras.search"
    CLIP_DESCRIBE = "clip.describe"
    CLIP_DOWNLOAD = "clip.download"
    EXPORT_ORDER = "export.order"
    EXPORT_READ = "export.read"
    EXPORT_CHANGE = "export.change"
    EXPORT_DOWNLOAD = "export.download"
    PLAYBACK = "playback"
    FRAME_VIEW = "frame.view"
    ACTIVITY_SEARCH = "activity.search"
    SPRITES_VIEW = "sprites.view"
    EVIDENCE_REQUEST = "evidence.request"
    EVIDENCE_READ = "evidence.read"
    EVIDENCE_DOWNLOAD = "evidence.download"
    EVIDENCE_VERIFY = "evidence.verify"
    REQUEST_FILE = "request.file"
    REQUEST_AMEND = "request.amend"
    REQUEST_COMMENT = "request.comment"
    REQUEST_ATTACH = "request.attach"
    REQUEST_READ = "request.read"
    REQUEST_APPROVE = "request.approve"
    REQUEST_REJECT = "request.reject"
    REQUEST_CANCEL = "request.cancel"
    REQUEST_RAISE_LIMIT = "request.raise_limit"
    ATTACHMENT_UPLOAD = "attachment.upload"
    ATTACHMENT_DOWNLOAD = "attachment.download"
    HANDOVER_GIVE = "handover.give"
    HANDOVER_READ = "handover.read"
    HANDOVER_BEGIN_DOWNLOAD = "handover.begin_download"
    HANDOVER_CONFIRM = "handover.confirm"
    HANDOVER_CLOSE = "handover.close"
    CUSTODY_READ = "custody.read"
    DISPOSITION_READ = "disposition.read"
    INCIDENT_CLOSE = "incident.close"
    LOG_READ = "log.read"
    COMPLIANCE_READ = "compliance.read"
    USER_READ = "user.read"
    USER_ADD = "user.add"
    USER_CHANGE = "user.change"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    USER_SIGN_OUT = "user.sign_out"
    USER_INVITE = "user.invite"
    USER_COMPLETE_INVITATION = "user.complete_invitation"
    USER_CONSENT = "user.consent"
    USER_REFUSE = "user.refuse"
    GRANT_READ = "grant.read"
    GRANT_GIVE = "grant.give"
    GRANT_REVOKE = "grant.revoke"
    TOKEN_READ = "token.read"  # noqa: S105
    TOKEN_MAKE = "token.make"  # noqa: S105
    TOKEN_REVOKE = "token.revoke"  # noqa: S105
    ACCESS = "access"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    PASSWORD_CHANGE = "password.change"  # noqa: S105
    PURPOSE_CHANGE = "purpose.change"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One audit event on its way to the custody record."""

    type: str
    actor: Actor
    objects: tuple[str, ...]
    purpose: str
    outcome: Outcome
    details: Mapping[str, Any]


class AuditTrail:
    """Writes custody events. Thread-safe.

    An operation that must be on record before it happens is recorded with :meth:`write`, which fails when the
    custody store fails. One that already happened is recorded with :meth:`write_late`: its event is kept and
    retried until it is stored, since it happened whether or not the store answers.
    """

    def __init__(self, custody: CustodyWriter) -> None:
        self._custody = custody
        self._late: deque[AuditEvent] = deque()
        self._guard = threading.Lock()
        self._log = structlog.stdlib.get_logger("api.audit")

    def write(self, event: AuditEvent) -> CustodyEvent:
        """Record an event; durable when this returns. Raises Unavailable or IntegrityError."""
        return self._custody.record(
            event.type,
            actor=event.actor,
            objects=event.objects,
            purpose=event.purpose,
            outcome=event.outcome,
            details=event.details,
        )

    def write_late(self, event: AuditEvent) -> None:
        """Record an event of a finished operation; if that fails, keep it for :meth:`retry`."""
        try:
            self.write(event)
        except ArchiveError as error:
            self._log.warning("custody event kept for later", type=event.type, code=error.code)
            with self._guard:
                self._late.append(event)

    def retry(self) -> int:
        """Try to store the kept events; return how many still wait."""
        while True:
            with self._guard:
                if not self._late:
                    return 0
                event = self._late.popleft()
            try:
                self.write(event)
            except ArchiveError:
                with self._guard:
                    self._late.appendleft(event)
                    return len(self._late)

    @property
    def waiting(self) -> int:
        """How many events wait to be written."""
        return len(self._late)
