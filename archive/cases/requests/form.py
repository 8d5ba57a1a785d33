"""A filled-in form, checked as a whole: every fault of every field at once.

Texts for people are Indonesian first, then English. The law decides which legal bases an agency may name:
general criminal investigation belongs to Polri, the prosecutor and the court (KUHAP); Satpol PP and its PPNS
enforce articles of city regulations (Perda).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from types import MappingProxyType

from archive.errors import Malformed
from archive.ids import check_name, check_sha256
from archive.model.request import AgencyKind, BasisKind, LegalBasis, Letter, Requester
from archive.timespan import DAY, Timespan, as_datetime, parse_instant

MAX_TEXT = 200
MAX_PURPOSE = 1000
MAX_CAMERAS = 100
MAX_BASES = 10
MAX_PAST = 3650 * DAY

_DIGITS = re.compile(r"\d{8,18}\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)

BASES: Mapping[AgencyKind, tuple[BasisKind, ...]] = MappingProxyType(
    {
        AgencyKind.POLRI: (BasisKind.LP, BasisKind.SPRINDIK, BasisKind.PENETAPAN),
        AgencyKind.KEJAKSAAN: (BasisKind.LP, BasisKind.SPRINDIK, BasisKind.PENETAPAN),
        AgencyKind.PENGADILAN: (BasisKind.PENETAPAN,),
        AgencyKind.SATPOL_PP: (BasisKind.PERDA,),
    }
)
"""The legal bases that each kind of agency may name."""

SENTENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": ("wajib diisi", "is required"),
        "too_long": ("terlalu panjang", "is too long"),
        "unprintable": (
            "memuat karakter yang tidak dapat dicetak",
            "contains unprintable characters",
        ),
        "bad_number": ("harus terdiri atas 8 sampai 18 angka", "must have 8 to 18 digits"),
        "bad_date": ("harus berupa tanggal YYYY-MM-DD", "must be a date, YYYY-MM-DD"),
        "in_future": ("tidak boleh di masa depan", "lies in the future"),
        "bad_time": (
            "harus berupa waktu RFC 3339 dengan selisih UTC, misalnya +08:00",
            "must be an RFC 3339 time with an offset, such as +08:00",
        ),
        "empty_span": ("harus setelah waktu mulai", "must be later than the start"),
        "too_old": ("terlalu lampau", "is too long ago"),
        "too_far": ("terlalu jauh di masa depan", "is too far in the future"),
        "unknown": ("tidak dikenal", "is not known"),
        "too_many": ("terlalu banyak", "are too many"),
        "repeated": ("disebut dua kali", "is named twice"),
        "not_allowed": (
            "tidak boleh dipakai oleh jenis instansi ini",
            "is not allowed for this kind of agency",
        ),
        "not_yours": ("bukan untuk akun Anda", "is not allowed for your account"),
        "bad_hash": (
            "harus berupa SHA-256 berkas yang diunggah",
            "must be the SHA-256 of an uploaded scan",
        ),
        "not_uploaded": ("belum Anda unggah", "was not uploaded by you"),
    }
)
"""Fault codes, in Indonesian and in English."""


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; ``field`` is its path in the form."""

    field: str
    code: str

    @property
    def message(self) -> str:
        """For people: Indonesian, then English."""
        indonesian, english = SENTENCES[self.code]
        return f"{self.field}: {indonesian}. / {self.field} {english}."


class BadForm(Malformed):
    """Fields that cannot be accepted; ``errors`` names all of them."""

    default_code = "bad_form"

    def __init__(self, errors: tuple[FieldFault, ...]) -> None:
        super().__init__(
            f"Isian belum lengkap atau tidak benar: {_named(errors)}. / These are missing or wrong.",
            hint="Perbaiki setiap isian dalam 'errors'. / Correct each field in 'errors'.",
        )
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisForm:
    """One legal basis as text."""

    kind: str = ""
    number: str = ""
    article: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForm:
    """A request as a person asks for it, every field as text, not yet checked."""

    requester_name: str = ""
    requester_rank: str = ""
    requester_nrp_nip: str = ""
    requester_agency_kind: str = ""
    requester_agency: str = ""
    requester_unit: str = ""
    requester_contact: str = ""
    letter_number: str = ""
    letter_date: str = ""
    letter_sha256: str = ""
    legal_basis: tuple[BasisForm, ...] = ()
    case: str = ""
    purpose: str = ""
    cameras: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An accepted form."""

    requester: Requester
    letter: Letter
    legal_basis: tuple[LegalBasis, ...]
    case: str
    purpose: str
    cameras: tuple[str, ...]
    span: Timespan
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The facts that a form is checked against.

    ``kinds`` are those the account may file for, None for all. ``is_camera`` knows the registered cameras,
    ``is_upload`` the papers that this account uploaded. ``max_future`` is in µs; ``zone`` decides which day
    is today.
    """

    person: str
    now: int
    zone: tzinfo
    max_future: int
    kinds: frozenset[AgencyKind] | None
    is_camera: Callable[[str], bool]
    is_upload: Callable[[str], bool]


def judge(form: RequestForm, ground: Ground) -> Judged:
    """Accept a form. Raises BadForm (``bad_form``) with every fault."""
    reading = _Reading(ground)
    judged = reading.read(form)
    if reading.faults or judged is None:
        raise BadForm(tuple(reading.faults))
    return judged


@dataclass
class _Reading:
    """One form being read; faults are gathered on the way."""

    ground: Ground
    faults: list[FieldFault] = field(default_factory=list)

    def read(self, form: RequestForm) -> Judged | None:
        kind = self._agency_kind(form.requester_agency_kind)
        texts = {
            name: self._text(f"requester.{name}", getattr(form, f"requester_{name}"))
            for name in ("name", "rank", "agency", "unit", "contact")
        }
        number = form.requester_nrp_nip.replace(" ", "").replace(".", "")
        if not number:
            self._fault("requester.nrp_nip", "missing")
        elif _DIGITS.match(number) is None:
            self._fault("requester.nrp_nip", "bad_number")
        letter = self._letter(form)
        bases = self._bases(form.legal_basis, kind)
        case, purpose = self._text("case", form.case), self._text("purpose", form.purpose, MAX_PURPOSE)
        cameras, span = self._cameras(form.cameras), self._span(form.start, form.end)
        if kind is None or span is None:
            return None
        return Judged(
            requester=Requester(person=self.ground.person, nrp_nip=number, agency_kind=kind, **texts),
            letter=letter,
            legal_basis=bases,
            case=case,
            purpose=purpose,
            cameras=cameras,
            span=span,
            urgent=form.urgent,
        )

    def _fault(self, name: str, code: str) -> None:
        self.faults.append(FieldFault(name, code))

    def _text(self, name: str, text: str, most: int = MAX_TEXT, *, needed: bool = True) -> str:
        text = text.strip()
        if not text and needed:
            self._fault(name, "missing")
        elif len(text) > most:
            self._fault(name, "too_long")
        elif not text.isprintable():
            self._fault(name, "unprintable")
        return text

    def _agency_kind(self, text: str) -> AgencyKind | None:
        name = "requester.agency_kind"
        if not text:
            self._fault(name, "missing")
            return None
        try:
            kind = AgencyKind(text)
        except ValueError:
            self._fault(name, "unknown")
            return None
        if self.ground.kinds is not None and kind not in self.ground.kinds:
            self._fault(name, "not_yours")
        return kind

    def _letter(self, form: RequestForm) -> Letter:
        needed = not form.urgent
        number = self._text("letter.number", form.letter_number, needed=needed)
        written = self.letter_date(form.letter_date, needed=needed)
        sha256 = self.scan("letter.sha256", form.letter_sha256, needed=needed)
        return Letter(number=number, date=written, sha256=sha256)

    def letter_date(self, text: str, *, needed: bool) -> str:
        """The date of a letter: not after today."""
        text = text.strip()
        if not text:
            if needed:
                self._fault("letter.date", "missing")
            return ""
        try:
            if _DATE.match(text) is None:
                raise ValueError(text)
            written = date.fromisoformat(text)
        except ValueError:
            self._fault("letter.date", "bad_date")
            return ""
        if written > as_datetime(self.ground.now).astimezone(self.ground.zone).date():
            self._fault("letter.date", "in_future")
        return text

    def scan(self, name: str, text: str, *, needed: bool) -> str:
        """The hash of a paper that this account uploaded."""
        if not text:
            if needed:
                self._fault(name, "missing")
            return ""
        try:
            check_sha256(text)
        except Malformed:
            self._fault(name, "bad_hash")
            return ""
        if not self.ground.is_upload(text):
            self._fault(name, "not_uploaded")
        return text

    def _bases(self, given: tuple[BasisForm, ...], kind: AgencyKind | None) -> tuple[LegalBasis, ...]:
        if not given:
            self._fault("legal_basis", "missing")
        if len(given) > MAX_BASES:
            self._fault("legal_basis", "too_many")
        found = []
        for at, basis in enumerate(given[:MAX_BASES]):
            here = f"legal_basis.{at}"
            number = self._text(f"{here}.number", basis.number)
            article = self._text(f"{here}.article", basis.article, needed=basis.kind == BasisKind.PERDA)
            if not basis.kind:
                self._fault(f"{here}.kind", "missing")
                continue
            try:
                of = BasisKind(basis.kind)
            except ValueError:
                self._fault(f"{here}.kind", "unknown")
                continue
            if kind is not None and of not in BASES[kind]:
                self._fault(f"{here}.kind", "not_allowed")
            found.append(LegalBasis(kind=of, number=number, article=article))
        return tuple(found)

    def _cameras(self, given: tuple[str, ...]) -> tuple[str, ...]:
        if not given:
            self._fault("cameras", "missing")
        if len(given) > MAX_CAMERAS:
            self._fault("cameras", "too_many")
            return ()
        for at, camera in enumerate(given):
            if camera in given[:at]:
                self._fault(f"cameras.{at}", "repeated")
            elif not self._is_camera(camera):
                self._fault(f"cameras.{at}", "unknown")
        return given

    def _is_camera(self, camera: str) -> bool:
        try:
            return self.ground.is_camera(check_name("camera", camera))
        except Malformed:
            return False

    def _span(self, start: str, end: str) -> Timespan | None:
        first, last = self._time("from", start), self._time("to", end)
        if first is None or last is None:
            return None
        if last <= first:
            self._fault("to", "empty_span")
            return None
        if first < max(0, self.ground.now - MAX_PAST):
            self._fault("from", "too_old")
        if last > self.ground.now + self.ground.max_future:
            self._fault("to", "too_far")
        return Timespan(first, last)

    def _time(self, name: str, text: str) -> int | None:
        if not text:
            self._fault(name, "missing")
            return None
        try:
            return parse_instant(text)
        except Malformed:
            self._fault(name, "bad_time")
            return None


def judge_letter(number: str, written: str, sha256: str, ground: Ground) -> Letter:
    """Accept a letter that follows, complete. Raises BadForm (``bad_form``) with every fault."""
    reading = _Reading(ground)
    letter = reading._letter(RequestForm(letter_number=number, letter_date=written, letter_sha256=sha256))
    if reading.faults:
        raise BadForm(tuple(reading.faults))
    return letter


def _named(errors: tuple[FieldFault, ...]) -> str:
    return ", ".join(dict.fromkeys(error.field for error in errors))
