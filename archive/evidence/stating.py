"""Writes the bytes of ``evidence.json`` from a plan and the results of copying."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography import x509

from archive.canonical import sha256_hex
from archive.errors import Malformed
from archive.evidence import paths, report, sounds
from archive.evidence.entries import contents_of, dispositions_of, records_of, stated_entries
from archive.evidence.logged import logged
from archive.evidence.manifest import Layout, checkpoints_of, journals_of
from archive.evidence.plan import (
    ClipPlan,
    Document,
    GapStatement,
    Original,
    PackagePlan,
    RequestFacts,
    read_leaf,
)
from archive.evidence.slices import METHOD, Slices
from archive.evidence.verification import check_recorded, check_signed, check_statement
from archive.footage.clip.exact import LAYOUT
from archive.model.camera import Camera
from archive.model.leaf import sound_json
from archive.model.segment import UNSYNCHRONISED, Codec, Segment
from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import InclusionProof
from archive.timespan import Timespan, format_instant
from archive.trust import certificates, token

SCHEMA_ID = "urn:saksi:evidence-package:2"
"""``evidence-package-2.schema.json`` beside this module defines version 2."""

_TOLD_APART = frozenset(
    {
        "pieces",
        "sha256",
        "bytes",
        "asked",
        "actual",
        "hidden_frames",
        "hidden_preroll_us",
        "hidden_tail_us",
        "sound",
        "hidden_sound_us",
        "layout",
    }
)


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """The results of copying for a clip: its SHA-256 (hex), its codec, and the slices of each piece."""

    sha256: str
    codec: Codec
    slices: tuple[Slices | None, ...]


def evidence_json(
    plan: PackagePlan,
    layout: Layout,
    *,
    clips: tuple[ClipOutcome, ...],
    documents: Mapping[str, Document],
    signer: x509.Certificate,
    tsa: str,
) -> bytes:
    """``evidence.json`` of a plan, with these outcomes of its clips and these documents by name.

    Raises:
        IntegrityError: ``records_contradict``: the ledger's entries say something else.
        Malformed: ``bad_plan``, ``bad_statement``: a clip's description holds anything but text, integers,
            lists and objects. ``bad_timestamp``: a checkpoint's stamp cannot be read.
    """
    request = plan.request
    body: dict[str, Any] = {
        "schema": SCHEMA_ID,
        "evidence_id": plan.evidence_id,
        "kind": plan.kind.value,
        "case": plan.case,
        "actor": plan.actor,
        "span": _span(plan.span),
        "prepared_at": format_instant(plan.prepared_at),
        "tz_display": plan.tz_display,
        "system": dict(plan.system),
        "request": None if request is None else _request(request),
        "approvals": [] if request is None else _approvals(request),
        "hold": None if request is None or not request.hold_id else {"id": request.hold_id},
        "cameras": list(_cameras(plan)),
        "originals": list(_originals(plan, layout)),
        "sound": [one.to_json() for one in sounds.stretches(plan)],
        "clocks": _clocks(plan),
        "gaps": [_gap(gap) for gap in plan.gaps],
        "superseded": [_gap(gap) for gap in plan.superseded],
        "derivatives": [
            _derivative(plan, layout, clip, path, outcome)
            for clip, path, outcome in zip(plan.clips, layout.clips, clips, strict=True)
        ],
        "journals": _journals(plan),
        "checkpoints": _checkpoints(plan),
        "dispositions": list(_dispositions(plan)),
        "records": [
            {"kind": one.record.kind, "id": one.record.id, "version": one.record.version} | stated
            for one, stated in stated_entries(records_of(plan), _log)
        ],
        "documents": [
            {"path": paths.document(name), "kind": one.kind, "sha256": sha256_hex(one.content)}
            for name, one in sorted(documents.items())
        ],
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
        "limits": [{"id": indonesian, "en": english} for indonesian, english in report.limits(plan.kind)],
    }
    if clips:
        # Layout 2 makes of footage without sound what layout 1 makes.
        body["clip_layout"] = max(clip.description.get("layout", LAYOUT) for clip in plan.clips)
    for name in (
        "request", "approvals", "hold", "sound", "superseded", "checkpoints", "dispositions", "records",
        "documents",
    ):  # fmt: skip
        if not body[name]:
            del body[name]  # an optional field without a value is left out
    check_recorded(body, contents_of(plan), _keys(plan))
    return check_statement(body)


def _keys(plan: PackagePlan) -> dict[tuple[str, str], str]:
    """The path of each recorder's key, by recorder and key in base64."""
    return {
        (one.recorder, b64encode(one.proof.public_key).decode("ascii")): one.key_path
        for one in journals_of(plan)
    }


def check_accord(plan: PackagePlan) -> None:
    """Refuse a plan whose originals and gaps contradict its recorders' signed lines.

    Raises:
        Unavailable: ``plan_contradicts``: as lines that arrive while the plan is made do.
    """
    check_signed(
        {
            "span": _span(plan.span),
            "prepared_at": format_instant(plan.prepared_at),
            "cameras": list(_cameras(plan)),
            "originals": list(_originals(plan, Layout.of(plan))),
            "gaps": [_gap(gap) for gap in plan.gaps],
            "superseded": [_gap(gap) for gap in plan.superseded],
            "dispositions": list(_dispositions(plan)),
        },
        [one.batch for one in plan.journals],
    )


def _gap(gap: GapStatement) -> dict[str, str]:
    return {"camera": gap.camera, "cause": gap.cause} | _span(gap.span)


def _request(request: RequestFacts) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "id": request.id,
        "entry_sha256": request.entry_sha256,
        "filed_at": format_instant(request.filed_at),
        "agency_kind": request.agency_kind,
        "agency": request.agency,
        "unit": request.unit,
        "requester": {"name": request.name, "rank": request.rank, "nrp_nip": request.nrp_nip},
        "legal_basis": [
            {"kind": one.kind, "number": one.number, "article": one.article} for one in request.legal_basis
        ],
        "case": request.case,
        "purpose": request.purpose,
        "urgent": int(request.urgent),
    }
    if request.letter_number:
        stated["letter"] = {"number": request.letter_number, "date": request.letter_date}
        if request.letter_sha256:
            stated["letter"]["sha256"] = request.letter_sha256
    return stated


def _approvals(request: RequestFacts) -> list[dict[str, Any]]:
    return [
        {
            "role": one.role,
            "name": one.name,
            "by": one.by,
            "at": format_instant(one.at),
            "entry_sha256": one.entry_sha256,
        }
        for one in request.approvals
    ]


def _cameras(plan: PackagePlan) -> Iterator[dict[str, Any]]:
    heard = sounds.cameras_with_sound(plan)
    for camera in plan.cameras:
        facts = partial(_facts, with_sound=camera.id in heard)
        stated = {"id": camera.id, "registered_at": format_instant(camera.registered_at)} | facts(camera)
        changes = [
            {"at": format_instant(change.at)} | facts(change.camera)
            for change in plan.changes
            if change.camera.id == camera.id
        ]
        yield stated | ({"changes": changes} if changes else {})


def _facts(camera: Camera, *, with_sound: bool) -> dict[str, Any]:
    audio = {"audio": sounds.permission_json(camera)} if with_sound else {}
    return audio | {
        "name": camera.name,
        "lat": format(camera.place.lat, "f"),
        "lon": format(camera.place.lon, "f"),
        "kecamatan": camera.place.kecamatan,
        "kelurahan": camera.place.kelurahan,
        "owner": camera.place.owner.value,
        "view": "public",
        "segment_seconds": camera.segment_seconds,
    }


def _originals(plan: PackagePlan, layout: Layout) -> Iterator[dict[str, Any]]:
    lines: dict[str, int] = {}
    proofs: dict[str, int] = {}
    for item, on_record in zip(plan.originals, logged(plan), strict=True):
        camera = item.ref.camera
        lines[camera] = lines.get(camera, 0) + 1
        stated = _original(item, layout, lines[camera]) | {"logged": on_record.to_json()}
        if item.proof is not None:
            proofs[camera] = proofs.get(camera, 0) + 1
            stated["log"] = _log(item.proof, layout.inclusion(camera), proofs[camera])
        yield stated


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
    if leaf.sound is not None:
        stated["sound"] = sound_json(leaf.sound)
    if item.lock is not None:
        stated["lock"] = {"mode": item.lock.mode.value, "until": format_instant(item.lock.until)}
    return stated | _span(leaf.span)


def _log(proof: InclusionProof, path: str, line: int) -> dict[str, Any]:
    note = proof.note
    return {
        "checkpoint": note.number,
        "index": proof.index,
        "size": note.size,
        "proof": path,
        "proof_line": line,
    }


def _clocks(plan: PackagePlan) -> list[dict[str, Any]]:
    """The certainty of each camera's wall times over all its originals, by camera id."""
    found: dict[str, list[Segment]] = {}
    for item in plan.originals:
        found.setdefault(item.ref.camera, []).append(read_leaf(item))
    return [
        clock_json(
            camera,
            sources=(leaf.clock.source for leaf in segments),
            offsets=[leaf.clock.offset_us for leaf in segments],
            uncertainties=[leaf.clock.uncertainty_us for leaf in segments],
            flags=(flag for leaf in segments for flag in leaf.clock.flags),
        )
        for camera, segments in sorted(found.items())
    ]


def clock_json(
    camera: str,
    *,
    sources: Iterable[str],
    offsets: list[int],
    uncertainties: list[int],
    flags: Iterable[str],
) -> dict[str, Any]:
    """One member of ``clocks`` from the clocks of a camera's originals.

    ``uncertainty_us`` is absent where a clock was not synchronised: nothing bounds its error.
    """
    raised = sorted(set(flags))
    bound = {} if UNSYNCHRONISED in raised else {"uncertainty_us": max(uncertainties)}
    return {
        "camera": camera,
        "sources": sorted(set(sources)),
        "offset_least_us": min(offsets),
        "offset_most_us": max(offsets),
        "flags": raised,
        **bound,
    }


def _derivative(
    plan: PackagePlan, layout: Layout, clip: ClipPlan, path: str, outcome: ClipOutcome
) -> dict[str, Any]:
    inside = {
        item.ref.key: layout.original(item) for item in plan.originals if item.ref.camera == clip.camera
    }
    account = clip.description
    try:
        pieces = []
        for piece, slices in zip(account["pieces"], outcome.slices, strict=True):
            stated = {
                "original": inside[piece["original"]],
                "from": piece["from"],
                "to": piece["to"],
                "original_offset": piece["original_offset"],
                "clip_offset": piece["clip_offset"],
                "length": piece["length"],
            }
            if piece.get("track") == "sound":
                stated["track"] = "sound"
            if slices is not None:
                stated["slices"] = {"first": slices.first, "count": slices.count, "sha256": slices.sha256}
            pieces.append(stated)
        return {
            "path": path,
            "camera": clip.camera,
            "kind": "clip",
            "sha256": outcome.sha256,
            "size": clip.size,
            "asked": account["asked"],
            "actual": account["actual"],
            "hidden": {
                "frames": account["hidden_frames"],
                "preroll_us": account["hidden_preroll_us"],
                "tail_us": account["hidden_tail_us"],
                **({"sound_us": account["hidden_sound_us"]} if account.get("sound") else {}),
            },
            "derivation": {
                "method": METHOD,
                "codec": outcome.codec,
                "slices": sum(slices.count for slices in outcome.slices if slices is not None),
            },
            "pieces": pieces,
            "about": {
                name: value
                for name, value in account.items()
                if name not in _TOLD_APART and value is not None
            },
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the description of {path} lacks or misnames {error}", code="bad_plan") from error


def _journals(plan: PackagePlan) -> list[dict[str, Any]]:
    return [
        {
            "path": one.path,
            "recorder": one.recorder,
            "batch": one.batch,
            "sha256": one.sha256,
            "public_key": one.key_path,
            "log": _log(one.proof.proof, paths.JOURNAL_PROOFS, number),
        }
        for number, one in enumerate(journals_of(plan), 1)
    ]


def _checkpoints(plan: PackagePlan) -> list[dict[str, Any]]:
    listed = []
    for one in checkpoints_of(plan):
        note = one.note
        gen_time = token.decode(f"the stamp of checkpoint {note.number}", one.stamp).gen_time
        listed.append(
            {
                "number": note.number,
                "origin": note.origin,
                "size": note.size,
                "root": note.root.hex(),
                "at": format_instant(note.at),
                "gen_time": format_instant(gen_time),
                "sha256": note.digest,
                "checkpoint": paths.checkpoint(note.number, stored.CHECKPOINT),
                "seal": paths.checkpoint(note.number, stored.SIGNATURE),
                "stamp": paths.checkpoint(note.number, stored.STAMP),
            }
        )
    return listed


def _dispositions(plan: PackagePlan) -> Iterator[dict[str, Any]]:
    entries = stated_entries(dispositions_of(plan), _log)
    for one, (_, entry) in zip(plan.destructions, entries, strict=True):
        found = one.disposition
        yield {"id": found.id, "cause": found.cause.value} | _span(found.span) | entry


def _span(span: Timespan) -> dict[str, str]:
    return {"from": format_instant(span.start), "to": format_instant(span.end)}
