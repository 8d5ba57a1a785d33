"""A city of the console with one of everything, made through the API by those who do it: no page is empty.

``addresses`` leads each shell to a real address and to the person who reads it there; ``more`` are further
views of the same pages: requests in other states, other readers, questions that are answered.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from archive.canonical import JsonObject
from archive.records.integrity_incidents import open_integrity_incident
from archive.timespan import DAY, HOUR, MINUTE, SECOND, format_instant
from ops import accounts
from ops.disposition import Dispositions
from ops.log import Log
from tests.support.api_site import CAMERA, EMPTY_CAMERA, T0, Site, archive_run, instant, made_footage
from tests.support.console import PEOPLE, aside, open_city
from tests.support.exports import worker
from tests.support.hand import PASSWORD
from tests.support.matrix import must, request_form
from tests.support.people import caller, catch_up
from tests.support.requesting import PDF

OLD_CAMERA = "butung-dermaga"
"""Its footage of last summer was destroyed when its time was over."""
BESIDE = "losari-utara"
"""It has the same footage as the first camera."""
SILENT = "pettarani-simpang"
"""Its recorder cannot reach it."""

NAMES: Mapping[str, str] = {
    CAMERA: "Anjungan Pantai Losari, sisi selatan",
    EMPTY_CAMERA: "Jl. Penghibur, simpang Jl. Haji Bau",
    BESIDE: "Anjungan Pantai Losari, sisi utara",
    "haji-bau-30": "Jl. Haji Bau, depan Taman Macan",
    "karebosi-timur": "Lapangan Karebosi, gerbang timur",
    "balai-kota": "Balai Kota Makassar, Jl. Jenderal Ahmad Yani",
    "fort-rotterdam": "Benteng Fort Rotterdam, gerbang Jl. Ujung Pandang",
    OLD_CAMERA: "Pasar Butung, pintu dermaga",
    "somba-opu-12": "Jl. Somba Opu, toko emas Sinar Jaya",
    "masjid-raya": "Masjid Raya Makassar, halaman parkir Jl. Bulusaraung",
    SILENT: "Jl. A. P. Pettarani, simpang Jl. Boulevard",
    "pasar-terong": "Pasar Terong, Jl. Terong blok C",
}
"""Every camera, with the name that pages show."""

_PLACES: Mapping[str, tuple[float, float, str, str, str]] = {
    BESIDE: (-5.1428, 119.4068, "73.71.01.1003", "public", "Jl. Penghibur"),
    "haji-bau-30": (-5.1462, 119.4095, "73.71.01.1003", "government", "Jl. Haji Bau 30"),
    "karebosi-timur": (-5.1357, 119.4142, "73.71.04.1005", "public", "Jl. Jenderal Sudirman"),
    "balai-kota": (-5.1340, 119.4119, "73.71.04.1005", "government", "Jl. Jenderal Ahmad Yani 2"),
    "fort-rotterdam": (-5.1341, 119.4056, "73.71.04.1006", "government", "Jl. Ujung Pandang 1"),
    OLD_CAMERA: (-5.1269, 119.4083, "73.71.05.1003", "public", "Jl. Pasar Butung"),
    "somba-opu-12": (-5.1398, 119.4075, "73.71.04.1008", "business", "Jl. Somba Opu 12"),
    "masjid-raya": (-5.1304, 119.4215, "73.71.06.1004", "worship", "Jl. Bulusaraung"),
    SILENT: (-5.1556, 119.4373, "73.71.09.1007", "public", "Jl. A. P. Pettarani"),
    "pasar-terong": (-5.1289, 119.4252, "73.71.06.1002", "public", "Jl. Terong"),
}

REQUESTER = {
    "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
    "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-319277",
}  # fmt: skip
CASE = "LP/B/123/XI/2026"
POLICIES = "/v1/retention/policies"
TERMS: JsonObject = {"keep_days_min": 30, "keep_days_max": 120, "basis": "Perwali 4/2017 pasal 9"}


@dataclass(slots=True)
class Furnished:
    """The city and the ids of what stands in it: ``requests`` by their state."""

    site: Site
    requests: dict[str, str] = field(default_factory=dict)
    evidence: str = ""
    hold: str = ""
    policy: str = ""
    disposition: str = ""
    incident: str = ""
    invited: str = ""
    export: str = ""

    def call(self, name: str, method: str, path: str, **options: Any) -> Any:
        """The answer to a person, in a session of its own: hours lie between calls. No refusal."""
        return must(caller(self.site, name)(method, path, **options))

    def change(self, name: str, path: str, act: str, **form: Any) -> Any:
        """Change the version that stands of what has an address of its own."""
        tag = self.call(name, "GET", path).headers["etag"]
        return self.call(name, "POST", f"{path}/{act}", json=form, headers={"If-Match": tag})

    @property
    def ids(self) -> Mapping[str, str]:
        """What stands for each name in the path of a shell."""
        return {
            "request_id": self.requests["sealed"],
            "evidence_id": self.evidence,
            "scope_id": self.policy,
            "hold_id": self.hold,
            "disposition": self.disposition,
            "user_id": self.invited,
            "incident_id": self.incident,
            "camera": CAMERA,
        }

    @property
    def addresses(self) -> Mapping[str, tuple[str, str]]:
        """The reader of each shell, and the address at which it has something to show."""
        ids = self.ids
        view = urlencode([("camera", CAMERA), ("camera", BESIDE), ("camera", EMPTY_CAMERA), *_WINDOW])
        near = urlencode({"near": "-5.143600,119.407100", "radius_m": "1000", **dict(_WINDOW)})
        return {
            "/temukan": ("dewi", f"/temukan?{near}"),
            "/tinjau": ("citra", f"/tinjau?{view}"),
            "/ajukan": ("dewi", f"/ajukan?{urlencode([('camera', CAMERA), ('camera', BESIDE), *_WINDOW])}"),
            "/permintaan": ("dewi", "/permintaan"),
            "/permintaan/{request_id}": ("dewi", f"/permintaan/{self.requests['handed over']}"),
            "/verifikasi": ("dewi", "/verifikasi"),
            "/antrean": ("tono", "/antrean"),
            "/paket": ("citra", "/paket"),
            "/paket/{evidence_id}": ("citra", f"/paket/{self.evidence}"),
            "/retensi": ("ada", "/retensi"),
            "/retensi/{scope_id}": ("budi", f"/retensi/{self.policy}"),
            "/penahanan": ("citra", f"/penahanan?{urlencode([('camera', CAMERA), *_WINDOW])}"),
            "/penahanan/{hold_id}": ("budi", f"/penahanan/{self.hold}"),
            "/pemusnahan": ("indra", "/pemusnahan"),
            "/pemusnahan/{disposition}": ("indra", f"/pemusnahan/{self.disposition}"),
            "/akun": ("ada", "/akun"),
            "/akun/{user_id}": ("budi", f"/akun/{self.invited}"),
            "/insiden": ("indra", "/insiden"),
            "/insiden/{incident_id}": ("ada", f"/insiden/{self.incident}"),
            "/pengawasan": ("indra", f"/pengawasan?item={CAMERA}"),
            "/pengawasan/log": ("indra", f"/pengawasan/log?{urlencode({'key': self.site.first[0].key})}"),
            "/pengawasan/penonton": ("indra", f"/pengawasan/penonton?camera={CAMERA}"),
            "/unduhan": ("citra", "/unduhan"),
            "/izin": ("citra", f"/izin?camera={CAMERA}"),
            "/saya": ("dewi", "/saya"),
            "/bantuan": ("citra", "/bantuan"),
            "/bagian": ("ada", "/bagian"),
            "/kesehatan": ("ada", "/kesehatan"),
            "/kamera": ("ada", "/kamera"),
            "/kamera/{camera}": ("ada", f"/kamera/{ids['camera']}"),
            "/kamera/{camera}/ubah": ("ada", f"/kamera/{ids['camera']}/ubah"),
            "/kamera-baru": ("ada", "/kamera-baru"),
            "/kamera-impor": ("ada", "/kamera-impor"),
        }

    @property
    def more(self) -> tuple[tuple[str, str], ...]:
        """Further views: the reader and the address of each."""
        requests = [
            (person, f"/permintaan/{request}")
            for state, request in self.requests.items()
            for person in ("dewi", "tono")
            if (state, person) != ("handed over", "dewi")
        ]
        return (
            *requests,
            ("dewi", "/temukan"),
            ("citra", "/tinjau"),
            ("dewi", "/ajukan"),
            ("erna", "/kesehatan"),
            ("indra", "/pengawasan"),
            ("dewi", "/pengawasan"),
            ("indra", "/pengawasan/log"),
            ("citra", "/penahanan"),
            ("citra", f"/penahanan/{self.hold}"),
            ("dewi", f"/kamera/{CAMERA}"),
            ("ada", f"/kamera/{SILENT}"),
            ("ada", "/retensi/default"),
            ("citra", "/saya"),
            ("ada", "/akun/citra"),
        )


_WINDOW = (("from", instant(-30)), ("to", instant(120)))


@contextmanager
def furnished_city(folder: Path) -> Iterator[Furnished]:
    """The city of :func:`tests.support.console.open_city`, a day and some hours later, with all that stands
    in it."""
    with open_city(folder) as site:
        city = Furnished(site)
        _place_cameras(city)
        city.requests["overdue"] = _file(city, purpose="Tabrak lari di simpang", urgent=True)
        _policies(city)
        _dispose(city)
        _requests(city)
        _holds(city)
        _people(city)
        _acts(city)
        beat(site, silent=(SILENT,))
        catch_up(site)
        yield city


def beat(site: Site, *, silent: tuple[str, ...] = (), **state: Any) -> None:
    """A heartbeat of the recorder: every camera is recording, except those that cannot be reached."""
    now = site.clock.now()
    well: JsonObject = {
        "capturing": 1, "kept": 1, "began": now - HOUR, "grown": now, "attempts": 2, "failures": 0,
        "cause": "", "until": now, "archived": now - 10 * SECOND, "mfps": 15_000, "kbps": 1_500,
    }  # fmt: skip
    away: JsonObject = {
        "capturing": 0, "kept": 0, "began": now, "grown": 0, "attempts": 9, "failures": 7,
        "cause": "unreachable", "until": now - 12 * MINUTE, "archived": now - 12 * MINUTE,
        "gap_from": now - 12 * MINUTE,
    }  # fmt: skip
    facts: JsonObject = {
        "version": "1.0", "cameras": {one: away if one in silent else well for one in NAMES}, "waiting": 3,
        "oldest_us": 4 * SECOND, "spool_bytes": 8 << 20, "spool_room": 200 << 30, "disk_free": 512 << 30,
    }  # fmt: skip
    site.services.index.put_heartbeat("rec-1", now, facts | state)


def _place_cameras(city: Furnished) -> None:
    """Cameras that have stood there since the summer, two of them with footage."""
    site, here = city.site, city.site.clock.now()
    site.clock.step(T0 - 101 * DAY - here)
    for number, (camera, (lat, lon, kelurahan, owner, street)) in enumerate(_PLACES.items()):
        facts = {
            "id": camera, "source": f"rtsp://viewer:rahasia@192.0.2.{20 + number}/1", "name": NAMES[camera],
            "lat": lat, "lon": lon, "kecamatan": kelurahan[:8], "kelurahan": kelurahan, "owner": owner,
            "view": "public", "address": street, "bearing": (number * 75) % 360, "field_of_view": 80,
            "reach_m": 60, "height_m": 5.5, "reason": "Izin 503/0147/PTSP/2026",
        }  # fmt: skip
        if owner in {"business", "worship"}:
            facts |= {"owner_name": "Toko Emas Sinar Jaya", "permit": f"503/{140 + number}/PTSP/2026"}
        must(site.call("POST", "/v1/cameras", json=facts))
    # The first two, which the city has already, get name and direction before their footage begins.
    site.clock.step(T0 - 50 * SECOND - site.clock.now())
    for camera, bearing, lat, lon in (
        (CAMERA, 300, -5.1436, 119.4071),
        (EMPTY_CAMERA, 20, -5.1449, 119.4079),
    ):
        path = f"/v1/cameras/{camera}"
        facts = {
            "name": NAMES[camera], "address": "Jl. Penghibur", "bearing": bearing, "field_of_view": 90,
            "reach_m": 80, "lat": lat, "lon": lon, "reason": "Survei lapangan",
        }  # fmt: skip
        tag = site.call.get(path).headers["etag"]
        must(site.call("PATCH", path, json=facts, headers={"If-Match": tag}))
    site.clock.step(here - site.clock.now())
    footage = made_footage()
    archive_run(site.services, footage, run="6b05180000000011", start=T0, camera=BESIDE)
    archive_run(site.services, footage[1:], run="6b05180000000012", start=T0 - 100 * DAY, camera=OLD_CAMERA)


def _file(city: Furnished, **changes: Any) -> str:
    """A request of the police; unless it is urgent, with its letter."""
    form = request_form(**{"requester": REQUESTER, "urgent": False, "cameras": [CAMERA, BESIDE], **changes})
    if not form["urgent"]:
        scan = city.call("dewi", "POST", "/v1/requests/attachments", content=PDF).json()["sha256"]
        form["letter"] = {"number": "B/123/XI/2026/Reskrim", "date": "2026-11-24", "sha256": scan}
    made: str = city.call("dewi", "POST", "/v1/requests", json=form).json()["id"]
    city.site.clock.advance(7 * MINUTE)
    return made


def _requests(city: Furnished) -> None:
    """Requests in every state; time passes between them."""
    found = city.requests
    purposes = {
        "rejected": "Mencari dompet yang hilang", "cancelled": "Perkelahian di anjungan",
        "closed": "Pencurian sepeda motor", "handed over": "Penjambretan di Jl. Penghibur",
        "sealed": "Pengeroyokan di depan anjungan", "approved": "Perusakan fasilitas umum",
        "submitted": "Pencurian kabel lampu jalan",
    }  # fmt: skip
    for state, purpose in purposes.items():
        found[state] = _file(city, purpose=purpose, case=f"LP/B/{130 + len(found)}/XI/2026")
    at = {state: f"/v1/requests/{request}" for state, request in found.items()}
    city.change("citra", at["rejected"], "reject", reason="Tidak ada dasar hukum pidana")
    city.change("dewi", at["cancelled"], "cancel", reason="Perkara diselesaikan")
    for state in ("closed", "handed over", "sealed"):
        city.change("citra", at[state], "approve", reason="Lengkap")
    city.site.clock.advance(3 * MINUTE)
    aside(city.site.evidence.run_open_requests)
    for state in ("closed", "handed over"):
        city.change("tono", at[state], "handover", downloads=3, hours=72)
    given = f"{at['closed']}/handover"
    told = city.call("dewi", "GET", given).json()
    dewi = caller(city.site, "dewi")  # a download is of the session that began it
    must(dewi.get(must(dewi("POST", f"{given}/downloads")).json()["url"]))
    digests = {name: told[name] for name in ("tagmanifest_sha256", "signer_sha256")}
    city.call("dewi", "POST", f"{given}/confirm", json=digests)
    city.change("citra", at["closed"], "close", hold="release", reason="Diterima penyidik")
    city.change("citra", at["approved"], "approve", reason="Lengkap")
    city.change("citra", at["submitted"], "comments", text="Mohon sebutkan arah lari pelaku.")
    city.evidence = city.call("citra", "GET", at["handed over"]).json()["evidence_id"]


def _policies(city: Furnished) -> None:
    """Policies in force, and one that somebody proposes to shorten."""
    for policy, longest in ((f"camera-{OLD_CAMERA}", 40), ("kecamatan-73.71.01", 120)):
        path, form = f"{POLICIES}/{policy}", {**TERMS, "keep_days_max": longest, "reason": "Rapat 7/2026"}
        city.call("ada", "POST", f"{path}/propose", json=form, headers={"If-None-Match": "*"})
        city.change("budi", path, "approve")
    city.site.clock.advance(25 * HOUR)
    city.policy = "kecamatan-73.71.01"
    shorter = {**TERMS, "keep_days_max": 60, "reason": "Ruang simpan hampir penuh"}
    city.change("ada", f"{POLICIES}/{city.policy}", "propose", **shorter)


def _dispose(city: Furnished) -> None:
    """What the summer left is destroyed by its policy."""
    (made, *_) = aside(lambda: Dispositions(city.site.evidence.site).apply(actor="rule:retention"))
    city.disposition = made.id
    city.site.clock.advance(4 * SECOND)


def _holds(city: Furnished) -> None:
    """Two holds: one whose release is proposed, and one whose review is near."""
    now = city.site.clock.now()
    for case, days in (("LP/B/98/X/2026", 40), (CASE, 5)):
        form = {
            "cameras": [CAMERA, EMPTY_CAMERA], "from": instant(0), "to": instant(25), "case": case,
            "owner": "Polrestabes Makassar", "basis": "KUHAP pasal 39",
            "review_at": format_instant(now + days * DAY),
        }  # fmt: skip
        city.hold = city.call("citra", "POST", "/v1/holds", json=form).json()["id"]
    city.change("ada", f"/v1/holds/{city.hold}", "release", reason="Perkara sudah diputus")
    city.site.evidence.site.hold_sweeper().run()


def _people(city: Furnished) -> None:
    """Everybody has a password; somebody's roles wait for consent, who is invited by half."""
    passwords = accounts.passwords_of(city.site.evidence.site)
    for name, _ in PEOPLE:
        passwords.put(name, PASSWORD)
    city.invited = "rina"
    form = {"id": "rina", "name": "Rina Amalia", "roles": ["war_room"], "reason": "Surat Tugas 12/2026"}
    city.call("ada", "POST", "/v1/users", json=form)
    city.call("ada", "POST", "/v1/invitations", json={"user": "rina", "reason": "Petugas baru"})
    given = {
        "person": "dewi", "cameras": [CAMERA], "from": instant(0), "to": instant(20), "rights": ["view"],
        "until": format_instant(city.site.clock.now() + 2 * DAY), "basis": CASE,
    }  # fmt: skip
    city.call("citra", "POST", "/v1/grants", json=given)


def _acts(city: Furnished) -> None:
    """Clips described and downloaded, an export, incidents; and a checkpoint that covers them."""
    site, clip = city.site, f"/v1/cameras/{CAMERA}/clip"
    for start in (3, 4):
        site.clock.advance(SECOND)
        span = {"from": instant(start), "to": instant(start + 4)}
        city.call("citra", "GET", clip, params={**span, "digest": "none"})
        city.call("tono", "GET", f"{clip}.mp4", params=span)
    order = {"cameras": [CAMERA, BESIDE], "from": instant(2), "to": instant(12)}
    city.export = city.call("citra", "POST", "/v1/exports", json=order).json()["export_id"]
    worker(site).run()
    for code, segment in (("bytes_differ", site.first[0]), ("bytes_differ", site.second[0])):
        city.incident = open_integrity_incident(
            site.services.ledger,
            code=code,
            subject=f"footage:{segment.key}:1",
            message="the bytes in the store differ from the recorded hash",
            found_by="job:fixity",
            details={"recorded_sha256": "ab" * 32, "found_sha256": "cd" * 32},
        ).id
        site.clock.advance(HOUR)
    aside(Log(site.evidence.site).maker.run_due)
    site.clock.advance(4 * SECOND)
