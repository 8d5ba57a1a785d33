"""The objects that arrived since the previous checkpoint: found by listing, and judged.

Journal and custody objects are looked for in the hour folders since the last checkpoint, at least the newest
three; ledger entries in every stream; once a day everything is listed. Objects come in key order, each once,
so a checkpoint of any size needs only one object in memory.

A journal batch is *refused* if it cannot be read, if none of its recorder's registered keys signed it, if it
lies under a wrong name, or if it contradicts the previous batch. A batch whose predecessor is missing is not
at fault: it is accepted, and the hole is an integrity incident.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import IntegrityError, Malformed, NotFound
from archive.model.gap import Gap, GapCause
from archive.ports import ObjectStore
from archive.records import journal, merkle, set_aside
from archive.records.checkpoint.covered import Covered
from archive.records.checkpoint.leaves import ObjectLeaves, leaves_of, refusal_leaf
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, hour_of

PREFIXES = ("custody/", "journal/", "ledger/")
"""Everything that belongs under a checkpoint, in key order."""

SCANNED_HOURS = 3
_WIDEST_SCAN = 2 * DAY
UNREADABLE = "0" * 64
"""Stands for the SHA-256 of an object whose bytes the store does not return."""


@dataclass(frozen=True, slots=True)
class Objection:
    """A fact for an integrity incident: a stable code, the object, a sentence."""

    code: str
    subject: str
    message: str


def scanned_prefixes(now: int, last: int | None) -> tuple[str, ...]:
    """The prefixes to list at ``now`` (µs) if the last checkpoint is of ``last`` (None: there is none).

    Everything at the first listing of a UTC day and after a long pause; otherwise hour folders, from two
    hours before the last checkpoint to the next hour, since other machines' clocks may be fast.
    """
    if last is None or last // DAY != now // DAY or not 0 <= now - last < _WIDEST_SCAN:
        return PREFIXES
    first = hour_of(min(last, now)) - (SCANNED_HOURS - 1) * HOUR
    hours = [keys.hour_folder(hour) for hour in range(first, hour_of(now) + 2 * HOUR, HOUR)]
    return (
        *(f"custody/{hour}/" for hour in hours),
        *(f"journal/{hour}/" for hour in hours),
        "ledger/",
    )


@dataclass(slots=True)
class Arrivals:
    """One pass over the objects that are not covered yet. ``objections`` grow while :meth:`objects` is read.

    ``covered`` is not changed; ``tips`` are its recorders' newest batches, advanced as batches are accepted.
    """

    records: ObjectStore
    ledger: Ledger
    covered: Covered
    objections: list[Objection] = field(default_factory=list)
    _tips: dict[str, tuple[int, str]] = field(init=False)
    _seen: dict[tuple[str, int], str] = field(default_factory=dict)
    _keys: dict[str, dict[str, Ed25519PublicKey]] = field(default_factory=dict)
    _everything: dict[tuple[str, int], str] | None = None

    def __post_init__(self) -> None:
        self._tips = dict(self.covered.tips)

    def objects(self, prefixes: tuple[str, ...]) -> Iterator[ObjectLeaves]:
        """Every uncovered object under the prefixes, in key order, read and judged.

        Raises:
            Unavailable, Refused: the store does not answer; the caller must conclude nothing.
        """
        for prefix in prefixes:
            for listed in self.records.list(prefix):
                if listed.key not in self.covered:
                    found = self._read(listed.key, listed.size)
                    if found is not None:
                        yield found

    def _read(self, key: str, size: int) -> ObjectLeaves | None:
        try:
            data = self.records.get(key)
        except NotFound:
            return None  # removed meanwhile: a hole in its chain shows it, not this check
        except IntegrityError as error:
            self._object(error.code, key, error.message)
            only = leaves_of_unreadable(key, size, error.code)
            return ObjectLeaves(key, UNREADABLE, size, only, error.code, UNREADABLE)
        return leaves_of(key, data, self._judge(key, data))

    def _object(self, code: str, subject: str, message: str) -> None:
        self.objections.append(Objection(code, subject, message))

    def _judge(self, key: str, data: bytes) -> str:
        """The code why the object is refused, or ""; every objection is noted."""
        if key.startswith("ledger/"):
            try:
                keys.parse_ledger_key(key)
            except Malformed as error:
                self._object("foreign_object", key, error.message)
            return ""
        try:
            writer, number = keys.parse_batch_key(key)
        except Malformed as error:
            self._object("foreign_object", key, error.message)
            return "foreign_object" if key.startswith("journal/") else ""
        if key.startswith("custody/"):
            return ""
        try:
            self._accept(key, data, writer, number)
        except IntegrityError as error:
            self._object(error.code, key, error.message)
            return error.code
        return ""

    def _accept(self, key: str, data: bytes, recorder: str, number: int) -> None:
        """Check a batch against its recorder's keys and the previous batch. Raises IntegrityError."""
        batch = self._signed_by_its_recorder(key, data, recorder)
        if (batch.recorder, batch.batch) != (recorder, number):
            raise IntegrityError(
                f"{key} holds batch {batch.batch} of {batch.recorder}", code="journal_misfiled"
            )
        twin = self._seen.get((recorder, number)) or next(self.covered.batches(recorder, number), None)
        if twin is not None:
            raise IntegrityError(f"{key} is a second batch {number}: {twin} was first", code="journal_chain")
        before = self._digest_before(key, recorder, number)
        if before is not None and batch.prev != before:
            raise IntegrityError(f"{key} does not follow the batch before it", code="journal_chain")
        for leaf in batch.leaves:
            if isinstance(leaf, Gap) and leaf.cause is GapCause.SET_ASIDE:
                self._object(
                    set_aside.CODE,
                    set_aside.subject_of(leaf.camera, leaf.gap),
                    f"{recorder} set aside footage of {leaf.camera} that no index can take: {leaf.span}",
                )
        self._seen[recorder, number] = key
        if number > self._tips.get(recorder, (0, ""))[0]:
            self._tips[recorder] = (number, batch.digest)

    def _signed_by_its_recorder(self, key: str, data: bytes, recorder: str) -> journal.Lines:
        if recorder not in self._keys:
            self._keys[recorder] = registered_keys(self.ledger, recorder)
        return verify_batch(key, data, self._keys[recorder])

    def _digest_before(self, key: str, recorder: str, number: int) -> str | None:
        """The digest of batch ``number - 1``; None, and an objection, if the archive lacks it."""
        tip = self._tips.get(recorder, (0, journal.GENESIS))
        if tip[0] == number - 1:
            return tip[1]
        if number == 1:
            return journal.GENESIS
        name = self._find(recorder, number - 1)
        if name is None:
            self._object("batch_missing", key, f"batch {number - 1} of {recorder} is missing before it")
            return None
        try:
            data = self.records.get(name)
            self._signed_by_its_recorder(name, data, recorder)
        except (NotFound, IntegrityError):
            return None  # the check of that object itself reports what is wrong with it
        return journal.digest_of(data)

    def _find(self, recorder: str, number: int) -> str | None:
        """The key of a batch in any hour; one listing of all journal names serves the whole pass."""
        known = self._seen.get((recorder, number)) or next(self.covered.batches(recorder, number), None)
        if known is not None:
            return known
        if self._everything is None:
            self._everything = {}
            for listed in self.records.list("journal/"):
                if listed.key in self.covered:
                    continue
                try:
                    self._everything.setdefault(keys.parse_batch_key(listed.key), listed.key)
                except Malformed:
                    continue
        return self._everything.get((recorder, number))


def registered_keys(ledger: Ledger, recorder: str) -> dict[str, Ed25519PublicKey]:
    """Every key that a recorder was ever registered with, by fingerprint: keys rotate, batches stay.

    A broken stream counts as far as it can be read; the check of the ledger itself finds the break.
    """
    found: dict[str, Ed25519PublicKey] = {}
    try:
        for entry in ledger.history("recorder", recorder):
            key = journal.registered_key(recorder, entry.state)
            found[journal.public_key_sha256(key)] = key
    except (IntegrityError, Malformed):
        return found
    return found


def verify_batch(key: str, data: bytes, known: Mapping[str, Ed25519PublicKey]) -> journal.Lines:
    """Read a batch and verify it with one of its recorder's keys, found by fingerprint.

    Raises:
        IntegrityError: ``journal_form``, ``journal_unknown_key``, ``journal_signature``.
    """
    try:
        return journal.verify_lines(data, known)
    except Malformed as error:
        raise IntegrityError(f"{key} cannot be read: {error.message}", code="journal_form") from error


def leaves_of_unreadable(key: str, size: int, code: str) -> tuple[bytes, ...]:
    """The one leaf of an object that the store lists but does not return."""
    return (merkle.leaf_hash(refusal_leaf(key, UNREADABLE, size, code)),)
