"""A form is checked as a whole; a paper's type is determined by its bytes."""

import io
import zipfile
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.cases.requests.form import (
    BASES,
    SENTENCES,
    BadForm,
    BasisForm,
    FieldFault,
    Ground,
    RequestForm,
    judge,
)
from archive.cases.requests.sniffing import JPEG as JPEG_TYPE
from archive.cases.requests.sniffing import PDF as PDF_TYPE
from archive.cases.requests.sniffing import PNG as PNG_TYPE
from archive.cases.requests.sniffing import media_type_of
from archive.errors import Malformed
from archive.model.request import AgencyKind, BasisKind
from archive.timespan import DAY, HOUR, format_instant
from tests.support.leaves import T0
from tests.support.requesting import JPEG, PDF, PNG, form, urgent

SCAN = "a" * 64
GROUND = Ground(
    person="user:dewi",
    now=T0 + HOUR,
    zone=timezone(timedelta(hours=8)),
    max_future=366 * DAY,
    kinds=None,
    is_camera=lambda camera: camera in {"cam-1", "cam-2"},
    is_upload=lambda sha256: sha256 == SCAN,
)


def faults(asked: RequestForm, ground: Ground = GROUND) -> set[tuple[str, str]]:
    try:
        judge(asked, ground)
    except BadForm as error:
        return {(fault.field, fault.code) for fault in error.errors}
    return set()


def test_a_form_that_lacks_nothing_stands() -> None:
    judged = judge(form(letter_sha256=SCAN), GROUND)
    assert judged.letter.is_complete
    assert judged.requester.nrp_nip == "78010123"


def test_every_missing_field_is_named_at_once() -> None:
    assert faults(RequestForm()) == {
        (name, "missing")
        for name in (
            "requester.name", "requester.rank", "requester.nrp_nip", "requester.agency_kind",
            "requester.agency", "requester.unit", "requester.contact", "letter.number", "letter.date",
            "letter.sha256", "legal_basis", "case", "purpose", "cameras", "from", "to",
        )
    }  # fmt: skip


def test_an_urgent_form_may_lack_its_letter_and_nothing_else() -> None:
    assert faults(urgent()) == set()
    assert not judge(urgent(), GROUND).letter.is_complete
    missing = {name for name, _ in faults(RequestForm(urgent=True))}
    assert not any(name.startswith("letter") for name in missing)
    assert {"legal_basis", "requester.nrp_nip", "purpose", "cameras", "from", "to"} <= missing


@pytest.mark.parametrize("kind", AgencyKind)
@pytest.mark.parametrize("basis", BasisKind)
def test_an_agency_names_only_the_bases_that_law_gives_it(kind: AgencyKind, basis: BasisKind) -> None:
    asked = urgent(
        requester_agency_kind=kind.value,
        legal_basis=(BasisForm(kind=basis.value, number="7/2021", article="Pasal 12"),),
    )
    expected = set() if basis in BASES[kind] else {("legal_basis.0.kind", "not_allowed")}
    assert faults(asked) == expected


def test_satpol_pp_names_an_article_of_a_city_regulation_and_police_need_none() -> None:
    perda = BasisForm(kind="perda", number="Perda 7/2021")
    asked = urgent(requester_agency_kind="satpol_pp", legal_basis=(perda,))
    assert faults(asked) == {("legal_basis.0.article", "missing")}
    assert faults(urgent(legal_basis=(BasisForm(kind="lp", number="LP/1"),))) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"requester_nrp_nip": "12345"}, ("requester.nrp_nip", "bad_number")),
        ({"requester_nrp_nip": "7801012a"}, ("requester.nrp_nip", "bad_number")),
        ({"requester_name": "a\nb"}, ("requester.name", "unprintable")),
        ({"requester_unit": "x" * 201}, ("requester.unit", "too_long")),
        ({"requester_agency_kind": "fbi"}, ("requester.agency_kind", "unknown")),
        ({"letter_date": "24-11-2026"}, ("letter.date", "bad_date")),
        ({"letter_date": "2026-02-30"}, ("letter.date", "bad_date")),
        ({"letter_date": "2026-11-25"}, ("letter.date", "in_future")),
        ({"letter_sha256": "zz"}, ("letter.sha256", "bad_hash")),
        ({"letter_sha256": "b" * 64}, ("letter.sha256", "not_uploaded")),
        ({"cameras": ("cam-9",)}, ("cameras.0", "unknown")),
        ({"cameras": ("../x",)}, ("cameras.0", "unknown")),
        ({"cameras": ("cam-1", "cam-1")}, ("cameras.1", "repeated")),
        ({"start": "2026-11-24T14:00:00"}, ("from", "bad_time")),
        ({"end": format_instant(T0)}, ("to", "empty_span")),
        ({"start": format_instant(T0 - 4000 * DAY)}, ("from", "too_old")),
        ({"end": format_instant(T0 + 400 * DAY)}, ("to", "too_far")),
        ({"legal_basis": (BasisForm(kind="kuhap", number="1"),)}, ("legal_basis.0.kind", "unknown")),
        ({"legal_basis": (BasisForm(kind="lp", number="1"),) * 11}, ("legal_basis", "too_many")),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert faults(form(**{"letter_sha256": SCAN, **changes})) == {expected}


def test_the_date_of_a_letter_is_judged_by_the_city_s_clock() -> None:
    late = Ground(**{**{n: getattr(GROUND, n) for n in GROUND.__slots__}, "now": T0 + 12 * HOUR})
    assert faults(form(letter_sha256=SCAN, letter_date="2026-11-25"), late) == set()


def test_an_account_files_for_its_own_kind_of_agency() -> None:
    police = Ground(
        **{**{n: getattr(GROUND, n) for n in GROUND.__slots__}, "kinds": frozenset({AgencyKind.POLRI})}
    )
    asked = urgent(
        requester_agency_kind="satpol_pp",
        legal_basis=(BasisForm(kind="perda", number="7", article="1"),),
    )
    assert faults(asked, police) == {("requester.agency_kind", "not_yours")}


def test_people_read_indonesian_first() -> None:
    for code in SENTENCES:
        text = FieldFault("letter.number", code).message
        assert text == f"letter.number: {SENTENCES[code][0]}. / letter.number {SENTENCES[code][1]}."


@given(
    st.builds(
        RequestForm,
        case=st.text(),
        purpose=st.text(),
        start=st.text(),
        end=st.text(),
        letter_date=st.text(max_size=12),
        requester_nrp_nip=st.text(max_size=20),
        cameras=st.lists(st.text(max_size=5), max_size=4).map(tuple),
        urgent=st.booleans(),
    )
)
def test_whatever_is_typed_is_judged_and_never_breaks(asked: RequestForm) -> None:
    for name, code in faults(asked):
        assert name
        assert code in SENTENCES


def sniffed(content: bytes) -> str:
    return media_type_of(io.BytesIO(content))


def test_papers_are_told_by_their_bytes() -> None:
    assert (sniffed(PDF), sniffed(PNG), sniffed(JPEG)) == (PDF_TYPE, PNG_TYPE, JPEG_TYPE)


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("surat.pdf", PDF)
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        zipped(), PDF + zipped(), PNG + zipped(), JPEG + zipped(), b"", b"%PDF-1.7", PDF[:-30],
        b"<html><script>alert(1)</script>", b"MZ" + PDF, b" " + PDF, PNG[:-1], PNG + b"x", PNG[:40],
        PNG.replace(b"IHDR", b"XHDR"), PNG[:20] + b"\xff" + PNG[21:], JPEG[:-2], JPEG[:30], b"GIF89a" + PDF,
        b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\xff\xffJFIF\xff\xd9", b"\x89PNG\r\n\x1a\n",
    ],
)  # fmt: skip
def test_what_is_no_whole_paper_or_two_things_at_once_is_refused(content: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        sniffed(content)
    assert caught.value.code == "attachment_type"


@given(st.sampled_from([PDF, PNG, JPEG]), st.integers(0, 200), st.binary(max_size=8))
def test_no_bytes_break_the_telling(paper: bytes, at: int, noise: bytes) -> None:
    try:
        found = sniffed(paper[:at] + noise + paper[at:])
    except Malformed:
        return
    assert found in {PDF_TYPE, PNG_TYPE, JPEG_TYPE}
