"""What a person types for each option and argument: its name in the help, and an example.

One table, because the same option should have the same name and the same example in every command. Help shows
the name where the command gives none of its own; an incomplete command is answered with a whole example line.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

T = "T"
"""A time: RFC 3339 with an offset."""

_EXAMPLES: Mapping[str, tuple[str, str]] = {
    "address": ("ADDRESS", "Jl. Ahmad Yani 2"),
    "agency": ("AGENCY", "polrestabes"),
    "at": (T, "2026-11-24T15:00:00+08:00"),
    "authority": ("WHO", "Pengadilan Negeri Makassar"),
    "bearing": ("DEGREES", "135"),
    "basis": ("BASIS", "Perwali 4/2017"),
    "camera": ("ID", "alun-alun"),
    "camera_id": ("ID", "alun-alun"),
    "cameras": ("ID", "alun-alun"),
    "case": ("NUMBER", "LP/B/1/XI/2026"),
    "certificate": ("FILE", "seal.pem"),
    "confirm": ("NUMBER", "12/Pen.Pid/2026"),
    "count": ("N", "10"),
    "disposition": ("ID", "dsp-0123456789abcdef01234567"),
    "end": (T, "2026-11-24T14:10:00+08:00"),
    "evidence_id": ("EVIDENCE_ID", "EVD-2026-4H8N2WZ6RC"),
    "field_of_view": ("DEGREES", "90"),
    "file": ("FILE", "daftar.csv"),
    "form": ("FILE", "request.json"),
    "format_": ("csv|geojson", "csv"),
    "full_name": ("NAME", "Dewi Lestari"),
    "grant": ("GRANT", "GRT-0a1b2c3d4e5f6071"),
    "height_m": ("METRES", "6.5"),
    "hold_id": ("HOLD", "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4"),
    "host": ("HOST", "127.0.0.1"),
    "incident_id": ("INCIDENT_ID", "inc-89abcdef0123456789abcdef"),
    "interface": ("ADDRESS", "10.20.0.2"),
    "installed_on": ("DAY", "2026-02-14"),
    "integrated_on": ("DAY", "2026-03-02"),
    "kecamatan": ("CODE", "73.71.05"),
    "keep_max": ("DAYS", "60"),
    "keep_min": ("DAYS", "30"),
    "kelurahan": ("CODE", "73.71.05.1001"),
    "key": ("FILE", "/etc/ssl/private/saksi.key"),
    "lat": ("DEGREES", "-5.1346"),
    "listen": ("HOST:PORT", "10.0.0.5:9000"),
    "lists": ("FILE", "authority.crl"),
    "lon": ("DEGREES", "119.4127"),
    "name": ("NAME", "alun-alun"),
    "number": ("NUMBER", "12/Pen.Pid/2026"),
    "onvif": ("HOST", "10.20.0.11"),
    "on_pressure": ("yes|no", "no"),
    "order_id": ("ORDER_ID", "bgo-0123456789abcdef"),
    "output": ("FILE", "output"),
    "owner": ("OWNER", "public"),
    "owner_name": ("NAME", "Toko Sinar Jaya"),
    "package": ("PACKAGE", "evidence.zip"),
    "password_file": ("FILE", "password.txt"),
    "permit": ("NUMBER", "503/0147/PTSP/2026"),
    "person": ("NAME", "user:dewi"),
    "plan": ("DIGEST", "9f86d081"),
    "port": ("PORT", "8480"),
    "profile": ("PROFILE", "Profile_1"),
    "purpose": ("PURPOSE", "LP/B/1/XI/2026"),
    "reach_m": ("METRES", "40"),
    "reason": ("REASON", "surat tugas 12/2026"),
    "request_id": ("REQUEST", "REQ-2026-7K3M9QX2TB"),
    "review_at": (T, "2027-11-24T00:00:00+08:00"),
    "role": ("ROLE", "war_room"),
    "scope": ("SCOPE", "default"),
    "segment_seconds": ("SECONDS", "10"),
    "signage": ("yes|no", "yes"),
    "source": ("URL", "rtsp://10.20.0.11/stream"),
    "sub": ("URL", "rtsp://10.20.0.11/sub"),
    "start": (T, "2026-11-24T14:00:00+08:00"),
    "status": ("STATUS", "open"),
    "trust": ("PEM", "root.pem"),
    "until": (T, "2026-12-24T00:00:00+08:00"),
    "user": ("NAME", "viewer"),
    "version": ("VERSION", "1"),
    "view": ("public", "public"),
    "wanted": ("keep|none", "keep"),
    "weight": ("N", "100"),
    "what": ("KEY", "seal"),
}

_OF_COMMANDS: Mapping[tuple[str, str], str] = {
    ("saksi keys revoke", "reason"): "keyCompromise",
    ("saksi keys csr", "output"): "seal.csr",
    ("saksi keys publish", "output"): "published",
    ("saksi clip", "output"): "clip.mp4",
    ("saksi seal", "output"): "evidence.zip",
    ("saksi evidence download", "output"): "evidence.zip",
    ("saksi request handover-report", "output"): "handover.pdf",
    ("saksi hold place", "owner"): "Polrestabes Makassar",
    ("saksi grant give", "basis"): "REQ-2026-7K3M9QX2TB",
    ("saksi break-glass order", "basis"): "Penetapan 12/Pen.Pid/2026",
    ("saksi camera add", "name"): "Alun-alun Karebosi",
    ("saksi proxy", "certificate"): "/etc/ssl/saksi.pem",
    ("saksi token create", "name"): "war-room",
    ("saksi token revoke", "name"): "war-room",
}
"""Examples that fit one command better than the option's own."""

_ONE_OF: Mapping[str, tuple[str, ...]] = {"saksi camera add": ("--source", _EXAMPLES["source"][1])}
"""What a command needs one of, and its help cannot call required: the one that its example has."""
_ROLE_OF_KEY = "seal"


def metavar_of(name: str) -> str:
    """What the help calls a value, such as ``URL``."""
    return _EXAMPLES[name][0] if name in _EXAMPLES else name.strip("_").upper()


def example_of(command: str, name: str) -> str:
    """A value that a person might type there."""
    if name == "role" and command.startswith("saksi keys "):
        return _ROLE_OF_KEY
    if name == "name" and command.startswith("saksi user "):
        return "dewi"
    return _OF_COMMANDS.get((command, name)) or _EXAMPLES.get(name, ("", name.strip("_").upper()))[1]


def example_line(command: str, required: Sequence[Any]) -> str:
    """The shortest whole command as a shell takes it: an example of each required argument and option."""
    arguments = [one for one in required if one.param_type_name == "argument"]
    options = [one for one in required if one not in arguments]
    words = [command, *(shlex.quote(example_of(command, one.name)) for one in arguments)]
    words += _ONE_OF.get(command, ())
    words += [f"{_long(one)} {shlex.quote(example_of(command, one.name))}" for one in options]
    return " ".join(words)


def shown_as(one: Any) -> str:
    """An argument or option as the help shows it: ``ID``, ``--source URL``."""
    value = str(one.metavar or metavar_of(one.name))
    return value if one.param_type_name == "argument" else f"{_long(one)} {value}"


def _long(option: Any) -> str:
    return str(max(option.opts, key=len))
