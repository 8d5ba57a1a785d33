"""The findings of one flight of the canary, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive.canonical import JsonObject
from archive.objects.attacks import Bypass
from archive.timespan import format_instant


class AttackOutcome(StrEnum):
    """How one attack ended. Only ``BROKEN`` is bad: the store broke a promise.

    ``ACCEPTED`` means that the store said yes and the object is unchanged all the same; ``NOT_PERMITTED``
    that the account, or the proxy, stops such a request before the lock matters.
    """

    REFUSED = "refused"
    NOT_PERMITTED = "not_permitted"
    NOT_OFFERED = "not_offered"
    ACCEPTED = "accepted"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackResult:
    """One attack on one bucket. ``code`` names the promise; ``key`` and ``version`` the object attacked."""

    code: str
    bucket: str
    attack: str
    bypass: Bypass
    outcome: AttackOutcome
    message: str
    key: str
    version: str

    def to_json(self) -> JsonObject:
        """As ``saksi store canary --json`` prints it."""
        return {
            "code": self.code,
            "bucket": self.bucket,
            "attack": self.attack,
            "bypass": self.bypass.value,
            "outcome": self.outcome.value,
            "message": self.message,
            "key": self.key,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """A whole flight of one account, at one time (µs)."""

    account: str
    at: int
    findings: Sequence[AttackResult]

    @property
    def broken(self) -> Sequence[AttackResult]:
        """The findings that turn the archive red."""
        return [finding for finding in self.findings if finding.outcome is AttackOutcome.BROKEN]

    def to_json(self) -> JsonObject:
        """As ``saksi store canary --json`` prints it."""
        return {
            "account": self.account,
            "at": format_instant(self.at),
            "green": not self.broken,
            "findings": [finding.to_json() for finding in self.findings],
        }
