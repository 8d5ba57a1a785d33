"""The handovers of a site, their printed reports, and the job that finishes the closing of requests."""

from collections.abc import Callable
from functools import cache

from archive.cases.handover.fetching import Fetchings
from archive.cases.handover.giving import Handovers
from archive.cases.handover.paper import Reports
from archive.cases.handover.papers import Papers
from archive.cases.handover.reading import Handover, Shelf
from archive.cases.handover.requests import RequestFiles
from archive.ports import Signer
from ops import keys
from ops.wiring import Site


def handovers_of(site: Site) -> Handovers:
    """The handovers of a site."""
    settings, records = site.settings, site.stores.records
    return Handovers(
        RequestFiles(site.ledger, records, site.index),
        records,
        Fetchings(records, site.clock, lock_days=settings.records_lock_days),
        site.holds,
        site.clock,
        downloads=settings.handover_downloads,
        hours=settings.handover_hours,
    )


def reports_of(site: Site) -> Reports:
    """The reports of a site's handovers."""

    def name(camera: str, instant: int) -> str:
        return site.registry.as_of(camera, instant).name

    settings = site.settings
    return Reports(site.stores.records, settings.organization, settings.time_zone, name)


def shelving(site: Site) -> Callable[[], int]:
    """Part of the job ``seal``: adds handover papers and signed reports to their packages."""
    records, settings, reports = site.stores.records, site.settings, reports_of(site)

    @cache
    def signer() -> Signer:
        return keys.load_signer(settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir)

    def keep(found: Handover) -> int:
        return reports.keep(found, signer(), site.clock.now())

    files = RequestFiles(site.ledger, records, site.index)
    return Papers(files, records, Shelf(records, Fetchings(records, site.clock)), keep).shelve


def settling(site: Site) -> Callable[[], int]:
    """The job ``handover``: releases or keeps the holds of closed requests after a crash prevented it."""
    return handovers_of(site).closings.settle
