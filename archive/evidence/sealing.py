"""From plan to sealed package, in the records bucket (design: seal).

1. Each original goes from the footage bucket into the package and is hashed on the way; a SHA-256 that
   differs from its leaf's ends the sealing. The clips' digests are computed from the very same bytes.
   Meanwhile the next originals are fetched and the last ones stored; memory holds a dozen of them at most.
2. The clips are stored, several at once, while the documents for people are written; the proofs,
   ``evidence.json`` and the manifests follow.
3. The locks of all objects, COMPLIANCE from the start but for three days only, are extended to the term of
   the package. This happens late because the remains of a failed sealing must not be locked for ten years.
4. ``signatures/….p7s`` is put if absent: **that is the moment of sealing**. Objects under the package's
   prefix without it are not a package.
5. The time stamp is put if absent. When no authority answers, the package is sealed and not yet stamped
   (:meth:`Sealer.stamp_pending`).

Each step is idempotent, and the same plan makes the same bytes, so a second worker continues where the first
one died. Two workers that run at once agree on everything but the signature, and the first signature stays.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from threading import Event
from threading import Lock as Mutex

from cryptography.x509 import Certificate

from archive import canonical, keys
from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, IntegrityError, Malformed, NotFound, Unavailable
from archive.evidence import bag, manifest, paths
from archive.evidence.manifest import Layout
from archive.evidence.plan import ClipPlan, Document, Original, PackagePlan, check_plan, clip_run
from archive.evidence.prefetch import Held, altered, fetch, prefetch, source_of
from archive.evidence.sealed import keep_stamp, package_lock, read_package, read_seal, stamp_now
from archive.evidence.slices import ClipRun
from archive.evidence.stating import ClipOutcome, evidence_json
from archive.evidence.stored import OtherBytes, Witness
from archive.evidence.verification import check_seal
from archive.evidence.worker import Worker
from archive.model.evidence import SealedPackage
from archive.ports import Content, Lock, LockMode, ObjectStore, Signer, Stored, TimestampAuthority
from archive.timespan import DAY
from archive.trust import certificates

Progress = Callable[[int, int], None]
"""Gets the bytes done and the total; called often."""

PROVISIONAL_LOCK = 3 * DAY
THREADS = 4
FETCHERS = 3
CLIPS = 3
HELD = 8 << 20
"""Originals up to this size pass through memory: ``FETCHERS`` being fetched, ``THREADS`` being stored."""

_FED = 1 << 20


def _silent(_done: int, _total: int) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The facts known once the originals are copied; the sealing report is written from them.

    ``clips`` has the outcomes by path; ``signer`` will seal, and ``tsa`` will time-stamp.
    """

    plan: PackagePlan
    layout: Layout
    clips: Mapping[str, ClipOutcome]
    signer: Certificate
    tsa: str


Feed = Callable[[str, int, bytes | memoryview], None]
"""Gets an original's key, an offset and the bytes there."""

Compose = Callable[[Copied], Mapping[str, Document]]
"""Writes documents by name under ``data/documents/``; the same :class:`Copied` gives the same bytes."""

Papers = Callable[[], Mapping[str, bytes]]
"""Chains and revocation lists as they are now, by path under ``signatures/certs/``."""


def _no_documents(_copied: Copied) -> Mapping[str, Document]:
    return {}


def _no_papers() -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals plans. ``footage`` is only read; ``target`` is the records bucket."""

    footage: ObjectStore
    target: ObjectStore
    signer: Signer
    authority: TimestampAuthority
    clock: Clock
    compose: Compose = _no_documents
    papers: Papers = _no_papers

    def seal(self, plan: PackagePlan, progress: Progress = _silent) -> SealedPackage:
        """Make the package, or complete an attempt that began with the same plan.

        Returns:
            Its figures; ``gen_time`` is None when the authority did not answer.

        Raises:
            IntegrityError: ``original_altered``, ``original_missing``, ``leaf_mismatch``: the archive's
                bytes are not the recorded ones; no package is made. ``clip_not_derived``: a clip holds
                other bytes.
            Refused: ``certificate_expired``: the seal's certificate is not valid today.
            Malformed: ``bad_plan``, ``bad_pieces``, ``bad_clip``.
            Conflict: ``plan_changed``: sealing of this id began with another plan.
            Unavailable: a store does not answer; seal again.
        """
        check_plan(plan)
        return _Sealing(self, plan, progress).run()

    def stamp_pending(self, evidence_id: str) -> SealedPackage:
        """Fetch the token of a package that is sealed and not yet stamped; idempotent.

        Raises:
            NotFound: ``package_not_found``: there is no sealed package of that id.
            Unavailable: ``tsa_unavailable``: still no answer.
        """
        facts = read_package(self.target, evidence_id)
        if facts.gen_time is not None:
            return facts
        stamp = stamp_now(self.authority, read_seal(self.target, evidence_id), self.clock.now())
        keep_stamp(self.target, evidence_id, stamp, package_lock(self.target, evidence_id))
        return read_package(self.target, evidence_id)


@dataclass(slots=True)
class _Sealing:
    """One run through the procedure."""

    sealer: Sealer
    plan: PackagePlan
    progress: Progress
    layout: Layout = field(init=False)
    prefix: str = field(init=False)
    total: int = field(init=False)
    done: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    checksums: dict[str, int] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    pool: ThreadPoolExecutor = field(init=False)
    flying: deque[Future[Stored]] = field(default_factory=deque)
    stopped: Event = field(default_factory=Event)
    telling: Mutex = field(default_factory=Mutex)

    def __post_init__(self) -> None:
        self.layout = Layout.of(self.plan)
        self.prefix = keys.evidence_prefix(self.plan.evidence_id)
        self.total = sum(item.ref.size for item in self.plan.originals)
        self.total += sum(clip.size for clip in self.plan.clips)

    def run(self) -> SealedPackage:
        sealer, evidence_id = self.sealer, self.plan.evidence_id
        certificate = certificates.load_der("the signer", sealer.signer.certificate_der)
        certificates.check_valid(certificate, sealer.clock.now())
        lock = Lock(LockMode.COMPLIANCE, self.plan.lock_until)
        with ThreadPoolExecutor(THREADS) as self.pool:
            tags = self._put_all(certificate)
            self._settle()
            self._put_papers()
            self._lengthen_locks(lock)
        seal = self._sign(tags, lock)
        try:
            stamp = stamp_now(sealer.authority, seal, sealer.clock.now())
            keep_stamp(sealer.target, evidence_id, stamp, lock)
        except Unavailable as error:
            if error.code != "tsa_unavailable":
                raise
        return read_package(sealer.target, evidence_id)

    def _put_all(self, certificate: Certificate) -> bytes:
        """Store everything but the signatures; returns the tag manifest's bytes."""
        named = list(zip(self.plan.clips, self.layout.clips, strict=True))
        runs = [clip_run(clip, path) for clip, path in named]
        self._copy_all(runs)
        outcomes = tuple(
            ClipOutcome(run.digest.hexdigest(), run.codec, tuple(run.slices.of_pieces())) for run in runs
        )
        tsa = self.sealer.authority.name
        clips = dict(zip(self.layout.clips, outcomes, strict=True))
        copied = Copied(plan=self.plan, layout=self.layout, clips=clips, signer=certificate, tsa=tsa)
        with ThreadPoolExecutor(CLIPS) as pool:
            putting = [pool.submit(self._put_clip, clip, path, clips[path].sha256) for clip, path in named]
            try:
                documents = {**self.plan.documents, **self.sealer.compose(copied)}
                wait(putting, return_when=FIRST_EXCEPTION)
            finally:
                self.stopped.set()
        for clip in putting:
            _raise_cause(clip)
        for path, content in manifest.proofs(self.plan, self.layout).items():
            self._put_payload(path, content)
        for name, document in documents.items():
            self._put_payload(paths.document(name), document.content)
        body = evidence_json(
            self.plan, self.layout, clips=outcomes, documents=documents, signer=certificate, tsa=tsa
        )
        self._put_payload(paths.STATEMENT, body)
        return self._put_tag_files()

    def _copy_all(self, runs: list[ClipRun]) -> None:
        """The originals in order, those that fit through memory; workers digest and slice the clips."""
        with Worker() as digests, Worker() as slices:

            def feed(key: str, offset: int, chunk: bytes | memoryview) -> None:
                for run in runs:
                    if run.names(key):
                        digests.do(run.digest.feed, key, offset, chunk)
                        slices.do(run.slices.feed, key, offset, chunk)
                self._advance(len(chunk))

            for item, held in prefetch(self.plan.originals, self._fetch, FETCHERS):
                if held is None:
                    self._copy_streaming(item, feed)
                else:
                    self._copy_held(item, held, feed)
            digests.settle()
            slices.settle()

    def _fetch(self, item: Original) -> Held | None:
        return fetch(self.sealer.footage, item) if item.ref.size <= HELD else None

    def _copy_held(self, item: Original, held: Held, feed: Feed) -> None:
        ref, path = item.ref, self.layout.original(item)
        self._send(path, Content(ref.size, ref.sha256, partial(BytesIO, held.data)))
        view = memoryview(held.data)
        for at in range(0, len(view), _FED):
            feed(ref.key, at, view[at : at + _FED])
        self._note(path, ref.sha256, ref.size)
        self.checksums[path] = held.crc32

    def _copy_streaming(self, item: Original, feed: Feed) -> None:
        ref, path = item.ref, self.layout.original(item)
        witness = Witness(source_of(self.sealer.footage, item), ref.size, partial(feed, ref.key))
        try:
            self._stream(path, witness, ref.sha256)
        except OtherBytes as error:
            raise altered(ref.key, error.message) from error
        self._note(path, ref.sha256, ref.size)
        self.checksums[path] = witness.crc32

    def _put_clip(self, clip: ClipPlan, path: str, digest: str) -> None:
        """Store one clip; it must have the digest computed from its originals."""

        def feed(_offset: int, chunk: bytes) -> None:
            if self.stopped.is_set():
                raise _Stopped(f"{path} is not needed any more")
            self._advance(len(chunk))

        witness = Witness(lambda offset: _from(clip.stream(), offset), clip.size, feed)
        try:
            self._stream(path, witness, digest)
        except OtherBytes as error:
            raise _not_derived(path, error.message) from error
        self._note(path, digest, clip.size)
        self.checksums[path] = witness.crc32

    def _stream(self, path: str, witness: Witness, promised: str) -> None:
        """Store a large part, and check here that its bytes are the promised ones.

        Raises:
            OtherBytes: they are not, even if the store accepted them.
        """
        try:
            stored = self._store(path, Content(witness.size, promised, witness.open))
        except IntegrityError:
            witness.finish(promised)  # raises OtherBytes if the source is at fault
            raise
        witness.finish(promised)
        self.stored.append(stored)

    def _put_tag_files(self) -> bytes:
        """Manifests and tag files; the tag manifest is what is sealed."""
        tags = {
            bag.DECLARATION: bag.BAGIT_TXT,
            bag.INFO: manifest.bag_info(self.plan, self.layout, self.sizes),
            bag.MANIFEST: bag.write_manifest(self.digests),
        }
        for path, content in tags.items():
            self._send(path, Content.of_bytes(content))
        listed = bag.write_manifest({path: sha256_hex(content) for path, content in tags.items()})
        self._send(bag.TAG_MANIFEST, Content.of_bytes(listed))
        self._put_checksums()
        return listed

    def _put_papers(self) -> None:
        """Store chains and revocation lists beside the seal; those of an earlier attempt stay."""
        for path, content in self.sealer.papers().items():
            if not path.startswith(paths.CERTIFICATES):
                raise Malformed(f"{path} is not under {paths.CERTIFICATES}", code="bad_plan")
            try:
                self.stored.append(self._put(path, Content.of_bytes(content)))
            except AlreadyExists:
                continue

    def _put_checksums(self) -> None:
        """Store the CRC-32 of the large parts beside the package, so that a ZIP's size is known beforehand.

        A convenience: without it the ZIP takes longer; where it is wrong the ZIP is refused. The ZIP is never
        wrong.
        """
        body = canonical.encode({"v": 1, "crc32": self.checksums})
        try:
            self.sealer.target.put(keys.evidence_checksums_key(self.plan.evidence_id), Content.of_bytes(body))
        except AlreadyExists:
            return

    def _lengthen_locks(self, lock: Lock) -> None:
        def lengthen(stored: Stored) -> None:
            self.sealer.target.extend_lock(stored.key, lock, version=stored.version)

        for _ in self.pool.map(lengthen, self.stored):
            pass

    def _sign(self, tags: bytes, lock: Lock) -> bytes:
        """The commit. An earlier signature over the same bytes by the same certificate stays.

        The verifier checks the signature first, because a stored signature cannot be withdrawn.
        """
        signer, target, key = self.sealer.signer, self.sealer.target, self.prefix + paths.SEAL
        try:
            seal = target.get(key)
        except NotFound:
            seal = signer.sign_cms(tags)
            check_seal(seal, tags)
            with suppress(AlreadyExists):
                target.put(key, Content.of_bytes(seal), lock=lock)
                return seal
            seal = target.get(key)
        if check_seal(seal, tags) != signer.certificate_der:
            raise IntegrityError(
                f"{self.plan.evidence_id} is already sealed with another key",
                code="sealed_by_another",
                hint="Compare its fingerprint with saksi keys show, and request a new package.",
            )
        return seal

    def _put_payload(self, path: str, content: bytes) -> None:
        self._send(path, Content.of_bytes(content))
        self._note(path, sha256_hex(content), len(content))

    def _send(self, path: str, content: Content) -> None:
        """Store a small part while the caller reads the next; four at once, so that memory stays bounded."""
        if len(self.flying) >= THREADS:
            self.stored.append(self.flying.popleft().result())
        self.flying.append(self.pool.submit(self._store, path, content))

    def _settle(self) -> None:
        """Wait for all parts sent so far. Raises the first failure among them."""
        while self.flying:
            self.stored.append(self.flying.popleft().result())

    def _store(self, path: str, content: Content) -> Stored:
        try:
            return self._put(path, content)
        except AlreadyExists as error:
            raise Conflict(
                f"{self.plan.evidence_id} was begun with another plan: {path} differs",
                code="plan_changed",
                hint="The archive's answer changed between two attempts. Request a new package.",
            ) from error

    def _put(self, path: str, content: Content) -> Stored:
        until = min(self.plan.lock_until, self.sealer.clock.now() + PROVISIONAL_LOCK)
        lock = Lock(LockMode.COMPLIANCE, until)
        return self.sealer.target.put(self.prefix + bag.check_path(path), content, lock=lock)

    def _note(self, path: str, digest: str, size: int) -> None:
        self.digests[path] = digest
        self.sizes[path] = size

    def _advance(self, count: int) -> None:
        with self.telling:  # clips report progress from their own threads
            self.done += count
            self.progress(self.done, self.total)


def _from(chunks: Iterator[bytes], offset: int) -> Iterator[bytes]:
    for chunk in chunks:
        if offset < len(chunk):
            yield chunk[offset:]
        offset = max(0, offset - len(chunk))


class _Stopped(Conflict):
    """Stops the storing of a clip, because another part of the package failed."""


def _raise_cause(clip: Future[None]) -> None:
    """Raise a clip's own failure; a clip that was stopped because of another part raises nothing."""
    error = clip.exception()
    if error is not None and not isinstance(error, _Stopped):
        raise error


def _not_derived(path: str, what: str) -> IntegrityError:
    return IntegrityError(
        f"{path} does not consist of the originals' bytes: {what}",
        code="clip_not_derived",
        hint="Nothing was sealed. The segments changed while they were read, or the clip writer is at fault.",
    )
