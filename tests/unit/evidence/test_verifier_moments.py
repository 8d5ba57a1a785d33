"""An insider with the seal key states times that cannot be, or lists that are not what they claim."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.clock import ManualClock
from archive.evidence import bag, paths, report
from archive.evidence.verifier import lists
from archive.evidence.verifier.canonical import sha256, write
from archive.evidence.verifier.openssl import Openssl
from archive.model.evidence import PackageKind
from archive.timespan import DAY, MINUTE, SECOND, format_instant
from ops import keys as installation
from tests.support.packages import T0, World, a_request, make_world, write_tags
from tests.support.verifying import program, verified

__all__ = ["program"]

Statement = dict[str, Any]
Change = Callable[[Statement], object]
PREPARED = T0 + DAY
TOLERATED, TOO_MUCH = 4 * MINUTE, 6 * MINUTE


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), cameras=("cam-1", "cam-2"), request=a_request())
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture(scope="module")
def nothing(origin: World) -> World:
    world = replace(origin.of_nothing(), folder=origin.folder / "nothing")
    world.folder.mkdir()
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    copy = tmp_path / "package"
    shutil.copytree(origin.folder / "package", copy, copy_function=shutil.copyfile)
    return copy


def sealed(origin: World, package: Path, program: Openssl, *, stamped: int = PREPARED) -> dict[str, str]:
    """Seal a changed package with the true keys; the codes found, with the details of the last of each."""
    write_tags(package)
    seal = origin.sealer.signer.sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    authority = installation.load_local_authority(origin.keys, clock=ManualClock(stamped))
    (package / paths.SEAL).write_bytes(seal)
    (package / paths.STAMP).write_bytes(authority.stamp(seal))
    notebook = verified(origin, package, origin.pinned(), "now", program)
    return {one.code: one.detail for one in notebook.findings}


def restated(origin: World, package: Path, program: Openssl, change: Change) -> dict[str, str]:
    value = canonical.decode((package / paths.STATEMENT).read_bytes())
    change(value)
    (package / paths.STATEMENT).write_bytes(canonical.encode(value))
    return sealed(origin, package, program)


def test_what_is_sealed_has_possible_times(origin: World, package: Path, program: Openssl) -> None:
    assert sealed(origin, package, program) == {}


def approved_late(value: Statement) -> Statement:
    """The request, whose approval is as late as it may be."""
    value["approvals"][0]["at"] = format_instant(PREPARED + TOLERATED)
    return value["request"]  # type: ignore[no-any-return]


TIMES: dict[str, tuple[Callable[[Statement], Statement], str, int, int]] = {
    "filed after the preparation": (approved_late, "filed_at", PREPARED, 1),
    "approved in the future": (lambda v: v["approvals"][0], "at", PREPARED, 1),
    "approved before it was filed": (lambda v: v["approvals"][0], "at", a_request().filed_at, -1),
    "prepared after the stamp": (lambda v: v, "prepared_at", PREPARED, 1),
    "locked into the past": (lambda v: v, "package_until", PREPARED, -1),
    "registered after the preparation": (lambda v: v["cameras"][0], "registered_at", PREPARED, 1),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_time_that_cannot_be_is_an_error(origin: World, package: Path, program: Openssl, name: str) -> None:
    """Five minutes are allowed between two clocks."""
    place, member, limit, sign = TIMES[name]

    def at(shift: int) -> Change:
        return lambda value: place(value).update({member: format_instant(limit + sign * shift)})

    tolerated = restated(origin, package, program, at(TOLERATED))
    others = {"statement_contradicts", "logged_differs"}
    assert tolerated.keys() <= others, (
        "it may differ from the bag's date and what was on record, never from time"
    )
    found = restated(origin, package, program, at(TOO_MUCH))
    assert found.keys() & {"impossible_time", "stamp_before_package"}


MOVED: dict[str, Change] = {
    "span after the footage": lambda v: v["span"].update(
        {"from": format_instant(T0 + 60 * SECOND), "to": format_instant(T0 + 90 * SECOND)}
    ),
    "span before the footage": lambda v: v["span"].update(
        {"from": format_instant(T0 - 60 * SECOND), "to": format_instant(T0 - 30 * SECOND)}
    ),
    "clip asked before the span": lambda v: v["derivatives"][0]["asked"].update(
        {"from": format_instant(T0 - SECOND)}
    ),
    "gap outside the span": lambda v: v["gaps"][0].update({"to": format_instant(T0 + 99 * SECOND)}),
    "a gap still to come, in the past": lambda v: v["gaps"][0].update({"cause": "not_yet"}),
    "arrived after the seal": lambda v: v["originals"][0].update(
        {"ingested_at": format_instant(PREPARED + DAY)}
    ),
    "a checkpoint after its stamp": lambda v: v["checkpoints"][0].update(
        {"at": format_instant(PREPARED + DAY)}
    ),
    "a checkpoint after the seal": lambda v: v["checkpoints"][0].update(
        {"gen_time": format_instant(PREPARED + DAY)}
    ),
    "a camera changed out of order": lambda v: v["cameras"][0].update(
        {
            "changes": [
                {n: x for n, x in v["cameras"][0].items() if n not in ("id", "registered_at", "changes")}
                | {"at": format_instant(T0 + at * SECOND)}
                for at in (20, -700)
            ]
        }
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_span_that_was_moved_is_an_error(origin: World, package: Path, program: Openssl, name: str) -> None:
    assert "impossible_time" in restated(origin, package, program, MOVED[name])


def test_a_package_of_another_date_is_an_error(origin: World, package: Path, program: Openssl) -> None:
    info = package / bag.INFO
    info.write_bytes(info.read_bytes().replace(b"Bagging-Date: 2026-11-25", b"Bagging-Date: 2026-11-24"))
    assert sealed(origin, package, program).keys() == {"impossible_time"}


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (-TOLERATED, set()),
        (TOLERATED, set()),
        (TOO_MUCH, {"stamp_in_future"}),
    ],
)
def test_a_stamp_is_neither_older_than_the_package_nor_from_the_future(
    origin: World, package: Path, program: Openssl, shift: int, expected: set[str]
) -> None:
    found = sealed(origin, package, program, stamped=PREPARED + shift)
    assert found.keys() - {"impossible_time"} == expected


def custody(package: Path, lines: bytes) -> Change:
    (package / paths.CUSTODY).write_bytes(lines)
    return lambda value: value["custody"].update(sha256=sha256(lines))


def entries_of(*lines: Statement) -> bytes:
    return b"".join(write(line) + b"\n" for line in lines)


def test_a_custody_event_after_the_preparation_is_an_error(
    origin: World, package: Path, program: Openssl
) -> None:
    late = entries_of({"at": format_instant(PREPARED + TOO_MUCH), "type": "evidence.requested", "v": 1})
    assert restated(origin, package, program, custody(package, late)).keys() == {"impossible_time"}


def lies(package: Path) -> Iterator[tuple[str, Change]]:
    one = entries_of({"a": 1})
    yield "limits that promise more", lambda v: v["limits"][0].update(id="Segel membuktikan semuanya.")
    yield "limits that are fewer", lambda v: v["limits"].pop()
    yield (
        "limits of another kind",
        lambda v: v.update(limits=[{"id": i, "en": e} for i, e in report.limits(PackageKind.NO_FOOTAGE)]),
    )
    yield "custody counts too many", lambda v: v["custody"].update(lines=2)
    yield "custody counts too few", custody(package, one * 2)
    yield "custody without an end", custody(package, one[:-1])
    yield "custody is no JSON", custody(package, b"x\n")
    yield "custody elsewhere", lambda v: v["custody"].update(path="data/README.txt")
    yield "a camera twice", lambda v: v["cameras"].append(v["cameras"][0])
    yield "a journal twice", lambda v: v["journals"].append(v["journals"][0])
    yield "a gap twice", lambda v: v["gaps"].append(v["gaps"][0])
    yield "an original twice", lambda v: v["originals"].insert(1, v["originals"][0])
    yield "originals out of order", lambda v: v["originals"].reverse()
    yield "cameras mixed", lambda v: v["originals"].append(v["originals"].pop(0))
    yield "a clip of another camera", lambda v: v["derivatives"][0].update(camera="cam-9")
    yield "a proof without a name", lambda v: v["originals"][0].pop("log")
    yield (
        "a destruction beside footage",
        lambda v: v.update(
            dispositions=[
                {
                    "id": "DSP-1",
                    "cause": "retention",
                    "path": v["custody"]["path"],
                    "sha256": v["custody"]["sha256"],
                    **v["span"],
                }
            ]
        ),
    )


@pytest.mark.parametrize("number", range(17))
def test_a_list_is_what_it_claims_to_be(origin: World, package: Path, program: Openssl, number: int) -> None:
    for at, (name, change) in enumerate(lies(package)):
        if at == number:
            found = restated(origin, package, program, change)
            assert ("record_form" if "destruction" in name else "statement_contradicts") in found, name
            return
        shutil.copyfile(origin.folder / "package" / paths.CUSTODY, package / paths.CUSTODY)
    raise AssertionError("there are fewer lies")


@pytest.mark.parametrize(
    "path",
    [
        "data/x",
        "data/metadata/evidence.txt",
        "data/proofs/leaves/cam-9.jsonl",
        "data/proofs/checkpoints/0000000002/checkpoint",
        "data/proofs/journal/rec-1_0000000002.jsonl",
        "data/README-penting.txt",
    ],
)
def test_a_part_that_no_list_names_is_found(
    origin: World, package: Path, program: Openssl, path: str
) -> None:
    """Sealed with the rest, but nothing says what it is, and nothing checks it."""
    (package / path).parent.mkdir(parents=True, exist_ok=True)
    (package / path).write_bytes(b"x\n")
    assert sealed(origin, package, program).keys() == {"statement_contradicts"}


@pytest.mark.parametrize("member", ["id", "cause", "from", "to"])
def test_a_destruction_is_the_one_on_record(
    nothing: World, tmp_path: Path, program: Openssl, member: str
) -> None:
    package = tmp_path / "package"
    shutil.copytree(nothing.folder / "package", package, copy_function=shutil.copyfile)
    assert sealed(nothing, package, program) == {}
    lie = {"id": "DSP-2026-0000000000", "cause": "pressure", "from": format_instant(T0 - 2 * DAY)}
    lie["to"] = format_instant(T0 - SECOND)
    found = restated(nothing, package, program, lambda v: v["dispositions"][0].update({member: lie[member]}))
    assert "another destruction" in found["statement_contradicts"]


@pytest.mark.parametrize("kind", PackageKind)
def test_the_published_limits_are_known(kind: PackageKind) -> None:
    """A list that changes is published as one more; the earlier stay."""
    told = {"limits": [{"id": i, "en": e} for i, e in report.limits(kind)]}
    assert sha256(write(told)) in lists.PUBLISHED[kind.value]


def unsynchronised(world: World) -> World:
    """The first camera's recorder had no synchronised clock while it recorded the first segment."""
    first = world.plan.originals[0]
    leaf = first.leaf.replace(b'"flags":[]', b'"flags":["unsynchronised"]')
    assert leaf != first.leaf
    ref = replace(first.ref, uncertainty_us=None)
    return replace(
        world,
        plan=replace(
            world.plan,
            evidence_id="EVD-2026-0000000001",
            originals=(replace(first, ref=ref, leaf=leaf, proof=None), *world.plan.originals[1:]),
        ),
    )


def test_a_clock_that_was_not_synchronised_states_no_bound(
    origin: World, tmp_path: Path, program: Openssl
) -> None:
    """Its leaf is not the logged one here; ``clocks`` is what counts."""
    package = unsynchronised(origin).unpacked(tmp_path / "unpacked")
    stated = canonical.decode((package / paths.STATEMENT).read_bytes())
    free, bound = stated["clocks"]
    assert "uncertainty_us" not in free
    assert free["flags"] == ["unsynchronised"]
    assert bound["uncertainty_us"] == 40_000
    found = sealed(origin, package, program)
    assert "statement_contradicts" not in found
    more = restated(origin, package, program, lambda v: v["clocks"][0].update(uncertainty_us=40_000))
    assert "clocks do not follow" in more["statement_contradicts"]
    less = restated(origin, package, program, lambda v: v["clocks"][1].pop("uncertainty_us"))
    assert "clocks do not follow" in less["statement_contradicts"]
