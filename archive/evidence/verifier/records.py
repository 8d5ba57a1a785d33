"""Step *records*: who asked and approved, what is held, what was registered, by the ledger's own entries.

``evidence.json`` states these facts; each entry in the package is under a checkpoint that the log's key
signed, and names the digest of the entry before it. The sealer can therefore not state a person, a time or a
place that the archive did not record when it happened.

The end of a stream cannot be proven: a sealer may leave out its newest entries.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import Any

from archive.evidence.verifier import entries, journals, log, times
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.entries import Entry
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.trust import Trust

PATH = "data/metadata/evidence.json"
SINCE = times.parse("2026-11-26T00:00:00.000000Z")
"""Every package that was stamped since then has the ledger's entries. None before it left a house."""
GENESIS = "0" * 64
_NOT_SHOWN = {
    "camera": "record_not_shown",
    "hold": "record_not_shown",
    "disposition": "destruction_not_shown",
}
"""What an entry is that is named and not shown. A request and a recorder's key can always be shown. Nothing
but its entry proves that footage was destroyed, so a package without it is not valid yet."""
_APPROVER = "war_room"
_APPROVED, _AUTHORING = "request.approved", ("request.filed", "request.amended")
_VOIDING = (*_AUTHORING, _APPROVED, "request.rejected", "request.cancelled")
_SUBSTANCE = (
    "requester.name", "requester.rank", "requester.nrp_nip", "requester.agency_kind", "requester.agency",
    "requester.unit", "legal_basis", "case", "purpose", "from", "to", "urgent",
)  # fmt: skip
"""What an approval covers; it is the same in the entry that was approved."""

Part = dict[str, Any]
Find = Callable[[str, str, str], None]
"""Takes a finding's code, the part that it is about, and details."""
Content = Callable[[str], bytes | None]
"""Gives the bytes of a part; None if the package does not have it. Raises Unreadable."""
Keys = dict[tuple[str, str], str]
"""By recorder and key (base64), the part that has the key."""


def check(notebook: Notebook, trust: Trust) -> None:
    """Read every entry, and hold the statement against them; recorders' keys against the reader's."""
    stated = notebook.statement
    if stated is None:
        return
    keys = _keys(notebook, stated)
    _check_pinned(notebook, keys, trust.recorder_keys)
    notebook.begin("records" if "records" in stated else "statement")

    def content(path: str) -> bytes | None:
        return notebook.container.small(path) if path in notebook.container.sizes else None

    hold_against(stated, content, keys, notebook.find)


def hold_against(stated: Part, content: Content, keys: Keys, find: Find) -> None:
    """Hold a statement against its entries; ``keys`` has each recorder's keys and the part that has them."""
    gone = list(_read(content, find, stated.get("dispositions", ()), "disposition"))
    found = list(_read(content, find, stated.get("records", ()), ""))
    for part, entry in gone:
        _check_destroyed(find, part, entry)
    for part in (part for part, _ in (*gone, *found) if "entry" in part):
        kind = part.get("kind", "disposition")
        find(_NOT_SHOWN.get(kind, "record_missing"), PATH, f"{kind} {part['id']}")
    if "records" not in stated:
        return
    cameras = {one["id"] for one in stated["cameras"]}
    cases = {stated.get("request", {}).get(name, "") for name in ("id", "case")}
    heard = _heard(stated)
    for entry in (entry for _, entry in (*gone, *found) if entry is not None):
        for words in entries.surplus(entry, cameras, cases, heard):
            find("record_shows_too_much", entry.path, words)
    _Accord(stated, found, keys, find).check()


def check_present(notebook: Notebook) -> None:
    """A package without any entries is accepted only if it is older than they are, by its stamp.

    One without a stamp that can be read is not valid anyway.
    """
    if notebook.statement is None or "records" in notebook.statement or notebook.gen_time is None:
        return
    if notebook.gen_time >= SINCE:
        notebook.begin("records")
        notebook.find("records_missing", PATH)


def _read(
    content: Content, find: Find, named: Iterable[Part], kind: str
) -> Iterator[tuple[Part, Entry | None]]:
    """Each entry with what is stated about it; None for one that is not shown or cannot be read."""
    for part in named:
        try:
            yield part, _entry(content, part, kind or part["kind"])
        except Unreadable as error:
            find("unreadable_part", part["path"], str(error))
            yield part, None
        except Broken as error:
            find(error.code, error.path or part.get("path", PATH), error.detail)
            yield part, None


def _entry(content: Content, part: Part, kind: str) -> Entry | None:
    if ("path" in part) == ("entry" in part) or ("entry" in part and ("opened" in part or "log" in part)):
        raise Broken("record_form", f"{kind} {part['id'][:60]} is neither shown nor left out")
    if "entry" in part:
        return None
    line = content(part["path"])
    opened = content(part["opened"]) if "opened" in part else None
    if line is None or ("opened" in part and opened is None):
        return None  # the lists of the package have reported it
    found = entries.read(part["path"], line, opened)
    said = (kind, part["id"], part.get("version", found.version), part["sha256"])
    if said != (found.kind, found.id, found.version, found.sha256):
        there = f"it is {found.kind} {found.id[:60]}, version {found.version}, or its SHA-256 differs"
        is_of_gone = kind == "disposition"
        raise Broken(
            "statement_contradicts", "its entry records another destruction" if is_of_gone else there
        )
    return found


def _check_pinned(notebook: Notebook, keys: Keys, given: Collection[bytes]) -> None:
    """Each key that signed a batch is one that the reader gave, if any was given."""
    notebook.begin("journal")
    known = {b64encode(key).decode("ascii") for key in given}
    for (recorder, key), path in keys.items():
        if known and key not in known:
            notebook.find("recorder_key_unexpected", path, recorder)


def _check_destroyed(find: Find, part: Part, entry: Entry | None) -> None:
    """A stated destruction is the one in its entry."""
    if entry is None:
        return
    try:
        there = (entry.state("cause"), entry.state("from"), entry.state("to"))
    except Broken as error:
        find("statement_contradicts", part["path"], error.detail)
        return
    if there != (part["cause"], part["from"], part["to"]):
        find("statement_contradicts", part["path"], "its entry records another destruction")


def _keys(notebook: Notebook, stated: Part) -> Keys:
    """The keys that the stated batches name."""
    found: Keys = {}
    for part in stated["journals"]:
        try:
            key = journals.key_text(notebook.container.small(part["public_key"]))
        except (Unreadable, Broken):
            continue  # reported with the batch
        found[part["recorder"], key] = part["public_key"]
    return found


class _Accord:
    """Holds what is stated against the entries of each stream, in the order of their versions."""

    def __init__(self, stated: Part, found: list[tuple[Part, Entry | None]], keys: Keys, find: Find) -> None:
        self.stated = stated
        self.heard = _heard(stated)
        self.keys = keys
        self.find = find
        self.streams: dict[tuple[str, str], dict[int, tuple[str, Entry | None]]] = {}
        for part, entry in found:
            stream = self.streams.setdefault((part["kind"], part["id"]), {})
            if part["version"] in stream:
                find("record_chain", PATH, f"{part['kind']} {part['id']}: version {part['version']} twice")
            stream[part["version"]] = (part["sha256"], entry)

    def check(self) -> None:
        """Report everything that does not fit."""
        self._chains()
        self._foreign()
        self._recorders()
        self._guarded(self._request)
        for camera in self.stated["cameras"]:
            self._guarded(partial(self._camera, camera))

    def _guarded(self, look: Callable[[], None]) -> None:
        """Report the first problem of one subject."""
        try:
            look()
        except Broken as error:
            self.find(error.code, error.path or PATH, error.detail)
        except (TypeError, ValueError) as error:  # an opened value of a kind that no entry has
            self.find("record_form", PATH, str(error))

    def _chains(self) -> None:
        for (kind, name), stream in self.streams.items():
            for version, (_, entry) in sorted(stream.items()):
                before = GENESIS if version == 1 else stream.get(version - 1, ("", None))[0]
                if entry is not None and before and entry.prev != before:
                    self.find(
                        "record_chain", entry.path, f"version {version - 1} of {kind} {name} is another"
                    )

    def _foreign(self) -> None:
        request = self.stated.get("request", {}).get("id", "")
        mine = {("request", request), ("hold", self.stated.get("hold", {}).get("id", ""))}
        mine |= {("camera", one["id"]) for one in self.stated["cameras"]}
        mine |= {("recorder", one["recorder"]) for one in self.stated["journals"]}
        for kind, name in sorted(set(self.streams).difference(mine)):
            self.find("record_foreign", PATH, f"{kind} {name}")

    def _stream(self, kind: str, name: str) -> list[tuple[str, Entry | None]]:
        """The entries of a stream, which follow one another. Raises Broken ``record_missing``."""
        stream = self.streams.get((kind, name), {})
        versions = sorted(stream)
        if not versions:
            raise Broken("record_missing", f"{kind} {name}")
        if versions != list(range(versions[0], versions[-1] + 1)):
            raise Broken(
                "record_missing", f"{kind} {name}: a version between {versions[0]} and {versions[-1]}"
            )
        return [stream[version] for version in versions]

    def _from_first(self, kind: str, name: str) -> list[tuple[str, Entry | None]]:
        if 1 not in self.streams.get((kind, name), {}):
            raise Broken("record_missing", f"{kind} {name}: version 1")
        return self._stream(kind, name)

    # -- request and hold --------------------------------------------------------------------------------

    def _request(self) -> None:
        request = self.stated.get("request")
        if request is None:
            return
        history = self._from_first("request", request["id"])
        digests = [digest for digest, _ in history]
        if request["entry_sha256"] not in digests[:-1]:
            raise Broken(
                "record_missing", f"the approved entry of {request['id']}, and the approval after it"
            )
        place = digests.index(request["entry_sha256"])
        asked, approval = history[place][1], history[place + 1][1]
        if approval is None or asked is None:
            return  # not shown: reported
        self._approval(approval, asked)
        self._facts(request, approval)
        for _, entry in history[place + 2 :]:
            if entry is not None and _action(entry) in _VOIDING:
                raise Broken("record_differs", f"the approval was void: {_action(entry)}", entry.path)
        authors = [entry for _, entry in history[: place + 1] if entry is not None]
        if any(_actor(one) == _actor(approval) for one in authors if _action(one) in _AUTHORING):
            raise Broken("record_differs", "the person who approved had asked", approval.path)
        self._hold(approval)

    def _approval(self, approval: Entry, asked: Entry) -> None:
        """The approval in the statement is that of this entry, and covers the entry before it."""
        decided = {
            "role": _APPROVER,
            "name": approval.state("decision.name"),
            "by": approval.state("decision.by"),
            "at": approval.state("decision.at"),
            "entry_sha256": approval.state("decision.entry_sha256"),
        }
        if _action(approval) != _APPROVED or approval.state("decision.outcome") != "approved":
            raise Broken("record_differs", "it is not an approval", approval.path)
        if decided["by"] != _actor(approval) or decided["entry_sha256"] != asked.sha256:
            raise Broken(
                "record_differs", "the decision in it is of another person or request", approval.path
            )
        if abs(times.parse(str(decided["at"])) - approval.at) > log.CLOCKS_APART:
            raise Broken("record_differs", "it was written at another time than the decision", approval.path)
        if self.stated.get("approvals") != [decided]:
            raise Broken("record_differs", "approvals are not those that the entry records", approval.path)
        for name in _SUBSTANCE:
            if asked.state(name) != approval.state(name):
                raise Broken("record_differs", f"the approval changed {name}", approval.path)
        is_older = approval.is_whole and "state.decision.kind" not in approval.fields
        if self.stated["kind"] != ("footage" if is_older else approval.state("decision.kind")):
            raise Broken("record_differs", "a package of another kind was approved", approval.path)

    def _facts(self, request: Part, entry: Entry) -> None:
        """The request in the statement is that of its entry."""
        said = {
            "id": entry.id,
            "entry_sha256": entry.prev,
            "filed_at": entry.state("filed_at"),
            **{name: entry.state(f"requester.{name}") for name in ("agency_kind", "agency", "unit")},
            "requester": {name: entry.state(f"requester.{name}") for name in ("name", "rank", "nrp_nip")},
            "legal_basis": entry.state("legal_basis"),
            "case": entry.state("case"),
            "purpose": entry.state("purpose"),
            "urgent": int(bool(entry.state("urgent"))),
        }
        letter = {name: entry.state(f"letter.{name}") for name in ("number", "date", "sha256")}
        if letter["number"]:
            said["letter"] = {name: value for name, value in letter.items() if value or name != "sha256"}
        for name in sorted({*said, *request}):
            if said.get(name) != request.get(name):
                raise Broken("record_differs", f"request.{name}", entry.path)
        span = {"from": entry.state("from"), "to": entry.state("to")}
        about = (span, entry.state("evidence_id"), entry.state("case"))
        if about != (self.stated["span"], self.stated["evidence_id"], self.stated["case"]):
            raise Broken("record_differs", "the request is for another span, case or package", entry.path)
        for camera in self.stated["cameras"]:
            if camera["id"] not in entry.cameras:
                raise Broken("record_differs", f"nobody asked for {camera['id']}", entry.path)

    def _hold(self, approval: Entry) -> None:
        stated = self.stated.get("hold", {}).get("id", "")
        if stated != approval.state("hold_id"):
            raise Broken("record_differs", "hold", approval.path)
        if not stated:
            return
        entry = self._from_first("hold", stated)[-1][1]
        if entry is None:
            return
        span = self.stated["span"]
        cameras = {one["id"] for one in self.stated["cameras"]}
        if entry.state("from") > span["from"] or entry.state("to") < span["to"]:
            raise Broken("record_differs", "the hold does not cover the span", entry.path)
        if not cameras <= entry.cameras:
            raise Broken("record_differs", "the hold does not cover each camera", entry.path)

    # -- cameras and recorders ---------------------------------------------------------------------------

    def _camera(self, camera: Part) -> None:
        """Name, place and changes are those of the camera's entries from the span's start to its end."""
        history = self._stream("camera", camera["id"])
        start, end = (times.parse(self.stated["span"][name]) for name in ("from", "to"))
        said: list[Part] = []
        last: Part = {}
        for number, (_, entry) in enumerate(history):
            if entry is None:
                return  # not shown: reported
            facts = {name: entry.state(name) for name in entries.FACTS}
            if camera["id"] in self.heard:
                facts["audio"] = _audio(entry)
            if number == 0:
                if entry.at > start and entry.version != 1:
                    raise Broken("record_missing", f"camera {camera['id']} when the span began", entry.path)
                at = times.show(entry.state("registered_at"))
                said.append({"id": entry.state("id"), "registered_at": at} | facts)
                last = facts
                continue
            if number == 1 and entry.at <= start:
                raise Broken(
                    "record_differs", f"{camera['id']} was registered anew before the span", entry.path
                )
            if facts != last and start < entry.at < end:
                said.append({"at": times.show(entry.at)} | facts)
            last = facts
        first = {name: value for name, value in camera.items() if name != "changes"}
        if [first, *camera.get("changes", ())] != said:
            raise Broken("record_differs", f"{camera['id']} is registered otherwise")

    def _recorders(self) -> None:
        """Each key that signed a batch was registered for its recorder."""
        for (recorder, key), path in self.keys.items():
            known = self.streams.get(("recorder", recorder), {}).values()
            registered = [entry.state("public_key") for _, entry in known if entry is not None]
            if key not in registered and all(entry is not None for _, entry in known):
                self.find("recorder_key_not_registered", path, recorder)


def _heard(stated: Part) -> set[str]:
    """The cameras whose originals have sound."""
    return {one["camera"] for one in stated.get("originals", ()) if "sound" in one}


def _audio(entry: Entry) -> Part:
    """Whether a registration allowed sound, and by whom, as stated. Raises Broken, TypeError, ValueError."""
    found: Part = {"kept": entry.state("audio")}
    if any(name.startswith("state.audio_permission") for name in entry.names):
        found |= {name: entry.state(f"audio_permission.{name}") for name in entries.PERMISSION}
        found["since"] = times.show(found["since"])
    return found


def _action(entry: Entry) -> Any:
    return entry.fields.get("action")


def _actor(entry: Entry) -> Any:
    return entry.fields.get("actor")
