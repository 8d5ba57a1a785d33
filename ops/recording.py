"""The recorder of a site: made from the settings, and stopped by signals."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import contextmanager
from typing import Any

from archive.errors import ArchiveError, Malformed, Unavailable
from archive.footage.trials import TrialBoard
from archive.ids import has_cameras
from archive.model.camera import Camera
from archive.timespan import Timespan
from ops import keys
from ops.heap import give_back
from ops.host_clock import HostClock
from ops.trial import look_once
from ops.wiring import Site, build_facts
from recorder.backfill.holes import Hole
from recorder.backfill.outcomes import Answer
from recorder.backfill.turn import BackfillTurns, Stopping, Wanted
from recorder.binary import Binary, find_ffmpeg
from recorder.device_watch import DeviceWatch
from recorder.devices import Devices
from recorder.placement.desk import Desk, Everything, PlacementDesk
from recorder.placement.fleet import Fleet
from recorder.placement.membership import Membership
from recorder.recorder import Recorder, RecorderParts
from recorder.settings import RecorderSettings
from recorder.sources import Source
from recorder.spool import Spool
from recorder.sub_watch import SubWatch
from recorder.trials import LONGEST, Seen, TrialDesk
from search.health import newest_footage

_TRIAL_PATIENCE_S = 6.0
"""How long one part of a connection test waits for a camera."""
_LEAVE_AFTER_S = 1.0
BACKFILL_RATE = 1_000_000
"""Bytes per second that a recorder takes from the memories of its cameras, at most."""
EX_UNAVAILABLE = 3
"""The exit code where something does not answer (:mod:`ops.cli`)."""


def recorder_of(site: Site, log: Any, cameras: Collection[str] | None) -> Recorder:
    """A recorder that is not running yet.

    Raises:
        NotFound: ``camera_not_found``: a named camera is not registered.
        Malformed: ``bad_etcd_url``; ``recorder_id_reserved``: ids in ``-import``,
            ``-backfill`` or ``-adopted`` are taken.
        Unavailable: no FFmpeg, or keys that cannot be written.
    """
    settings = site.settings
    if not has_cameras(settings.recorder):
        raise Malformed(
            f"the recorder id {settings.recorder} is one of imports, backfill or adoptions",
            code="recorder_id_reserved",
            hint="Choose an id that does not end in -import, -backfill or -adopted.",
        )
    # Beside the recording, which must not wait for an index that hangs.
    threading.Thread(target=_look_whether_new, args=(site, log), daemon=True).start()
    for camera in cameras or ():
        site.registry.camera(camera)
    binary = find_ffmpeg()
    return Recorder(
        RecorderParts(
            recorder=settings.recorder,
            spool_dir=settings.spool_dir,
            key=keys.load_or_make_recorder_key(settings.keys_dir, settings.recorder),
            stores=site.stores,
            ledger=site.ledger,
            index=site.bare_index,
            sources=site.registry,
            binary=binary,
            clock=site.clock,
            settings=RecorderSettings(
                batch_seconds=settings.journal_upload_seconds,
                spool_quota=settings.spool_quota_mib << 20,
                retention_floor_days=settings.retention_floor_days,
                journal_lock_days=settings.records_lock_days,
            ),
            log=log,
            only=tuple(cameras or ()),
            host_time=HostClock(site.clock).now_known,
            rule=site.source_rule,
            last_footage=lambda camera: newest_footage(site.bare_index, camera, site.clock.now()),
            version=build_facts()["version"],
            trials=trial_desk(site, binary, log),
            device_watch=DeviceWatch(lambda: devices_of(site), site.registry, site.clock, log),
            sub_watch=SubWatch(site.registry, site.source_rule, site.clock, log),
            backfill=lambda spool: backfill_turns(site, spool, log),
            desk=(lambda _spool: everything(site)) if cameras else placement_desk(site, log),
        )
    )


def backfill_turns(site: Site, spool: Spool, log: Any) -> BackfillTurns:
    """What asks the cameras of this site by itself for what they kept."""
    from ops.backfilling import BackfillWish, backfill, holes_in

    def ask(camera: Camera, span: Timespan, wanted: Wanted, stopping: Stopping) -> AsyncIterator[Answer]:
        wish = BackfillWish(camera=camera, span=span, rate=BACKFILL_RATE)
        return backfill(site, log, wish, wanted=wanted, stopping=stopping)

    def holes(camera: str, span: Timespan) -> list[Hole]:
        newest = newest_footage(site.bare_index, camera, site.clock.now())
        return [one for one in holes_in(site, camera, span) if newest is not None and one.span.end < newest]

    return BackfillTurns(
        ask=ask,
        holes=holes,
        kept=spool.kept,
        keep=spool.keep,
        clock=site.clock,
        log=log,
    )


def devices_of(site: Site) -> Devices:
    """Cameras as devices, for this site."""
    from recorder.onvif import OnvifDevices

    return OnvifDevices(
        rule=site.source_rule,
        clock_of_host=site.clock,
        certificates=site.settings.camera_certificates_file,
        authorities=site.settings.camera_ca_file,
    )


def placement_desk(site: Site, log: Any) -> Callable[[Spool], PlacementDesk]:
    """What says which cameras a recorder of this site records: all, unless the site has etcd.

    Raises:
        Malformed: ``bad_etcd_url``.
    """
    membership = membership_of(site)
    if membership is None:
        return lambda _spool: everything(site)
    return lambda spool: Desk(
        site.settings.recorder,
        membership,
        hosts=Fleet(site.ledger, site.stores.records).hosts,
        beats=site.bare_index.heartbeats,
        keeper=spool,
        clock=site.clock,
        log=log,
    )


def everything(site: Site) -> Everything:
    """The desk of a recorder of this site that takes no part in placement."""
    return Everything(lambda: len(Fleet(site.ledger, site.stores.records).hosts()) > 1)


def membership_of(site: Site) -> Membership | None:
    """The recorders of this site in etcd, which this host has not joined; None if the site has no etcd.

    Raises:
        Malformed: ``bad_etcd_url``.
    """
    settings = site.settings
    if not settings.etcd_urls:
        return None
    from recorder.placement.etcd import EtcdMembership  # costs 1 MiB, which a site without etcd saves

    return EtcdMembership(
        settings.etcd_urls,
        settings.recorder,
        prefix=settings.etcd_prefix,
        ca_file=settings.etcd_ca_file,
        certificate_file=settings.etcd_certificate_file,
        key_file=settings.etcd_key_file,
    )


def trial_desk(
    site: Site, binary: Binary, log: Any, *, patience: float = _TRIAL_PATIENCE_S, longest: float = LONGEST
) -> TrialDesk:
    """What answers, for this site, the connection tests that people order; times in seconds."""

    async def look(source: Source) -> Seen:
        return await look_once(
            source, rule=site.source_rule, binary=binary, clock=site.clock, patience=patience
        )

    board = TrialBoard(site.stores.cache, site.clock)
    return TrialDesk(board, site.secrets.open, look, site.clock, log, longest)


def _look_whether_new(site: Site, log: Any) -> None:
    """Mark the index of a new archive whole, before anything is recorded."""
    try:
        site.wholeness.found()
    except ArchiveError as error:
        log.warning("wholeness_unknown", code=error.code, reason=error.message)


async def record_cameras(
    site: Site, log: Any, *, cameras: Collection[str] | None, seconds: float | None
) -> None:
    """Record until ``seconds`` have passed or SIGINT or SIGTERM arrives; everything is archived at the end.

    Raises:
        ArchiveError: as :meth:`recorder.recorder.Recorder.run`.
    """
    watch_children()
    recorder = recorder_of(site, log, cameras)
    give_back()
    with stopping(recorder):
        try:
            await recorder.run(seconds)
        except Unavailable as error:
            if error.code == "spool_not_drained":
                log.error(error.code, reason=error.message, hint=error.hint)
                _leave_soon()
            raise


def watch_children() -> None:
    """Let the running event loop see by descriptors that FFmpegs end. Call it before the first is started.

    Python 3.11 starts a thread for each child process, only to wait for its end; later versions need none.
    It is for a process in which no other event loop starts child processes. Where the kernel or a filter of
    system calls has no such descriptors the threads stay.
    """
    if sys.version_info < (3, 12) and _has_descriptors_of_processes():
        watcher = asyncio.PidfdChildWatcher()
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)


def _has_descriptors_of_processes() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


def _leave_soon() -> None:
    """End the process even if a store or an index still does not answer: what it was sent is in the spool."""
    leaving = threading.Timer(_LEAVE_AFTER_S, os._exit, (EX_UNAVAILABLE,))
    leaving.daemon = True
    leaving.start()


@contextmanager
def stopping(recorder: Recorder) -> Any:
    """While the block runs, SIGINT and SIGTERM stop the recorder in an orderly way."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, recorder.stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
