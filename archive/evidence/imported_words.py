"""What a package says in words of footage that was imported: recorded elsewhere, and dated by a statement."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import wrap

from archive.evidence.plan import PackagePlan, read_leaf
from archive.model.segment import Segment
from archive.timespan import SECOND, Timespan

IMPORT = "import"
"""The source of a clock statement that a person made."""

EXPLAINED = (
    "Segmen yang diimpor direkam di tempat lain dan dimasukkan ke arsip sebagai berkas. Jamnya bukan jam "
    "perekam arsip, melainkan keterangan pengimpor. Segel membuktikan keutuhannya sejak diimpor.",
    "Imported segments were recorded elsewhere and brought into the archive as files. Their clock is not "
    "that of the archive's recorder: it was stated at the import. The seal proves that they are whole since "
    "then.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ImportedStretch:
    """The originals of one imported file; ``bound`` is that of their times (µs), or None."""

    camera: str
    span: Timespan
    bound: int | None


def stretches(plan: PackagePlan) -> list[ImportedStretch]:
    """The imported stretches among the originals, by camera and time."""
    runs: dict[tuple[str, str], list[Segment]] = {}
    for item in plan.originals:
        leaf = read_leaf(item)
        if leaf.clock.source == IMPORT:
            runs.setdefault((leaf.camera, leaf.run), []).append(leaf)
    found = [
        ImportedStretch(
            camera,
            Timespan(min(one.span.start for one in leaves), max(one.span.end for one in leaves)),
            leaves[0].clock.bound_us,
        )
        for (camera, _), leaves in runs.items()
    ]
    return sorted(found, key=lambda one: (one.camera, one.span.start))


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each stretch, and a sentence about it, in Indonesian."""
    for one in stretches(plan):
        bound = "ketidakpastiannya tidak diketahui" if one.bound is None else f"± {_seconds(one.bound)} detik"
        yield _head(one, moment), f"diimpor dari berkas; waktu menurut pengimpor, {bound}"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    for one in stretches(plan):
        bound = "nobody knows how exact" if one.bound is None else f"to ± {_seconds(one.bound)} s"
        yield _head(one, moment), f"imported from a file; times as stated at the import, {bound}"


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about imports, in Indonesian; none where nothing was imported."""
    return listed("Rekaman yang diimpor:", said_id(plan, moment), EXPLAINED[0])


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return listed("Imported footage:", said_en(plan, moment), EXPLAINED[1])


def listed(title: str, said: Iterator[tuple[str, str]], explained: str) -> list[str]:
    """A section of ``README.txt``: a title, each stretch with its sentence, and what it means."""
    lines = [line for head, sentence in said for line in (f"  {head}", f"      {sentence}")]
    return ["", title, *lines, *(f"  {line}" for line in wrap(explained, 100))] if lines else []


def _head(one: ImportedStretch, moment: Callable[[int], str]) -> str:
    return f"{one.camera}  {moment(one.span.start)} - {moment(one.span.end)}"


def _seconds(bound: int) -> str:
    return f"{bound / SECOND:g}"
