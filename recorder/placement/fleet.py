"""The registered recorders, and what administrators say of them: entries of each recorder's ledger stream.

A recorder registers itself with its key (:mod:`recorder.identity`). Its weight, districts and drain stand
beside the key in the same state, as acts of people; a new key carries them on.
"""

from collections.abc import Collection, Mapping
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Conflict, Malformed
from archive.ids import has_cameras
from archive.model.areas import AREA_CODE
from archive.ports import ObjectStore
from archive.records.ledger.heads import LenientHeads
from archive.records.ledger.streams import Entry, Ledger
from recorder.placement.assignment import DEFAULT_WEIGHT, Host

KIND = "recorder"
HEAVIEST = 10_000
_FACTS = ("weight", "districts", "drained")


class Fleet:
    """Reads the registered recorders. A refresh costs one listing. Not thread-safe."""

    def __init__(self, ledger: Ledger, records: ObjectStore) -> None:
        self._heads: LenientHeads[Host] = LenientHeads(ledger, records, KIND, _host_of_entry)

    def hosts(self) -> list[Host]:
        """All registered recorders that record cameras; an unreadable newest entry changes nothing.

        Raises as the store.
        """
        known = sorted(self._heads.refresh().known.items())
        return [one.value for name, one in known if has_cameras(name)]


def host_of(recorder: str, state: Mapping[str, Any]) -> Host:
    """A recorder by its state in the ledger. Raises Malformed ``bad_recorder``."""
    weight, districts = state.get("weight", DEFAULT_WEIGHT), state.get("districts", [])
    if not isinstance(weight, int) or not 0 <= weight <= HEAVIEST or not isinstance(districts, list):
        raise Malformed(
            f"the record of recorder {recorder} has no sound weight or districts", code="bad_recorder"
        )
    return Host(recorder, weight, frozenset(map(str, districts)), bool(state.get("drained")))


def carried_on(state: Mapping[str, Any]) -> JsonObject:
    """What administrators said, for the next state of a recorder that changes its key."""
    return {name: state[name] for name in _FACTS if name in state}


def drain(ledger: Ledger, recorder: str, *, actor: str, reason: str) -> Host:
    """Let others record this recorder's cameras; it leaves each one when another has footage of it.

    Raises:
        NotFound: ``recorder_not_found``. Conflict: ``recorder_drained_already``, ``ledger_conflict``.
        Malformed: ``reason_missing``.
    """
    head = ledger.head(KIND, recorder)
    if head.state.get("drained"):
        raise Conflict(f"recorder {recorder} is drained already", code="recorder_drained_already")
    return _change(ledger, head, {"drained": 1}, "recorder.drained", actor, reason)


def undrain(ledger: Ledger, recorder: str, *, actor: str, reason: str) -> Host:
    """Give a drained recorder its cameras back.

    Raises:
        NotFound: ``recorder_not_found``. Conflict: ``recorder_not_drained``, ``ledger_conflict``.
        Malformed: ``reason_missing``.
    """
    head = ledger.head(KIND, recorder)
    if not head.state.get("drained"):
        raise Conflict(f"recorder {recorder} is not drained", code="recorder_not_drained")
    return _change(ledger, head, {"drained": 0}, "recorder.undrained", actor, reason)


def weigh(ledger: Ledger, recorder: str, weight: int, *, actor: str, reason: str) -> Host:
    """Set a recorder's capacity relative to others'; with 0 it is no camera's home any more.

    Raises:
        NotFound: ``recorder_not_found``. Conflict: ``ledger_conflict``.
        Malformed: ``bad_weight``, ``reason_missing``.
    """
    if not 0 <= weight <= HEAVIEST:
        raise Malformed(
            f"a weight is 0 to {HEAVIEST}, not {weight}",
            code="bad_weight",
            hint=f"{DEFAULT_WEIGHT} is usual; {2 * DEFAULT_WEIGHT} for a host that can record twice as much.",
        )
    head = ledger.head(KIND, recorder)
    return _change(ledger, head, {"weight": weight}, "recorder.weighed", actor, reason)


def assign_districts(
    ledger: Ledger, recorder: str, districts: Collection[str], *, actor: str, reason: str
) -> Host:
    """Set the districts whose cameras the recorder should record if it can; none: of all.

    Raises:
        NotFound: ``recorder_not_found``. Conflict: ``ledger_conflict``.
        Malformed: ``bad_place``: not the code of an area; ``reason_missing``.
    """
    for district in districts:
        if AREA_CODE.match(district) is None:
            raise Malformed(
                f"{district!r} is not an area code", code="bad_place", hint="It looks like 73.71.13."
            )
    head = ledger.head(KIND, recorder)
    facts: JsonObject = {"districts": sorted(set(districts))}
    return _change(ledger, head, facts, "recorder.districts_set", actor, reason)


def _change(ledger: Ledger, head: Entry, facts: JsonObject, action: str, actor: str, reason: str) -> Host:
    if not reason.strip():
        raise Malformed("say why", code="reason_missing", hint="The reason stays in the ledger.")
    state = {**head.state, **facts}
    ledger.append(KIND, head.id, state, expected=head.version, actor=actor, action=action, reason=reason)
    return host_of(head.id, state)


def _host_of_entry(entry: Entry) -> Host:
    return host_of(entry.id, entry.state)
