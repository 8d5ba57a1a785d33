"""The places of a package's ledger entries, and what ``evidence.json`` says about where they are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archive.evidence import paths
from archive.evidence.plan import PackagePlan, Record
from archive.records.checkpoint.prove import InclusionProof

NOT_SHOWN = "not_shown"
"""Of an entry that the package names and does not enclose: it could not be shown in part."""


@dataclass(frozen=True, slots=True)
class PlacedRecord:
    """A ledger entry, with the paths of its line and of its openings, where the package has them.

    Its proof is a line of the part ``proofs``.
    """

    record: Record
    path: str
    opened_path: str
    proofs: str


def records_of(plan: PackagePlan) -> list[PlacedRecord]:
    """The entries of a plan, in their order."""
    return [
        _placed(record, paths.entry(number, record.kind), paths.ENTRY_PROOFS)
        for number, record in enumerate(plan.records, 1)
    ]


def dispositions_of(plan: PackagePlan) -> list[PlacedRecord]:
    """The entries of a plan's destructions, in their order."""
    return [
        _placed(one.record, paths.disposition(one.disposition.id), paths.DISPOSITION_PROOFS)
        for one in plan.destructions
    ]


def _placed(record: Record, path: str, proofs_path: str) -> PlacedRecord:
    opened = paths.opened(path) if record.opened else ""
    return PlacedRecord(record, path if record.line else "", opened, proofs_path)


def contents_of(plan: PackagePlan) -> dict[str, bytes]:
    """The lines and openings of all entries of a plan, by path."""
    placed = [*records_of(plan), *dispositions_of(plan)]
    found = {one.path: one.record.line for one in placed if one.path}
    return found | {one.opened_path: one.record.opened for one in placed if one.opened_path}


def stated_entries(
    placed: Iterable[PlacedRecord], log: Callable[[InclusionProof, str, int], dict[str, Any]]
) -> Iterator[tuple[PlacedRecord, dict[str, Any]]]:
    """Each entry, and what is stated about it; ``log`` states the place of a proof, line by line."""
    line = 0
    for one in placed:
        stated: dict[str, Any] = {"sha256": one.record.sha256}
        if one.path:
            stated["path"] = one.path
        else:
            stated["entry"] = NOT_SHOWN
        if one.opened_path:
            stated["opened"] = one.opened_path
        if one.record.proof is not None:
            line += 1
            stated["log"] = log(one.record.proof, one.proofs, line)
        yield one, stated
