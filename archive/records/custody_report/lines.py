"""A custody report as JSON lines: a head, one act per line, and an end that shows that none is missing.

The end states the number of acts and the SHA-256 of everything above it, so that a truncated or altered
report is noticed. Canonical JSON (RFC 8785): the same report has the same bytes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from archive import canonical
from archive.canonical import JsonObject
from archive.model.custody import actor_json
from archive.records.custody_report.record import Asked, Line
from archive.records.custody_report.vocabulary import word_of
from archive.timespan import format_instant

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Who ordered a report, when (µs), and which installation made it."""

    by: str
    at: int
    organization: str
    time_zone: str


def line_json(line: Line, *, whole: bool = True) -> JsonObject:
    """One act as reports and answers show it; without addresses and sessions unless ``whole``."""
    word = word_of(line.type)
    actor = actor_json(line.actor)
    actor = {"role": "", "agency": "", **actor}
    if not whole:
        actor |= {"address": "", "session": ""}
    return {
        "at": format_instant(line.at),
        "id": line.id,
        "source": line.source.value,
        "type": line.type,
        "premis": word.premis,
        "label": {"id": word.indonesian, "en": word.english},
        "actor": actor,
        "purpose": line.purpose,
        "outcome": line.outcome.value,
        "objects": list(line.objects),
        "details": dict(line.details),
        "proof": line.proof,
    }


def head_json(asked: Asked, made: Made) -> JsonObject:
    """The head of a report: the query, when and by whom."""
    footage = None if asked.item is None else asked.item.footage
    only = {"only": "taken_out"} if asked.taken_out else {}
    return {
        **only,
        "v": VERSION,
        "kind": "custody_report",
        "organization": made.organization,
        "time_zone": made.time_zone,
        "item": "" if asked.item is None else asked.item.text,
        "footage_from": "" if footage is None else format_instant(footage.start),
        "footage_to": "" if footage is None else format_instant(footage.end),
        "person": asked.person,
        "from": format_instant(asked.span.start),
        "to": format_instant(asked.span.end),
        "made_by": made.by,
        "made_at": format_instant(made.at),
    }


def jsonl(asked: Asked, lines: Iterable[Line], made: Made, *, whole: bool = True) -> Iterator[bytes]:
    """The report, line by line; each ends in a line feed."""
    digest, count = sha256(), 0
    head = canonical.encode(head_json(asked, made)) + b"\n"
    digest.update(head)
    yield head
    for line in lines:
        encoded = canonical.encode(line_json(line, whole=whole)) + b"\n"
        digest.update(encoded)
        count += 1
        yield encoded
    yield canonical.encode({"lines": count, "sha256": digest.hexdigest()}) + b"\n"


def acts_sha256(lines: Iterable[Line], *, whole: bool = True) -> str:
    """SHA-256 over the acts' lines alone: the same for every report of the same acts."""
    digest = sha256()
    for line in lines:
        digest.update(canonical.encode(line_json(line, whole=whole)) + b"\n")
    return digest.hexdigest()
