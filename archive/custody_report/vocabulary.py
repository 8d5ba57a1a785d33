"""What each act is called: by us, in PREMIS, in CASE/UCO, and in two languages; one table.

An act that lasts is on record twice, as ``<act>.started`` and ``<act>.ended``; the table has the act. PREMIS
terms are of its event type vocabulary (id.loc.gov, ``eventType``); "–" where none fits. A starred term is of
PREMIS 3's newer list. ``docs/reference/custody.md`` is made from this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from archive.model.custody import Outcome

_TABLE = """
recordings.search     | dissemination*  | examined  | mencari rekaman                            | searched recordings
segments.search       | dissemination*  | examined  | mencari segmen rekaman                     | searched segments
playback              | displaying*     | examined  | memutar rekaman                            | played footage
frame.view            | displaying*     | examined  | melihat satu gambar                        | looked at a frame
clip.describe         | dissemination*  | examined  | melihat keterangan klip                    | looked at what a clip is
clip.download         | dissemination*  | transferred | mengunduh klip                           | downloaded a clip
camera.change         | –               | –         | mengubah data kamera                       | changed a camera
camera.added          | –               | –         | kamera didaftarkan                         | camera registered
camera.edited         | –               | –         | data kamera diubah                         | camera edited
camera.disabled       | –               | –         | kamera dinonaktifkan                       | camera disabled
camera.enabled        | –               | –         | kamera diaktifkan                          | camera enabled
policy.change         | policy assignment* | Authorization | mengubah kebijakan masa simpan      | changed a retention policy
hold.place            | policy assignment* | Authorization | menahan rekaman untuk perkara       | placed a legal hold
hold.extend           | policy assignment* | Authorization | memperluas penahanan                | extended a legal hold
hold.review           | policy assignment* | Authorization | meninjau penahanan                  | reviewed a legal hold
hold.release          | policy assignment* | Authorization | melepas penahanan                   | released a legal hold
hold.read             | –               | –         | melihat penahanan                          | looked at legal holds
hold.placed           | policy assignment* | Authorization | penahanan berlaku                   | legal hold in force
hold.extended         | policy assignment* | Authorization | penahanan diperluas                 | legal hold extended
hold.reviewed         | policy assignment* | Authorization | penahanan ditinjau                  | legal hold reviewed
hold.release_proposed | policy assignment* | Authorization | pelepasan penahanan diusulkan       | release of the hold proposed
hold.released         | policy assignment* | Authorization | penahanan dilepas                   | legal hold released
hold.release_withdrawn | policy assignment* | Authorization | usulan pelepasan ditarik           | proposed release withdrawn
request.read          | –               | –         | melihat permintaan                         | looked at a request
request.file          | –               | Authorization | mengajukan permintaan                  | filed a request
request.filed         | –               | Authorization | permintaan diterima                    | request received
request.amend         | –               | Authorization | mengubah permintaan                    | amended a request
request.amended       | –               | Authorization | permintaan diubah                      | request amended
request.comment       | –               | –         | mengomentari permintaan                    | commented on a request
request.commented     | –               | –         | komentar dicatat                           | comment recorded
request.attach        | –               | –         | melampirkan dokumen                        | attached a document
request.attached      | –               | –         | dokumen dilampirkan                        | document attached
request.approve       | –               | Authorization | menyetujui permintaan                  | approved a request
request.approved      | –               | Authorization | permintaan disetujui                   | request approved
request.reject        | –               | Authorization | menolak permintaan                     | rejected a request
request.rejected      | –               | Authorization | permintaan ditolak                     | request rejected
request.cancel        | –               | Authorization | membatalkan permintaan                 | cancelled a request
request.cancelled     | –               | Authorization | permintaan dibatalkan                  | request cancelled
request.handed_over   | transfer*       | transferred | paket diserahkan                         | package handed over
request.received      | transfer*       | transferred | penerimaan dikonfirmasi                  | receipt confirmed
request.closed        | –               | Authorization | permintaan ditutup                     | request closed
evidence.request      | –               | InvestigativeAction | meminta penyegelan               | asked for a sealed package
evidence.requested    | –               | InvestigativeAction | penyegelan diminta               | sealing asked for
evidence.claimed      | –               | –         | penyegelan mulai dikerjakan                | sealing taken up
evidence.claim_renewed | –              | –         | penyegelan masih dikerjakan                | sealing goes on
evidence.put_off      | –               | –         | penyegelan ditunda                         | sealing put off
evidence.seal_failed  | –               | –         | penyegelan gagal                           | sealing failed
evidence.sealed       | packaging*, digital signature generation* | ProvenanceRecord | paket disegel | package sealed
evidence.sealed_untimestamped | packaging*, digital signature generation* | ProvenanceRecord | paket disegel, belum bercap waktu | sealed, not yet time-stamped
evidence.stamp_put_off | –              | –         | cap waktu belum diperoleh                  | time stamp not yet had
evidence.read         | –               | examined  | melihat keadaan paket                      | looked at a package's state
evidence.download     | transfer*       | transferred | mengunduh paket                          | downloaded a package
evidence.verify       | digital signature validation, fixity check | verified | memverifikasi paket | verified a package
handover.give         | transfer*       | transferred | menyerahkan paket                        | handed a package over
handover.begin_download | transfer*     | transferred | memulai unduhan yang dihitung            | began a counted download
handover.confirm      | transfer*       | transferred | mengonfirmasi penerimaan                 | confirmed the receipt
handover.close        | –               | Authorization | menutup permintaan                     | closed the request
handover.read         | –               | examined  | melihat serah terima                       | looked at a handover
custody.read          | dissemination*  | examined  | membaca catatan rantai pengawasan          | read the custody record
incident.close        | –               | –         | menutup insiden integritas                 | closed an integrity incident
log.read              | –               | examined  | membaca log                                | read the log
access                | –               | –         | mencoba akses                              | tried to get access
sign_in               | –               | –         | masuk                                      | signed in
sign_out              | –               | –         | keluar                                     | signed out
password.change       | –               | –         | mengganti kata sandi                       | changed a password
purpose.change        | –               | –         | menyatakan keperluan                       | named a purpose
user.added            | –               | –         | pengguna ditambahkan                       | user added
user.changed          | –               | –         | pengguna diubah                            | user changed
user.disabled         | –               | –         | pengguna dinonaktifkan                     | user disabled
user.enabled          | –               | –         | pengguna diaktifkan                        | user enabled
grant.given           | –               | Authorization | izin melihat diberikan                 | grant given
grant.revoked         | –               | Authorization | izin melihat dicabut                   | grant revoked
policy.proposed       | policy assignment* | Authorization | kebijakan diusulkan                 | policy proposed
policy.approved       | policy assignment* | Authorization | kebijakan disetujui                 | policy approved
policy.rejected       | policy assignment* | Authorization | kebijakan ditolak                   | policy rejected
policy.changed        | policy assignment* | Authorization | kebijakan diubah                    | policy changed
policy.withdrawn      | policy assignment* | Authorization | kebijakan ditarik                   | policy withdrawn
integrity_incident.opened | fixity check | –        | insiden integritas dibuka                  | integrity incident opened
integrity_incident.closed | –           | –         | insiden integritas ditutup                 | integrity incident closed
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
    """One act. ``premis`` and ``case`` are "" where there is no such term."""

    act: str
    premis: str
    case: str
    indonesian: str
    english: str


def _parsed(table: str) -> Mapping[str, Word]:
    rows = ([cell.strip().replace("–", "") for cell in line.split("|")] for line in table.strip().splitlines())
    return MappingProxyType({cells[0]: Word(*cells) for cells in rows})


WORDS: Mapping[str, Word] = _parsed(_TABLE)
"""Every act by its own name."""


def word_of(event_type: str) -> Word:
    """The word for an event's type or a ledger entry's action; one not in the table is its own word."""
    act, _, phase = event_type.rpartition(".")
    if phase not in _PHASES or act not in WORDS:
        return WORDS.get(event_type, Word(event_type, "", "", event_type, event_type))
    word, (indonesian, english) = WORDS[act], _PHASES[phase]
    return Word(
        event_type, word.premis, word.case, f"{word.indonesian} ({indonesian})", f"{word.english} ({english})"
    )


def vocabulary_table() -> str:
    """The table as ``docs/reference/custody.md`` shows it."""
    lines = ["| act | PREMIS event type | CASE/UCO | Indonesian | English |", "| --- | --- | --- | --- | --- |"]
    for word in WORDS.values():
        cells = (f"`{word.act}`", word.premis or "–", word.case or "–", word.indonesian, word.english)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
