"""What a package says about when its originals were on record: before the request or after it.

The recorder's batch says when by the recorder's clock; the stamp of a checkpoint proves it. Both are compared
with the filing of the request, or with the preparation of a package that answers no request.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive import canonical
from archive.evidence.plan import PackagePlan
from archive.timespan import parse_instant
from archive.trust import token

BEFORE, AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Logged:
    """Of one original: ``before`` or ``after`` for its signed batch and its checkpoint; empty without one."""

    journal: str
    checkpoint: str

    def to_json(self) -> dict[str, str]:
        """The member ``logged`` of an original."""
        found = {"journal": self.journal, "checkpoint": self.checkpoint}
        return {name: said for name, said in found.items() if said}


@dataclass(frozen=True, slots=True)
class Count:
    """How many originals a package has, and how many were on record before the request."""

    originals: int
    journal: int
    checkpoint: int


def requested_at(plan: PackagePlan) -> int:
    """The time of the request (µs)."""
    return plan.prepared_at if plan.request is None else plan.request.filed_at


def logged(plan: PackagePlan) -> Iterator[Logged]:
    """For each original, in their order. Raises Malformed ``bad_timestamp``."""
    request = requested_at(plan)
    leaves = {item.leaf for item in plan.originals}
    signed: dict[bytes, int] = {}
    for one in plan.journals:
        header, *lines = one.batch.split(b"\n")
        at = parse_instant(canonical.decode(header)["at"])
        for line in leaves.intersection(lines):
            signed[line] = min(at, signed.get(line, at))
    stamped: dict[bytes, int] = {}
    for item in plan.originals:
        signed_at = signed.get(item.leaf)
        checkpoint = ""
        if item.proof is not None and item.proof.stamp is not None:
            stamp = item.proof.stamp
            if stamp not in stamped:
                stamped[stamp] = token.decode("a checkpoint's stamp", stamp).gen_time
            checkpoint = _order(stamped[stamp], request)
        yield Logged("" if signed_at is None else _order(signed_at, request), checkpoint)


def count(plan: PackagePlan) -> Count:
    """The same in figures."""
    found = list(logged(plan))
    return Count(
        len(found),
        sum(one.journal == BEFORE for one in found),
        sum(one.checkpoint == BEFORE for one in found),
    )


def _order(instant: int, request: int) -> str:
    return BEFORE if instant < request else AFTER
