"""The item of a custody report, and which acts belong to it.

==============  =======================================================================================
package         an evidence id: acts that name it, its request or its hold; the entries of the three
request         a request id: the same, starting from the request
hold            a hold id: acts that name it, and its entries
camera × span   acts on footage of the camera in the span: an act that states a time belongs if that
                time touches the span; an act without a time belongs, since it cannot be ruled out
segment         as camera × span, with the segment's own span
==============  =======================================================================================
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archive import keys
from archive.errors import Malformed, NotFound
from archive.ids import check_name
from archive.model import leaf as leaves
from archive.ports import Stores
from archive.records.indexed.events import stated_spans as stated_spans
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import Timespan

_PACKAGE = re.compile(r"EVD-\d{4}-[0-9A-HJKMNP-TV-Z]{10}\Z", re.ASCII)
_REQUEST = re.compile(r"REQ-\d{4}-[0-9A-HJKMNP-TV-Z]{10}\Z", re.ASCII)
_HOLD = re.compile(r"hold-[0-9a-f]{32}\Z", re.ASCII)

Stream = tuple[str, str]
"""Kind and id of a ledger stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The item of a report: its name, and the acts that belong to it.

    With ``camera`` it is footage, of the span ``footage`` or of any time if that is None; otherwise it is the
    object with one of ``names``. ``streams`` are the ledger streams whose entries belong. ``begins_at`` (µs)
    is when it came into being, None if unknown.
    """

    text: str
    names: frozenset[str]
    streams: tuple[Stream, ...] = ()
    camera: str = ""
    footage: Timespan | None = None
    begins_at: int | None = None
    evidence_id: str = ""
    request_id: str = ""
    hold_id: str = ""

    def concerns(self, objects: Iterable[str], details: Mapping[str, Any]) -> bool:
        """Whether an event on these objects, with these details, belongs to this item's custody."""
        if not self.names.intersection(objects):
            return False
        if not self.camera or self.footage is None:
            return True
        stated = stated_spans(details)
        return not stated or any(span.overlaps(self.footage) for span in stated)


def find_item(text: str, ledger: Ledger, stores: Stores, *, footage: Timespan | None = None) -> Item:
    """The item that a text names; ``footage`` narrows a camera to a time.

    Raises:
        NotFound: ``evidence_not_found``, ``request_not_found``, ``hold_not_found``, ``camera_not_found``.
        Malformed: ``bad_item``: the text names no item with a custody record.
    """
    if _PACKAGE.match(text):
        return _linked(text, ledger, ledger.head("evidence", text))
    if _REQUEST.match(text):
        return _linked(text, ledger, ledger.head("request", text))
    if _HOLD.match(text):
        ledger.head("hold", text)
        return Item(
            text=text,
            names=frozenset({text}),
            streams=(("hold", text),),
            begins_at=ledger.entry("hold", text, 1).at,
            hold_id=text,
        )
    if text.startswith("segments/"):
        return _segment(text, stores)
    try:
        camera = check_name("camera", text)
    except Malformed as error:
        raise Malformed(
            f"{text[:80]!r} does not name an item with a custody record",
            code="bad_item",
            hint="Name a package (EVD-…), a request (REQ-…), a hold, a camera, or a segment's key.",
        ) from error
    if not any(True for _ in stores.records.list(keys.ledger_prefix("camera", camera))):
        raise NotFound(f"there is no camera {camera}", code="camera_not_found")
    return Item(
        text=text,
        names=frozenset({camera}),
        streams=(("camera", camera),),
        camera=camera,
        footage=footage,
    )


def _segment(key: str, stores: Stores) -> Item:
    name = keys.parse_segment_key(key)
    try:
        leaf = leaves.decode(stores.footage.head(key).metadata["leaf"].encode("ascii"))
        span = leaf.span
    except (NotFound, KeyError):
        span = Timespan(name.start, name.start + 1)  # it is disposed of; its name gives its start
    return Item(text=key, names=frozenset({name.camera, key}), camera=name.camera, footage=span)


def _linked(text: str, ledger: Ledger, head: Entry) -> Item:
    """A package, its request and its hold, found from any of them."""
    evidence_id = text if head.kind == "evidence" else str(head.state.get("evidence_id") or "")
    request_id = text if head.kind == "request" else str(head.state.get("request_id") or "")
    request = head if head.kind == "request" else _known(ledger, "request", request_id)
    hold_id = "" if request is None else str(request.state.get("hold_id") or "")
    streams = tuple(
        (kind, name)
        for kind, name in (("request", request_id), ("hold", hold_id), ("evidence", evidence_id))
        if name and _known(ledger, kind, name) is not None
    )
    return Item(
        text=text,
        names=frozenset(name for _, name in streams),
        streams=streams,
        begins_at=min(ledger.entry(kind, name, 1).at for kind, name in streams),
        evidence_id=evidence_id,
        request_id=request_id,
        hold_id=hold_id,
    )


def _known(ledger: Ledger, kind: str, name: str) -> Entry | None:
    if not name:
        return None
    try:
        return ledger.head(kind, name)
    except NotFound:
        return None


def touching(entries: Iterable[Entry], camera: str, footage: Timespan | None) -> Iterable[Stream]:
    """The streams of holds, requests or packages that concern a camera's footage."""
    for entry in entries:
        state = entry.state
        if camera not in state.get("cameras", ()):
            continue
        if footage is None or Timespan.parse(state["from"], state["to"]).overlaps(footage):
            yield entry.kind, entry.id
