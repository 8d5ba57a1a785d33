"""The owner of a rebuild on Elasticsearch, and its progress: one document among the fresh indices.

A killed rebuild looks the same as one that runs elsewhere, and need not be distinguished. The next one takes
it over by writing its own name; the previous one sees that at its next step and ends. Both wrote the same
until then, since both read the same archive.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping

from archive.canonical import JsonObject
from search.elastic import names, schema
from search.elastic.cluster import Cluster, superseded
from search.elastic.writes import Json, Seen, Write

_CLAIM = "rebuild:claim"


class Claim:
    """The right to fill the indices behind ``fresh``.

    ``carried`` holds the sequence numbers of the indices in use when the rebuild began.
    """

    def __init__(self, fresh: Cluster, carried: Mapping[str, int], state: JsonObject | None = None) -> None:
        self._fresh = fresh
        self._owner = secrets.token_hex(8)
        self.carried = dict(carried)
        self.state = state

    def keep(self, state: JsonObject | None) -> None:
        """Store the rebuild's progress. Raises Conflict ``rebuild_superseded`` if another owns it."""
        found = _read(self._fresh)
        if found is not None and found[0]["owner"] != self._owner:
            raise superseded()
        self._write(state, None if found is None else found[1], 0 if found is None else found[0]["step"])

    def take_over(self, seen: Seen, step: int) -> bool:
        """Become the owner, unless another process did so since ``seen``."""
        return not self._tried(self.state, seen, step)

    def require(self) -> None:
        """Raise Conflict ``rebuild_superseded`` if another process owns the rebuild."""
        if not self.mine():
            raise superseded()

    def mine(self) -> bool:
        """Whether this process still owns it."""
        found = _read(self._fresh)
        return found is None or found[0]["owner"] == self._owner

    def end(self) -> None:
        """Remove the claim: there is nothing left to resume."""
        self._fresh.write([Write(names.STATE, _CLAIM, None)], searchable=False)

    def _write(self, state: JsonObject | None, seen: Seen | None, step: int) -> None:
        if self._tried(state, seen, step):
            raise superseded()

    def _tried(self, state: JsonObject | None, seen: Seen | None, step: int) -> list[Write]:
        body = {
            "owner": self._owner,
            "step": step + 1,
            "schema": _schema(),
            "carried": self.carried,
            "state": state,
        }
        document = {"kind": "rebuild", "name": "claim", "number": step + 1, "state": body}
        how = Write(names.STATE, _CLAIM, document, how="index" if seen else "create", seen=seen)
        return self._fresh.write([how], searchable=False)


def unfinished(live: Cluster) -> tuple[Cluster, Claim] | None:
    """An unfinished rebuild with stored progress, now owned by this process; None without one.

    A rebuild that another version of this program began is not resumed.
    """
    for fresh in live.rebuilds():
        found = _read(fresh)
        if found is None:
            continue
        body, seen = found
        if body["schema"] != _schema() or body["state"] is None:
            continue
        claim = Claim(fresh, body["carried"], body["state"])
        if claim.take_over(seen, body["step"]):
            return fresh, claim
    return None


def _read(fresh: Cluster) -> tuple[Json, Seen] | None:
    (found,) = fresh.each_as_seen([(names.STATE, _CLAIM)])
    return None if found is None else (found[0]["state"], found[1])


def _schema() -> str:
    kept = json.dumps(schema.templates("x"), sort_keys=True)
    return hashlib.sha256(kept.encode()).hexdigest()
