"""Descriptions of groups of routes and of authentication, and examples of the commonest parameters."""

from collections.abc import Mapping
from typing import Any

INTRODUCTION = """\
Recordings, exact clips and sealed evidence of a city's cameras.

Times are RFC 3339 with an offset; spans are half-open. Unknown parameters and fields are refused. Every error
is a problem (RFC 9457) with a stable `code`. A change names the version it is based on (`If-Match`); a POST
may carry an `Idempotency-Key`. Viewing and downloading footage require a `purpose`. Reads, downloads, changes
and refusals are recorded together with the caller."""

TAGS: Mapping[str, str] = {
    "health": "Whether the process and its parts answer, which cameras and recorders work, and compliance.",
    "operation": "This description, and metrics for Prometheus.",
    "session": "Signing in and out, and the purpose of a session.",
    "people": "Accounts, invitations, grants and tokens of machines: who may see what, and until when.",
    "cameras": "Registered cameras: where they stand, who owns them, how they are recorded.",
    "recordings": "What was recorded, and what is missing, with its cause.",
    "search": "Which cameras saw a place in a span; timelines and coverage of many cameras.",
    "war room": "History of many cameras over one window, ready to play.",
    "clips": "Exact clips of a camera, byte for byte the same each time.",
    "exports": "Clips of many cameras and hours, made in the background.",
    "frames": "Single pictures for viewing.",
    "skim": "When something moved in a box of the picture, and thumbnails; nobody is recognised.",
    "playback": "Playlists, and the pieces that they name.",
    "evidence": "Sealed packages: request, read, fetch and verify them.",
    "retention": "How long footage is kept, who decided that, and what was destroyed.",
    "holds": "Legal holds: what must stay, however old it is.",
    "requests": "Requests for footage: filed, amended, decided.",
    "handover": "Handing sealed packages over, to the receipt.",
    "incidents": "Integrity incidents: a broken hash, a missing object, a second version.",
    "log": "The public log of checkpoints, and inclusion proofs.",
    "custody": "Who did what to what, when, why, and with what outcome.",
}
"""Every group, in the order in which documentation shows them."""

SCHEMES: Mapping[str, Mapping[str, Any]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of this installation (`saksi token create`), or an access token of its OpenID"
        " provider.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "saksi",
        "description": "A person's session, from /auth/login or /auth/local; `__Host-saksi` with HTTPS. A"
        " change must also carry the header `Saksi-Request`, with any value.",
    },
}

PARAMETERS: Mapping[str, Any] = {
    "camera": "cam-1",
    "run": "6b05180000000001",
    "seq": 1,
    "evidence_id": "EVD-2026-4H8N2WZ6RC",
    "export_id": "exp-0a1b2c3d4e5f60718293a4b5",
    "request_id": "REQ-2026-7K3M9QX2TB",
    "hold_id": "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4",
    "incident_id": "inc-89abcdef0123456789abcdef",
    "grant_id": "GRT-0a1b2c3d4e5f6071",
    "user_id": "dewi",
    "name": "war-room",
    "scope_id": "kecamatan-73.71.01",
    "disposition": "dsp-0123456789abcdef01234567",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "number": 118,
    "at": "2026-11-24T14:00:00+08:00",
    "Saksi-Purpose": "LP/B/123/XI/2026",
}
"""An example for each parameter that has none of its own; a list gets it as its one element."""

BODIES: Mapping[str, Any] = {
    "application/vnd.apple.mpegurl": "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n"
    '#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI="segments/6b05180000000001/1/init.mp4"\n'
    "#EXT-X-PROGRAM-DATE-TIME:2026-11-24T06:00:00.000000Z\n#EXTINF:10.000000,\n"
    "segments/6b05180000000001/1/media.m4s\n#EXT-X-ENDLIST\n",
    "text/event-stream": "retry: 3000\nevent: requests\nid: requests:0123456789abcdef\n"
    "data: 2026-11-24T09:12:41.520000Z\n\n",
    "application/jsonl": '{"at":"2026-11-24T09:12:41.520000Z","type":"hold.place","outcome":"done"}\n',
    "text/csv": "id,source,name,lat,lon,kecamatan,kelurahan,owner,view\r\n"
    "cam-7,rtsp://viewer:secret@192.0.2.9/1,Masjid Raya,-5.133,119.416,Mamajang,Parang,worship,public\r\n",
    "application/geo+json": {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "cam-7",
                "geometry": {"type": "Point", "coordinates": [119.416, -5.133]},
                "properties": {
                    "name": "Masjid Raya",
                    "kecamatan": "73.71.02",
                    "permit": "503/0147/PTSP/2026",
                },
            }
        ],
    },
    "text/plain": "# TYPE saksi_http_requests_total counter\nsaksi_http_requests_total 17.0\n",
}
"""Shortened examples of bodies that are not plain JSON."""
