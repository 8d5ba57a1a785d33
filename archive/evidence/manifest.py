"""The places of a package's parts, and the small parts that follow from the plan alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive import canonical
from archive.errors import Malformed
from archive.evidence import bag, paths, report
from archive.evidence.entries import contents_of, dispositions_of, records_of
from archive.evidence.plan import (
    JournalProof,
    Original,
    PackagePlan,
    SealedCheckpoint,
    journal_facts,
)
from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import InclusionProof
from archive.timespan import as_datetime


@dataclass(frozen=True, slots=True)
class Layout:
    """The path of every original, of the leaves, and of every clip of a plan."""

    folders: Mapping[str, str]
    clips: tuple[str, ...]

    @classmethod
    def of(cls, plan: PackagePlan) -> "Layout":
        """Give each part of the plan its place."""
        folders = paths.camera_folders(camera.id for camera in plan.cameras)
        totals: dict[str, int] = {}
        for clip in plan.clips:
            totals[clip.camera] = totals.get(clip.camera, 0) + 1
        counts: dict[str, int] = {}
        clips = []
        for clip in plan.clips:
            counts[clip.camera] = counts.get(clip.camera, 0) + 1
            clips.append(paths.clip(folders[clip.camera], counts[clip.camera], totals[clip.camera]))
        return cls(folders, tuple(clips))

    def original(self, item: Original) -> str:
        """Path of an original segment."""
        return paths.original(self.folders[item.ref.camera], item.ref.key)

    def leaves(self, camera: str) -> str:
        """Path of the leaves of a camera's originals."""
        return paths.leaves(self.folders[camera])

    def inclusion(self, camera: str) -> str:
        """Path of the inclusion proofs of those leaves."""
        return paths.inclusion(self.folders[camera])


def proofs(plan: PackagePlan, layout: Layout) -> dict[str, bytes]:
    """The small payload that does not depend on copying: leaves, batches, proofs, custody, texts.

    Raises:
        Malformed: ``bad_plan``: a recorder's key or a checkpoint in the plan is invalid.
    """
    found: dict[str, bytes] = {}

    def add_line(path: str, line: bytes) -> None:
        found[path] = found.get(path, b"") + line + b"\n"

    for item in plan.originals:
        add_line(layout.leaves(item.ref.camera), item.leaf)
        if item.proof is not None:
            add_line(layout.inclusion(item.ref.camera), canonical.encode(item.proof.inclusion_json()))
    for one in journals_of(plan):
        found[one.path] = one.proof.batch
        found[one.key_path] = _public_pem(one.proof)
        add_line(paths.JOURNAL_PROOFS, canonical.encode(one.proof.proof.inclusion_json()))
    for checkpoint in checkpoints_of(plan):
        for part, content in (
            (stored.CHECKPOINT, checkpoint.text),
            (stored.SIGNATURE, checkpoint.signature),
            (stored.STAMP, checkpoint.stamp),
        ):
            found[paths.checkpoint(checkpoint.note.number, part)] = content
    found |= contents_of(plan)
    for placed in (*records_of(plan), *dispositions_of(plan)):
        if placed.record.proof is not None:
            add_line(placed.proofs, canonical.encode(placed.record.proof.inclusion_json()))
    found[paths.CUSTODY] = b"".join(line + b"\n" for line in plan.custody)
    found[paths.README] = report.readme(plan)
    found[paths.INSTRUCTIONS] = report.instructions()
    return found


@dataclass(frozen=True, slots=True)
class PlacedJournal:
    """A journal batch, with its path and the path of the key that signed it."""

    proof: JournalProof
    recorder: str
    batch: int
    sha256: str
    path: str
    key_path: str


def journals_of(plan: PackagePlan) -> list[PlacedJournal]:
    """The journal batches of a plan, by path. A recorder whose key was replaced has several keys."""
    facts = [(proof, *journal_facts(proof)) for proof in plan.journals]
    folders = paths.camera_folders(recorder for _, recorder, _, _ in facts)
    keys_of: dict[str, list[bytes]] = {}
    placed = []
    for proof, recorder, batch, digest in facts:
        known = keys_of.setdefault(recorder, [])
        if proof.public_key not in known:
            known.append(proof.public_key)
        number = known.index(proof.public_key) + 1
        key_path = paths.recorder_key(folders[recorder] if number == 1 else f"{folders[recorder]}_k{number}")
        path = paths.journal(folders[recorder], batch)
        placed.append(PlacedJournal(proof, recorder, batch, digest, path, key_path))
    return sorted(placed, key=lambda one: one.path)


def checkpoints_of(plan: PackagePlan) -> list[SealedCheckpoint]:
    """Every checkpoint of a plan once, by number.

    Raises:
        Malformed: ``bad_plan``: a checkpoint has no signature or stamp, or two with the same number differ.
    """
    found: dict[int, SealedCheckpoint] = {}
    proofs = [item.proof for item in plan.originals]
    proofs += [one.proof for one in plan.journals]
    proofs += [one.record.proof for one in (*records_of(plan), *dispositions_of(plan))]
    proven = [_sealed(proof) for proof in proofs if proof is not None]
    for one in (*proven, *plan.checkpoints):
        if found.setdefault(one.note.number, one) != one:
            raise Malformed(f"the plan has two checkpoints {one.note.number}", code="bad_plan")
    return [found[number] for number in sorted(found)]


def _sealed(proof: InclusionProof) -> SealedCheckpoint:
    if proof.signature is None or proof.stamp is None:
        raise Malformed("the plan has a checkpoint without signature or time stamp", code="bad_plan")
    return SealedCheckpoint(proof.checkpoint, proof.signature, proof.stamp)


def bag_info(plan: PackagePlan, layout: Layout, sizes: Mapping[str, int]) -> bytes:
    """``bag-info.txt``; ``sizes`` has the size of every payload file, by path."""
    version = plan.system.get("version", "")
    return bag.write_info(
        (
            ("Bag-Software-Agent", f"saksi {version}".strip()),
            ("Bagging-Date", f"{as_datetime(plan.prepared_at):%Y-%m-%d}"),
            ("External-Identifier", plan.evidence_id),
            ("Payload-Oxum", bag.payload_oxum(sizes.values())),
            ("Source-Organization", plan.organization),
        )
    )


def _public_pem(proof: JournalProof) -> bytes:
    try:
        key = Ed25519PublicKey.from_public_bytes(proof.public_key)
    except ValueError as error:
        raise Malformed("a recorder's public key is not 32 bytes of Ed25519", code="bad_plan") from error
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
