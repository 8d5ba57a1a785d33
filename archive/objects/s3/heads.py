"""The facts of one version, from an answer's headers or from boto3's parsed answer."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from archive.objects.s3.quick import sha256_of
from archive.ports import Lock, LockMode, ObjectHead
from archive.timespan import from_datetime

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

_OURS = "x-amz-meta-"


def head_of_headers(key: str, version: str, headers: Mapping[str, str]) -> ObjectHead:
    """The facts in the headers of a HEAD's answer. Metadata names come in lower case, as ours are."""
    until = headers.get("x-amz-object-lock-retain-until-date")
    return ObjectHead(
        key=key,
        version=version,
        size=int(headers["Content-Length"]),
        stored_at=from_datetime(parsedate_to_datetime(headers["Last-Modified"])),
        sha256=sha256_of(headers.get("x-amz-checksum-sha256")),
        lock=_lock(
            headers.get("x-amz-object-lock-mode"), None if until is None else datetime.fromisoformat(until)
        ),
        held=headers.get("x-amz-object-lock-legal-hold") == "ON",
        metadata={
            name[len(_OURS) :].lower(): text
            for name, text in headers.items()
            if name.lower().startswith(_OURS)
        },
    )


def head_of_answer(key: str, version: str, answer: "HeadObjectOutputTypeDef") -> ObjectHead:
    """The facts in boto3's parsed answer."""
    return ObjectHead(
        key=key,
        version=version,
        size=answer["ContentLength"],
        stored_at=from_datetime(answer["LastModified"]),
        sha256=sha256_of(answer.get("ChecksumSHA256")),
        lock=_lock(answer.get("ObjectLockMode"), answer.get("ObjectLockRetainUntilDate")),
        held=answer.get("ObjectLockLegalHoldStatus") == "ON",
        metadata=dict(answer["Metadata"]),
    )


def _lock(mode: str | None, until: datetime | None) -> Lock | None:
    return None if mode is None or until is None else Lock(LockMode(mode), from_datetime(until))
