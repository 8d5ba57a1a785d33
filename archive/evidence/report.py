"""The two texts inside a package: what it is, and how to check it with common tools.

Indonesian first, English second. Plain text, at most 110 columns, and the same bytes for the same plan.
``tests/integration/evidence/test_package_witnesses.py`` runs the commands in :func:`instructions` unchanged.
"""

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from archive.documents.indonesian import fine_moment, moment, number, size, zone_named, zone_word
from archive.documents.words import CAUSES, word
from archive.evidence import (
    adopted_words,
    clock_words,
    encoded_words,
    entries_by_hand,
    journals_by_hand,
    logged,
    pause_words,
    revocation_by_hand,
    sound_words,
)
from archive.evidence.plan import GapStatement, PackagePlan
from archive.model.evidence import PackageKind
from archive.timespan import as_datetime

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
LIMITS: tuple[tuple[str, str], ...] = (
    (
        "Segel membuktikan bahwa isi paket tidak berubah sejak diterima arsip; segel tidak membuktikan bahwa "
        "adegan yang terekam itu benar.",
        "The seal proves that the contents have not changed since the archive took them in; it does not "
        "prove that the recorded scene is what it seems.",
    ),
    (
        "Waktu rekaman adalah waktu jam perekam dengan ketidakpastian yang dinyatakan per segmen; jam "
        "perekam yang tidak tersinkron tidak mempunyai batas ketidakpastian. Jam kamera hanya dicatat, tidak "
        "dipakai untuk mengoreksi.",
        "Wall times are those of the recorder, with the uncertainty stated for each segment; a recorder's "
        "clock that was not synchronised has no bound. A camera's own clock is noted and never used as a "
        "correction.",
    ),
    (
        "Paket tidak membuktikan identitas orang, dan tidak membuktikan bahwa kamera tidak diubah sebelum "
        "perekam menerima gambarnya.",
        "The package does not prove who a person is, nor that nobody tampered with a camera before the "
        "recorder received its picture.",
    ),
    (
        "Bagian tanpa rekaman disebut sebagai celah dengan sebabnya; celah tidak berarti tidak terjadi "
        "apa-apa.",
        "Stretches without footage are listed as gaps with their cause; a gap does not mean that nothing "
        "happened.",
    ),
    (
        "Klip di data/derivative adalah turunan untuk kemudahan; barang buktinya adalah segmen asli di "
        "data/original.",
        "Clips in data/derivative are a convenience; the exhibit is the untouched segments in data/original.",
    ),
)
"""What a package does not prove, in Indonesian and English; also in ``evidence.json``."""

NO_FOOTAGE_LIMITS: tuple[tuple[str, str], ...] = (
    (
        "Paket ini menyatakan bahwa arsip tidak menyimpan rekaman kamera yang disebut pada rentang yang "
        "disebut; paket tidak membuktikan bahwa rekaman itu tidak pernah ada, atau tidak ada di tempat lain.",
        "The package states that the archive holds no footage of the named cameras in the named span; it "
        "does not prove that there never was any, or that there is none elsewhere.",
    ),
    (
        "Setiap bagian rentang disebut sebagai celah dengan sebabnya, menurut catatan perekam dan arsip; "
        "celah tidak berarti tidak terjadi apa-apa.",
        "Each part of the span is listed as a gap with its cause, by the records of recorder and archive; a "
        "gap does not mean that nothing happened.",
    ),
    (
        "Pemusnahan yang disebut dilakukan menurut aturan dan tercatat; catatannya ada di data/proofs.",
        "Destructions that are named were done by a rule and on record; the records are in data/proofs.",
    ),
)
"""The same list, for a package that states that there is no footage."""


def limits(kind: PackageKind) -> tuple[tuple[str, str], ...]:
    """What a package of this kind does not prove."""
    return LIMITS if kind is PackageKind.FOOTAGE else NO_FOOTAGE_LIMITS


def readme(plan: PackagePlan) -> bytes:
    """``README.txt``: the package in words, for a reader who opens it years later.

    Raises:
        Malformed: ``bad_time_zone`` when the plan's time zone is not known here.
    """
    zone = zone_named(plan.tz_display)
    return (_readme_id(plan, zone) + "\n" + "=" * 78 + "\n\n" + _readme_en(plan, zone)).encode()


def instructions() -> bytes:
    """``VERIFIKASI.txt``: how to verify a package with coreutils and OpenSSL alone."""
    return _INSTRUCTIONS.encode()


def _readme_id(plan: PackagePlan, zone: ZoneInfo) -> str:
    lines = [
        f"PAKET BUKTI ELEKTRONIK {plan.evidence_id}",
        *(["PERNYATAAN TIDAK ADA REKAMAN"] if plan.kind is PackageKind.NO_FOOTAGE else []),
        "",
        f"Disegel oleh : {plan.organization}",
        f"Perkara      : {plan.case}",
        f"Pelaku segel : {plan.actor}",
        f"Rentang      : {fine_moment(plan.span.start, zone)} {zone_word(zone, plan.span.start)}",
        f"         s.d.: {fine_moment(plan.span.end, zone)} {zone_word(zone, plan.span.end)}",
        f"Disiapkan    : {moment(plan.prepared_at, zone)}",
        f"Isi          : {number(len(plan.originals))} segmen asli; {size(_bytes(plan))}",
        *_on_record_id(plan, zone),
        "",
        "Kamera:",
        *_cameras(plan),
        "",
        "Celah (bagian tanpa rekaman):",
        *(_gaps_id(plan.gaps, zone) or ["  tidak ada"]),
        *_titled("Celah bertanda tangan yang ternyata terekam:", _gaps_id(plan.superseded, zone)),
        *_titled("Suara:", sound_words.listed(sound_words.said_id(plan, lambda at: fine_moment(at, zone)))),
        *encoded_words.listed_id(plan, lambda at: fine_moment(at, zone)),
        *pause_words.listed_id(plan, lambda at: fine_moment(at, zone)),
        *clock_words.listed_id(plan, lambda at: fine_moment(at, zone)),
        *adopted_words.origins_id(plan, lambda at: fine_moment(at, zone)),
        "",
        "Isi paket:",
        "  data/original/    segmen asli, tidak diubah satu bit pun: inilah barang buktinya",
        "  data/derivative/  klip yang dipotong dari segmen asli tanpa pengodean ulang",
        "  data/metadata/    evidence.json (pernyataan), custody.jsonl (riwayat penguasaan), dan di ledger/",
        "                    catatan arsip tentang siapa meminta dan menyetujui, kamera dan perekam",
        "  data/proofs/      catatan perekam untuk tiap segmen, kumpulan catatan yang ditandatangani, dan",
        "                    bukti kapan catatan itu tercakup dalam log arsip",
        "  signatures/       segel dan penanda waktu; cara memeriksanya ada di data/VERIFIKASI.txt",
        "",
        "Yang tidak dibuktikan oleh segel:",
        *(f"  - {limit}" for limit, _ in limits(plan.kind)),
    ]
    return "\n".join(lines) + "\n"


def _readme_en(plan: PackagePlan, zone: ZoneInfo) -> str:
    lines = [
        f"ELECTRONIC EVIDENCE PACKAGE {plan.evidence_id}",
        *(["STATEMENT THAT THERE IS NO FOOTAGE"] if plan.kind is PackageKind.NO_FOOTAGE else []),
        "",
        f"Sealed by : {plan.organization}",
        f"Case      : {plan.case}",
        f"Actor     : {plan.actor}",
        f"From      : {_english(plan.span.start, zone)}",
        f"To        : {_english(plan.span.end, zone)}",
        f"Prepared  : {_english(plan.prepared_at, zone)}",
        f"Contents  : {len(plan.originals):,} original segments; {_english_size(_bytes(plan))}",
        *_on_record_en(plan, zone),
        "",
        "Cameras:",
        *_cameras(plan),
        "",
        "Gaps (stretches without footage):",
        *(_gaps_en(plan.gaps, zone) or ["  none"]),
        *_titled("Signed gaps that footage covers after all:", _gaps_en(plan.superseded, zone)),
        *_titled("Sound:", sound_words.listed(sound_words.said_en(plan, lambda at: _english(at, zone)))),
        *encoded_words.listed_en(plan, lambda at: _english(at, zone)),
        *pause_words.listed_en(plan, lambda at: _english(at, zone)),
        *clock_words.listed_en(plan, lambda at: _english(at, zone)),
        *adopted_words.origins_en(plan, lambda at: _english(at, zone)),
        "",
        "Contents:",
        "  data/original/    the segments as recorded, not one bit changed: this is the exhibit",
        "  data/derivative/  clips cut from the originals without re-encoding",
        "  data/metadata/    evidence.json (statement), custody.jsonl (chain of custody), and in ledger/ the",
        "                    archive's own entries of who asked and approved, of cameras and recorders",
        "  data/proofs/      the recorder's own record of each segment, its signed batches of records, and",
        "                    proof of when the archive's log covered them",
        "  signatures/       the seal and its time stamp; data/VERIFIKASI.txt says how to check them",
        "",
        "What the seal does not prove:",
        *(f"  - {limit}" for _, limit in limits(plan.kind)),
    ]
    return "\n".join(lines) + "\n"


def _cameras(plan: PackagePlan) -> list[str]:
    return [
        f"  {camera.id}  {camera.name}  ({camera.place.kecamatan} / {camera.place.kelurahan}; "
        f"{camera.place.lat:f}, {camera.place.lon:f})"
        for camera in plan.cameras
    ]


def _gaps_id(gaps: Iterable[GapStatement], zone: ZoneInfo) -> list[str]:
    return _gaps(gaps, lambda at: fine_moment(at, zone), lambda cause: word(CAUSES, cause))


def _gaps_en(gaps: Iterable[GapStatement], zone: ZoneInfo) -> list[str]:
    return _gaps(gaps, lambda at: _english(at, zone), str)


def _gaps(
    gaps: Iterable[GapStatement], shown: Callable[[int], str], cause: Callable[[str], str]
) -> list[str]:
    return [
        f"  {gap.camera}  {shown(gap.span.start)} - {shown(gap.span.end)}  {cause(gap.cause)}" for gap in gaps
    ]


def _titled(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def _on_record_id(plan: PackagePlan, zone: ZoneInfo) -> list[str]:
    """When the originals were on record, from this package's own times."""
    if not plan.originals:
        return []
    found = logged.count(plan)
    return [
        "",
        f"Permintaan   : {moment(logged.requested_at(plan), zone)}",
        "Sebelum waktu itu, dari semua catatan segmen asli:",
        f"  {found.journal} dari {found.originals} sudah ditandatangani perekam (menurut jam perekam)",
        f"  {found.checkpoint} dari {found.originals} tercakup pos pemeriksaan log yang berpenanda waktu",
        "Catatan lain sesudahnya; evidence.json menyebutnya untuk tiap segmen (logged).",
    ]


def _on_record_en(plan: PackagePlan, zone: ZoneInfo) -> list[str]:
    if not plan.originals:
        return []
    found = logged.count(plan)
    return [
        "",
        f"Request   : {_english(logged.requested_at(plan), zone)}",
        "Before that time, of the records of all originals:",
        f"  {found.journal} of {found.originals} had been signed by the recorder (by the recorder's clock)",
        f"  {found.checkpoint} of {found.originals} were covered by a time-stamped checkpoint of the log",
        "The others later; evidence.json says so for each segment (logged).",
    ]


def _bytes(plan: PackagePlan) -> int:
    return sum(item.ref.size for item in plan.originals)


def _english(instant: int, zone: ZoneInfo) -> str:
    """``24 November 2026 14:00:00.123 UTC+08:00``; the machine's own language plays no part."""
    local = as_datetime(instant).astimezone(zone)
    offset = f"{local:%z}"
    day = f"{local.day} {_MONTHS[local.month - 1]} {local.year}"
    return f"{day} {local:%H:%M:%S}.{local.microsecond // 1000:03d} UTC{offset[:3]}:{offset[3:]}"


def _english_size(count: int) -> str:
    """As :func:`archive.documents.indonesian.size`, with an English comma and point."""
    return size(count).replace("bita", "bytes").translate(str.maketrans(".,", ",."))


_COMMANDS_TAGS = """\
    sha256sum --check --strict --quiet tagmanifest-sha256.txt
    sha256sum --check --strict --quiet manifest-sha256.txt
    diff <({ cut -c67- manifest-sha256.txt tagmanifest-sha256.txt; echo tagmanifest-sha256.txt; } \\
        | LC_ALL=C sort) \\
      <(find . ! -type d ! -path './signatures/*' ! -path './handover/*' | cut -c3- | LC_ALL=C sort)
    find . ! -type d \\( -path './signatures/*' -o -path './handover/*' \\) | { LC_ALL=C grep -vE \\
      -e '^\\./signatures/tagmanifest-sha256\\.txt\\.p7s(\\.tsr)?$' \\
      -e '^\\./signatures/certs/(seal-chain\\.pem|tsa-chain\\.pem|[0-9a-f]{16}\\.crl)$' \\
      -e '^\\./handover/[0-9]+/(right|receipt|closing)-[0-9a-f]{16}\\.json$' \\
      -e '^\\./handover/[0-9]+/berita-acara-[0-9a-f]{16}(-[0-9a-f]{16})?\\.pdf$' || true; }
"""
_COMMANDS_SEAL = """\
    openssl cms -verify -cades -binary -no-CApath -no-CAstore -inform DER \\
      -in signatures/tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt \\
      -CAfile ../trust.pem -signer ../signer.pem -out /dev/null
"""
_COMMANDS_WHO = """\
    openssl x509 -in ../signer.pem -noout -subject -fingerprint -sha256
    sha256sum tagmanifest-sha256.txt
"""
_COMMANDS_WHEN = """\
    openssl ts -verify -data signatures/tagmanifest-sha256.txt.p7s \\
      -in signatures/tagmanifest-sha256.txt.p7s.tsr -CAfile ../tsa-trust.pem
    openssl ts -reply -in signatures/tagmanifest-sha256.txt.p7s.tsr -text
"""
_COMMANDS_LATER = """\
    G=$(date -d "$(openssl ts -reply -in signatures/tagmanifest-sha256.txt.p7s.tsr -text 2>/dev/null \\
      | sed -n 's/^Time stamp: //p')" +%s)
    openssl cms -verify -cades -binary -no-CApath -no-CAstore -inform DER -attime $G \\
      -in signatures/tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt \\
      -CAfile ../trust.pem -out /dev/null
    openssl ts -verify -attime $G -data signatures/tagmanifest-sha256.txt.p7s \\
      -in signatures/tagmanifest-sha256.txt.p7s.tsr -CAfile ../tsa-trust.pem
"""
_COMMANDS_BAG = """\
    bagit.py --validate .
"""
_COMMANDS_LOG = """\
    for c in data/proofs/checkpoints/*/; do
      openssl cms -verify -cades -binary -no-CApath -no-CAstore -inform DER \\
        -in "$c"checkpoint.p7s -content "$c"checkpoint \\
        -CAfile ../trust.pem -signer ../log-signer.pem -out /dev/null || echo GAGAL
      openssl ts -verify -data "$c"checkpoint -in "$c"checkpoint.tsr -CAfile ../tsa-trust.pem || echo GAGAL
      openssl x509 -in ../log-signer.pem -noout -subject -fingerprint -sha256
    done
"""
_COMMANDS_INCLUDED = """\
    N=0
    tell() { jq -r ".originals[$N]$1" data/metadata/evidence.json; }
    digits() { tr -cd 0-9; }
    hash() { xxd -r -p | sha256sum | cut -c1-64; }
    leaf=$(sed -n "$(tell .leaf_line | digits)p" <"$(tell .leaf)")
    proof=$(sed -n "$(tell .log.proof_line | digits)p" <"$(tell .log.proof)")
    checkpoint=data/proofs/checkpoints/$(printf %010d "$(tell .log.checkpoint | digits)")/checkpoint
    node=$( { printf 00; printf %s "$leaf" | xxd -p | tr -d '\\n'; } | hash )
    at=$(jq .leaf_index <<<"$proof" | digits)
    last=$(( $(sed -n 2p $checkpoint | digits) - 1 ))
    [ "$at" -ge 0 ] && [ "$at" -le "$last" ] || node=none
    for step in $(jq -r '.proof[]' <<<"$proof"); do
      [ "$last" -gt 0 ] || { node=none; break; }
      if [ $((at % 2)) = 1 ] || [ "$at" = "$last" ]; then
        node=$(printf '01%s%s' "$step" "$node" | hash)
        while [ "$at" != 0 ] && [ $((at % 2)) = 0 ]; do at=$((at / 2)); last=$((last / 2)); done
      else
        node=$(printf '01%s%s' "$node" "$step" | hash)
      fi
      at=$((at / 2)); last=$((last / 2))
    done
    root=$(sed -n 3p $checkpoint | base64 -d | xxd -p | tr -d '\\n')
    [ "$last" = 0 ] && [ "$node" = "$root" ] && \\
      [ "$(jq -r .sha256 <<<"$leaf")" = "$(sha256sum <"$(tell .path)" | cut -c1-64)" ] && echo INCLUDED
"""
_COMMANDS_PYZ = """\
    python3 ../saksi-verify.pyz --trust ../trust.pem --tsa-trust ../tsa-trust.pem .
"""

_INSTRUCTIONS = f"""\
CARA MEMERIKSA PAKET INI

Yang diperlukan hanya Linux dengan coreutils dan OpenSSL 3. Buka terminal (bash) di folder paket, yaitu
folder yang berisi bagit.txt. Dapatkan dua berkas dari LUAR paket, misalnya dari situs resmi instansi atau
dari penyidik, dan simpan di folder di atasnya: trust.pem (sertifikat akar penyegel) dan tsa-trust.pem
(sertifikat akar otoritas penanda waktu; boleh sama). Jangan memakai sertifikat dari dalam paket.
Jangan menjalankan program apa pun yang datang bersama paket.

Langkah 1 sampai 4 menentukan. Langkah 7 dan 8 ada bila folder data/proofs/checkpoints ada.

1. Isi lengkap dan tidak berubah. Keempat perintah tidak boleh mencetak apa pun. Perintah ketiga dan keempat
   wajib: sha256sum saja tidak melihat berkas yang ditambahkan. Yang ketiga mencetak berkas yang tidak
   tercatat dalam manifes; yang keempat mencetak berkas di signatures/ dan handover/ yang tidak ditaruh
   arsip di sana.

{_COMMANDS_TAGS}
2. Segel. Harus tercetak "CAdES Verification successful".

{_COMMANDS_SEAL}
3. SIAPA. Sidik jari sertifikat harus sama dengan yang tercetak di berita acara atau yang diumumkan
   instansi: sertifikat lain dari akar yang sama pun lolos langkah 2. Nilai SHA-256 di baris terakhir harus
   sama dengan yang tercetak di berita acara.

{_COMMANDS_WHO}
4. KAPAN. Harus tercetak "Verification: OK"; "Time stamp" adalah waktu paling lambat segel itu ada.

{_COMMANDS_WHEN}
5. Bertahun-tahun kemudian, bila sertifikat sudah kedaluwarsa: periksa keduanya pada waktu penandaan itu.

{_COMMANDS_LATER}
6. Tambahan, bila bagit-python terpasang.

{_COMMANDS_BAG}
7. Log arsip. Untuk setiap checkpoint harus tercetak "CAdES Verification successful" dan "Verification: OK";
   GAGAL tidak boleh tercetak. Sidik jari harus sama dengan sidik jari kunci log yang diumumkan instansi;
   kunci itu lain dari kunci segel. Bertahun-tahun kemudian tambahkan -attime seperti pada langkah 5.

{_COMMANDS_LOG}
8. Penyertaan: catatan segmen, beserta nilai hash-nya, sudah ada dalam log pada waktu penandaan checkpoint.
   Harus tercetak INCLUDED. N menunjuk segmen dalam evidence.json, mulai dari 0; ulangi dengan N lain.
   Perlu juga jq dan xxd.

{_COMMANDS_INCLUDED}
9. Semua langkah sekaligus, juga asal-usul klip, dengan program pemeriksa satu berkas (Python 3.9 ke atas).
   Dapatkan saksi-verify.pyz dari LUAR paket, simpan di folder di atasnya, dan tambahkan --signer SIDIKJARI
   dan --log-key SIDIKJARI dengan sidik jari yang diumumkan instansi.

{_COMMANDS_PYZ}
10. PENCABUTAN. Dapatkan daftar pencabutan terbaru dari LUAR paket dan simpan di folder di atasnya:
   pencabutan.crl dari otoritas penyegel dan pencabutan-waktu.crl dari otoritas penanda waktu (boleh daftar
   yang sama). Langkah 2 sudah menulis signer.pem di sana. Untuk segel maupun untuk waktu harus tercetak
   TIDAK DICABUT atau DICABUT SESUDAHNYA: segel yang ditandai waktunya sebelum sertifikatnya dicabut tetap
   sah, dan penanda waktu tetap sah bila sertifikatnya dicabut sesudah itu tanpa kuncinya bocor. DICABUT
   berarti segel atau penanda waktu ini tidak boleh dipercaya; DAFTAR ASING, bahwa otoritas lain membuat
   daftarnya.
   openssl cms -verify dengan -crl_check hanya menilai keadaan sekarang: ia menolak juga segel yang dibuat
   sebelum pencabutan, dan -attime tidak mengubahnya; karena itu waktu penandaan dibandingkan di sini.

{revocation_by_hand.REVOKED}
{journals_by_hand.JOURNAL_ID}
{journals_by_hand.JOURNAL_COMMANDS}
{entries_by_hand.RECORDS_ID}
{entries_by_hand.RECORDS}
Windows: certutil -hashfile BERKAS SHA256 atau Get-FileHash untuk langkah 1, OpenSSL untuk langkah lain.
Di Debian 12, openssl dgst -sha256 -r BERKAS lebih cepat daripada sha256sum.

==============================================================================

HOW TO CHECK THIS PACKAGE

Linux with coreutils and OpenSSL 3 is all you need. Open a terminal (bash) in the folder of the package, the
one that holds bagit.txt. Get two files from OUTSIDE the package, such as the authority's own site or the
investigator, and keep them one folder above: trust.pem (the sealing authority's root certificate) and
tsa-trust.pem (the root of the time-stamping authority; it may be the same). Do not use certificates from
inside the package. Do not run any program that comes with a package.

The commands are those above. Steps 1 to 4 decide; steps 7 and 8 are there where data/proofs/checkpoints is.

1. Complete and unchanged: the four commands must print nothing. The third and the fourth are not optional:
   sha256sum alone does not see files that were added. The third prints files that no manifest lists; the
   fourth prints files in signatures/ and handover/ that the archive did not put there.
2. The seal: "CAdES Verification successful" must appear.
3. WHO: the certificate's fingerprint must equal the one printed on the handover report or published by the
   authority, since another certificate of the same root passes step 2 as well. The last line's SHA-256 must
   equal the one on the handover report.
4. WHEN: "Verification: OK" must appear; "Time stamp" is the latest moment at which the seal existed.
5. Years later, when certificates have expired: check both at the time of the stamp.
6. In addition, where bagit-python is installed.
7. The archive's log: for each checkpoint "CAdES Verification successful" and "Verification: OK" must appear,
   and GAGAL (failed) must not. The fingerprint must be that of the log key as published; it is another key
   than the seal's. Years later add -attime as in step 5.
8. Inclusion: a segment's record, with its hash, stood in the log at the time of the checkpoint's stamp.
   INCLUDED must appear. N is the segment's place in evidence.json, from 0; repeat with others. jq and xxd are
   needed as well.
9. All steps at once, and where the clips come from, with the verifier in one file (Python 3.9 or later). Get
   saksi-verify.pyz from OUTSIDE the package and add --signer FINGERPRINT and --log-key FINGERPRINT as
   published.
10. REVOCATION: get the newest revocation lists from OUTSIDE the package and keep them one folder above:
   pencabutan.crl of the sealing authority and pencabutan-waktu.crl of the time-stamping authority (it may be
   the same list). For the seal (segel) and for the time (waktu) TIDAK DICABUT (not revoked) must appear, or
   DICABUT SESUDAHNYA (revoked later): a seal that was stamped before its certificate was revoked stays good,
   and so does a stamp whose certificate was revoked after it while its key was never lost. DICABUT (revoked)
   means that seal or stamp is not to be believed; DAFTAR ASING, that the list is of another authority.
   openssl cms -verify with -crl_check judges the present alone: it refuses a seal made before the revocation
   as well, whatever -attime says; so the stamp's time is compared here.
{journals_by_hand.JOURNAL_EN}
{entries_by_hand.RECORDS_EN}
Windows: certutil -hashfile FILE SHA256 or Get-FileHash for step 1, OpenSSL for the others.
On Debian 12, openssl dgst -sha256 -r FILE is faster than sha256sum.
"""
