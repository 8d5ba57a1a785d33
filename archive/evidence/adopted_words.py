"""What a package says in words of footage that was adopted: its own recorder never signed for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archive import canonical
from archive.evidence import imported_words
from archive.evidence.plan import PackagePlan, read_leaf
from archive.model.segment import Segment
from archive.records import journal
from archive.timespan import Timespan

EXPLAINED = (
    "Perekam segmen yang diadopsi menyimpannya di arsip, lalu hilang sebelum menandatangani catatannya. "
    "Perekam lain membaca segmen itu seutuhnya dan menandatangani catatan yang sama. Waktunya menurut "
    "perekam pertama. Segel membuktikan keutuhannya sejak catatan itu ditandatangani.",
    "The recorder of an adopted segment stored it in the archive, and was gone before it signed its record. "
    "Another recorder read the whole segment and signed the same record. Its times are those of the first. "
    "The seal proves that it is whole since that signature.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AdoptedStretch:
    """Originals of one run: who recorded them, and who signed."""

    camera: str
    span: Timespan
    recorder: str
    signer: str


def stretches(plan: PackagePlan) -> list[AdoptedStretch]:
    """The stretches among the originals for which only an adopter signed, by camera and time."""
    own: set[bytes] = set()
    signers: dict[bytes, str] = {}
    for one in plan.journals:
        head, *lines = one.batch.split(b"\n")
        header = canonical.decode(head)
        if header["origin"] == journal.ADOPTED:
            signers.update(dict.fromkeys(lines, str(header["recorder"])))
        else:
            own.update(lines)
    runs: dict[tuple[str, str, str, str], list[Segment]] = {}
    for item in plan.originals:
        if item.leaf in signers and item.leaf not in own:
            leaf = read_leaf(item)
            runs.setdefault((leaf.camera, leaf.run, leaf.recorder, signers[item.leaf]), []).append(leaf)
    found = [
        AdoptedStretch(
            camera,
            Timespan(min(one.span.start for one in leaves), max(one.span.end for one in leaves)),
            recorder,
            signer,
        )
        for (camera, _, recorder, signer), leaves in runs.items()
    ]
    return sorted(found, key=lambda one: (one.camera, one.span.start))


def said_id(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """Each stretch, and a sentence about it, in Indonesian."""
    for one in stretches(plan):
        yield _head(one, moment), f"direkam {one.recorder}, diadopsi: ditandatangani {one.signer}"


def said_en(plan: PackagePlan, moment: Callable[[int], str]) -> Iterator[tuple[str, str]]:
    """As :func:`said_id`, in English."""
    for one in stretches(plan):
        yield _head(one, moment), f"recorded by {one.recorder}, adopted: signed by {one.signer}"


def origins_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The sections of ``README.txt`` about footage that was imported or adopted, in Indonesian."""
    return [*imported_words.listed_id(plan, moment), *listed_id(plan, moment)]


def origins_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`origins_id`, in English."""
    return [*imported_words.listed_en(plan, moment), *listed_en(plan, moment)]


def listed_id(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """The lines of ``README.txt`` about adoptions, in Indonesian; none where nothing was adopted."""
    return imported_words.listed("Rekaman yang diadopsi:", said_id(plan, moment), EXPLAINED[0])


def listed_en(plan: PackagePlan, moment: Callable[[int], str]) -> list[str]:
    """As :func:`listed_id`, in English."""
    return imported_words.listed("Adopted footage:", said_en(plan, moment), EXPLAINED[1])


def _head(one: AdoptedStretch, moment: Callable[[int], str]) -> str:
    return f"{one.camera}  {moment(one.span.start)} - {moment(one.span.end)}"
