"""One flight of the canary over the buckets that promise to keep objects.

Every attack has its own kind of target: a locked object, or one that is locked and held. A target that an
attack damaged is replaced by a new one, so that each attack is judged independently.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from archive import keys
from archive.clock import Clock
from archive.errors import ArchiveError, Conflict, IntegrityError, NotFound, Refused
from archive.integrity.canary.findings import AttackOutcome, AttackResult, Report
from archive.objects.attacks import Bucket, Bypass, NotOffered
from archive.ports import Content, Lock, LockMode
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, SECOND

LOCKED_FOR = 2 * DAY
_HARDENED_FOR = 10 * MINUTE
"""If an attack really sets a lock in COMPLIANCE mode, that lock ends soon."""

_SHADOW = b"a later version, which no reader may take\n"


@dataclass(frozen=True, slots=True)
class _Bird:
    key: str
    version: str
    body: bytes
    lock: Lock
    held: bool


@dataclass(frozen=True, slots=True)
class _Attack:
    """``code`` names the promise it would break; ``words`` complete the sentence "it was possible to …"."""

    code: str
    words: str
    act: Callable[[_Bird, Bypass], None]
    held: bool = False


class Canary:
    """Flies on request. Its account may put, read and look at locks under ``canary/``."""

    def __init__(self, buckets: Sequence[Bucket], ledger: Ledger, clock: Clock) -> None:
        self._buckets = buckets
        self._ledger = ledger
        self._clock = clock

    def fly(self) -> Report:
        """Attack, and open an incident for each broken promise.

        Raises:
            Refused: the account may not even put the objects to be attacked.
            Unavailable: a store does not answer; nothing is known, and nothing is recorded.
        """
        report = self.look()
        for finding in report.broken:
            open_integrity_incident(
                self._ledger,
                code=finding.code,
                subject=f"{finding.bucket} as {report.account}, bypass {finding.bypass.value}",
                message=finding.message,
                found_by=f"canary:{report.account}",
                details={"attack": finding.attack, "key": finding.key, "version": finding.version},
            )
        return report

    def look(self) -> Report:
        """Attack, and record nothing. Errors as :meth:`fly`."""
        at = self._clock.now()
        account = self._buckets[0].attacks.account
        flights = [_Flight(bucket, self._clock) for bucket in self._buckets]
        return Report(account, at, [finding for flight in flights for finding in flight.findings()])


class _Flight:
    """The attacks on one bucket."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket = bucket
        self._store = bucket.store
        self._attacks = bucket.attacks
        self._clock = clock
        self._count = 0
        self._kept: dict[bool, _Bird] = {}

    def findings(self) -> Iterator[AttackResult]:
        """Every attack in turn."""
        unkept = list(self._unkept())
        yield from unkept
        if unkept:
            return  # an object that the store never locked needs no attack
        for bypass in Bypass:
            for attack in self._program():
                yield self._attacked(attack, bypass)
        overwriting = _Attack("canary_overwritten", "put other bytes over a locked object", self._overwrite)
        yield self._attacked(overwriting, Bypass.NO)
        yield self._shadowed()

    def _program(self) -> Sequence[_Attack]:
        """The attacks that are tried both with and without the header that bypasses GOVERNANCE."""
        return (
            _Attack("canary_deleted", "delete a locked version", self._delete),
            _Attack("canary_lock_shortened", "shorten a lock", self._shorten),
            _Attack("canary_lock_cleared", "clear a lock", self._clear),
            _Attack("canary_lock_hardened", "turn a lock into COMPLIANCE", self._harden),
            _Attack("canary_held_deleted", "delete a held version", self._free_and_delete, held=True),
        )

    def _delete(self, bird: _Bird, bypass: Bypass) -> None:
        self._attacks.delete(bird.key, bird.version, bypass)

    def _shorten(self, bird: _Bird, bypass: Bypass) -> None:
        self._attacks.shorten_lock(bird.key, bird.version, bird.lock.until - DAY, bypass)

    def _clear(self, bird: _Bird, bypass: Bypass) -> None:
        self._attacks.clear_lock(bird.key, bird.version, bypass)

    def _harden(self, bird: _Bird, bypass: Bypass) -> None:
        soon = (self._clock.now() + _HARDENED_FOR) // SECOND * SECOND
        self._attacks.harden_lock(bird.key, bird.version, soon, bypass)

    def _free_and_delete(self, bird: _Bird, bypass: Bypass) -> None:
        """Clear the lock first: if that works, only the hold prevents the deletion."""
        # Another attack judges whether clearing works.
        with suppress(Refused, Conflict):
            self._attacks.clear_lock(bird.key, bird.version, bypass)
        self._attacks.delete(bird.key, bird.version, bypass)

    def _overwrite(self, bird: _Bird, _bypass: Bypass) -> None:
        self._attacks.overwrite(bird.key, Content.of_bytes(_SHADOW))

    def _unkept(self) -> Iterator[AttackResult]:
        """Whether the store keeps the lock and the hold that were sent with the put."""
        bird = self._bird(held=True)
        head = self._store.head(bird.key, version=bird.version)
        for code, attack, kept in (
            ("canary_lock_not_kept", "put with a lock", head.lock == bird.lock),
            ("canary_hold_not_kept", "put with a hold", head.held),
        ):
            if not kept:
                yield self._finding(
                    code,
                    attack,
                    Bypass.NO,
                    AttackOutcome.BROKEN,
                    f"the {self._bucket.name} bucket accepted a {attack} and does not show it",
                    bird,
                )

    def _attacked(self, attack: _Attack, bypass: Bypass) -> AttackResult:
        bird = self._bird(held=attack.held)
        outcome, told = _try(lambda: attack.act(bird, bypass))
        damage = self._damage(bird)
        if damage:
            self._kept.pop(attack.held, None)
            outcome = AttackOutcome.BROKEN
            told = (
                f"in the {self._bucket.name} bucket, as {self._attacks.account}, it was possible to "
                f"{attack.words}{_how(bypass)}: {damage}"
            )
        return self._finding(attack.code, attack.words, bypass, outcome, told, bird)

    def _shadowed(self) -> AttackResult:
        """A delete marker and a later version: readers must take the oldest, and a check must see them."""
        bird = self._fresh(held=False)
        marked, _ = _try(lambda: self._attacks.hide(bird.key))
        covered, told = _try(lambda: self._attacks.overwrite(bird.key, Content.of_bytes(_SHADOW)))
        accepted = [one for one in (marked, covered) if one is AttackOutcome.ACCEPTED]
        fooled = self._fooled(bird, later=len(accepted))
        outcome = AttackOutcome.BROKEN if fooled else AttackOutcome.ACCEPTED if accepted else covered
        if fooled:
            told = f"in the {self._bucket.name} bucket, {fooled}"
        return self._finding(
            "canary_reader_fooled", "hide and shadow a locked object", Bypass.NO, outcome, told, bird
        )

    def _fooled(self, bird: _Bird, *, later: int) -> str:
        """What is wrong with this program's readers after ``later`` marks over a bird; "" for nothing."""
        try:
            if self._store.get(bird.key) != bird.body:
                return "readers get a later version instead of the first"
        except NotFound:
            return "a delete marker hides an object from its readers"
        if [one.version for one in self._store.list(bird.key)] != [bird.version]:
            return "a listing does not show the first version"
        if len(list(self._store.versions(bird.key))) != 1 + later:
            return "a listing of versions does not show the later versions of an object"
        return self._damage(bird)

    def _damage(self, bird: _Bird) -> str:
        """The damage to the bird; "" for none."""
        try:
            head = self._store.head(bird.key, version=bird.version)
            body = self._store.get(bird.key, version=bird.version)
        except NotFound:
            return "the object is gone"
        except IntegrityError as error:
            return f"its bytes have changed ({error.code})"
        if body != bird.body:
            return "its bytes have changed"
        if bird.held:
            # Without its lock it must still exist: this bird tests the hold.
            return "" if head.held else "its hold is gone"
        if head.lock is None:
            return "its lock is gone"
        if head.lock.mode is not bird.lock.mode:
            return f"its lock is now {head.lock.mode.value}"
        if head.lock.until < bird.lock.until:
            return "its lock ends sooner"
        return ""

    def _bird(self, *, held: bool) -> _Bird:
        if held not in self._kept:
            self._kept[held] = self._fresh(held=held)
        return self._kept[held]

    def _fresh(self, *, held: bool) -> _Bird:
        now = self._clock.now()
        self._count += 1
        name = f"{'held' if held else 'locked'}-{self._count}"
        key = keys.canary_key(self._attacks.account, now, name)
        body = f"Saksi canary {key}\n".encode("ascii")
        until = (now + LOCKED_FOR) // SECOND * SECOND
        lock = Lock(LockMode.GOVERNANCE, until)
        stored = self._store.put(key, Content.of_bytes(body), lock=lock, hold=held)
        return _Bird(key, stored.version, body, lock, held)

    def _finding(
        self, code: str, attack: str, bypass: Bypass, outcome: AttackOutcome, message: str, bird: _Bird
    ) -> AttackResult:
        return AttackResult(
            code=code,
            bucket=self._bucket.name,
            attack=attack,
            bypass=bypass,
            outcome=outcome,
            message=message,
            key=bird.key,
            version=bird.version,
        )


def _try(act: Callable[[], None]) -> tuple[AttackOutcome, str]:
    try:
        act()
    except NotOffered as error:
        return AttackOutcome.NOT_OFFERED, error.message
    except (Refused, Conflict, NotFound) as error:
        return _refusal(error), f"{error.message} [{error.code}]"
    return AttackOutcome.ACCEPTED, "the store said yes, and the object is unchanged"


def _refusal(error: ArchiveError) -> AttackOutcome:
    return AttackOutcome.NOT_PERMITTED if error.code == "store_access_denied" else AttackOutcome.REFUSED


def _how(bypass: Bypass) -> str:
    return " with the header that bypasses GOVERNANCE" if bypass is Bypass.CLAIMED else ""
