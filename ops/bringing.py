"""A recorder of its own for footage that no capture made: its name, key, spool and journal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from archive.footage.ingest import Ingest, SpooledLeaf, read_tickets
from archive.model.camera import Camera
from archive.records.logbook import Logbook
from ops import keys
from ops.wiring import Site
from recorder import identity
from recorder.accounts import Accounts
from recorder.bringing import Bringer
from recorder.settings import RecorderSettings
from recorder.spool import Spool
from recorder.storage_rules import StorageRules


@contextmanager
def bringing(
    site: Site,
    log: Any,
    recorder: str,
    origin: str,
    camera: Camera,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Iterator[Bringer]:
    """What brings footage of a camera in, as ``recorder``, whose batches say ``origin``. One at a time.

    Raises:
        Conflict: ``spool_in_use``: another process does it now; ``recorder_unknown_place``.
        StoreFull, Unavailable: the disk or a store failed.
    """
    settings, defaults = site.settings, RecorderSettings()
    root = settings.spool_dir.with_name(f"{settings.spool_dir.name}-{origin}")
    spool = Spool(root, site.clock, settings.spool_quota_mib << 20, defaults.spool_reserve)
    key = keys.load_or_make_recorder_key(settings.keys_dir, recorder)
    root.mkdir(parents=True, exist_ok=True)
    spool.open()
    try:
        logbook = Logbook(
            root / "journal", recorder, key, site.clock,
            lock_days=settings.records_lock_days, origin=origin,
        )  # fmt: skip
        identity.find_place(logbook, site.ledger, site.stores.records, recorder)
        identity.register(site.ledger, recorder, key.public_key())
        rules = StorageRules(
            site.ledger, site.stores.records, spool, site.clock, log,
            floor_days=settings.retention_floor_days, refresh_seconds=defaults.registry_seconds,
        )  # fmt: skip
        rules.remember()
        rules.refresh()
        gaps: list[SpooledLeaf] = list(read_tickets(root / "gaps"))
        accounts = Accounts(spool, site.clock, recorder, gaps.extend)
        accounts.load()
        for leaf in (*(one.leaf for one in gaps), *logbook.leaves()):
            accounts.open(leaf.camera, None, since=leaf.span.end)
        ingest = Ingest(
            footage=site.stores.footage, records=site.stores.records, index=site.bare_index,
            logbook=logbook, recorder=recorder, clock=site.clock,
            locked_until=rules.locked_until, is_held=rules.is_held,
        )  # fmt: skip
        yield Bringer(
            recorder=recorder, camera=camera, spool=spool, ingest=ingest, accounts=accounts, gaps=gaps,
            index=site.bare_index, clock=site.clock, progress=progress,
        )  # fmt: skip
    finally:
        spool.close()
