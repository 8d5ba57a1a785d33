"""The recorder of a site: made from the settings, and stopped by signals."""

import asyncio
import signal
import threading
from collections.abc import Collection
from contextlib import contextmanager
from typing import Any

from archive.errors import ArchiveError
from ops import keys
from ops.host_clock import is_synchronised
from ops.wiring import Site, build_facts
from recorder.binary import find_ffmpeg
from recorder.recorder import Recorder, RecorderParts
from recorder.settings import RecorderSettings
from search.health import newest_footage


def recorder_of(site: Site, log: Any, cameras: Collection[str] | None) -> Recorder:
    """A recorder that is not running yet.

    Raises:
        NotFound: ``camera_not_found``: a named camera is not registered.
        Unavailable: no FFmpeg, or keys that cannot be written.
    """
    settings = site.settings
    # Beside the recording, which must not wait for an index that hangs.
    threading.Thread(target=_look_whether_new, args=(site, log), daemon=True).start()
    for camera in cameras or ():
        site.registry.camera(camera)
    return Recorder(
        RecorderParts(
            recorder=settings.recorder,
            spool_dir=settings.spool_dir,
            key=keys.load_or_make_recorder_key(settings.keys_dir, settings.recorder),
            stores=site.stores,
            ledger=site.ledger,
            index=site.bare_index,
            sources=site.registry,
            binary=find_ffmpeg(),
            clock=site.clock,
            settings=RecorderSettings(
                batch_seconds=settings.journal_upload_seconds,
                spool_quota=settings.spool_quota_mib << 20,
                retention_floor_days=settings.retention_floor_days,
                journal_lock_days=settings.records_lock_days,
            ),
            log=log,
            only=tuple(cameras or ()),
            is_synchronised=is_synchronised,
            rule=site.source_rule,
            last_footage=lambda camera: newest_footage(site.bare_index, camera, site.clock.now()),
            version=build_facts()["version"],
        )
    )


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
    recorder = recorder_of(site, log, cameras)
    with stopping(recorder):
        await recorder.run(seconds)


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
