"""The adoption of what recorders that are gone stored without a line, for one site."""

import structlog

from archive.errors import ArchiveError
from archive.ids import adopter_of
from archive.integrity.adoption import Adoption, Signer, job
from archive.ports import RecordQuery
from archive.records import journal
from archive.records.indexed.events import ACT, TYPE
from archive.records.indexed.terms import term
from archive.records.indexed.walk import each_record
from archive.records.logbook import Logbook
from archive.timespan import DAY, MINUTE, Timespan
from ops import keys
from ops.wiring import Site
from recorder import identity
from recorder.settings import RecorderSettings
from recorder.spool import Spool


def adoption_of(site: Site) -> Adoption:
    """The job of this host. Its adopter is registered when there is something to adopt."""
    log = structlog.get_logger("adopt")

    def tell(name: str, error: ArchiveError) -> None:
        log.error("not_adopted", object=name, code=error.code, reason=error.message, hint=error.hint)

    return Adoption(
        site.stores,
        site.bare_index,
        site.clock,
        beats=site.bare_index.heartbeats,
        signer=lambda: signer_of(site),
        record=site.custody.record,
        tell=tell,
        bound=site.settings.adopt_after_minutes * MINUTE,
        floor=site.settings.retention_floor_days * DAY,
    )


def adopted_lately(site: Site) -> str:
    """A sentence about the adoptions of the last 31 days; "" if there were none."""
    now = site.clock.now()
    query = RecordQuery(kind=ACT, terms=(term(TYPE, job.ACT),), span=Timespan(now - job.LOOK_BACK, now + 1))
    # An act that a second process recorded again, or that two hosts did at once, has the same facts.
    found = {
        (*record.body["objects"], details["recorder"], details["from"], details["to"]): details["segments"]
        for record in each_record(site.index, query)
        for details in (record.body["details"],)
    }
    if not found:
        return ""
    recorders = ", ".join(sorted({str(recorder) for *_, recorder, _, _ in found}))
    return f"{sum(map(int, found.values()))} segments of {recorders} were adopted lately"


def signer_of(site: Site) -> Signer:
    """This host's adopter: its name, key and journal, in a spool of its own beside the recorder's.

    Raises:
        Conflict: ``spool_in_use``: another process of this host adopts; ``recorder_unknown_place``.
        ArchiveError: as the ledger, the store or the disk.
    """
    settings = site.settings
    name = adopter_of(settings.recorder)
    root = settings.spool_dir.with_name(f"{settings.spool_dir.name}-{journal.ADOPTED}")
    spool = Spool(root, site.clock, settings.spool_quota_mib << 20, RecorderSettings().spool_reserve)
    key = keys.load_or_make_recorder_key(settings.keys_dir, name)
    root.mkdir(parents=True, exist_ok=True)
    spool.open()  # until the process ends
    try:
        logbook = Logbook(
            root / "journal", name, key, site.clock,
            lock_days=settings.records_lock_days, origin=journal.ADOPTED,
        )  # fmt: skip
        identity.find_place(logbook, site.ledger, site.stores.records, name)
        identity.register(site.ledger, name, key.public_key())
    except ArchiveError:
        spool.close()
        raise
    return Signer(name, logbook, site.stores.footage, site.stores.records, site.bare_index)
