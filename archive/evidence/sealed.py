"""Sealed packages in the records bucket, read from their own objects.

A package exists from the moment its signature is stored; earlier objects under its prefix are not a package.
"""

from archive import canonical, keys
from archive.attended import each
from archive.canonical import JsonObject, sha256_hex
from archive.errors import AlreadyExists, IntegrityError, NotFound, Unavailable
from archive.evidence import bag, paths
from archive.evidence.verifier.container import Chunks, Container, Unreadable
from archive.model.evidence import SealedPackage
from archive.ports import Content, Lock, ObjectStore, TimestampAuthority
from archive.timespan import MINUTE, SECOND
from archive.trust import certificates, cms, token

CLOCKS_APART = 4 * MINUTE
"""A verifier allows five minutes; the rest is for the time that sealing takes."""


def read_seal(target: ObjectStore, evidence_id: str) -> bytes:
    """The package's signature, whose presence makes it sealed. Raises NotFound ``package_not_found``."""
    try:
        return target.get(keys.evidence_prefix(evidence_id) + paths.SEAL)
    except NotFound as error:
        raise NotFound(
            f"there is no sealed package {evidence_id}",
            code="package_not_found",
            hint="It may not be sealed yet: look at its state.",
        ) from error


def read_package(target: ObjectStore, evidence_id: str) -> SealedPackage:
    """The figures of a sealed package, from its own objects, after checking that these agree.

    Raises:
        NotFound: ``package_not_found``: it is not sealed.
        IntegrityError: ``seal_content`` and others of :mod:`archive.trust.cms`, ``package_altered``: the
            objects are not those that were sealed.
    """
    prefix = keys.evidence_prefix(evidence_id)
    seal = read_seal(target, evidence_id)
    tags = target.get(prefix + bag.TAG_MANIFEST)
    found = cms.decode("the seal", seal)
    cms.check("the seal", found, tags)
    info = bag.read_info(_listed(target, prefix, bag.INFO, bag.read_manifest(bag.TAG_MANIFEST, tags)))
    stated = _statement(target, prefix, tags)
    return SealedPackage(
        evidence_id=evidence_id,
        tagmanifest_sha256=sha256_hex(tags),
        signer_sha256=certificates.fingerprint(found.certificate),
        tsa=stated["seal"]["tsa"],
        gen_time=_gen_time(target, prefix, seal),
        originals=len(stated["originals"]),
        size=int(info["Payload-Oxum"].partition(".")[0]),
    )


def read_statement(target: ObjectStore, evidence_id: str) -> JsonObject:
    """What a sealed package states (:mod:`archive.evidence.stating`), as its manifests name it.

    Raises:
        NotFound: ``package_not_found``: it is not sealed.
        IntegrityError: ``package_altered``.
    """
    read_seal(target, evidence_id)
    prefix = keys.evidence_prefix(evidence_id)
    return _statement(target, prefix, target.get(prefix + bag.TAG_MANIFEST))


def _statement(target: ObjectStore, prefix: str, tags: bytes) -> JsonObject:
    listed = _listed(target, prefix, bag.MANIFEST, bag.read_manifest(bag.TAG_MANIFEST, tags))
    return canonical.decode(_listed(target, prefix, paths.STATEMENT, bag.read_manifest(bag.MANIFEST, listed)))


class StoredContainer(Container):
    """A sealed package in its store, for the verifier to read without a copy.

    Raises:
        NotFound: ``package_not_found``.
    """

    def __init__(self, target: ObjectStore, evidence_id: str) -> None:
        super().__init__()
        read_seal(target, evidence_id)
        self._target = target
        self._prefix = keys.evidence_prefix(evidence_id)
        self.sizes = {
            listed.key.removeprefix(self._prefix): listed.size for listed in target.list(self._prefix)
        }

    def chunks(self, path: str) -> Chunks:
        """The bytes of a part."""
        try:
            yield from each(self._target.stream(self._prefix + path))
        except (NotFound, IntegrityError) as error:
            raise Unreadable(error.message) from error


def stamp_now(authority: TimestampAuthority, seal: bytes, now: int) -> bytes:
    """A token over a seal, whose time a verifier believes beside the package's own (``now`` in µs).

    Raises:
        Unavailable: ``tsa_unavailable``: no answer, or one whose clock and this host's are more than
            :data:`CLOCKS_APART` apart. Such a token would make the package invalid for ever.
    """
    stamp = authority.stamp(seal)
    apart = token.decode("the time stamp", stamp).gen_time - now
    if abs(apart) > CLOCKS_APART:
        raise Unavailable(
            f"the clocks of {authority.name} and of this host are {abs(apart) // SECOND} s apart",
            code="tsa_unavailable",
            hint="Correct this host's clock, or name another time-stamping authority; the stamp is retried.",
        )
    return stamp


def keep_stamp(target: ObjectStore, evidence_id: str, stamp: bytes, lock: Lock | None) -> None:
    """Store a token; an earlier token stays."""
    try:
        target.put(keys.evidence_prefix(evidence_id) + paths.STAMP, Content.of_bytes(stamp), lock=lock)
    except AlreadyExists:
        return


def package_lock(target: ObjectStore, evidence_id: str) -> Lock | None:
    """The lock of a sealed package. Raises NotFound where there is no such package."""
    return target.head(keys.evidence_prefix(evidence_id) + paths.SEAL).lock


def _gen_time(target: ObjectStore, prefix: str, seal: bytes) -> int | None:
    try:
        stamp = target.get(prefix + paths.STAMP)
    except NotFound:
        return None
    answer = token.decode("the time stamp", stamp)
    token.check_imprint("the time stamp", answer, seal)
    return answer.gen_time


def _listed(target: ObjectStore, prefix: str, path: str, digests: dict[str, str]) -> bytes:
    content = target.get(prefix + path)
    if digests.get(path) != sha256_hex(content):
        raise IntegrityError(
            f"{prefix}{path} is not what was sealed",
            code="package_altered",
            hint="Do not hand this package over; run saksi archive check.",
        )
    return content
