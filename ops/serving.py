"""The API process: its services, its first token, and its uvicorn server."""

import logging
import socket
import sys
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import uvicorn
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.archive_health import FixityWatch
from api.changes.stream import OpenStreams
from api.directory import CameraDirectory
from api.limits.peers import TrustedProxies
from api.limits.programs import transcoders
from api.limits.rates import Rates
from api.services import ApiSettings, Services
from api.web.ground import Ground, read_outlines
from api.workers.membership import Membership
from archive.footage.derive import StillMaker
from archive.footage.skim.decoding import Decoder
from archive.footage.trials import TrialBoard
from archive.footage.viewing_copy import CopyMaker
from archive.lifecycle.holds.progress import ProgressBoard
from archive.records.custody import Company, CustodyWriter, new_writer_id
from ops.accounts import administration_of, people_of, roster_of
from ops.evidence import Evidence
from ops.exports import board_of
from ops.handover import handovers_of, reports_of
from ops.heap import undisturbed
from ops.secret_box import header_key
from ops.settings import Settings
from ops.tokens import machines_of, token_file
from ops.wire import strict_protocol
from ops.wiring import Site, build_facts
from recorder.binary import find_ffmpeg

_SWITCH_S = 0.0005
"""How long a thread that computes keeps the interpreter while others wait for it. A short answer needs it a
dozen times: with Python's 5 ms, one reader of the records makes every other answer slower by 60 ms."""


def services_of(site: Site, workers: Membership | None = None) -> Services:
    """The parts of an API process over this site; ``workers`` is what it shares with others."""
    roster = roster_of(site)
    people = people_of(site, roster)
    tokens = token_file(site, roster.person)
    company = Company()
    return Services(
        clock=site.clock,
        stores=site.stores,
        index=site.index,
        directory=CameraDirectory(
            site.index, site.clock, changes=None if workers is None else workers.changes()
        ),
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
            company=company,
            on_stored=site.own_events.stored,
        ),
        company=company,
        custody_record=site.custody_record,
        evidence=Evidence(site, build_facts()),
        exports=board_of(site),
        handovers=handovers_of(site),
        handover_reports=reports_of(site),
        requests=site.requests,
        trials=TrialBoard(site.stores.cache, site.clock),
        fixity=FixityWatch(site.stores.cache, site.clock, days=site.settings.fixity_days),
        tokens=tokens,
        people=people,
        administration=administration_of(site, machines_of(site, tokens), people),
        metrics=CollectorRegistry(),
        areas=site.areas,
        city_box=site.settings.city_box,
        pool=site.pool,
        header_key=header_key(site.settings.keys_dir),
        workers=workers,
        stills=StillMaker(find_ffmpeg().path),
        copies=CopyMaker(find_ffmpeg().path),
        skimmer=site.skimmer(Decoder(find_ffmpeg().path, threads=2)),
        settings=ApiSettings(
            zone=ZoneInfo(site.settings.time_zone),
            build=build_facts(),
            organization=site.settings.organization,
            copies=transcoders(),
            max_upload=site.settings.attachment_max_mib << 20,
            public_url=site.settings.public_url.rstrip("/"),
            hosts=_hosts(site.settings),
            proxies=proxies_of(site.settings),
            rates=rates_of(site.settings),
            camera_series=site.settings.metrics_camera_series,
            ground=ground_of(site.settings),
        ),
    )


def proxies_of(settings: Settings) -> TrustedProxies:
    """The proxies of this installation. Raises Malformed ``bad_setting``."""
    return TrustedProxies(settings.trusted_proxies, header=settings.forwarding_header)


def ground_of(settings: Settings) -> Ground:
    """The ground of the map. Raises Malformed ``bad_setting``."""
    south, west, north, east = (format(one, "f") for one in settings.city_box)
    outlines = settings.map_outlines_file
    return Ground(
        box=(south, west, north, east),
        tiles=settings.map_tiles_url,
        attribution=settings.map_tiles_attribution,
        closest=settings.map_tiles_closest,
        outlines=None if outlines is None else read_outlines(outlines),
    )


def _hosts(settings: Settings) -> tuple[str, ...]:
    """The host names the API answers to; at least one, so that an invented name is refused."""
    public = urlsplit(settings.public_url).hostname
    named = [*settings.allowed_hosts, public or "localhost"]
    return tuple(named if settings.host in {"0.0.0.0", "::", ""} else [*named, settings.host])  # noqa: S104


def rates_of(settings: Settings) -> Rates:
    """The rates of this installation."""
    return Rates(
        address=settings.rate_address,
        sign_in=settings.rate_sign_in,
        stranger=settings.rate_stranger,
        search=settings.rate_search,
        media=settings.rate_media,
        write=settings.rate_write,
    )


class Server(uvicorn.Server):
    """A server whose end does not wait for ``streams`` of events, which would last for minutes."""

    def __init__(self, config: uvicorn.Config, streams: OpenStreams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, and then as uvicorn does: answers that have begun are completed."""
        self._streams.end_all()
        await super().shutdown(sockets)


def server_of(site: Site, *, host: str, port: int, workers: Membership | None = None) -> Server:
    """A uvicorn server that is not running yet; ``workers`` as in :func:`services_of`.

    Access lines are off: they would write purposes and spans outside the custody record.
    """
    sys.setswitchinterval(_SWITCH_S)
    with undisturbed():
        app = create_app(services_of(site, workers))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level=logging.WARNING,
        access_log=False,
        server_header=False,
        # Saksi itself determines the client's address and parses the request.
        proxy_headers=False,
        http=strict_protocol(proxies_of(site.settings)),
        ws="none",
        timeout_graceful_shutdown=10,
    )
    return Server(config, app.state.streams)
