"""Connection tests of cameras: an order that somebody files, and the answer of the recorder that takes it.

Who administers cameras asks whether a source gives pictures before it is registered, or why it gives none.
The interface reaches no camera. It puts an order in the cache bucket; a recorder finds it there within
seconds, tries the source, and puts what it saw beside it. Nothing of this is the record, and all of it is
gone ten minutes later.

``trials/orders/<id>.json`` is the order, with the source sealed as a registered camera's is; it goes as soon
as its answer was read. ``trials/asked/<id>.json`` says who asked, without the sealed source.
``trials/taken/<id>.json`` names the recorder that took it: the first one to put it. ``trials/answers/<id>/``
has ``answer.json`` and perhaps ``still.jpg``. A recorder may read orders, and write the last two.
"""

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from archive import canonical
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound, Refused
from archive.ports import Content, ObjectStore
from archive.timespan import MINUTE, SECOND, format_instant

PREFIX = "trials/"
ORDERS, ASKED, TAKEN, ANSWERS = f"{PREFIX}orders/", f"{PREFIX}asked/", f"{PREFIX}taken/", f"{PREFIX}answers/"
KEPT = 10 * MINUTE
"""How long an order and its answer stay."""
FRESH = 15 * SECOND
"""An order that no recorder takes within this is not answered any more."""
PATIENCE = 30 * SECOND
"""An order that was taken, but not answered within this, is not answered any more."""
MOST_AT_ONCE = 3
MOST_STILL = 4 << 20

_ID = re.compile(r"trial-[0-9a-f]{24}\Z", re.ASCII)


class TrialStatus(StrEnum):
    """How far a connection test is."""

    WAITING = "waiting"
    TAKEN = "taken"
    DONE = "done"
    FAILED = "failed"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOrder:
    """What a recorder is to try. ``camera`` is "" for a source that no camera has yet."""

    id: str
    asked_at: int
    camera: str
    sealed_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a source sends. ``sound`` is the codec of its sound, "" for none, None if it does not tell.

    ``made_from`` is the codec of its pictures where recorders encode them, and ``codec`` what they make.
    """

    codec: str
    width: int
    height: int
    mfps: int
    sound: str | None
    made_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFailure:
    """Why nothing came: a code, and the cause as gaps have it ("" without one)."""

    code: str
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A connection test as its owner reads it; ``source`` as it may be shown."""

    id: str
    by: str
    asked_at: int
    camera: str
    source: str
    status: TrialStatus
    recorder: str = ""
    answered_at: int | None = None
    seen: Sighting | None = None
    failure: TrialFailure | None = None
    has_still: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.status not in (TrialStatus.WAITING, TrialStatus.TAKEN)


class TrialBoard:
    """The connection tests in one cache bucket. Thread-safe; any number of processes may use it.

    ``fresh`` and ``patience`` are how long an order waits to be taken, and to be answered.
    """

    def __init__(
        self, cache: ObjectStore, clock: Clock, *, fresh: int = FRESH, patience: int = PATIENCE
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._fresh = fresh
        self._patience = patience
        self._askers: dict[str, str] = {}  # by test; that never changes

    # For the interface --------------------------------------------------------------------------------

    def order(self, by: str, *, camera: str, source: str, sealed_source: str) -> Trial:
        """File an order. ``source`` is shown to people, ``sealed_source`` is for the recorder.

        Raises:
            Refused: ``too_many_trials``: the person waits for :data:`MOST_AT_ONCE` already.
        """
        self._sweep()
        waiting = [one for one in self._asked() if one.by == by and not self._completed(one).is_over]
        if len(waiting) >= MOST_AT_ONCE:
            raise Refused(
                f"you wait for {MOST_AT_ONCE} connection tests already",
                code="too_many_trials",
                hint="Wait some seconds, until one of them is answered.",
            )
        made = Trial(
            id=f"trial-{secrets.token_hex(12)}",
            by=by,
            asked_at=self._clock.now(),
            camera=camera,
            source=source,
            status=TrialStatus.WAITING,
        )
        facts: JsonObject = {"id": made.id, "asked_at": made.asked_at, "camera": camera}
        self._put(f"{ASKED}{made.id}.json", {**facts, "by": by, "source": source})
        self._put(f"{ORDERS}{made.id}.json", {**facts, "sealed_source": sealed_source})
        return made

    def find(self, by: str, trial: str) -> Trial:
        """A person's own connection test, as it is now.

        Raises:
            Malformed: ``bad_id``.
            NotFound: ``trial_not_found``: there is none, it is another person's, or it is gone.
        """
        found = self._read_asked(check_trial_id(trial))
        if found is None or found.by != by or self._clock.now() - found.asked_at >= KEPT:
            raise _not_found(trial)
        completed = self._completed(found)
        if completed.is_over:
            self._remove(f"{ORDERS}{trial}.json")
        return completed

    def marks(self) -> Mapping[str, Mapping[str, int]]:
        """How far each test is, by who asked: 1 when a recorder took it, 2 when it answered."""
        steps: dict[str, int] = {}
        for listed in self._cache.list(PREFIX):
            if listed.key.startswith(TAKEN):
                name = listed.key.removeprefix(TAKEN).removesuffix(".json")
                steps[name] = max(steps.get(name, 0), 1)
            elif listed.key.startswith(ANSWERS) and listed.key.endswith("/answer.json"):
                steps[listed.key.removeprefix(ANSWERS).partition("/")[0]] = 2
        self._askers = {name: by for name in steps if (by := self._asker(name))}
        found: dict[str, dict[str, int]] = {}
        for name, by in self._askers.items():
            found.setdefault(by, {})[name] = steps[name]
        return found

    def _asker(self, name: str) -> str:
        known = self._askers.get(name)
        if known is not None:
            return known
        asked = self._read_asked(name) if _ID.match(name) else None
        return "" if asked is None else asked.by

    def still(self, by: str, trial: str) -> bytes:
        """The picture that the recorder made. Raises as :meth:`find`; NotFound without a picture."""
        if not self.find(by, trial).has_still:
            raise _not_found(trial)
        return self._cache.get(f"{ANSWERS}{trial}/still.jpg")

    # For recorders ------------------------------------------------------------------------------------

    def orders(self, known: Collection[str]) -> Iterator[TrialOrder]:
        """The fresh orders, without those whose ids are ``known``. One that is unreadable is left out."""
        now = self._clock.now()
        for listed in self._cache.list(ORDERS):
            name = listed.key.removeprefix(ORDERS).removesuffix(".json")
            if name in known or _ID.match(name) is None:
                continue
            try:
                order = _order_of(canonical.decode(self._cache.get(listed.key)))
            except (NotFound, Malformed):
                continue  # gone meanwhile, or not ours
            if order.id == name and abs(now - order.asked_at) < self._fresh:
                yield order

    def take(self, order: TrialOrder, recorder: str) -> bool:
        """Take an order, unless another recorder has it; of several only one is told yes."""
        try:
            self._put(f"{TAKEN}{order.id}.json", {"recorder": recorder})
        except AlreadyExists:
            return False
        return True

    def answer(
        self, order: TrialOrder, recorder: str, found: Sighting | TrialFailure, still: bytes | None = None
    ) -> None:
        """Put what was found. The answer comes last: it never promises a picture that is not there."""
        folder = f"{ANSWERS}{order.id}/"
        has_still = still is not None and 0 < len(still) <= MOST_STILL
        if has_still and still is not None:
            self._cache.put(f"{folder}still.jpg", Content.of_bytes(still))
        facts: JsonObject = {"recorder": recorder, "at": self._clock.now(), "still": has_still}
        if isinstance(found, TrialFailure):
            facts["failure"] = {"code": found.code, "cause": found.cause}
        else:
            facts["seen"] = {
                "codec": found.codec,
                "width": found.width,
                "height": found.height,
                "mfps": found.mfps,
                "sound": found.sound,
                "made_from": found.made_from,
            }
        self._put(f"{folder}answer.json", facts)

    # Below both ---------------------------------------------------------------------------------------

    def _completed(self, asked: Trial) -> Trial:
        """What was asked, with what became of it."""
        try:
            answer = self._get(f"{ANSWERS}{asked.id}/answer.json")
            if answer is not None:
                return _answered(asked, answer)
        except Malformed:  # this test failed; the person's others go on
            return replace(asked, status=TrialStatus.FAILED, failure=TrialFailure(code="bad_trial"))
        taken = self._get(f"{TAKEN}{asked.id}.json")
        age = self._clock.now() - asked.asked_at
        recorder = "" if taken is None else str(taken.get("recorder", ""))
        if taken is None:
            status = TrialStatus.WAITING if age < self._fresh else TrialStatus.UNANSWERED
        else:
            status = TrialStatus.TAKEN if age < self._patience else TrialStatus.UNANSWERED
        return replace(asked, status=status, recorder=recorder)

    def _asked(self) -> Iterator[Trial]:
        for listed in self._cache.list(ASKED):
            found = self._read_asked(listed.key.removeprefix(ASKED).removesuffix(".json"))
            if found is not None:
                yield found

    def _read_asked(self, trial: str) -> Trial | None:
        try:
            facts = self._get(f"{ASKED}{trial}.json")
        except Malformed:
            facts = None  # not ours, as one of another name
        if facts is None:
            return None
        return Trial(
            id=trial,
            by=str(facts["by"]),
            asked_at=int(facts["asked_at"]),
            camera=str(facts["camera"]),
            source=str(facts["source"]),
            status=TrialStatus.WAITING,
        )

    def _get(self, key: str) -> JsonObject | None:
        try:
            return canonical.decode(self._cache.get(key))
        except NotFound:
            return None

    def _put(self, key: str, facts: JsonObject) -> None:
        self._cache.put(key, Content.of_bytes(canonical.encode(facts)))

    def _remove(self, key: str) -> None:
        for listed in self._cache.list(key):
            self._cache.delete_version(listed.key, version=listed.version)

    def _sweep(self) -> None:
        """Remove what is over for good."""
        now = self._clock.now()
        for listed in self._cache.list(PREFIX):
            if now - listed.stored_at >= KEPT:
                self._cache.delete_version(listed.key, version=listed.version)


def check_trial_id(text: str) -> str:
    """Accept the id of a connection test, and return it. Raises Malformed ``bad_id``."""
    if _ID.match(text) is None:
        raise Malformed(
            f"{text!r} is not the id of a connection test", code="bad_id", hint="It looks like trial-0123…"
        )
    return text


def trial_json(trial: Trial) -> JsonObject:
    """A connection test as the HTTP interface shows it, without addresses of the interface."""
    seen, failure = trial.seen, trial.failure
    return {
        "id": trial.id,
        "status": trial.status.value,
        "camera": trial.camera or None,
        "source": trial.source,
        "asked_at": format_instant(trial.asked_at),
        "until": format_instant(trial.asked_at + KEPT),
        "recorder": trial.recorder,
        "answered_at": None if trial.answered_at is None else format_instant(trial.answered_at),
        "found": None
        if seen is None
        else {
            "codec": seen.codec,
            "width": seen.width,
            "height": seen.height,
            "fps": seen.mfps / 1000,
            "sound": seen.sound,
            "made_from": seen.made_from,
        },
        "failure": None if failure is None else {"code": failure.code, "cause": failure.cause},
    }


def _order_of(facts: JsonObject) -> TrialOrder:
    try:
        return TrialOrder(
            id=str(facts["id"]),
            asked_at=int(facts["asked_at"]),
            camera=str(facts["camera"]),
            sealed_source=str(facts["sealed_source"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("an order of a connection test cannot be read", code="bad_trial") from error


def _answered(asked: Trial, answer: JsonObject) -> Trial:
    """The answer of a recorder, of which nothing is taken on trust: it is on another host."""
    seen, failure = answer.get("seen"), answer.get("failure")
    try:
        sighting = (
            None
            if seen is None
            else Sighting(
                codec=str(seen["codec"])[:80],
                width=int(seen["width"]),
                height=int(seen["height"]),
                mfps=int(seen["mfps"]),
                sound=None if seen["sound"] is None else str(seen["sound"])[:80],
                made_from=str(seen.get("made_from", ""))[:80],
            )
        )
        found = (
            None
            if failure is None
            else TrialFailure(code=str(failure["code"])[:80], cause=str(failure["cause"])[:80])
        )
        return replace(
            asked,
            status=TrialStatus.FAILED if sighting is None else TrialStatus.DONE,
            recorder=str(answer["recorder"])[:63],
            answered_at=int(answer["at"]),
            seen=sighting,
            failure=found,
            has_still=bool(answer["still"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed("an answer of a connection test cannot be read", code="bad_trial") from error


def _not_found(trial: str) -> NotFound:
    return NotFound(
        f"there is no connection test {trial} of yours",
        code="trial_not_found",
        hint="Answers are kept for ten minutes. File a new one.",
    )
