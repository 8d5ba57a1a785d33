"""The log job's memory between checkpoints, in the cache bucket: the covered objects, signed.

It only saves reading every list of leaves again. A memory that is missing, altered, of another key or
of another chain is ignored, and the same state is computed from the archive alone.
"""

import gzip
import zlib

from archive import canonical, keys
from archive.errors import ArchiveError, IntegrityError, NotFound
from archive.ports import Content, ObjectStore, Signer, Stores
from archive.records.checkpoint import stored
from archive.records.checkpoint.arrived import Objection
from archive.records.checkpoint.covered import Covered
from archive.records.checkpoint.leaves import ObjectLeaves
from archive.trust import certificates, cms

PREFIX = "log/covered/"


def load(stores: Stores, signer: Signer | None, head: int) -> tuple[Covered, list[Objection]]:
    """The objects under checkpoints 1 to ``head``; objections name lists of leaves that cannot be read.

    Without a signer the cache is not used.

    Raises:
        NotFound, IntegrityError: a checkpoint is missing or altered; the log needs a person to continue.
        Unavailable: the store does not answer.
    """
    covered = Covered()
    if signer is not None:
        covered = _remembered(stores, signer, head) or covered
    return covered, follow(stores.records, covered, head)


def follow(records: ObjectStore, covered: Covered, head: int) -> list[Objection]:
    """Add the checkpoints up to ``head``. Raises as :func:`load`."""
    objections: list[Objection] = []
    for number in range(covered.number + 1, head + 1):
        note = stored.read_note(records, number)
        try:
            found = [one for one in stored.read_leaves(records, note) if isinstance(one, ObjectLeaves)]
        except (NotFound, IntegrityError) as error:
            # It is safe to continue: the objects it covered come under a new checkpoint too.
            name = keys.checkpoint_key(number, stored.leaves_part(note.leaves))
            objections.append(Objection("leaves_unreadable", name, error.message))
            found = []
        for entry in found:
            take(covered, entry)
        covered.number, covered.digest = number, note.digest
    return objections


def take(covered: Covered, entry: ObjectLeaves) -> None:
    """Note one object of a checkpoint."""
    if entry.refused:
        covered.add_refused(entry.key)
        return
    covered.add(entry.key)
    if entry.key.startswith("journal/"):
        covered.note_batch(*keys.parse_batch_key(entry.key), entry.digest)


def keep(cache: ObjectStore, covered: Covered, signer: Signer) -> None:
    """Store the memory and remove earlier ones. Raises as the store and the signer."""
    body = gzip.compress(canonical.encode(covered.to_json()), mtime=0)
    name = f"{PREFIX}{covered.number:010d}.json.gz"
    before = [listed for listed in cache.list(PREFIX) if not listed.key.startswith(name)]
    cache.put(name, Content.of_bytes(body))
    cache.put(name + ".p7s", Content.of_bytes(signer.sign_cms(body)))
    for listed in before:
        cache.delete_version(listed.key, version=listed.version)


def _remembered(stores: Stores, signer: Signer, head: int) -> Covered | None:
    """The newest memory that our key signed and that belongs to this chain."""
    try:
        names = [one.key for one in stores.cache.list(PREFIX) if one.key.endswith(".json.gz")]
    except ArchiveError:
        return None  # a cache that does not answer costs time, not the log
    for name in reversed(names):
        try:
            found = _read(stores.cache, name, signer)
            if found.number <= head and stored.read_note(stores.records, found.number).digest == found.digest:
                return found
        except (ArchiveError, KeyError, TypeError, ValueError, OSError, EOFError, zlib.error):
            continue
    return None


def _read(cache: ObjectStore, name: str, signer: Signer) -> Covered:
    body = cache.get(name)
    signature = cms.decode(name, cache.get(name + ".p7s"))
    cms.check(name, signature, body)
    if certificates.to_der(signature.certificate) != signer.certificate_der:
        raise IntegrityError(f"{name} was written with another key", code="memory_foreign")
    return Covered.from_json(canonical.decode(gzip.decompress(body)))
