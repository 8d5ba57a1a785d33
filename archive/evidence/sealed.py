"""Sealed packages in the records bucket, read from their own objects.

A package exists from the moment its signature is stored; earlier objects under its prefix are not a package.
"""

from archive import canonical, keys
from archive.attended import each
from archive.canonical import sha256_hex
from archive.errors import AlreadyExists, IntegrityError, NotFound
from archive.evidence import bag, paths
from archive.evidence.verifier.container import Chunks, Container, Unreadable
from archive.model.evidence import SealedPackage
from archive.ports import Content, Lock, ObjectStore
from archive.trust import certificates, cms, token


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
    tag_digests = bag.read_manifest(bag.TAG_MANIFEST, tags)
    digests = bag.read_manifest(bag.MANIFEST, _listed(target, prefix, bag.MANIFEST, tag_digests))
    info = bag.read_info(_listed(target, prefix, bag.INFO, tag_digests))
    stated = canonical.decode(_listed(target, prefix, paths.STATEMENT, digests))
    return SealedPackage(
        evidence_id=evidence_id,
        tagmanifest_sha256=sha256_hex(tags),
        signer_sha256=certificates.fingerprint(found.certificate),
        tsa=stated["seal"]["tsa"],
        gen_time=_gen_time(target, prefix, seal),
        originals=len(stated["originals"]),
        size=int(info["Payload-Oxum"].partition(".")[0]),
    )


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
