"""What a package says in words of footage that no recorder of the archive recorded.

It was imported, recorded elsewhere and dated by a statement; or backfilled: the camera kept it itself, and it
was fetched later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from types import MappingProxyType

from archive.evidence.plan import PackagePlan, read_leaf
from archive.model.segment import Segment
from archive.timespan import SECOND, Timespan

IMPORT, BACKFILL = "import", "backfill"
"""The sources of clock statements: a person's, and that of a camera which kept the footage itself."""

EXPLAINED: Mapping[str, tuple[str, str]] = MappingProxyType({IMPORT: (
    "Segmen yang diimpor direkam di tempat lain dan dimasukkan ke arsip sebagai berkas. Jamnya bukan jam "
    "perekam arsip, melainkan keterangan pengimpor. Segel membuktikan keutuhannya sejak diimpor.",
    "Imported segments were recorded elsewhere and brought into the archive as files. Their clock is not "
    "that of the archive's recorder: it was stated at the import. The seal proves that they are whole since "
    "then.",
), BACKFILL: (
    "Segmen susulan disimpan oleh kamera sendiri selama kamera tidak terekam, dan diambil kemudian dari "
    "memorinya. Jamnya jam kamera, dikoreksi dengan selisih yang pertama diukur sesudah celah. Segel "
    "membuktikan keutuhannya sejak diambil. Celah yang diisinya tetap tercatat.",
    "Backfilled segments were kept by the camera itself while it was not recorded, and were fetched from its "
    "memory later. Their clock is the camera's, corrected by the first offset that was measured after the "
    "gap. The seal proves that they are whole since they were fetched. The gap that they fill stays on "
    "record.",
)})  # fmt: skip
_DOUBTS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "camera_clock_disagrees": (
        "jawaban jam kamera sebelum dan sesudah celah berbeda, mungkin jamnya diatur di antaranya: "
        "ketidakpastian ini mencakup keduanya",
        "what the camera's clock said before the hole and after it differs, so it may have been set between "
        "them: this uncertainty covers both",
    ),
    "camera_clock_asked_once": (
        "jam kamera sebelum celah tidak diketahui: bila jamnya diatur sesudah celah, waktunya salah sebesar "
        "perubahan itu",
        "nothing is known of the camera's clock before the hole: if it was set since, the times are off by "
        "that",
    ),
    "camera_clock_unproven": (
        "jam kamera ditanya lewat http, jadi pihak di jaringan dapat menjawab sebagai kamera",
        "the camera's clock was asked by plain http, so somebody on the network may have answered for it",
    ),
})  # fmt: skip
"""What the flags of a clock statement say of a camera's clock."""
_WIDTH = 100
_TITLES = {
    IMPORT: ("Rekaman yang diimpor:", "Imported footage:"),
    BACKFILL: ("Rekaman susulan dari memori kamera:", "Footage backfilled from the camera's memory:"),
}


@dataclass(frozen=True, slots=True)
class ImportedStretch:
    """The originals of one imported file, or of one that the camera kept.

    ``bound`` is that of their times, ``offset`` what the camera's clock was ahead (µs).
    """

    source: str
    camera: str
    span: Timespan
    bound: int | None
    offset: int
    at: int
    """When they came into the archive."""
    flags: tuple[str, ...] = ()


def stretches(plan: PackagePlan) -> list[ImportedStretch]:
    """The imported and the backfilled stretches among the originals, by camera and time."""
    runs: dict[tuple[str, str, str], list[Segment]] = {}
    for item in plan.originals:
        leaf = read_leaf(item)
        if leaf.clock.source in EXPLAINED:
            runs.setdefault((leaf.camera, leaf.run, leaf.clock.source), []).append(leaf)
    found = [
        ImportedStretch(
            source,
            camera,
            Timespan(min(one.span.start for one in leaves), max(one.span.end for one in leaves)),
            leaves[0].clock.bound_us,
            leaves[0].clock.offset_us,
            max(one.ingested_at for one in leaves),
            tuple(sorted({flag for one in leaves for flag in one.clock.flags})),
        )
        for (camera, _, source), leaves in runs.items()
    ]
    return sorted(found, key=lambda one: (one.camera, one.span.start))


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each stretch, and a sentence about it, in Indonesian."""
    for one in stretches(plan):
        bound = "ketidakpastiannya tidak diketahui" if one.bound is None else f"± {_seconds(one.bound)} detik"
        if one.source == BACKFILL:
            yield (
                _head(one, moment),
                f"susulan (backfilled) dari memori kamera, diambil {moment(one.at)}; waktu menurut "
                f"jam kamera, yang {_apart(one.offset, 'cepat', 'lambat', 'detik')}, "
                f"{bound}{_doubts(one, 0)}",
            )
            continue
        yield _head(one, moment), f"diimpor dari berkas; waktu menurut pengimpor, {bound}"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    for one in stretches(plan):
        bound = "nobody knows how exact" if one.bound is None else f"to ± {_seconds(one.bound)} s"
        if one.source == BACKFILL:
            yield (
                _head(one, moment),
                f"backfilled from the camera's memory, fetched {moment(one.at)}; times by the camera's "
                f"clock, which was {_apart(one.offset, 'fast', 'slow', 's')}, {bound}{_doubts(one, 1)}",
            )
            continue
        yield _head(one, moment), f"imported from a file; times as stated at the import, {bound}"


def explained(plan: PackagePlan) -> list[tuple[str, str]]:
    """What must be known of such footage, in Indonesian and English, for each kind that the package has."""
    found = {one.source for one in stretches(plan)}
    return [texts for source, texts in EXPLAINED.items() if source in found]


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about such footage, in Indonesian; none where there is none."""
    return _listed(plan, said_id(plan, moment), 0)


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return _listed(plan, said_en(plan, moment), 1)


def listed(title: str, said: Iterable[tuple[str, str]], explained: str) -> list[str]:
    """A section of ``README.txt``: a title, each stretch with its sentence, and what it means."""
    lines: list[str] = []
    for head, sentence in said:
        lines += [f"  {head}", *(f"      {line}" for line in wrap(sentence, _WIDTH))]
    return ["", title, *lines, *(f"  {line}" for line in wrap(explained, _WIDTH))] if lines else []


def _listed(plan: PackagePlan, said: Iterator[tuple[str, str]], language: int) -> list[str]:
    texts = list(zip(stretches(plan), said, strict=True))
    return [
        line
        for source, explanation in EXPLAINED.items()
        for line in listed(
            _TITLES[source][language],
            [text for one, text in texts if one.source == source],
            explanation[language],
        )
    ]


def _apart(offset: int, fast: str, slow: str, seconds: str) -> str:
    """By how much the camera's clock was off: ``2.5 s fast``."""
    return f"{_seconds(abs(offset))} {seconds} {fast if offset >= 0 else slow}"


def _doubts(one: ImportedStretch, language: int) -> str:
    return "".join(f"; {texts[language]}" for flag, texts in _DOUBTS.items() if flag in one.flags)


def _head(one: ImportedStretch, moment: Callable[[int], str]) -> str:
    return f"{one.camera}  {moment(one.span.start)} - {moment(one.span.end)}"


def _seconds(bound: int) -> str:
    return f"{bound / SECOND:g}"
