"""The long tables of a sealing report: gaps, originals, clips, documents, the log, destructions, clocks."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from archive.canonical import sha256_hex
from archive.documents.fonts import Font, printable, text_width
from archive.documents.indonesian import fine_moment, length, moment, number, size, zone_word
from archive.documents.pages import Column, Pages
from archive.documents.panel import Align
from archive.documents.words import (
    CAUSES,
    CLOCK_FLAGS,
    CLOCK_SOURCES,
    DISPOSITION_CAUSES,
    DOCUMENTS,
    word,
)
from archive.evidence import (
    adopted_words,
    clock_words,
    encoded_words,
    imported_words,
    logged,
    paths,
    pause_words,
    sound_words,
    sounds,
)  # fmt: skip
from archive.evidence.manifest import checkpoints_of
from archive.evidence.plan import GapStatement, PackagePlan, read_leaf
from archive.evidence.sealing import Copied
from archive.footage.heard import SILENT, in_english
from archive.model.segment import UNSYNCHRONISED, Segment
from archive.timespan import parse_instant
from archive.trust import token

_HASH = Column(title="SHA-256", width=162, font=Font.FIXED, size=7.8)
"""Two lines of 32 digits: legible, and the row needs that height anyway."""


def shortened(text: str, font: Font, points: float, width: float) -> str:
    """The text, cut with an ellipsis where it does not fit."""
    shown = printable(text, font)
    if text_width(shown, font, points) <= width:
        return shown
    while shown and text_width(shown + "…", font, points) > width:
        shown = shown[:-1]
    return shown + "…"


def gaps(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    """The gaps with their causes."""
    if plan.gaps:
        _gap_table(pages, plan.gaps, plan, zone)
    else:
        pages.text("Tidak ada celah dalam rentang ini.", size=9.5)
        pages.english("There is no gap in the span.")
    if plan.superseded:
        pages.space(4)
        pages.text("Celah yang ditandatangani perekam dan ternyata tertutup rekaman:", size=9)
        pages.english("Gaps that a recorder signed and footage covers after all:")
        _gap_table(pages, plan.superseded, plan, zone)


def _gap_table(pages: Pages, gaps: Sequence[GapStatement], plan: PackagePlan, zone: ZoneInfo) -> None:
    columns = (
        Column(title="Kamera", width=86, size=7.5),
        Column(title=f"Dari ({zone_word(zone, plan.span.start)})", width=100, size=7.5),
        Column(title="Sampai", width=100, size=7.5),
        Column(title="Lama", width=82, size=7.5),
        Column(title="Sebab", width=115, size=7.5),
    )
    pages.grid(
        columns,
        (
            (
                gap.camera,
                fine_moment(gap.span.start, zone),
                fine_moment(gap.span.end, zone),
                length(gap.span.duration),
                word(CAUSES, gap.cause),
            )
            for gap in gaps
        ),
    )


def sound(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    """Which footage has sound, of which kind, and who allowed that; or that there is none."""
    last = ""
    for camera, sentence in sound_words.said_id(plan, lambda at: fine_moment(at, zone)):
        if camera != last:
            pages.text(camera, font=Font.BOLD, size=9)
            last = camera
        pages.text(sentence, size=9, indent=12)
    if silent := sound_words.silent_cameras(plan):
        pages.english(f"{SILENT[1]} ({', '.join(silent)})")
    for one in sounds.stretches(plan):
        start, end = (fine_moment(at, zone) for at in (one.span.start, one.span.end))
        pages.english(f"{one.camera}: sound, {in_english(one.sound)}: {start} - {end}")


def write(pages: Pages, copied: Copied, zone: ZoneInfo) -> None:
    """Write all tables but the gaps; a table without rows is left out."""
    plan = copied.plan
    if plan.originals:
        _clocks(pages, plan)
    if encoded_words.stretches(plan):
        _encoded(pages, plan, zone)
    if pause_words.pauses(plan):
        _pauses(pages, plan, zone)
    if clock_words.measurements(plan):
        _device_clocks(pages, plan, zone)
    if imported_words.stretches(plan):
        _imported(pages, plan, zone)
    if adopted_words.stretches(plan):
        _adopted(pages, plan, zone)
    if plan.destructions:
        _destructions(pages, plan, zone)
    if checkpoints_of(plan):
        _checkpoints(pages, plan, zone)
    if plan.documents:
        _documents(pages, plan)
    if plan.clips:
        _clips(pages, copied, zone)
    if plan.originals:
        _originals(pages, plan, zone)


def _clocks(pages: Pages, plan: PackagePlan) -> None:
    pages.heading("Pernyataan jam", "How far to trust the wall times", room=90)
    leaves: dict[str, list[Segment]] = {}
    for item in plan.originals:
        leaves.setdefault(item.ref.camera, []).append(read_leaf(item))
    columns = (
        Column(title="Kamera", width=92, size=7.5),
        Column(title="Sumber waktu", width=118, size=7.5),
        Column(title="Selisih teramati (ms)", width=92, align=Align.RIGHT, size=7.5),
        Column(title="Ketidakpastian (ms)", width=76, align=Align.RIGHT, size=7.5),
        Column(title="Catatan", width=105, size=7.5),
    )
    pages.grid(columns, (_clock(camera, found) for camera, found in sorted(leaves.items())))
    if any(UNSYNCHRONISED in leaf.clock.flags for found in leaves.values() for leaf in found):
        pages.text(
            "Jam perekam yang tidak tersinkron tidak mempunyai batas ketidakpastian: seberapa jauh jam itu "
            "menyimpang dari waktu yang benar tidak diketahui.",
            size=9,
        )
        pages.english(
            "A recorder's clock that is not synchronised has no bound: nobody knows how far it is off."
        )


def _encoded(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Gambar yang dikodekan perekam", "Pictures encoded by the recorder", room=60)
    indonesian, english = encoded_words.EXPLAINED
    for stretch, sentence in encoded_words.said_id(plan, lambda at: fine_moment(at, zone)):
        pages.text(f"{stretch}: {sentence}", size=9)
    pages.text(indonesian, size=9)
    for stretch, sentence in encoded_words.said_en(plan, lambda at: fine_moment(at, zone)):
        pages.english(f"{stretch}: {sentence}")
    pages.english(english)


def _pauses(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Jeda gambar", "Pauses of the picture", room=60)
    indonesian, english = pause_words.EXPLAINED
    for stretch, sentence in pause_words.said_id(plan, lambda at: fine_moment(at, zone)):
        pages.text(f"{stretch}: {sentence}", size=9)
    pages.text(indonesian, size=9)
    for stretch, sentence in pause_words.said_en(plan, lambda at: fine_moment(at, zone)):
        pages.english(f"{stretch}: {sentence}")
    pages.english(english)


def _device_clocks(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Jam kamera", "Clocks of cameras", room=60)
    for camera, sentence in clock_words.said_id(plan, lambda at: fine_moment(at, zone)):
        pages.text(f"{camera}: {sentence}", size=9)
    indonesian, english = clock_words.EXPLAINED
    pages.text(indonesian, size=9)
    for camera, sentence in clock_words.said_en(plan, lambda at: fine_moment(at, zone)):
        pages.english(f"{camera}: {sentence}")
    pages.english(english)


def _imported(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Rekaman yang diimpor atau susulan", "Imported or backfilled footage", room=60)
    for stretch, sentence in imported_words.said_id(plan, lambda at: fine_moment(at, zone)):
        pages.text(f"{stretch}: {sentence}", size=9)
    for stretch, sentence in imported_words.said_en(plan, lambda at: fine_moment(at, zone)):
        pages.english(f"{stretch}: {sentence}")
    for indonesian, english in imported_words.explained(plan):
        pages.text(indonesian, size=9)
        pages.english(english)


def _adopted(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Rekaman yang diadopsi", "Adopted footage", room=60)
    for stretch, sentence in adopted_words.said_id(plan, lambda at: fine_moment(at, zone)):
        pages.text(f"{stretch}: {sentence}", size=9)
    indonesian, english = adopted_words.EXPLAINED
    pages.text(indonesian, size=9)
    pages.english(english)


def _clock(camera: str, leaves: list[Segment]) -> tuple[str, ...]:
    offsets = [leaf.clock.offset_us for leaf in leaves]
    flags = sorted({flag for leaf in leaves for flag in leaf.clock.flags})
    return (
        camera,
        ", ".join(word(CLOCK_SOURCES, one) for one in sorted({leaf.clock.source for leaf in leaves})),
        f"{_milliseconds(min(offsets))} … {_milliseconds(max(offsets))}",
        "tidak diketahui"
        if UNSYNCHRONISED in flags
        else f"± {_milliseconds(max(leaf.clock.uncertainty_us for leaf in leaves))}",
        "; ".join(word(CLOCK_FLAGS, flag) for flag in flags) or "–",
    )


def _milliseconds(microseconds: int) -> str:
    """Milliseconds with one decimal, rounded away from zero so that no uncertainty gets smaller."""
    tenths = -(-abs(microseconds) // 100)
    sign = "−" if microseconds < 0 else ""
    return f"{sign}{number(tenths // 10)},{tenths % 10}"


def _destructions(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Pemusnahan tercatat yang menyentuh rentang ini", "Destructions on record", room=90)
    for one in plan.destructions:
        found = one.disposition
        pages.fact("Berita acara", found.id, font=Font.BOLD)
        pages.fact("Alasan", word(DISPOSITION_CAUSES, found.cause.value))
        pages.fact("Mulai", f"{moment(found.started_at, zone)}, oleh {found.started_by}")
        pages.fact("Tercantum dalam daftar", f"{number(found.segments)} segmen; {size(found.bytes)}")
        pages.fact("SHA-256 catatan", one.record.sha256, font=Font.FIXED, size=8)
        pages.space(4)


def _records(pages: Pages, plan: PackagePlan) -> None:
    """The ledger's entries in the package, and those that are only named."""
    named = sum(not one.line for one in plan.records)
    pages.text(
        f"{number(len(plan.records) - named)} catatan arsip tentang permintaan, persetujuan, penahanan, "
        "kamera dan kunci perekam ada dalam paket dan tercakup dalam log; pemeriksa membandingkannya dengan "
        "pernyataan paket."
        + (
            f" {number(named)} catatan lama memuat hal rahasia, sehingga hanya disebut: isinya dinyatakan "
            "penyegel saja."
            if named
            else ""
        ),
        size=9,
    )
    pages.english(
        f"{len(plan.records) - named} entries of the ledger about request, approval, hold, cameras and "
        "recorders' keys are in the package and in the log; a verifier compares them with the statement."
        + (
            f" {named} old ones hold secrets and are only named: the sealer alone states what they say."
            if named
            else ""
        )
    )


def _checkpoints(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Log arsip", "Checkpoints of the tamper-evident log", room=90)
    proven = sum(item.proof is not None for item in plan.originals)
    pages.text(
        f"{number(proven)} dari {number(len(plan.originals))} segmen asli mempunyai bukti penyertaan dalam "
        "pos pemeriksaan log di bawah, yang ditandatangani kunci log dan diberi penanda waktu.",
        size=9,
    )
    if plan.originals:
        found = logged.count(plan)
        asked = moment(logged.requested_at(plan), zone)
        pages.text(
            f"Sebelum permintaan ({asked}), {number(found.journal)} catatan sudah ditandatangani perekam "
            f"menurut jamnya, dan {number(found.checkpoint)} sudah tercakup checkpoint; catatan lain "
            "sesudahnya. Tanda * dalam daftar segmen asli: tercakup sesudah permintaan, atau tidak tercakup.",
            size=9,
        )
        pages.english(
            f"Before the request, {found.journal} records had been signed by the recorder and "
            f"{found.checkpoint} were covered by a checkpoint; the others later. An asterisk in the list of "
            "originals: covered after the request, or not covered."
        )
    if plan.records:
        _records(pages, plan)
    columns = (
        Column(title="No", width=48, align=Align.RIGHT, size=7.5),
        Column(title="Catatan", width=56, align=Align.RIGHT, size=7.5),
        Column(title="Waktu penandaan", width=121, size=7.5),
        Column(title="Akar Merkle", width=258, font=Font.FIXED, size=6.4),
    )
    pages.grid(
        columns,
        (
            (
                number(one.note.number),
                number(one.note.size),
                moment(token.decode("the checkpoint's stamp", one.stamp).gen_time, zone),
                one.note.root.hex(),
            )
            for one in checkpoints_of(plan)
        ),
    )


def _documents(pages: Pages, plan: PackagePlan) -> None:
    pages.heading("Dokumen lampiran", "Attached documents", room=60)
    columns = (
        Column(title="Berkas", width=150, size=7.5),
        Column(title="Jenis", width=75, size=7.5),
        Column(title="SHA-256", width=258, font=Font.FIXED, size=6.4),
    )
    pages.grid(
        columns,
        (
            (paths.document(name), word(DOCUMENTS, one.kind), sha256_hex(one.content))
            for name, one in sorted(plan.documents.items())
        ),
    )


def _clips(pages: Pages, copied: Copied, zone: ZoneInfo) -> None:
    pages.heading("Klip turunan", "Derived clips: a convenience, not the exhibit", room=90)
    for clip, path in zip(copied.plan.clips, copied.layout.clips, strict=True):
        outcome, account = copied.clips[path], clip.description
        pages.keep_together(70)
        pages.text(path, font=Font.BOLD, size=9)
        for name, key in (("Diminta", "asked"), ("Tampil", "actual")):
            if key in account:
                start, end = (parse_instant(account[key][edge]) for edge in ("from", "to"))
                pages.fact(name, f"{fine_moment(start, zone)} – {fine_moment(end, zone)}", size=8.5)
        hidden = account.get("hidden_frames", 0)
        if hidden:
            before = length(account.get("hidden_preroll_us", 0))
            after = length(account.get("hidden_tail_us", 0))
            pages.fact(
                "Tersembunyi",
                f"{number(hidden)} gambar yang diperlukan dekoder ({before} sebelum, {after} sesudah) ada di "
                "dalam berkas dan dapat dibuka dengan alat lain",
                size=8.5,
            )
        slices = sum(one.count for one in outcome.slices if one is not None)
        pages.fact(
            "Turunan dari",
            f"{number(len(outcome.slices))} potong segmen asli, {number(slices)} irisan gambar",
            size=8.5,
        )
        pages.fact("Ukuran", size(clip.size), size=8.5)
        pages.fact("SHA-256", outcome.sha256, font=Font.FIXED, size=7.5)
        pages.space(4)


def _originals(pages: Pages, plan: PackagePlan, zone: ZoneInfo) -> None:
    pages.heading("Segmen asli", "Original segments: the exhibit", room=90)
    pages.text(
        "Urut menurut kamera dan waktu. Nama berkas di data/original dan keterangan lengkap ada di "
        "data/metadata/evidence.json.",
        size=9,
    )
    columns = (
        Column(title="No", width=34, align=Align.RIGHT, size=7.5),
        Column(title="Kamera", width=80, size=7.5),
        Column(title=f"Mulai ({zone_word(zone, plan.span.start)})", width=104, size=7.5),
        Column(title="Detik", width=42, align=Align.RIGHT, size=7.5),
        Column(title="Bita", width=61, align=Align.RIGHT, size=7.5),
        _HASH,
    )
    pages.grid(columns, _segments(plan, zone))


def _segments(plan: PackagePlan, zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    on_record = logged.logged(plan)
    for count, (item, known) in enumerate(zip(plan.originals, on_record, strict=True), 1):
        ref = item.ref
        seconds, rest = divmod(ref.span.duration // 1000, 1000)
        yield (
            number(count) + ("" if known.checkpoint == logged.BEFORE else "*"),
            ref.camera,
            fine_moment(ref.span.start, zone),
            f"{seconds},{rest:03d}",
            number(ref.size),
            ref.sha256,
        )
