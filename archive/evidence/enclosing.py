"""The proofs that a package encloses: signed batches, places in the log, and gaps that footage superseded."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from archive import canonical
from archive.evidence.journalled import FoundBatch, Journals, WantedGap
from archive.evidence.plan import GapStatement, JournalProof, PackagePlan
from archive.evidence.proving import Prover
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause
from archive.records import journal
from archive.records.checkpoint.prove import InclusionProof, Line
from archive.timespan import SpanSet, Timespan


@dataclass(frozen=True, slots=True)
class Enclosed:
    """The proofs of one package: of its originals in order, and batches."""

    proofs: tuple[InclusionProof | None, ...]
    journals: tuple[JournalProof, ...]


def enclose(
    journals: Journals,
    prover: Prover,
    *,
    originals: Sequence[bytes],
    gaps: Iterable[WantedGap],
    cameras: Collection[str],
) -> Enclosed:
    """Find batches and proofs for these leaves and recorders' gaps.

    Batches are enclosed as slices of ``cameras``: lines of other cameras are nobody's business here.

    Raises:
        CheckpointPending: a line, or a gap's line, is still on its way.
        IntegrityError: ``checkpoint_altered``, ``leaves_altered``.
    """
    missing = [one.gap for one in journals.find(originals, gaps)]
    lines = [Line(leaf, leaves.decode(leaf).ingested_at) for leaf in originals]
    sought = [Line(leaves.encode(gap), gap.ingested_at) for gap in missing]
    arrived = {line for one in journals.found.values() for line in one.data.split(b"\n")}
    proofs = prover.prove([*lines, *sought], arrived)
    late = {proof.key for proof in proofs if proof is not None and proof.leaf not in arrived}
    for key in sorted(late):
        journals.take(key)
    return Enclosed(
        tuple(proofs[: len(lines)]),
        tuple(_proven(prover, list(journals.found.values()), cameras)),
    )


def _proven(prover: Prover, found: Sequence[FoundBatch], cameras: Collection[str]) -> Iterator[JournalProof]:
    """The batches in the log; one that the log refused is left out."""
    trailers = [one.trailer for one in found]
    proofs = prover.prove(trailers, [line.leaf for line in trailers])
    for one, proof in zip(found, proofs, strict=True):
        if proof is not None:
            yield JournalProof(
                batch=journal.slice_of(one.data, cameras), public_key=one.public_key, proof=proof
            )


def in_accord(plan: PackagePlan) -> PackagePlan:
    """The plan with the gaps as its recorders' signed lines require.

    ``superseded`` gets the stretches of signed gaps that footage covers after all: footage that arrived late,
    or that a second recorder kept. Where footage that arrived after a signed gap was destroyed, the gap keeps
    its recorder's cause; the destruction is stated beside it.
    """
    signed = _signed_gaps(plan)
    gaps: list[GapStatement] = []
    covered: list[GapStatement] = []
    for camera in plan.cameras:
        footage = SpanSet(item.ref.span for item in plan.originals if item.ref.camera == camera.id)
        mine = signed.get(camera.id, [])
        for one in mine:
            covered += _stretches(one, footage.within(plan.span) & SpanSet((one.span,)))
        for gap in (gap for gap in plan.gaps if gap.camera == camera.id):
            left = SpanSet((gap.span,))
            if gap.cause == GapCause.DISPOSED:
                for one in mine:
                    gaps += _stretches(one, left & SpanSet((one.span,)))
                    left = left - SpanSet((one.span,))
            gaps += [replace(gap, span=span) for span in left]
    order = {camera.id: number for number, camera in enumerate(plan.cameras)}
    gaps.sort(key=lambda gap: (order[gap.camera], gap.span.start))
    return replace(plan, gaps=tuple(gaps), superseded=tuple(covered))


def _stretches(gap: Gap, spans: Iterable[Timespan]) -> Iterator[GapStatement]:
    for span in spans:
        yield GapStatement(camera=gap.camera, span=span, cause=gap.cause.value)


def _signed_gaps(plan: PackagePlan) -> dict[str, list[Gap]]:
    """The recorders' gaps in the plan's batches, each in its longest form, by camera, start and id."""
    newest: dict[tuple[str, str], Gap] = {}
    for one in plan.journals:
        header, *lines = one.batch.split(b"\n")
        recorder = canonical.decode(header)["recorder"]
        for leaf in (leaves.decode(line) for line in lines if b'"type":"gap"' in line):
            if not isinstance(leaf, Gap) or leaf.recorder != recorder:
                continue
            known = newest.get((leaf.camera, leaf.gap))
            if known is None or leaf.span.end > known.span.end:
                newest[leaf.camera, leaf.gap] = leaf
    found: dict[str, list[Gap]] = {}
    for gap in sorted(newest.values(), key=lambda gap: (gap.span.start, gap.gap)):
        found.setdefault(gap.camera, []).append(gap)
    return found
