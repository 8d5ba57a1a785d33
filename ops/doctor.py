"""``saksi doctor``: diagnose everything an installation depends on, and say what to do.

Green: in order. Amber: it works, but a person should act before evidence goes to court. Red: broken now.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path

from archive.canonical import JsonObject
from archive.cases.exports.model import ExportStatus
from archive.errors import ArchiveError, NotFound
from archive.footage.confinement.running import measures
from archive.integrity.canary import Watch
from archive.keys import canary_day
from archive.lifecycle.disposition.pressure import Level
from archive.ports import Content
from archive.records.camera_health import CameraState, counts
from archive.records.heartbeat import troubles
from archive.records.indexed import marks
from archive.records.integrity_incidents import IntegrityIncidentStatus, incidents
from archive.records.relations import Separation
from archive.timespan import DAY, MINUTE, SECOND, format_instant
from archive.trust.timestamp import LOCAL_NAME
from ops import keys
from ops.adopting import adopted_lately
from ops.disposition import pressure_of
from ops.exports import UNATTENDED, queue_of
from ops.fixity import status_of
from ops.host_clock import HostClock
from ops.wiring import Site
from recorder.binary import find_ffmpeg
from search.health import camera_health

LOW_SPACE = 10 << 30
EXPIRY_WARNING_DAYS = 60


class Light(StrEnum):
    """The state of one thing."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing examined: its state, a sentence, and what to do."""

    subject: str
    light: Light
    message: str
    hint: str = ""

    def to_json(self) -> JsonObject:
        """As ``saksi doctor --json`` prints it."""
        return {
            "subject": self.subject,
            "light": self.light.value,
            "message": self.message,
            "hint": self.hint,
        }


def examine(site: Site) -> Iterator[Diagnosis]:
    """Every diagnosis, in the order in which a person would check."""
    looks: tuple[tuple[str, Callable[[Site], Iterator[Diagnosis]]], ...] = (
        ("ffmpeg", _ffmpeg),
        ("decoder", _decoder),
        ("clock", _clock),
        ("disk", _disk),
        ("archive", _archive),
        ("pressure", _pressure),
        ("locks", _locks),
        ("fixity", _fixity),
        ("index", _index),
        ("keys", _keys),
        ("log", _log),
        ("recorders", _recorders),
        ("adoption", _adoption),
        ("cameras", _cameras),
        ("exports", _exports),
        ("people", examine_people),
    )
    for subject, look in looks:
        try:
            yield from look(site)
        except ArchiveError as error:
            yield Diagnosis(subject, Light.RED, error.message, error.hint)


def _ffmpeg(site: Site) -> Iterator[Diagnosis]:
    found = find_ffmpeg()
    yield Diagnosis("ffmpeg", Light.GREEN, f"FFmpeg {found.version} records")
    if shutil.which("openssl") is None:
        yield Diagnosis(
            "openssl",
            Light.RED,
            "openssl is not installed here",
            "Install OpenSSL 3.0 or later: sealing and verifying packages need it.",
        )


def _decoder(site: Site) -> Iterator[Diagnosis]:
    """Whether FFmpeg is confined to a camera's bytes; a confined process tries what it can reach."""
    key = next(iter(sorted(site.settings.keys_dir.rglob("*.key"))), Path("/etc/passwd"))
    found = measures(key)
    if found is None:
        yield Diagnosis(
            "decoder",
            Light.RED,
            "FFmpeg cannot be confined here: no pictures are made, and sealing is postponed",
            "Permit these system calls for the service: landlock_create_ruleset, landlock_add_rule, "
            "landlock_restrict_self and seccomp.",
        )
        return
    if found.reads and found.landlock:
        yield Diagnosis(
            "decoder",
            Light.RED,
            f"a confined FFmpeg could read {key}",
            "Move keys_dir away from folders of libraries: not below /usr or /lib.",
        )
        return
    lacking = [
        what
        for what, there in (
            ("Landlock (files)", found.landlock > 0),
            ("Landlock of version 6 (signals)", found.landlock == 0 or found.landlock >= 6),
            ("a seccomp filter (network)", found.seccomp and not found.connects),
        )
        if not there
    ]
    if lacking:
        yield Diagnosis(
            "decoder",
            Light.AMBER,
            f"FFmpeg is confined without {', '.join(lacking)}",
            "Use a kernel that has it (Linux 6.12); until then run saksi-work@seal as its own user.",
        )
    else:
        yield Diagnosis(
            "decoder", Light.GREEN, f"FFmpeg decodes confined: Landlock {found.landlock} and a seccomp filter"
        )


def _clock(site: Site) -> Iterator[Diagnosis]:
    found = HostClock(site.clock).look()
    if found.bound_us is not None:
        text = f"the clock is right within {found.bound_us / 1000:.1f} ms, says {found.source}"
        yield Diagnosis("clock", Light.GREEN, text)
    else:
        yield Diagnosis(
            "clock",
            Light.AMBER,
            "nothing says that the clock is synchronised",
            "Run an NTP client such as chrony; every segment's time is this host's time.",
        )


def _disk(site: Site) -> Iterator[Diagnosis]:
    spool = site.settings.spool_dir
    existing = next(folder for folder in (spool, *spool.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    quota = site.settings.spool_quota_mib << 20
    text = f"{free >> 30} GiB are free on the spool's disk"
    if free < LOW_SPACE:
        yield Diagnosis("disk", Light.AMBER, text, "Recording stops, with a recorded gap, when it is full.")
    elif free < quota:
        yield Diagnosis(
            "disk", Light.AMBER, f"{text}, less than its quota", "Lower spool_quota_mib or free some space."
        )
    else:
        yield Diagnosis("disk", Light.GREEN, text)


def _archive(site: Site) -> Iterator[Diagnosis]:
    for bucket, store in (("footage", site.stores.footage), ("records", site.stores.records)):
        next(iter(store.list("doctor/")), None)
        yield Diagnosis("archive", Light.GREEN, f"the {bucket} bucket answers")
    probe = f"doctor/{os.getpid()}-{site.clock.now()}"
    stored = site.stores.cache.put(probe, Content.of_bytes(b"saksi doctor\n"))
    site.stores.cache.delete_version(probe, version=stored.version)
    yield Diagnosis("archive", Light.GREEN, "the cache bucket stores and deletes objects")


def _locks(site: Site) -> Iterator[Diagnosis]:
    """What the canary found, and whether it ran recently."""
    Watch(site.ledger, site.stores.records, site.clock).check()
    days = [site.clock.now() - back for back in (0, DAY, 2 * DAY)]
    flown = any(next(iter(site.stores.records.list(canary_day(day))), None) for day in days)
    if flown:
        yield Diagnosis("locks", Light.GREEN, "the canary found that the store refuses what it must")
    else:
        yield Diagnosis(
            "locks",
            Light.AMBER,
            "the canary has not tested the store's locks for days",
            "Run saksi store canary, and keep the job running: saksi work --only canary",
        )


def _pressure(site: Site) -> Iterator[Diagnosis]:
    """How full the store is, by its quota or its disk."""
    found = pressure_of(site)
    if found.level is Level.UNKNOWN:
        yield Diagnosis(
            "pressure",
            Light.AMBER,
            "the store's capacity is not set",
            "Set archive_quota_gib, so that Saksi warns before the store is full.",
        )
        return
    text = f"{found.used * 100 // found.quota} % of the store's capacity is used"
    light = {Level.RED: Light.RED, Level.AMBER: Light.AMBER}.get(found.level, Light.GREEN)
    hint = "" if light is Light.GREEN else "See what could be destroyed: saksi archive pressure --plan"
    yield Diagnosis("pressure", light, text, hint)


def _fixity(site: Site) -> Iterator[Diagnosis]:
    found = list(incidents(site.ledger, IntegrityIncidentStatus.OPEN))
    if found:
        yield Diagnosis(
            "fixity",
            Light.RED,
            f"{len(found)} integrity incidents are open, the first: {found[0].code} {found[0].subject}",
            "See saksi integrity-incident list and the runbook for integrity incidents.",
        )
    if site.settings.fixity_mib_per_second == 0:
        yield Diagnosis("fixity", Light.AMBER, "the fixity scrub is off", "Set fixity_mib_per_second.")
        return
    status = status_of(site)
    text = f"{status.percent} % of {status.hours} camera-hours were compared within {status.days} days"
    late = status.oldest is not None and status.oldest < site.clock.now() - 2 * status.days * DAY
    if late:
        yield Diagnosis(
            "fixity", Light.AMBER, text, "Raise fixity_mib_per_second, or find out why the scrub stopped."
        )
    elif not found:
        yield Diagnosis("fixity", Light.GREEN, text)


def _index(site: Site) -> Iterator[Diagnosis]:
    status = site.bare_index.status()
    if not site.wholeness.found():
        yield Diagnosis(
            "index",
            Light.RED,
            f"{status.kind}: it does not hold the whole archive, and no question is answered",
            "Run saksi index rebuild.",
        )
        return
    site.wholeness.require()  # raises if it lacks what the journals have
    site.wholeness.require_records()  # the same for custody and ledger
    yield Diagnosis("index", Light.GREEN, f"{status.kind}: {status.segments} segments, {status.gaps} gaps")
    now = site.clock.now()
    if not marks.is_attended(site.bare_index, now, marks.LATE):
        turn = marks.turn_at(site.bare_index)
        when = "never" if turn is None else f"last at {format_instant(turn)}"
        text = f"custody and ledger were brought into it {when}"
        yield Diagnosis("index", Light.AMBER, text, "Keep the job running: saksi work --only follow")


def _keys(site: Site) -> Iterator[Diagnosis]:
    folder = site.settings.keys_dir
    try:
        found = keys.show(folder, tsa_url=site.settings.tsa_url)
    except NotFound as error:
        yield Diagnosis("keys", Light.AMBER, "there is no seal key: nothing can be sealed", error.hint)
        return
    for path in sorted(folder.rglob("*.key")):
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield Diagnosis("keys", Light.RED, f"{path.name} is readable by others", "chmod 600 it.")
    if found.development:
        yield Diagnosis(
            "keys",
            Light.AMBER,
            "the seal key is a DEVELOPMENT key, made on this machine",
            "Replace it with an institution's certificate before evidence goes to court.",
        )
    for deadline in keys.deadlines(folder, tsa_url=site.settings.tsa_url):
        left = deadline.at - site.clock.now()
        if left < EXPIRY_WARNING_DAYS * DAY:
            light = Light.RED if left <= 0 else Light.AMBER
            text = f"{deadline.what} has {max(0, left // DAY)} days left"
            yield Diagnosis("keys", light, text, f"Renew it: {deadline.remedy}")
    for one in keys.certificates_of(folder):
        if one.status is keys.Status.REVOKED and one.in_use:
            yield Diagnosis(
                "keys",
                Light.RED,
                f"the {one.role} certificate is revoked: it signs nothing more",
                f"Exchange it: saksi keys rotate {one.role}",
            )
    if found.tsa == LOCAL_NAME:
        yield Diagnosis(
            "timestamp",
            Light.AMBER,
            "packages are stamped by the local authority: root on this host could back-date",
            "Set SAKSI_TSA_URL to an outside RFC 3161 authority; only a hash leaves the city.",
        )
    else:
        yield Diagnosis("timestamp", Light.GREEN, f"packages are stamped by {found.tsa}")


def _log(site: Site) -> Iterator[Diagnosis]:
    from ops.log import Log

    log = Log(site)
    states = list(log.newest_states(48))
    if not states:
        yield Diagnosis("log", Light.AMBER, "there is no checkpoint yet", "Make one: saksi log make")
    else:
        newest = states[0].note
        age = site.clock.now() - newest.at
        late = age > log.interval + 10 * MINUTE
        yield Diagnosis(
            "log",
            Light.RED if late else Light.GREEN,
            f"checkpoint {newest.number} was made {age // MINUTE} minutes ago",
            "Records since then can be altered unnoticed; run saksi work --only log." if late else "",
        )
    for what, lacking in (
        ("signature", [state for state in states if not state.signed]),
        ("time stamp", [state for state in states if not state.stamped]),
    ):
        if lacking:
            yield Diagnosis(
                "log",
                Light.AMBER,
                f"{len(lacking)} of the newest checkpoints have no {what} yet",
                "Run saksi log make and read its output.",
            )
    if not log.witnesses:
        yield Diagnosis(
            "log",
            Light.AMBER,
            "no witness receives the checkpoints: a person with all keys of this host can rewrite the log",
            "Name a witness in log_witness_urls.",
        )
    elif states and not any(state.receipts for state in states):
        yield Diagnosis("log", Light.AMBER, "no witness has answered", "Run saksi log make.")


def _recorders(site: Site) -> Iterator[Diagnosis]:
    beats = site.bare_index.heartbeats()
    if not beats:
        yield Diagnosis("recorders", Light.AMBER, "no recorder has been seen", "Start one: saksi record")
    now = site.clock.now()
    for beat in beats:
        found = list(troubles(beat, now))
        for one in found:
            yield Diagnosis("recorders", Light.RED, one.message, one.hint)
        if not found:
            text = (
                f"{beat.recorder} was seen {(now - beat.at) // SECOND} s ago, and its journal entries arrive"
            )
            yield Diagnosis("recorders", Light.GREEN, text)


def _adoption(site: Site) -> Iterator[Diagnosis]:
    """What others signed for recorders that are gone; nothing where nobody had to."""
    text = adopted_lately(site)
    if text:
        yield Diagnosis("adoption", Light.GREEN, text)


def _cameras(site: Site) -> Iterator[Diagnosis]:
    """Whether every registered camera is recorded now."""
    found = camera_health(site.index, site.clock.now())
    numbers = counts(found)
    missed = [one for one in found if one.is_missed]
    if missed:
        names = ", ".join(f"{one.camera.id} ({one.cause})" for one in missed[:5])
        yield Diagnosis(
            "cameras",
            Light.RED,
            f"{len(missed)} of {len(found)} cameras are not being recorded: {names}"
            + (", …" if len(missed) > 5 else ""),
            "See them all: saksi health cameras --state silent --state never_seen",
        )
    unknown = numbers[CameraState.UNKNOWN]
    if unknown:
        yield Diagnosis(
            "cameras",
            Light.AMBER,
            f"whether {unknown} of {len(found)} cameras are being recorded is not known",
            "Start their recorder: saksi record; see saksi health cameras --state unknown",
        )
    if not missed and not unknown:
        text = ", ".join(f"{number} {state.value}" for state, number in numbers.items() if number)
        yield Diagnosis("cameras", Light.GREEN, text or "no camera is registered")


def _exports(site: Site) -> Iterator[Diagnosis]:
    found = queue_of(site)
    made, room = found.counts, site.settings.export_cache_gib << 30
    text = (
        f"{made[ExportStatus.READY]} are ready, {found.unfinished} are being made or wait; "
        f"{found.taken * 100 // room} % of their room is taken"
    )
    if found.waiting_since is not None and found.waiting_since < site.clock.now() - UNATTENDED:
        when = format_instant(found.waiting_since)
        yield Diagnosis(
            "exports",
            Light.AMBER,
            f"{text}; one waits since {when}",
            "Keep the job running: saksi work --only exports",
        )
    else:
        yield Diagnosis("exports", Light.GREEN, text)


def examine_people(site: Site) -> Iterator[Diagnosis]:
    """Whether two administrators can decide together; nothing while there is none, and the host decides."""
    from ops.accounts import users_of

    names = [person.id for person in users_of(site).administrators()]
    if not names:
        return
    accounts, now = [f"user:{name}" for name in names], site.clock.now()
    known = Separation(site.ledger, site.clock).relations(accounts)
    waits = [known.free_at(one, other, now) for one, other in combinations(accounts, 2)]
    if now in waits:
        yield Diagnosis("people", Light.GREEN, "two administrators can decide together")
        return
    until = min((at for at in waits if at is not None), default=None)
    text = "one administrator" if len(names) == 1 else f"no two of the administrators {', '.join(names)}"
    yield Diagnosis(
        "people",
        Light.AMBER,
        f"{text} can decide what takes two people"
        + ("" if until is None else f" until {format_instant(until)}: they are tied"),
        "Make another administrator on the host: saksi user add NAME --role admin. Two people of the host who"
        " are none of these add and consent: saksi user consent NAME.",
    )


def worst(found: list[Diagnosis]) -> Light:
    """The worst state among the diagnoses."""
    for light in (Light.RED, Light.AMBER):
        if any(diagnosis.light is light for diagnosis in found):
            return light
    return Light.GREEN
