"""From a plan and what the copying found to ``evidence.json`` and the small files beside it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.evidence import bag, certificates, paths, report, statement
from archive.evidence.plan import ClipPlan, JournalProof, Original, PackagePlan, journal_facts, read_leaf
from archive.timespan import Timespan, as_datetime, format_instant

_NOT_ABOUT = frozenset({"pieces", "sha256", "bytes"})


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


def proofs(plan: PackagePlan, layout: Layout) -> dict[str, bytes]:
    """The small payload that does not depend on copying: leaves, journal batches, keys, custody, texts."""
    found: dict[str, bytes] = {}
    for item in plan.originals:
        path = layout.leaves(item.ref.camera)
        found[path] = found.get(path, b"") + item.leaf + b"\n"
    recorder_folders = _recorder_folders(plan)
    for proof in plan.journals:
        recorder, batch, _ = journal_facts(proof)
        found[paths.journal(recorder_folders[recorder], batch)] = proof.batch
        pem = _public_pem(proof)
        if found.setdefault(paths.recorder_key(recorder_folders[recorder]), pem) != pem:
            raise Malformed(f"the plan gives two keys of recorder {recorder}", code="bad_plan")
    found[paths.CUSTODY] = b"".join(line + b"\n" for line in plan.custody)
    found[paths.README] = report.readme(plan)
    found[paths.INSTRUCTIONS] = report.instructions()
    return found


def evidence_json(
    plan: PackagePlan,
    layout: Layout,
    *,
    clip_sha256: tuple[str, ...],
    signer: x509.Certificate,
    tsa: str,
) -> bytes:
    """``evidence.json`` of a plan whose clips have these digests.

    Raises:
        Malformed: ``bad_plan``, ``bad_statement``: a clip's account holds anything but text, integers, lists
            and objects.
    """
    body: dict[str, Any] = {
        "schema": statement.SCHEMA_ID,
        "evidence_id": plan.evidence_id,
        "case": plan.case,
        "actor": plan.actor,
        "span": _span(plan.span),
        "prepared_at": format_instant(plan.prepared_at),
        "tz_display": plan.tz_display,
        "system": dict(plan.system),
        "cameras": [
            {
                "id": camera.id,
                "name": camera.name,
                "lat": format(camera.place.lat, "f"),
                "lon": format(camera.place.lon, "f"),
                "kecamatan": camera.place.kecamatan,
                "kelurahan": camera.place.kelurahan,
                "owner": camera.place.owner.value,
                "view": "public",
                "segment_seconds": camera.segment_seconds,
                "registered_at": format_instant(camera.registered_at),
            }
            for camera in plan.cameras
        ],
        "originals": list(_originals(plan, layout)),
        "gaps": [{"camera": gap.camera, "cause": gap.cause} | _span(gap.span) for gap in plan.gaps],
        "derivatives": [
            _derivative(plan, layout, clip, path, digest)
            for clip, path, digest in zip(plan.clips, layout.clips, clip_sha256, strict=True)
        ],
        "journals": _journals(plan),
        "custody": {
            "path": paths.CUSTODY,
            "sha256": sha256_hex(b"".join(line + b"\n" for line in plan.custody)),
            "lines": len(plan.custody),
        },
        "package_until": format_instant(plan.lock_until),
        "seal": {
            "form": "CAdES-BES",
            "digest": "sha256",
            "signer_sha256": certificates.fingerprint(signer),
            "signer_subject": certificates.subject(signer),
            "tsa": tsa,
        },
        "limits": [{"id": indonesian, "en": english} for indonesian, english in report.LIMITS],
    }
    return statement.check(body)


def bag_info(plan: PackagePlan, layout: Layout, sizes: Mapping[str, int]) -> bytes:
    """``bag-info.txt``; ``sizes`` are those of the whole payload, by path."""
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


def _originals(plan: PackagePlan, layout: Layout) -> Iterator[dict[str, Any]]:
    lines: dict[str, int] = {}
    for item in plan.originals:
        lines[item.ref.camera] = lines.get(item.ref.camera, 0) + 1
        yield _original(item, layout, lines[item.ref.camera])


def _original(item: Original, layout: Layout, line: int) -> dict[str, Any]:
    leaf = read_leaf(item)
    stated: dict[str, Any] = {
        "path": layout.original(item),
        "camera": leaf.camera,
        "recorder": leaf.recorder,
        "run": leaf.run,
        "seq": leaf.seq,
        "sha256": leaf.sha256,
        "size": leaf.size,
        "key": leaf.key,
        "version": item.ref.version,
        "leaf": layout.leaves(leaf.camera),
        "leaf_line": line,
        "leaf_sha256": sha256_hex(item.leaf),
        "codec": leaf.codec,
        "frames": leaf.frames,
        "clock": {
            "source": leaf.clock.source,
            "offset_us": leaf.clock.offset_us,
            "uncertainty_us": leaf.clock.uncertainty_us,
            "flags": list(leaf.clock.flags),
        },
        "ingested_at": format_instant(leaf.ingested_at),
    }
    if item.lock is not None:
        stated["lock"] = {"mode": item.lock.mode.value, "until": format_instant(item.lock.until)}
    return stated | _span(leaf.span)


def _derivative(plan: PackagePlan, layout: Layout, clip: ClipPlan, path: str, digest: str) -> dict[str, Any]:
    inside = {
        item.ref.key: layout.original(item) for item in plan.originals if item.ref.camera == clip.camera
    }
    try:
        pieces = [
            {
                "original": inside[piece["original"]],
                "from": piece["from"],
                "to": piece["to"],
                "original_offset": piece["original_offset"],
                "clip_offset": piece["clip_offset"],
                "length": piece["length"],
            }
            for piece in clip.description["pieces"]
        ]
    except (KeyError, TypeError) as error:
        raise Malformed(f"a piece of {path} lacks or misnames {error}", code="bad_plan") from error
    return {
        "path": path,
        "camera": clip.camera,
        "kind": "clip",
        "sha256": digest,
        "size": clip.size,
        "pieces": pieces,
        "about": {
            name: value
            for name, value in clip.description.items()
            if name not in _NOT_ABOUT and value is not None
        },
    }


def _journals(plan: PackagePlan) -> list[dict[str, Any]]:
    folders = _recorder_folders(plan)
    listed = []
    for proof in plan.journals:
        recorder, batch, digest = journal_facts(proof)
        listed.append(
            {
                "path": paths.journal(folders[recorder], batch),
                "recorder": recorder,
                "batch": batch,
                "sha256": digest,
                "public_key": paths.recorder_key(folders[recorder]),
            }
        )
    return sorted(listed, key=lambda part: str(part["path"]))


def _recorder_folders(plan: PackagePlan) -> dict[str, str]:
    return paths.camera_folders(journal_facts(proof)[0] for proof in plan.journals)


def _public_pem(proof: JournalProof) -> bytes:
    try:
        key = Ed25519PublicKey.from_public_bytes(proof.public_key)
    except ValueError as error:
        raise Malformed("a recorder's public key is not 32 bytes of Ed25519", code="bad_plan") from error
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _span(span: Timespan) -> dict[str, str]:
    return {"from": format_instant(span.start), "to": format_instant(span.end)}


def schema_file() -> bytes:
    """The JSON Schema of ``evidence.json`` as it is kept beside this module."""
    return json.dumps(statement.json_schema(), indent=2, sort_keys=True).encode() + b"\n"
