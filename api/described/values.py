"""Values for examples: one theft on Monday afternoon, 24 November 2026, at one crossing in Makassar.

An example is put together from the schema (:mod:`api.described.examples`) and these, by the name of a field
or, where a name means different things, by ``Schema.field``. All are of the same case, so that the example of
one answer fits that of the next request.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_FROM, _TO = "2026-11-24T06:00:00.000000Z", "2026-11-24T06:10:00.000000Z"
_FILED, _DECIDED, _SEALED = (
    "2026-11-24T09:12:41.520000Z",
    "2026-11-24T09:40:02.118000Z",
    "2026-11-24T09:43:17.904000Z",
)
_REVIEW = "2027-02-01T00:00:00.000000Z"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_OTHER = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_SIGNER = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
_RUN = "6b05180000000001"
_KEY = f"segments/cam-1/2026/11/24/06/20261124T060000.000000Z_{_RUN}_00000001_{_HASH[:16]}.mp4"
_HOLD = "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4"
_REQUEST, _EVIDENCE, _GRANT = "REQ-2026-7K3M9QX2TB", "EVD-2026-4H8N2WZ6RC", "GRT-0a1b2c3d4e5f6071"
_DISPOSITION, _INCIDENT = "dsp-0123456789abcdef01234567", "inc-89abcdef0123456789abcdef"
_CASE = "LP/B/123/XI/2026"
_PERWALI = "Perwali 4/2017"
_PLAYLIST = "/v1/cameras/cam-1/playlist.m3u8?from=2026-11-24T06:00:00Z&to=2026-11-24T06:10:00Z"

VALUES: Mapping[str, Any] = MappingProxyType({
    # who
    "actor": "user:citra", "by": "user:citra", "changed_by": "user:citra", "given_by": "user:citra",
    "approved_by": "user:citra", "approved_name": "Citra Wulandari", "placed_by": "user:citra",
    "proposed_by": "user:ani", "made_by": "user:kominfo", "started_by": "rule:retention",
    "closed_by": "", "closed_reason": "", "found_by": "fixity", "confirmed_by": "user:dewi",
    "requested_by": "user:citra", "recipient": "user:dewi", "person": "user:dewi", "who": "user:dewi",
    "user": "dewi", "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123",
    "agency": "Polrestabes Makassar", "agency_account": "polrestabes", "agency_kind": "polri",
    "unit": "Satreskrim", "contact": "0411-000000", "role": "war_room", "roles": ["war_room"],
    "address": "192.0.2.17", "session": "b3V0c2lkZXI", "issuer": "", "districts": ["73.71.01"],
    "password": "kuda laut hijau di teluk", "old": "kuda laut hijau di teluk",
    "new": "perahu biru menuju pulau", "code": "kM3r-82Qd-x0Vt",
    "nip": "198003152006041002", "position": "Kepala Bidang Layanan E-Government",
    # which camera, when
    "id": "cam-1", "camera": "cam-1", "source": "rtsp://192.0.2.9/1", "owner": "public", "view": "public",
    "kecamatan": "73.71.01", "kelurahan": "73.71.01.1001", "lat": -5.1477, "lon": 119.4327,
    "segment_seconds": 10, "registered_at": "2026-03-02T01:00:00.000000Z",
    "from": _FROM, "to": _TO, "at": _FROM, "asked_at": _FILED, "day": "2026-11-24", "footage_at": _FROM,
    "run": _RUN, "seq": 1, "key": _KEY, "original": _KEY, "codec": "avc1.640028", "gop": "closed",
    "start": _FROM, "end": _TO, "recorded_seconds": 600.0, "cause": "stalled",
    "playlist": _PLAYLIST, "still": "/v1/cameras/cam-1/frame.jpg?at=2026-11-24T06:00:00Z",
    # what was measured of it
    "at_us": 0, "attempts": 1, "bytes": 31457280, "size": 5242880, "segments": 60, "frames": 9000,
    "hidden_frames": 7, "hidden_preroll_us": 466667, "hidden_tail_us": 0, "clip_offset": 4096,
    "length": 524288, "original_offset": 3391, "originals": 60, "cameras": ["cam-1"], "count": 1,
    "sha256": _HASH, "entry_sha256": _OTHER, "tagmanifest_sha256": _HASH, "signer_sha256": _SIGNER,
    "right_sha256": _OTHER, "receipt_sha256": _OTHER, "request_entry": _OTHER, "record_sha256": _HASH,
    "pdf_sha256": _OTHER, "list_sha256": _HASH, "kept_sha256": _OTHER,
    # the case
    "case": _CASE, "purpose": _CASE, "basis": "KUHAP pasal 39", "reason": "lengkap", "text": "Mohon segera.",
    "date": "2026-11-24", "number": "B/123/XI/2026", "article": "Pasal 363", "kind": "lp",
    "legal_basis": ["LP/B/123/XI/2026"], "note": "loket", "subject": _KEY, "media_type": "application/pdf",
    "message": "The stored bytes are not the ones that were recorded.",
    "request_id": _REQUEST, "request": _REQUEST, "evidence_id": _EVIDENCE, "hold_id": _HOLD, "grant": _GRANT,
    "filed_at": _FILED, "requested_at": _DECIDED, "changed_at": _DECIDED, "given_at": _SEALED,
    "placed_at": _FILED, "proposed_at": _DECIDED, "approved_at": _DECIDED, "swept_at": _DECIDED,
    "started_at": _DECIDED, "ended_at": _SEALED, "made_at": _DECIDED, "confirmed_at": _SEALED,
    "stamped_at": _SEALED, "gen_time": _SEALED, "review_at": _REVIEW, "until": "2026-11-27T09:43:17.904000Z",
    "expires_at": "2027-02-24T00:00:00.000000Z", "letter_due_at": None, "ends_at": _SEALED, "retry_at": None,
    "effective_from": _DECIDED, "effective_until": None, "waiting": "", "held_us": 600000000,
    "limit_camera_hours": 24, "camera_hours": 48, "hours": 72, "downloads": 3, "remaining": 2,
    "action": "hold.placed", "actions": ["footage.play"], "objects": [_REQUEST, "cam-1"],
    "premis": "http://id.loc.gov/vocabulary/preservation/eventType/mod", "tsa": "local",
    "tokens_revoked": [], "tree_size": 412, "leaf_index": 17, "line": 3, "v": 1,
    # retention
    "keep_days_min": 30, "keep_days_max": 90, "scope": "kecamatan:73.71.01", "wins": "kecamatan:73.71.01",
    "digest": _HASH, "policies": {"kecamatan-73.71.01": 3}, "projected": [],
    "destroyed": 8640, "destroyed_bytes": 45298483200, "kept": 12, "troubles": 0, "verified": 60,
    "waits_for": [], "version": 1,
    # the log
    "origin": "saksi.makassar.example/log", "root": "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=",
    "checkpoint": "saksi.makassar.example/log\n412\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n",
    "checkpoint_p7s": "MIIB…", "checkpoint_tsr": "MIIC…", "leaf": None, "leaf_hash": _OTHER,
    "prev": _HASH, "proof": [_HASH, _OTHER], "witnesses": 1, "path": "data/original/…",
    # what has no one meaning
    "details": {"from": _FROM, "to": _TO}, "next": None, "fits": {},
    "parts": {"store": "ok"},
    "type": "urn:saksi:problem:naive_time", "title": "Unprocessable Entity", "field": "from", "in": "query",
    "detail": "'from': '2026-11-24T14:00:00' has no UTC offset", "incident": "", "en": "Request",
    "hint": "Add the offset: +08:00 for Makassar, Z for UTC.", "errors": [], "gaps": [], "location": "/",
    "url": f"/v1/evidence/{_EVIDENCE}/package.zip?download=D7Yk0m2QxB4", "download": "D7Yk0m2QxB4",
    "token": "saksi_0rWm3…", "accept_at": "https://saksi.example/masuk?undangan=kM3r-82Qd-x0Vt",
    # where a name means something else
    "CameraIn.source": "rtsp://viewer:secret@192.0.2.9/1", "CameraIn.name": "Simpang Pettarani",
    "CameraPatch.source": "rtsp://viewer:secret@192.0.2.9/2", "CameraPatch.name": "Simpang Pettarani 2",
    "CameraIn.reason": "Izin 7/2026", "CameraOut.name": "Simpang Pettarani",
    "FactsOut.name": "Simpang Pettarani", "Reason.reason": "Perbaikan tiang",
    "CameraHistoryOut.view": "/masuk?kamera=cam-1", "HistoryOut.view": "/masuk?kamera=cam-1",
    "HoldIn.owner": "Polrestabes Makassar", "HoldOut.owner": "Polrestabes Makassar",
    "OneHoldOut.owner": "Polrestabes Makassar", "HoldOut.id": _HOLD, "OneHoldOut.id": _HOLD,
    "HoldIn.from": "2026-11-24T14:00:00+08:00", "HoldIn.to": "2026-11-24T14:10:00+08:00",
    "HoldIn.review_at": "2027-02-01T08:00:00+08:00", "HoldReason.reason": "perkara diputus",
    "ReleaseOut.approved_by": "", "ReleaseOut.approved_at": None, "HoldProgressOut.kept": 0,
    "BriefOut.id": _REQUEST, "RequestOut.id": _REQUEST, "OneRequestOut.id": _REQUEST,
    "RequestHoldOut.id": _HOLD, "GivenOut.id": _GRANT, "OneGivenOut.id": _GRANT,
    "GivenOut.agency": "polrestabes", "OneGivenOut.agency": "polrestabes", "GrantIn.agency": "polrestabes",
    "GrantIn.until": "2026-11-28T17:00:00+08:00", "SessionOut.id": "user:citra", "ActorOut.id": "user:citra",
    "ActorOut.agency": "", "ActOut.id": "20261124T091241.520000Z-citra-17", "ActOut.type": "hold.place",
    "ActOut.proof": "ledger/hold/00000001.json", "IncidentOut.id": _INCIDENT,
    "IncidentOut.code": "sha256_mismatch", "Failure.code": "no_footage", "FailureOut.code": "no_footage",
    "FindingOut.code": "crl_stale", "FindingOut.step": "seal", "FindingOut.severity": "warning",
    "FindingOut.rests_on": "nextUpdate of the newest list",
    "FindingText.id": "Daftar pencabutan ini sudah lama.",
    "FindingText.en": "This revocation list is out of date.", "VerificationOut.verdict": "valid",
    "FieldError.code": "missing", "FieldError.message": "Field required",
    "Problem.code": "naive_time", "Problem.status": 422,
    "DispositionOut.id": _DISPOSITION, "DispositionRecordOut.id": _DISPOSITION,
    "OutcomeOut.kept": {"held": 12}, "OutcomeOut.retry_at": "",
    "PolicyOut.id": "kecamatan-73.71.01", "PolicyWithHistoryOut.id": "kecamatan-73.71.01",
    "TermsOut.basis": _PERWALI, "TermsIn.basis": _PERWALI, "ProposeIn.basis": _PERWALI,
    "OrderingPolicyOut.basis": _PERWALI, "ProposeIn.reason": "Rapat 7", "PolicyOut.reason": "Rapat 7",
    "PolicyReason.reason": "Rapat 9", "PlanOut.id": "plan-9f86d081884c7d65", "PlanOut.cameras": 1,
    "PlanIn.at": "2026-12-01T00:00:00+08:00",
    "CheckpointOut.number": 118, "CheckpointDetail.number": 118, "InclusionOut.number": 118,
    "HandoverOut.number": 1, "HandoverOut.status": "given", "HandoverOut.purpose": "pencurian",
    "CloseIn.reason": "perkara diputus", "MadeTokenOut.name": "war-room", "TokenOut.name": "war-room",
    "TokenIn.name": "war-room", "TokenIn.expires_at": "2027-02-24T08:00:00+08:00",
    "TokenIn.reason": "integrasi War Room", "UserIn.id": "dewi", "UserOut.id": "dewi",
    "OneUserOut.id": "dewi", "UserIn.roles": ["police"], "UserOut.roles": ["police"],
    "OneUserOut.roles": ["police"], "ClosedAccountOut.roles": ["police"], "SessionOut.roles": ["war_room"],
    "SessionOut.agency": "", "SessionOut.grants": [],
    "UserIn.agency": "polrestabes", "UserOut.agency": "polrestabes", "OneUserOut.agency": "polrestabes",
    "UserChangeIn.agency": "polrestabes", "InvitationOut.user": "dewi",
    "DecisionOut.name": "Citra Wulandari", "AttachmentOut.name": "surat.pdf", "PaperIn.name": "surat.pdf",
    "EvidenceOut.status": "sealed", "EvidenceOut.failure": None, "HoldOut.in_force": True,
    "OneHoldOut.in_force": True, "HoldOut.release": None, "OneHoldOut.release": None,
    "RequestHoldOut.in_force": True, "HoldProgressOut.in_force": True, "HoldProgressOut.is_verified": True,
    "HoldProgressOut.settled": True, "CameraOut.owner": "public", "FactsOut.owner": "public",
    "GrantOut.id": _GRANT, "LabelOut.id": "Penahanan ditetapkan", "LabelOut.en": "Hold placed",
    "RequestIn.purpose": "pencurian", "AmendIn.purpose": "pencurian", "RequestOut.purpose": "pencurian",
    "OneRequestOut.purpose": "pencurian", "AmendIn.reason": "rentang terlalu sempit",
    "RequestIn.from": "2026-11-24T14:00:00+08:00", "RequestIn.to": "2026-11-24T14:10:00+08:00",
    "AmendIn.from": "2026-11-24T13:50:00+08:00", "AmendIn.to": "2026-11-24T14:20:00+08:00",
    "SealIn.from": "2026-11-24T14:00:00+08:00", "SealIn.to": "2026-11-24T14:10:00+08:00",
    "GrantIn.from": "2026-11-24T14:00:00+08:00", "GrantIn.to": "2026-11-24T14:10:00+08:00",
    "ExtendIn.from": "2026-11-24T13:50:00+08:00", "ExtendIn.to": "2026-11-24T14:20:00+08:00",
    "ReviewIn.review_at": "2027-05-01T08:00:00+08:00", "Problem.gaps": [], "Problem.errors": [],
})  # fmt: skip
