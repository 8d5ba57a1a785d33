"""The names of each act: our own, in PREMIS, in CASE/UCO, and in two languages; one table.

An act that lasts is on record twice, as ``<act>.started`` and ``<act>.ended``; the table has the act. PREMIS
terms come from its event type vocabulary (id.loc.gov, ``eventType``); "–" if none fits. A starred term comes
from the newer list of PREMIS 3. CASE/UCO: an ``action`` (InvestigativeAction, with its result), an
``authorization``, or a ``provenance`` record. ``docs/reference/custody.md`` is made from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archive.model.custody import Outcome

_TABLE = """
recordings.search | dissemination* | examined | mencari rekaman | searched recordings
cameras.search | dissemination* | examined | mencari kamera di suatu tempat | searched cameras of a place
segments.search | dissemination* | examined | mencari segmen rekaman | searched segments
playback | displaying* | examined | memutar rekaman | played footage
frame.view | displaying* | examined | melihat satu gambar | looked at a frame
activity.search | dissemination* | examined | mencari gerakan dalam gambar | searched for activity in pictures
sprites.view | displaying* | examined | melihat gambar kecil rekaman | looked at thumbnails of footage
clip.describe | dissemination* | examined | melihat keterangan klip | looked at what a clip is
clip.download | dissemination* | transferred | mengunduh klip | downloaded a clip
export.order | – | – | memesan ekspor klip | ordered an export of clips
export.read | – | – | melihat keadaan ekspor | looked at an export's state
export.change | – | – | menunda, melanjutkan, atau membatalkan ekspor | paused, continued, cancelled an export
export.made | – | – | ekspor dibuat, atau gagal | export made, or failed
export.download | dissemination* | transferred | mengunduh ekspor | downloaded an export
camera.change | – | – | mengubah data kamera | changed a camera
camera.import | – | – | mengimpor tabel kamera | imported a table of cameras
camera.export | dissemination* | transferred | mengekspor tabel kamera | exported a table of cameras
camera.trial | – | – | menguji sambungan kamera | tested a camera's connection
camera.trial_still | displaying* | examined | melihat gambar uji sambungan | looked at a test's picture
camera.read | dissemination* | examined | melihat data pemilik kamera | looked at a camera's owner
backfill.asked | – | – | meminta rekaman dari memori kamera | asked a camera for what it kept
import.ordered | – | – | memasukkan rekaman dari luar ke arsip | imported footage recorded elsewhere
footage.adopted | – | – | menandatangani rekaman perekam yang hilang | signed for a lost recorder's footage
camera.added | – | – | kamera didaftarkan | camera registered
camera.edited | – | – | data kamera diubah | camera edited
camera.disabled | – | – | kamera dinonaktifkan | camera disabled
camera.enabled | – | – | kamera diaktifkan | camera enabled
camera.audio_proposed | – | authorization | perekaman suara diusulkan | recording of sound proposed
camera.audio_allowed | – | authorization | perekaman suara diizinkan | recording of sound allowed
camera.audio_ended | – | – | perekaman suara dihentikan | recording of sound ended
policy.change | policy assignment* | authorization | mengubah kebijakan | changed a retention policy
hold.place | policy assignment* | authorization | menahan rekaman untuk perkara | placed a legal hold
hold.extend | policy assignment* | authorization | memperluas penahanan | extended a legal hold
hold.review | policy assignment* | authorization | meninjau penahanan | reviewed a legal hold
hold.release | policy assignment* | authorization | melepas penahanan | released a legal hold
hold.read | – | – | melihat penahanan | looked at legal holds
hold.placed | policy assignment* | authorization | penahanan berlaku | legal hold in force
hold.extended | policy assignment* | authorization | penahanan diperluas | legal hold extended
hold.reviewed | policy assignment* | authorization | penahanan ditinjau | legal hold reviewed
hold.release_proposed | policy assignment* | authorization | pelepasan diusulkan | release proposed
hold.released | policy assignment* | authorization | penahanan dilepas | legal hold released
hold.release_withdrawn | policy assignment* | authorization | pelepasan ditarik | release withdrawn
request.read | – | – | melihat permintaan | looked at a request
request.file | – | authorization | mengajukan permintaan | filed a request
request.filed | – | authorization | permintaan diterima | request received
request.amend | – | authorization | mengubah permintaan | amended a request
request.amended | – | authorization | permintaan diubah | request amended
request.comment | – | – | mengomentari permintaan | commented on a request
request.commented | – | – | komentar dicatat | comment recorded
request.attach | – | – | melampirkan dokumen | attached a document
request.attached | – | – | dokumen dilampirkan | document attached
request.approve | – | authorization | menyetujui permintaan | approved a request
request.approved | – | authorization | permintaan disetujui | request approved
request.reject | – | authorization | menolak permintaan | rejected a request
request.rejected | – | authorization | permintaan ditolak | request rejected
request.cancel | – | authorization | membatalkan permintaan | cancelled a request
request.cancelled | – | authorization | permintaan dibatalkan | request cancelled
request.handed_over | transfer* | transferred | paket diserahkan | package handed over
request.received | transfer* | transferred | penerimaan dikonfirmasi | receipt confirmed
request.raise_limit | – | authorization | menaikkan batas permintaan | raised a limit
attachment.upload | ingestion | – | mengunggah lampiran | uploaded a paper
attachment.download | dissemination* | examined | mengunduh lampiran | downloaded a paper
request.letter_added | – | – | surat dilampirkan | letter attached
request.limit_raised | – | authorization | batas permintaan dinaikkan | limit raised
request.closed | – | authorization | permintaan ditutup | request closed
evidence.request | – | action | meminta penyegelan | asked for a sealed package
evidence.requested | – | action | penyegelan diminta | sealing asked for
evidence.claimed | – | – | penyegelan mulai dikerjakan | sealing taken up
evidence.claim_renewed | – | – | penyegelan masih dikerjakan | sealing goes on
evidence.put_off | – | – | penyegelan ditunda | sealing put off
evidence.seal_failed | – | – | penyegelan gagal | sealing failed
evidence.sealed | packaging*, digital signature generation* | provenance | paket disegel | package sealed
evidence.sealed_untimestamped | packaging* | provenance | disegel, tanpa penanda waktu | sealed, unstamped
evidence.stamp_put_off | – | – | penanda waktu belum diperoleh | time stamp not yet had
evidence.read | – | examined | melihat keadaan paket | looked at a package's state
evidence.download | transfer* | transferred | mengunduh paket | downloaded a package
evidence.verify | digital signature validation, fixity check | verified | memverifikasi paket | verified it
handover.give | transfer* | transferred | menyerahkan paket | handed a package over
handover.begin_download | transfer* | transferred | memulai unduhan yang dihitung | began a counted download
handover.confirm | transfer* | transferred | mengonfirmasi penerimaan | confirmed the receipt
handover.close | – | authorization | menutup permintaan | closed the request
handover.read | – | examined | melihat serah terima | looked at a handover
custody.read | dissemination* | examined | membaca catatan rantai pengawasan | read the custody record
disposition.read | – | examined | melihat pemusnahan | looked at a disposition
incident.close | – | – | menutup insiden integritas | closed an integrity incident
log.read | – | examined | membaca log | read the log
compliance.read | – | examined | melihat daftar kepatuhan kamera | looked at the cameras' compliance list
key.made | – | – | perangkat kunci dibuat | keys made
key.requested | – | – | sertifikat untuk kunci diminta | certificate for a key asked for
key.discarded | – | – | kunci yang menunggu sertifikat dibatalkan | key that awaits its certificate given up
key.protected | – | – | kunci privat dienkripsi | private key encrypted
revocation_list.kept | – | – | daftar pencabutan disimpan | revocation list kept
revocation_list.renewed | – | – | daftar pencabutan dibuat baru | revocation list made anew
key.activated | – | – | kunci mulai dipakai | key taken into use
key.rotated | – | – | kunci diganti | key exchanged for a new one
key.revoked | – | – | kunci dicabut | key revoked
key.published | – | – | sidik jari kunci diterbitkan | fingerprints of keys published
access | – | – | mencoba akses | tried to get access
sign_in | – | – | masuk | signed in
sign_out | – | – | keluar | signed out
password.change | – | – | mengganti kata sandi | changed a password
purpose.change | – | – | menyatakan keperluan | named a purpose
user.read | – | – | melihat pengguna | looked at accounts
user.add | – | – | membuka akun | opened an account
user.change | – | – | mengubah akun | changed an account
user.disable | – | – | menutup akun | closed an account
user.enable | – | – | membuka kembali akun | opened an account again
user.sign_out | – | – | mengakhiri sesi pengguna | ended somebody's sessions
user.invite | – | – | mengundang pengguna | invited somebody
user.complete_invitation | – | – | memberi paruh kedua kode undangan | gave the second half of an invitation
user.consent | – | authorization | menyetujui peran yang diusulkan | consented to proposed roles
user.refuse | – | authorization | membatalkan peran yang diusulkan | dropped proposed roles
grant.read | – | – | melihat izin | looked at grants
grant.give | – | authorization | memberi izin melihat | gave a grant
grant.revoke | – | authorization | mencabut izin melihat | revoked a grant
token.read | – | – | melihat token mesin | looked at tokens
token.make | – | – | membuat token mesin | made a token
token.revoke | – | – | mencabut token mesin | revoked a token
token.created | – | – | token mesin dibuat | token made
token.revoked | – | – | token mesin dicabut | token revoked
user.invited | – | – | undangan diberikan | invitation given
user.sessions_ended | – | – | sesi pengguna diakhiri | sessions ended
user.claims_changed | – | – | peran menurut penyedia identitas berubah | roles changed by the provider
user.added | – | – | pengguna ditambahkan | user added
user.changed | – | – | pengguna diubah | user changed
user.disabled | – | – | pengguna dinonaktifkan | user disabled
user.enabled | – | – | pengguna diaktifkan | user enabled
user.consented | – | authorization | peran yang diusulkan berlaku | proposed roles in force
user.refused | – | – | usulan peran dibatalkan | proposed roles dropped
user.linked | – | – | nama di host dicatat | name on a host recorded
user.password_set | – | – | kata sandi diatur di host | password set on the host
user.invitation_completed | – | – | paruh kedua kode undangan diberikan | second half of an invitation given
grant.given | – | authorization | izin melihat diberikan | grant given
grant.revoked | – | authorization | izin melihat dicabut | grant revoked
policy.proposed | policy assignment* | authorization | kebijakan diusulkan | policy proposed
policy.approved | policy assignment* | authorization | kebijakan disetujui | policy approved
policy.rejected | policy assignment* | authorization | kebijakan ditolak | policy rejected
policy.changed | policy assignment* | authorization | kebijakan diubah | policy changed
policy.withdrawn | policy assignment* | authorization | kebijakan ditarik | policy withdrawn
policy.stopped | policy assignment* | authorization | kebijakan dihentikan | policy stopped
policy.restored | policy assignment* | authorization | kebijakan dipulihkan | policy restored
backfill.found | – | – | rekaman susulan mengisi celah paket | footage filled a package's gap
integrity_incident.opened | fixity check | – | insiden integritas dibuka | integrity incident opened
integrity_incident.reopened | fixity check | – | insiden integritas dibuka lagi | incident opened again
integrity_incident.closed | – | – | insiden integritas ditutup | integrity incident closed
disposition.started | – | – | pemusnahan dimulai | disposition begun
disposition.done | – | – | pemusnahan selesai | disposition done
disposition.stamped | – | – | catatan pemusnahan diberi penanda waktu | disposition record time-stamped
break_glass.ordered | – | authorization | perintah pemusnahan darurat diajukan | break-glass order filed
break_glass.approved | – | authorization | perintah pemusnahan darurat disetujui | break-glass order approved
break_glass.started | – | – | pemusnahan darurat dimulai | break-glass destruction begun
break_glass.executed | – | – | pemusnahan darurat dilaksanakan | break-glass order carried out
recorder.registered | – | – | perekam didaftarkan | recorder registered
recorder.key_changed | – | – | kunci perekam diganti | recorder's key changed
recorder.drained | – | – | kamera perekam dialihkan | recorder drained
recorder.undrained | – | – | kamera perekam dikembalikan | recorder no longer drained
recorder.weighed | – | – | kapasitas perekam diatur | recorder's capacity set
recorder.districts_set | – | – | kecamatan perekam diatur | recorder's districts set
"""

_PAGE = """\
# Custody

Generated by `make docs` from `archive/records/custody_report/vocabulary`.

Every act on footage, on packages and on the records about them is a **custody event**, durable before the
first byte of footage leaves. A decision, and its result, is an entry of the **ledger**. A custody report
reads both.

An event has `v, id, at, type, actor, objects, purpose, outcome, details`. The actor has `id` (`user:`,
`token:`, `os:`, `job:`), `address`, `session`, and `role` and `agency` if known. The outcome is
`done`, `refused` or `failed`; `details` hold text and integers. An act that lasts is two events,
`<act>.started` and `<act>.ended`. The second records what was really sent: `bytes_sent`, and for playback
`seconds_shown` and `shown`, with `seconds_heard` if there was sound, `transcoded` and `segments` if viewing
copies were sent, and `pieces_unknown` if a process died while it sent so many pieces. If only the start is on
record, the end is unknown.

Events lie in `custody/<year>/<month>/<day>/<hour>/<writer>_<batch>.jsonl`. Each process is a writer; its
objects are numbered, and each names the hash of the previous one. All are under the [log's](log.md)
checkpoints: `saksi log verify` names an event that was removed, altered or moved.

## Reports

`saksi custody show`, `GET /v1/custody`, `/v1/custody/report.jsonl` and `/v1/custody/report.pdf` report on an
item, a person, or the acts of a person on an item. With `from` and `to` and neither, they report everybody's
acts in that span. `only=taken_out` leaves the acts by which something left the archive: downloads, exports,
handovers.

| item | what belongs |
| --- | --- |
| `EVD-…`, `REQ-…` | acts that name the package, its request or its hold; the ledger entries of the three |
| `hold-…` | acts that name the hold, and its entries |
| a camera, with `footage_from` and `footage_to` | acts whose stated time touches that footage, \
or that state no time; \
entries of the camera, and of holds, requests and packages about that footage |
| `segments/…` | as a camera, with the segment's own span |

`from` and `to` bound the time of the acts. Without them a report on a package or request begins when that
came into being, any other report seven days ago. At most 366 days at a time.

The index answers. `as_of` in the JSON is the time until which it has the acts of every process. If an object
that may hold an act of the report cannot be read, there is no report, but an error that names the object.

JSON lines are a head, one act per line, and an end with the number of acts and the SHA-256 of all lines above
it. `proof` names the stored line or entry behind an act, in the form that `saksi log prove` takes. They
begin to arrive when the first acts are found, however many follow. The PDF is in Indonesian and holds at
most 5000 acts; a longer one is refused (`report_too_long`), as a rule before an act is read. Under a search
it prints what was asked: place, codes, owner, words. Its *SHA-256 perbuatan* covers only the lines of the
acts.

The auditor sees every act and no footage. Other people see their own acts, and all acts on packages that
they or their agency requested, without addresses and sessions. Reading is an act too: `custody.read`.

## Acts

An act that is not in the table is shown under its own name.
"""

_PHASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"started": ("mulai", "started"), "ended": ("selesai", "ended")}
)
OUTCOMES: Mapping[Outcome, tuple[str, str]] = MappingProxyType(
    {
        Outcome.DONE: ("dilakukan", "done"),
        Outcome.REFUSED: ("ditolak", "refused"),
        Outcome.FAILED: ("gagal", "failed"),
    }
)
"""How an act ended, in Indonesian and in English."""


@dataclass(frozen=True, slots=True)
class Word:
    """One act. ``premis`` and ``case`` are "" if there is no such term."""

    act: str
    premis: str
    case: str
    indonesian: str
    english: str


def _parsed(table: str) -> Mapping[str, Word]:
    rows = (
        [cell.strip().replace("–", "") for cell in line.split("|")] for line in table.strip().splitlines()
    )
    return MappingProxyType({cells[0]: Word(*cells) for cells in rows})


WORDS: Mapping[str, Word] = _parsed(_TABLE)
"""Every act by its own name."""


def word_of(event_type: str) -> Word:
    """The word for an event's type or a ledger entry's action; a type outside the table is its own word."""
    act, _, phase = event_type.rpartition(".")
    if phase not in _PHASES or act not in WORDS:
        return WORDS.get(event_type, Word(event_type, "", "", event_type, event_type))
    word, (indonesian, english) = WORDS[act], _PHASES[phase]
    return Word(
        event_type, word.premis, word.case, f"{word.indonesian} ({indonesian})", f"{word.english} ({english})"
    )


def custody_page() -> str:
    """``docs/reference/custody.md``."""
    return f"{_PAGE}\n{_vocabulary()}"


def _vocabulary() -> str:
    lines = [
        "| act | PREMIS event type | CASE/UCO | Indonesian | English |",
        "| --- | --- | --- | --- | --- |",
    ]
    for word in WORDS.values():
        cells = (f"`{word.act}`", word.premis or "–", word.case or "–", word.indonesian, word.english)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
