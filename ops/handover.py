"""Handovers as one site has them, and the job that finishes what closing began."""

from collections.abc import Callable

from archive.handover.fetching import Fetchings
from archive.handover.giving import Handovers
from archive.handover.papers import Papers
from archive.handover.requests import RequestFiles
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


def shelving(site: Site) -> Callable[[], int]:
    """Part of the job ``seal``: adds the papers of handovers to their packages."""
    records = site.stores.records
    return Papers(RequestFiles(site.ledger, records, site.index), records).shelve


def settling(site: Site) -> Callable[[], int]:
    """The job ``handover``: releases or keeps the holds of closed requests where a crash came before."""
    return handovers_of(site).closings.settle
