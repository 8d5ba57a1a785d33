"""The API process: its services put together, its first token, and uvicorn around it."""

import logging
from zoneinfo import ZoneInfo

import uvicorn
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.services import ApiSettings, Services
from archive.custody import CustodyWriter, new_writer_id
from archive.derive import StillMaker
from archive.holds.progress import ProgressBoard
from ops.accounts import people_of
from ops.evidence import Evidence
from ops.handover import handovers_of
from ops.tokens import token_file
from ops.wiring import Site, build_facts
from recorder.binary import find_ffmpeg


def services_of(site: Site) -> Services:
    """The parts of an API process over this site."""
    return Services(
        clock=site.clock,
        stores=site.stores,
        index=site.index,
        registry=site.registry,
        ledger=site.ledger,
        policies=site.policies,
        holds=site.holds,
        hold_progress=ProgressBoard(site.stores.cache),
        planner=site.planner,
        custody=CustodyWriter(
            site.stores.records,
            site.clock,
            writer=new_writer_id("api"),
            lock_days=site.settings.records_lock_days,
        ),
        custody_record=site.custody_record,
        evidence=Evidence(site, build_facts()),
        handovers=handovers_of(site),
        requests=site.requests,
        tokens=token_file(site),
        people=people_of(site),
        metrics=CollectorRegistry(),
        pool=site.pool,
        stills=StillMaker(find_ffmpeg().path),
        settings=ApiSettings(
            zone=ZoneInfo(site.settings.time_zone),
            build=build_facts(),
            organization=site.settings.organization,
            max_upload=site.settings.attachment_max_mib << 20,
            public_url=site.settings.public_url.rstrip("/"),
        ),
    )


def server_of(site: Site, *, host: str, port: int) -> uvicorn.Server:
    """A uvicorn server that is not running yet.

    Access lines are off: they would carry purposes and spans past the custody record.
    """
    config = uvicorn.Config(
        create_app(services_of(site)),
        host=host,
        port=port,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)
