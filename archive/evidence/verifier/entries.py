"""Reads the ledger's entries in a package: their forms, their openings, and whether they show too much.

``docs/reference/objects.md`` has the form of an entry. A commitment is the SHA-256 of the canonical JSON of
``[name, salt, value]``; the fields of an entry are named as there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archive.evidence.verifier import canonical, leaf, times
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.findings import Broken

FACTS = ("name", "lat", "lon", "kecamatan", "kelurahan", "owner", "view", "segment_seconds")
"""What a package states of a camera's registration."""
PERMISSION = ("proposed_by", "allowed_by", "reason", "since")
"""What a registration says of who allowed sound, as members of ``audio_permission``."""
_ASKED = (
    "requester.name", "requester.rank", "requester.nrp_nip", "requester.agency_kind", "requester.agency",
    "requester.unit", "letter.number", "letter.date", "letter.sha256", "legal_basis", "case", "purpose",
    "from", "to", "urgent", "filed_at", "hold_id", "evidence_id", "status",
    "decision", "decision.by", "decision.name", "decision.at", "decision.outcome", "decision.entry_sha256",
    "decision.kind",
)  # fmt: skip
_MAY_OPEN: dict[str, frozenset[str]] = {
    "request": frozenset(("actor", "action", *(f"state.{name}" for name in _ASKED))),
    "hold": frozenset(("action", "state.from", "state.to", "state.status", "state.placed_at", "state.case")),
    "camera": frozenset(
        (
            "action",
            "state.id",
            "state.registered_at",
            "state.disabled",
            *(f"state.{one}" for one in FACTS),
        )
    ),
    "recorder": frozenset(("action", "state.public_key", "state.key_sha256")),
    "disposition": frozenset(("state.cause", "state.status", "state.from", "state.to", "state.started_at")),
}
"""By kind, the fields that a package may open; of a request and a hold also cameras of the package."""
_OF_SOUND = frozenset(("state.audio", *(f"state.audio_permission.{one}" for one in PERMISSION)))
"""What it may open, too, of a camera whose originals have sound."""
_CAMERA = re.compile(r"state\.cameras\[(0|[1-9]\d{0,8})\]\Z", re.ASCII)
_HEAD = {"v", "kind", "id", "version", "entry_id", "at", "prev"}
_WHOLE = {"actor", "action", "reason", "state"}
_SALT = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)

Part = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """An entry as far as the package shows it. ``fields`` are by name; ``is_whole`` says it hides nothing.

    ``names`` are those of all its fields, also of those that it does not open.
    """

    kind: str
    id: str
    version: int
    at: int
    prev: str
    sha256: str
    path: str
    is_whole: bool
    fields: dict[str, Any] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def state(self, name: str) -> Any:
        """An opened member of the state. Raises Broken ``record_differs`` for one that is not opened."""
        try:
            return self.fields[f"state.{name}"]
        except KeyError:
            raise Broken("record_differs", f"it does not open {name}", self.path) from None

    @property
    def cameras(self) -> set[str]:
        """The cameras that it opens."""
        return {
            value for name, value in self.fields.items() if _CAMERA.match(name) and isinstance(value, str)
        }


def read(path: str, line: bytes, opened: bytes | None) -> Entry:
    """An entry from its line and its openings, which only an entry of version 1 does not have.

    Raises:
        Broken: ``record_form``; ``record_opening``: an opening differs from its commitment.
    """
    try:
        head = canonical.read(line)
        is_whole = head.get("v") == 1
        wanted = _HEAD | (_WHOLE if is_whole else {"commits"})
        good = (
            set(head) == wanted
            and head["v"] in (1, 2)
            and isinstance(head["kind"], str)
            and isinstance(head["id"], str)
            and leaf.is_count(head["version"])
            and leaf.is_sha256(head["prev"])
            and leaf.is_time(head["at"])
            and is_whole == (opened is None)
        )
        if not good:
            raise Broken(
                "record_form", "it is not an entry of the ledger, or its openings are not there", path
            )
        fields = _whole(head) if opened is None else _opened(path, head["commits"], opened)
    except BadJson as error:
        raise Broken("record_form", str(error), path) from error
    facts = head["kind"], head["id"], head["version"], times.parse(head["at"]), head["prev"]
    names = frozenset(fields if opened is None else head["commits"])
    return Entry(*facts, canonical.sha256(line), path, is_whole, fields, names)


def surplus(entry: Entry, cameras: set[str], cases: set[str], heard: set[str]) -> Iterator[str]:
    """What an entry shows of other cases and cameras, or that must stay secret.

    ``heard`` are the cameras whose originals have sound.
    """
    if entry.is_whole:
        yield from _surplus_of_whole(entry, cameras, cases)
        return
    for name, value in entry.fields.items():
        if _CAMERA.match(name) and entry.kind in ("request", "hold"):
            if not _is_among(value, cameras):
                yield f"{name} is a camera that the package is not about"
        elif name in _OF_SOUND and entry.kind == "camera" and entry.id in heard:
            continue
        elif name not in _MAY_OPEN.get(entry.kind, ()):
            yield f"{name[:60]} is opened"
        elif name == "state.case" and entry.kind == "hold" and not _is_among(value, cases):
            yield "the case of the hold is another"


def _surplus_of_whole(entry: Entry, cameras: set[str], cases: set[str]) -> Iterator[str]:
    """An entry of version 1 hides nothing, so a camera's shows its source."""
    if entry.kind in ("request", "hold"):
        if not entry.cameras <= cameras:
            yield "it names cameras that the package is not about"
        if entry.kind == "hold" and not _is_among(entry.fields.get("state.case"), cases):
            yield "the case of the hold is another"
    elif entry.kind == "recorder":
        if not {name for name in entry.fields if name.startswith("state.")} <= _MAY_OPEN["recorder"]:
            yield "it shows more than the recorder's key"
    elif entry.kind == "disposition":
        policies = entry.fields.get("state.policies")
        listed = policies if isinstance(policies, list) else []
        scopes = [str(one.get("scope")) for one in listed if isinstance(one, dict)]
        if any(one[:7] == "camera:" and one[7:] not in cameras for one in scopes):
            yield "it names a camera that the package is not about"
        if entry.fields.get("state.cause") == "break_glass":
            yield "the order behind it may name another case"
    else:
        yield "it is shown whole"


def _is_among(value: Any, texts: set[str]) -> bool:
    return isinstance(value, str) and value in texts


def _opened(path: str, commits: Any, opened: bytes) -> dict[str, Any]:
    value = canonical.read(opened)
    opens = value.get("opens")
    if set(value) != {"v", "opens"} or value["v"] != 2 or not isinstance(opens, dict):
        raise Broken("record_form", "its openings are not in the required form", path)
    if not isinstance(commits, dict) or not all(leaf.is_sha256(one) for one in commits.values()):
        raise Broken("record_form", "its commitments are not in the required form", path)
    fields: dict[str, Any] = {}
    for name, pair in opens.items():
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise Broken("record_form", f"the opening of {name[:60]} is not a salt and a value", path)
        if _SALT.match(pair[0]) is None:
            raise Broken("record_form", f"the salt of {name[:60]} is not 64 hex digits", path)
        if canonical.sha256(canonical.write([name, *pair])) != commits.get(name):
            raise Broken("record_opening", name[:60], path)
        fields[name] = pair[1]
    return fields


def _whole(head: Part) -> dict[str, Any]:
    """The fields of an entry of version 1, named as those of version 2."""
    state = head["state"]
    if not isinstance(state, dict):
        raise BadJson("its state is not an object")
    fields = {name: head[name] for name in ("actor", "action", "reason")}
    for name, value in state.items():
        if isinstance(value, dict) and value:
            fields.update({f"state.{name}.{inner}": item for inner, item in value.items()})
        elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            fields.update({f"state.{name}[{place}]": item for place, item in enumerate(value)})
        else:
            fields[f"state.{name}"] = value
    return fields
