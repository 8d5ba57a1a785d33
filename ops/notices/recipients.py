"""The ``[notices]`` table of ``saksi.toml``: recipients, their events and channels, and quiet hours.

Passwords and secrets are in files beside the keys, never here.
"""

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from archive.cases.notices.notice import Event
from archive.model.user import Role

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})\Z", re.ASCII
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30})\Z", re.ASCII)
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)

ALL = frozenset(Event) - {Event.TEST}
_TO_REQUESTERS = frozenset(
    {
        Event.REQUEST_APPROVED,
        Event.REQUEST_REJECTED,
        Event.LETTER_OVERDUE,
        Event.SEALED,
        Event.PACKAGE_FILLED,
        Event.HANDED_OVER,
        Event.GRANT_ENDING,
        Event.GRANT_FOOTAGE_ENDING,
        Event.REQUEST_FOOTAGE_ENDING,
    }
)
BY_ROLE: dict[Role, frozenset[Event]] = {
    Role.ADMIN: frozenset(
        {
            Event.HOLD_REVIEW_DUE,
            Event.SEAL_FAILED,
            Event.INTEGRITY_INCIDENT,
            Event.CANARY_RED,
            Event.ARCHIVE_PRESSURE,
            Event.RECORDER_TROUBLE,
            Event.CAMERA_SILENT,
            Event.CAMERA_ALARM,
            Event.CAMERA_CLOCK_OFF,
            Event.INDEX_BEHIND,
            Event.GRANT_FOOTAGE_ENDING,
            Event.REQUEST_FOOTAGE_ENDING,
        }
    ),
    Role.WAR_ROOM: frozenset(
        {
            Event.CAMERA_SILENT,
            Event.GRANT_ENDING,
            Event.GRANT_FOOTAGE_ENDING,
            Event.REQUEST_FOOTAGE_ENDING,
            Event.EXPORT_FAILED,
            Event.REQUEST_NEW,
            Event.REQUEST_URGENT,
            Event.LETTER_OVERDUE,
            Event.SEALED,
            Event.SEAL_FAILED,
            Event.PACKAGE_FILLED,
            Event.HANDED_OVER,
        }
    ),
    Role.KECAMATAN: frozenset(),
    Role.POLICE: _TO_REQUESTERS,
    Role.SATPOL_PP: _TO_REQUESTERS,
    Role.AUDITOR: frozenset({Event.INTEGRITY_INCIDENT, Event.CANARY_RED}),
}
"""The events of a role, for a recipient that names no events."""

_OF_AGENCIES = frozenset({Role.POLICE, Role.SATPOL_PP})
_FOR_AGENCIES = _TO_REQUESTERS | {Event.REQUEST_NEW, Event.REQUEST_URGENT, Event.SEAL_FAILED}


def _mail_address(text: str) -> str:
    if not _ADDRESS.match(text) or ".." in text:
        raise ValueError("this is not a plain mail address, as in piket@kota.example")
    return text


def _channel_name(text: str) -> str:
    if not _NAME.match(text):
        raise ValueError("use lower-case letters, digits and hyphens, at most 31")
    return text


def _quiet_hours(text: str) -> str:
    if text and not _QUIET.match(text):
        raise ValueError("quiet hours look like 22:00-05:00")
    return text


MailAddress = Annotated[str, AfterValidator(_mail_address)]
Quiet = Annotated[str, AfterValidator(_quiet_hours)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SmtpSettings(_Table):
    """The mail server. The password of ``user`` is in ``<keys_dir>/notices/smtp.password``."""

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:-]+$")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = Field(default="", max_length=200)
    sender: MailAddress
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _no_plain_text_over_a_network(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security none is only for a mail server on this machine")
        return self


class MailRecipient(_Table):
    """One mailbox. ``events`` defaults to those of the role; an agency gets only its own requests."""

    to: MailAddress
    role: Role
    agency: str = Field(default="", max_length=100)
    events: frozenset[Event] | None = None
    quiet_hours: Quiet | None = None

    @model_validator(mode="after")
    def _agencies_hear_of_their_own(self) -> Self:
        if self.role in _OF_AGENCIES:
            if not self.agency:
                raise ValueError(f"a recipient of role {self.role.value} needs its agency")
            if self.events is not None and not self.events <= _FOR_AGENCIES:
                raise ValueError("an agency gets only notices of its requests and packages")
        return self

    @property
    def wanted(self) -> frozenset[Event]:
        """The events that the recipient gets."""
        return BY_ROLE[self.role] if self.events is None else self.events


class Webhook(_Table):
    """One URL. Its secret is in ``<keys_dir>/notices/webhook-<name>.secret``.

    ``allow_private`` permits a host in a private network or on this machine. A URL may be ``http`` only with
    ``allow_private`` and only to this machine.
    """

    name: Annotated[str, AfterValidator(_channel_name)]
    url: str = Field(max_length=2000)
    events: frozenset[Event] = ALL
    allow_private: bool = False
    quiet_hours: Quiet | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _only_https(self) -> Self:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise ValueError("the url of a webhook cannot be read") from error
        plain = parts.scheme == "http" and is_loopback(host) and self.allow_private
        if not host or not (parts.scheme == "https" or plain):
            raise ValueError("a webhook needs an https url; http is for this machine, with allow_private")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise ValueError("the url of a webhook must have no user, password or fragment")
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            raise ValueError("the url of a webhook must be printable ASCII without spaces")
        return self


class NoticeSettings(_Table):
    """The whole table; if it is empty, no notices are sent."""

    quiet_hours: Quiet = ""
    smtp: SmtpSettings | None = None
    mail: tuple[MailRecipient, ...] = ()
    webhooks: tuple[Webhook, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.mail and self.smtp is None:
            raise ValueError("mail needs a mail server: the table notices.smtp")
        if len({hook.name for hook in self.webhooks}) != len(self.webhooks):
            raise ValueError("two webhooks have the same name")
        if len({one.to for one in self.mail}) != len(self.mail):
            raise ValueError("two recipients have the same address; name all events in one of them")
        return self


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its address or as ``localhost``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def clock_times(quiet: str) -> tuple[time, time] | None:
    """The beginning and end of quiet hours; None if there are none."""
    match = _QUIET.match(quiet)
    if match is None:
        return None
    numbers = [int(part) for part in match.groups()]
    return time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
