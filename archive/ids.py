"""Identifiers: which are valid, and how new ones are made.

Ids become object names, folder names inside evidence packages (unpacked on Windows too) and fields of
canonical JSON, so they are plain ASCII. Random parts come from ``secrets``: an id must not be guessable,
and two recorders must not collide.
"""

import re
import secrets

from archive.errors import Malformed
from archive.timespan import SECOND, as_datetime

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?\Z", re.ASCII)
_RUN = re.compile(r"[0-9a-f]{16}\Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_EVIDENCE = re.compile(r"EVD-\d{4}-[0-9A-HJKMNP-TV-Z]{10}\Z", re.ASCII)
_REQUEST = re.compile(r"REQ-\d{4}-[0-9A-HJKMNP-TV-Z]{10}\Z", re.ASCII)
_IMPORTER = "-import"
_ADOPTER = "-adopted"
_BACKFILLER = "-backfill"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def check_name(kind: str, text: str) -> str:
    """Accept a camera, recorder, policy or writer id, and return it.

    One to 63 of ``A-Z a-z 0-9 . -``, a letter or digit at both ends; no underscore, which separates the
    parts of object names.

    Raises:
        Malformed: ``bad_id`` with the kind and the rule.
    """
    if _NAME.match(text) is None:
        raise Malformed(
            f"{text!r} is not a {kind} id",
            code="bad_id",
            hint="Use 1 to 63 letters, digits, dots or hyphens, with a letter or digit at both ends.",
        )
    return text


def importer_of(recorder: str) -> str:
    """The recorder id under which imports on this recorder's host are journalled."""
    return check_name("recorder", recorder[: 63 - len(_IMPORTER)] + _IMPORTER)


def backfiller_of(recorder: str) -> str:
    """The recorder id under which this recorder's host journals what cameras kept themselves."""
    return check_name("recorder", recorder[: 63 - len(_BACKFILLER)] + _BACKFILLER)


def is_backfiller(recorder: str) -> bool:
    """Whether the id is that of footage which cameras kept themselves."""
    return recorder.endswith(_BACKFILLER)


def is_occasional(recorder: str) -> bool:
    """Whether the id is that of imports or of backfill: such a recorder is silent most of the time."""
    return recorder.endswith((_IMPORTER, _BACKFILLER))


def adopter_of(recorder: str) -> str:
    """The recorder id under which this host signs lines of segments that their own recorder never named."""
    return check_name("recorder", recorder[: 63 - len(_ADOPTER)] + _ADOPTER)


def is_adopter(recorder: str) -> bool:
    """Whether the id is that of adoptions: such a recorder signs for others, and records nothing."""
    return recorder.endswith(_ADOPTER)


def has_cameras(recorder: str) -> bool:
    """Whether a recorder of this id records cameras; those of imports, backfill and adoptions do not."""
    return not is_occasional(recorder) and not is_adopter(recorder)


def check_run(text: str) -> str:
    """Accept a run id (16 hex digits) and return it. Raises Malformed ``bad_id``."""
    if _RUN.match(text) is None:
        raise Malformed(f"{text!r} is not a run id", code="bad_id")
    return text


def check_sha256(text: str) -> str:
    """Accept a SHA-256 (64 lower-case hex digits) and return it. Raises Malformed ``bad_id``."""
    if _SHA256.match(text) is None:
        raise Malformed(f"{text!r} is not a SHA-256", code="bad_id")
    return text


def check_evidence_id(text: str) -> str:
    """Accept an evidence id and return it. Raises Malformed ``bad_id``."""
    if _EVIDENCE.match(text) is None:
        raise Malformed(
            f"{text!r} is not an evidence id", code="bad_id", hint="It looks like EVD-2026-0123456789."
        )
    return text


def is_request_id(text: str) -> bool:
    """Whether the text names a request."""
    return _REQUEST.match(text) is not None


def check_request_id(text: str) -> str:
    """Accept a request id and return it. Raises Malformed ``bad_id``."""
    if not is_request_id(text):
        raise Malformed(
            f"{text[:40]!r} is not a request id", code="bad_id", hint="It looks like REQ-2026-0123456789."
        )
    return text


def new_run_id(now: int) -> str:
    """A run id: seconds since the epoch, then 32 random bits; sorts by time."""
    return f"{now // SECOND:08x}{secrets.token_hex(4)}"


def new_entry_id() -> str:
    """128 random bits: after an unclear answer, a writer recognises its own ledger entry by them."""
    return secrets.token_hex(16)


def new_evidence_id(now: int) -> str:
    """``EVD-<year>-<ten characters of Crockford's base 32>``: unguessable, and readable over the phone."""
    return f"EVD-{as_datetime(now).year}-{_tail()}"


def new_request_id(now: int) -> str:
    """``REQ-<year>-<ten characters of Crockford's base 32>``, like evidence ids."""
    return f"REQ-{as_datetime(now).year}-{_tail()}"


def _tail() -> str:
    return "".join(secrets.choice(_CROCKFORD) for _ in range(10))
