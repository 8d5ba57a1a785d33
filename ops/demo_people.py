"""The accounts of the demo: an officer, an operator and an administrator, invited by codes that work once.

Opening such accounts takes two administrators. In the demo the program plays both; a city has two people.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.model.user import Role, User
from archive.timespan import Timespan, as_datetime
from ops.accounts import administration_of
from ops.settings import Settings
from ops.tokens import machines_of
from ops.wiring import Site

ADMINISTRATORS = ("kominfo-1", "kominfo-2")
_REASON = "demo"


SIGNING_IN = (
    'Press "Saya punya kode undangan".',
    'Write the code into "Kode undangan: bagian pertama, lalu bagian kedua".',
    'Write a password into "Kata sandi baru".',
    'Write a password into "Ulangi kata sandi baru".',
    'Press "Simpan dan masuk".',
)
"""What each of them does first. A code works once; later a person signs in with name and password."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to sign in as, and a minute's worth to try, with ``{since}`` and ``{until}`` in it.

    A step is one sentence: Open a place of the bar, Write a text into a field, Tick, Press, or what you see
    then. The words in quotation marks stand on the screen.
    """

    id: str
    name: str
    role: Role
    agency: str
    what: str
    steps: tuple[str, ...]


PEOPLE = (
    Person(
        "dewi", "Dewi Anggraini", Role.POLICE, "polrestabes", "an officer of the police",
        (
            'Open "Temukan".',
            'Write "Karebosi" into "Tempat".',
            'Write "{since}" into "Dari".',
            'Write "{until}" into "Sampai".',
            'Press "Cari".',
            'Tick "Alun-alun Karebosi".',
            'Press "Ajukan permintaan".',
            'Write "LP/B/7/XI/2026" into "Nomor".',
            'Write "pencurian sepeda motor" into "Untuk apa rekaman diperlukan".',
            'Tick "Mendesak: surat menyusul".',
            'Write "Dewi Anggraini" into "Nama".',
            'Write "AIPTU" into "Pangkat".',
            'Write "78010123" into "NRP/NIP".',
            'Write "Polrestabes Makassar" into "Instansi".',
            'Write "Satreskrim" into "Satuan".',
            'Write "0411-000000" into "Kontak".',
            'Press "Ajukan permintaan".',
            'You see "Rekaman ditahan mulai sekarang".',
        ),
    ),
    Person(
        "citra", "Citra Lestari", Role.WAR_ROOM, "", "an operator of the War Room",
        (
            'Open "Tinjau".',
            'Write "{since}" into "Dari".',
            'Write "{until}" into "Sampai".',
            'Press "Pilih semua yang cocok".',
            'Write "regu jaga" into "Untuk keperluan apa?".',
            'Press "Buka".',
            'Press the space bar.',
            'You see "Tidak ada rekaman" in the picture of "Balai Kota" where it was cut, with the cause.',
            'Open "Antrean".',
            'Press "Alun-alun Karebosi".',
            'Press "Setujui".',
            'Press "Setujui".',
            'You see "War Room menyerahkan paket kepada pemohon." within a minute: the package is sealed.',
        ),
    ),
    Person(
        "ada", "Ada Paramita", Role.ADMIN, "", "an administrator",
        (
            'Open "Kesehatan".',
            'You see "3 kamera yang aktif semuanya direkam".',
            'Open "Retensi".',
            'Press "Seluruh kota".',
            'Write "30" into "Musnahkan setelah (hari)".',
            'You see "lebih banyak dimusnahkan" and how much, before anything is saved.',
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Invited:
    """A person with the code of their invitation."""

    person: Person
    code: str = field(repr=False)


def invite_people(home: Path, people: Iterable[Person] = PEOPLE, *, founder: str) -> list[Invited]:
    """Open the accounts in the installation at ``home``; ``founder`` is who runs the demo.

    Raises:
        ArchiveError: as the ledger, for one that there is already.
    """
    first, second = (f"user:{name}" for name in ADMINISTRATORS)
    found = []
    with Site(Settings.load({"SAKSI_HOME": str(home)})) as site:
        administration = administration_of(site, machines_of(site))
        for name in ADMINISTRATORS:
            administration.open_account(
                User(id=name, name=name, roles=(Role.ADMIN,)), actor=founder, reason=_REASON
            )
        for one in people:
            user = User(id=one.id, name=one.name, roles=(one.role,), agency=one.agency)
            if administration.open_account(user, actor=first, reason=_REASON).proposed:
                administration.consent(one.id, actor=second, reason=_REASON)
            halves = (
                administration.invite(one.id, actor=first, reason=_REASON),
                administration.complete_invitation(one.id, actor=second, reason=_REASON),
            )
            found.append(Invited(one, " ".join(half.code for half in halves)))
    return found


def announcement(address: str, invited: Iterable[Invited], footage: Timespan) -> Iterator[str]:
    """The lines that say where to sign in, how, and what each of them may try with the footage of a span."""
    yield f"Console:  {address}  (the last line says when it answers)"
    yield "It is in Indonesian; English is below the form, and in the menu under a person's name. For"
    yield "another person sign out in that menu, or open a private window. To sign in, each of them:"
    yield from _numbered(SIGNING_IN)
    yield "A code works once; a password has twelve or more characters. The three, and a minute for each:"
    times = {"since": typed(footage.start), "until": typed(footage.end)}
    for one in invited:
        yield f"  {one.person.id}, {one.person.what}"
        yield f"    Code:  {one.code}"
        yield from _numbered(step.format(**times) for step in one.person.steps)


def typed(at: int) -> str:
    """A second as people type it into the console: ``30/11/2026 02.47.05``, in its zone."""
    return f"{as_datetime(at).astimezone(ZoneInfo('Asia/Makassar')):%d/%m/%Y %H.%M.%S}"


def _numbered(steps: Iterable[str]) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        yield f"    {number:2}. {step}"
