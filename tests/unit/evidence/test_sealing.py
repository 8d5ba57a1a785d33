import itertools
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.clock import ManualClock
from archive.errors import Conflict, IntegrityError, NotFound, Refused, Unavailable
from archive.evidence import bag, paths, sealing
from archive.evidence.plan import MAX_ORIGINALS
from archive.evidence.sealed import StoredContainer, read_package, read_seal
from archive.evidence.sealing import PROVISIONAL_LOCK
from archive.evidence.verification import verify_container
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, LockMode, ObjectStore, Signer
from archive.timespan import DAY, MINUTE
from ops import keys as installation
from tests.support.packages import EVIDENCE_ID, World, make_world

PREFIX = keys.evidence_prefix(EVIDENCE_ID)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path, cameras=("cam-1", "CAM-1"))


@pytest.fixture(params=["in memory", "streamed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of copying an original: through memory, and from store to store."""
    if request.param == "streamed":
        monkeypatch.setattr(sealing, "HELD", 0)
    return str(request.param)


class NoAuthority:
    name = "local"

    def stamp(self, data: bytes) -> bytes:
        raise Unavailable("no answer", code="tsa_unavailable")


class Wrapped:
    """A store whose ``put`` goes through a function first; everything else is the store's own."""

    def __init__(self, store: ObjectStore, before_put: Callable[[str], object]) -> None:
        self._store = store
        self._before_put = before_put

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put(self, key: str, content: Content, **rest: object) -> object:
        self._before_put(key)
        return self._store.put(key, content, **rest)  # type: ignore[arg-type]


def listing(world: World) -> dict[str, bytes]:
    return {item.key: world.target.get(item.key) for item in world.target.list("evidence/")}


def alter_segment(world: World, change: Callable[[bytes], bytes]) -> str:
    """Change a stored segment behind the store's back."""
    key = world.plan.originals[1].ref.key
    path = world.folder / "footage" / key
    path.chmod(0o600)
    path.write_bytes(change(path.read_bytes()))
    return key


def test_a_sealed_package_is_complete_locked_and_valid(world: World, way: str) -> None:
    package = world.seal()
    assert package == read_package(world.target, EVIDENCE_ID)
    assert package.originals == 6
    container = StoredContainer(world.target, EVIDENCE_ID)
    result = verify_container(container, trust=world.pinned(), at="now", clock=world.clock)
    assert result.valid, result.findings
    assert result.findings == []
    assert result.tagmanifest_sha256 == package.tagmanifest_sha256
    for item in world.target.list(PREFIX):
        lock = world.target.head(item.key).lock
        assert lock is not None
        assert (lock.mode, lock.until) == (LockMode.COMPLIANCE, world.plan.lock_until)


def test_the_same_plan_makes_the_same_bytes_but_for_the_signatures(tmp_path: Path) -> None:
    first, second = make_world(tmp_path / "1"), make_world(tmp_path / "2")
    second = replace(second, sealer=replace(first.sealer, footage=second.footage, target=second.target))
    second = replace(
        second,
        plan=replace(second.plan, originals=first.plan.originals, journals=first.plan.journals),
    )
    one, two = first.seal(), second.seal()
    assert one.tagmanifest_sha256 == two.tagmanifest_sha256
    ours, theirs = listing(first), listing(second)
    differing = {key for key in ours if ours[key] != theirs[key]}
    assert set(ours) == set(theirs)
    assert differing == {PREFIX + paths.SEAL, PREFIX + paths.STAMP}


def test_sealing_again_changes_nothing(world: World) -> None:
    package = world.seal()
    before = listing(world)
    world.clock.advance(DAY)
    assert world.seal() == package
    assert listing(world) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:], id="one bit"),
        pytest.param(lambda data: data[:-1], id="shorter"),
        pytest.param(lambda data: data + b"x", id="longer"),
        pytest.param(lambda data: b"", id="empty"),
    ],
)
def test_an_altered_segment_is_refused_by_name_and_leaves_no_package(
    world: World, change: Callable[[bytes], bytes], way: str
) -> None:
    key = alter_segment(world, change)
    with pytest.raises(IntegrityError) as caught:
        world.seal()
    assert caught.value.code == "original_altered"
    assert key in caught.value.message
    with pytest.raises(NotFound):
        read_package(world.target, EVIDENCE_ID)
    assert not [item for item in world.target.list(PREFIX) if "manifest" in item.key]
    for item in world.target.list(PREFIX):
        lock = world.target.head(item.key).lock
        assert lock is not None
        assert lock.until <= world.clock.now() + PROVISIONAL_LOCK + 1_000_000


def test_an_altered_segment_is_noticed_though_its_copy_is_there_already(world: World, way: str) -> None:
    world.seal()
    key = alter_segment(world, lambda data: data[:900] + bytes([data[900] ^ 1]) + data[901:])
    with pytest.raises(IntegrityError, match=key) as caught:
        world.seal()
    assert caught.value.code == "original_altered"


def test_a_segment_that_is_gone_is_an_incident(world: World, way: str) -> None:
    ref = world.plan.originals[2].ref
    world.footage.delete_version(ref.key, version=ref.version)
    with pytest.raises(IntegrityError, match=ref.key) as caught:
        world.seal()
    assert caught.value.code == "original_missing"


def test_a_leaf_of_another_segment_is_refused(world: World) -> None:
    originals = list(world.plan.originals)
    originals[0] = replace(originals[0], leaf=originals[1].leaf)
    with pytest.raises(IntegrityError) as caught:
        world.sealer.seal(replace(world.plan, originals=tuple(originals)))
    assert caught.value.code == "leaf_mismatch"


def test_a_clip_that_holds_a_byte_of_its_own_is_refused(world: World) -> None:
    clip = world.plan.clips[0]
    whole = b"".join(clip.stream())

    def stream() -> Iterator[bytes]:
        return iter([whole[:-1], bytes([whole[-1] ^ 1])])

    plan = replace(world.plan, clips=(replace(clip, stream=stream), *world.plan.clips[1:]))
    with pytest.raises(IntegrityError) as caught:
        world.sealer.seal(plan)
    assert caught.value.code == "clip_not_derived"
    assert "clip-" in caught.value.message


def test_a_clip_that_fails_stops_the_others(world: World) -> None:
    """Several clips are stored at once; after a failure the others are not read to their end."""
    slow, broken = world.plan.clips
    whole = b"".join(slow.stream())
    handed = 0

    def dripping() -> Iterator[bytes]:
        nonlocal handed
        yield whole[:2000]
        for at in range(2000, len(whole)):
            time.sleep(0.05)  # real time: it is slow
            handed = at
            yield whole[at : at + 1]

    clips = (
        replace(slow, stream=dripping),
        replace(broken, stream=lambda: iter([b"".join(broken.stream())[:-1], b"x"])),
    )
    with pytest.raises(IntegrityError) as caught:
        world.sealer.seal(replace(world.plan, clips=clips))
    assert caught.value.code == "clip_not_derived"
    assert handed < len(whole) - 100


def test_another_plan_for_a_package_that_was_begun_is_a_conflict(world: World) -> None:
    world.seal()
    with pytest.raises(Conflict) as caught:
        world.sealer.seal(replace(world.plan, case="LP/B/999"))
    assert caught.value.code == "plan_changed"


def test_without_an_authority_the_package_is_sealed_and_stamped_later(world: World) -> None:
    lame = replace(world.sealer, authority=NoAuthority())
    package = lame.seal(world.plan)
    assert package.gen_time is None
    with pytest.raises(Unavailable):
        lame.stamp_pending(EVIDENCE_ID)
    world.clock.advance(DAY)
    stamped = world.sealer.stamp_pending(EVIDENCE_ID)
    assert stamped.gen_time == world.clock.now()
    assert stamped.tagmanifest_sha256 == package.tagmanifest_sha256
    assert world.sealer.stamp_pending(EVIDENCE_ID) == stamped


def test_stamping_what_is_not_sealed_is_refused(world: World) -> None:
    with pytest.raises(NotFound) as caught:
        world.sealer.stamp_pending(EVIDENCE_ID)
    assert caught.value.code == "package_not_found"


def test_a_seal_whose_certificate_has_expired_is_not_set(world: World) -> None:
    world.clock.advance(731 * DAY)
    plan = replace(world.plan, lock_until=world.clock.now() + 3650 * DAY)
    with pytest.raises(Refused) as caught:
        world.sealer.seal(plan)
    assert caught.value.code == "certificate_expired"


def test_a_worker_that_dies_at_any_put_is_succeeded_by_another(tmp_path: Path) -> None:
    """The worker can die at every put; its successor makes exactly the same package."""
    world = make_world(tmp_path, segments=1)
    world.seal()
    expected = listing(world)
    for death in range(1, 50):
        target = FilesystemStore(tmp_path / f"death-{death}", world.clock)
        turns = itertools.count(1)

        def dying(_key: str, death: int = death, turns: "itertools.count[int]" = turns) -> None:
            if next(turns) == death:
                raise Unavailable("killed here")

        try:
            replace(world.sealer, target=Wrapped(target, dying)).seal(world.plan)  # type: ignore[arg-type]
            break
        except Unavailable:
            if death < len(expected):  # the last put is the token: by then the package is sealed
                with pytest.raises(NotFound):
                    read_seal(target, EVIDENCE_ID)
        replace(world.sealer, target=target).seal(world.plan)
        made = {item.key: target.get(item.key) for item in target.list("evidence/")}
        assert set(made) == set(expected)
        differing = {key for key in made if made[key] != expected[key]}
        assert differing == {PREFIX + paths.SEAL, PREFIX + paths.STAMP}
    assert death == len(expected) + 1, "the loop must outlast the puts"


def test_two_workers_at_once_make_one_package(world: World) -> None:
    barrier = threading.Barrier(2)

    def meet(key: str) -> None:
        if key.endswith(paths.SEAL):
            barrier.wait(10)

    target = Wrapped(world.target, meet)
    sealer = replace(world.sealer, target=target)  # type: ignore[arg-type]
    packages = []
    threads = [threading.Thread(target=lambda: packages.append(sealer.seal(world.plan))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(packages) == 2
    assert packages[0] == packages[1]
    assert world.verify(world.zip()).valid


def test_a_large_original_passes_through_in_bounded_memory(tmp_path: Path) -> None:
    large = make_world(tmp_path, segments=1, clips=False, segment_size=64 << 20)
    tracemalloc.start()
    try:
        large.seal()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize("path", [bag.INFO, bag.MANIFEST, paths.STATEMENT])
def test_the_figures_of_a_package_are_not_taken_from_forged_parts(world: World, path: str) -> None:
    world.seal()

    class Lying(Wrapped):
        def get(self, key: str) -> bytes:
            return (
                self._store.get(key).replace(b"1", b"2", 1)
                if key.endswith(f"/{path}")
                else self._store.get(key)
            )

    with pytest.raises(IntegrityError) as caught:
        read_package(Lying(world.target, str), EVIDENCE_ID)  # type: ignore[arg-type]
    assert caught.value.code == "package_altered"


def test_progress_ends_at_the_total(world: World) -> None:
    seen: list[tuple[int, int]] = []
    world.sealer.seal(world.plan, lambda done, total: seen.append((done, total)))
    total = sum(item.ref.size for item in world.plan.originals) + sum(clip.size for clip in world.plan.clips)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


class Strange:
    """A signer whose signatures are not what they should be."""

    def __init__(self, signer: Signer, change: Callable[[Signer, bytes], bytes]) -> None:
        self.certificate_der, self.chain_der = signer.certificate_der, signer.chain_der
        self._signer, self._change = signer, change

    def sign_cms(self, data: bytes) -> bytes:
        return self._change(self._signer, data)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda signer, data: signer.sign_cms(data + b"x"), "seal_content"),
        (lambda signer, data: signer.sign_cms(data)[:-1] + b"x", "seal_signature"),
        (lambda signer, data: b"no signature", "bad_cms"),
    ],
)
def test_a_seal_that_the_verifier_refuses_is_never_put(
    world: World, change: Callable[[Signer, bytes], bytes], code: str
) -> None:
    sealer = replace(world.sealer, signer=Strange(world.sealer.signer, change))
    with pytest.raises(IntegrityError) as caught:
        sealer.seal(world.plan)
    assert caught.value.code == code
    with pytest.raises(NotFound):
        world.target.get(keys.evidence_prefix(world.plan.evidence_id) + paths.SEAL)
    assert world.seal().gen_time is not None, "the true signer goes on where that one stopped"


def test_without_openssl_nothing_is_sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable) as caught:
        world.seal()
    assert caught.value.code == "openssl_missing"
    with pytest.raises(NotFound):
        world.target.get(keys.evidence_prefix(world.plan.evidence_id) + paths.SEAL)


def test_a_package_larger_than_a_verifier_reads_is_refused_before_anything_is_copied(tmp_path: Path) -> None:
    """Its statement would be larger than 32 MiB; the default limit of a request fits."""
    world = make_world(tmp_path, segments=1)
    plan = replace(world.plan, originals=world.plan.originals * (MAX_ORIGINALS + 1))
    with pytest.raises(Refused) as refused:
        replace(world, plan=plan).seal()
    assert refused.value.code == "package_too_large"
    assert list(world.target.list("evidence/")) == []
    assert MAX_ORIGINALS * 10 > 48 * 3600, "camera-hours of one request, in segments of 10 s"


@pytest.mark.parametrize("apart", [-5 * MINUTE, 5 * MINUTE])
def test_a_stamp_of_another_clock_is_not_kept(tmp_path: Path, apart: int) -> None:
    """It would make the package invalid for ever; it stays unstamped, and the stamp is tried again."""
    world = make_world(tmp_path, segments=1)
    later = installation.load_local_authority(
        world.keys, clock=ManualClock(world.clock.now() + max(apart, 0))
    )
    world.clock.advance(max(-apart, 0))
    wrong = replace(world, sealer=replace(world.sealer, authority=later))
    assert wrong.seal().gen_time is None
    with pytest.raises(Unavailable) as refused:
        wrong.sealer.stamp_pending(EVIDENCE_ID)
    assert refused.value.code == "tsa_unavailable"
    assert "300 s apart" in refused.value.message
    assert world.sealer.stamp_pending(EVIDENCE_ID).gen_time is not None
