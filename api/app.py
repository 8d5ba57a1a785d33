"""The HTTP application: services are passed in, errors become problems, every request is authenticated.

``docs/reference/http.md`` describes the interface for people, ``/openapi.json`` for programs.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache

import structlog
from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute

from api import problems
from api.audit import AuditTrail
from api.auth.authentication import Authentication
from api.auth.cookies import Cookies
from api.auth.principal import Principal
from api.auth.sessions import Limits
from api.auth.unauthenticated import UnauthenticatedAttempts
from api.body import BodyLimit
from api.camera_figures import CameraFigures
from api.camera_texts import CameraTexts
from api.changes.watching import Watching
from api.clips import Clips
from api.compression import Compression
from api.frames import Frames
from api.headers import SecurityHeaders
from api.idempotency import Answers, Idempotency
from api.index_figures import IndexFigures
from api.integrity_incidents import OpenIntegrityIncidents
from api.limits.arrival import Arrival, HostNames
from api.limits.attendance import Attendance
from api.limits.buckets import TakingTokens
from api.limits.programs import ProgramPlaces, Programs, places_of
from api.limits.rates import Kind
from api.limits.refusals import Refusals
from api.limits.throttle import AddressThrottle, PrincipalThrottle, Throttle
from api.limits.turns import TurnTaking, turns_of
from api.limits.work import THREADS, Work
from api.metrics import Metrics, MetricsMiddleware
from api.openapi import WITHOUT_KEY, DescribedApp, operation_id
from api.playback import PlaybackSessions
from api.playback_book import OpenSessions
from api.readiness import Readiness, probes_of
from api.recorders import Recorders
from api.request_context import RequestContext
from api.routes import (
    camera_health,
    camera_tables,
    camera_trials,
    cameras,
    clips,
    custody,
    description,
    dispositions,
    events,
    evidence,
    exports,
    frames,
    grants,
    handover,
    health,
    holds,
    integrity_incidents,
    log,
    pages,
    papers,
    places,
    playback,
    policies,
    recordings,
    requests,
    search,
    session,
    skim,
    tokens,
    users,
    war_room,
)
from api.routing import StrictRoute, action_of, allowed_methods
from api.runtime import Runtime
from api.services import Services
from api.skim import Skims
from api.slots import StreamSlots
from api.viewing_copies import ViewingCopies
from api.web import catalogue
from api.web.files import Assets
from api.web.rendering import Pages
from api.workers.figures import counted
from archive.errors import ArchiveError
from archive.timespan import SECOND
from search.stays import StayBook

RESOURCES = (
    health,
    description,
    cameras,
    camera_health,
    camera_tables,
    camera_trials,
    places,
    recordings,
    search,
    clips,
    exports,
    frames,
    skim,
    playback,
    evidence,
    policies,
    dispositions,
    holds,
    requests,
    papers,
    session,
    events,
    integrity_incidents,
    log,
    handover,
    custody,
    war_room,
    pages,
    users,
    grants,
    tokens,
)

_LOG = structlog.stdlib.get_logger("api.app")


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The routes of all resources. They know no application: what a request needs comes with it.

    They are made once in a process, because to make them takes half a second.
    """
    router = APIRouter(
        route_class=StrictRoute, redirect_slashes=False, strict_content_type=True,
        generate_unique_id_function=operation_id,
    )  # fmt: skip
    for resource in RESOURCES:
        resource.add_routes(router)
    for route in router.routes:
        action = action_of(route) if isinstance(route, APIRoute) else None
        if isinstance(route, APIRoute) and action is not None:
            route.openapi_extra = {**(route.openapi_extra or {}), "x-saksi-action": action}
    return tuple(router.routes)


def create_app(services: Services) -> FastAPI:
    """The application over these services. Two applications share nothing that changes."""
    settings = services.settings
    audit = AuditTrail(services.custody)
    metrics = Metrics(services.metrics)
    services.metrics.register(OpenIntegrityIncidents(services))
    services.metrics.register(Recorders(services))
    services.metrics.register(CameraFigures(services))
    services.metrics.register(IndexFigures(services))
    answers = Answers(services.stores.cache, services.clock)
    unauthenticated = UnauthenticatedAttempts(audit, metrics, services.clock)
    refusals = Refusals(audit, metrics, services.clock)
    throttle = _throttle(services, refusals)
    workers = services.workers
    turns: Mapping[Work, TurnTaking] = (
        turns_of(settings.bounds) if workers is None else workers.turns(settings.bounds)
    )
    limits = services.people.cookies.limits if services.people is not None else Limits()
    cookies = Cookies(
        settings.public_url, absolute_s=limits.absolute // SECOND, pending_s=limits.sign_in // SECOND
    )
    clips_of_services = Clips(services)
    stays = StayBook(services.index, lambda camera: services.registry.history(camera))
    catalogues = catalogue.load()
    programs: Programs = (
        ProgramPlaces(places_of(stills=settings.stills, skims=settings.skims, copies=settings.copies))
        if workers is None
        else workers.programs()
    )
    runtime = Runtime(
        services=services,
        audit=audit,
        metrics=metrics,
        unauthenticated=unauthenticated,
        cookies=cookies,
        slots=StreamSlots(settings.streams) if workers is None else workers.slots(settings.streams),
        clips=clips_of_services,
        frames=Frames(services, programs),
        copies=ViewingCopies(services, programs),
        skims=Skims(services, clips_of_services, programs),
        playback=PlaybackSessions(
            audit,
            OpenSessions(services.clock) if workers is None else workers.sessions(),
            idle=settings.playback_idle,
        ),
        readiness=Readiness(probes_of(services), services.clock),
        pages=Pages(
            Assets(catalogues, outlines=settings.ground.outlines),
            catalogues,
            zone=str(settings.zone),
            base_path=settings.base_path,
            ground=settings.ground,
            largest_paper=settings.max_upload,
        ),
        stays=stays,
        camera_texts=CameraTexts(services.areas),
        readers=ThreadPoolExecutor(max_workers=settings.streams, thread_name_prefix="footage"),
        watching=Watching(services, stays),
    )
    app = DescribedApp(
        title="Saksi",
        version="1",
        description="Recordings, exact clips and sealed evidence of a city's cameras.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        root_path=settings.base_path,
        redirect_slashes=False,
        lifespan=_lifespan(runtime, unauthenticated, refusals, answers),
        middleware=[
            Middleware(Arrival, proxies=settings.proxies, hosts=HostNames(settings.hosts)),
            *([Middleware(AddressThrottle, throttle=throttle)] if throttle is not None else []),
            Middleware(
                Authentication,
                tokens=services.tokens,
                turned_away=unauthenticated.turned_away,
                people=services.people,
                cookies=cookies,
            ),
            Middleware(
                Attendance,
                turns=turns,
                refusals=refusals,
                stall_s=settings.stall / SECOND,
                rest_s=settings.rest / SECOND,
                beat_s=settings.beat / SECOND,
                company=services.company,
            ),
            *([Middleware(PrincipalThrottle, throttle=throttle)] if throttle is not None else []),
            Middleware(
                BodyLimit,
                limit=settings.max_body,
                limits={papers.UPLOADS: settings.max_upload, camera_tables.IMPORT: settings.max_table},
                pause=settings.body_pause / SECOND,
            ),
            Middleware(Idempotency, answers=answers, exempt=WITHOUT_KEY),
        ],
        exception_handlers={
            ArchiveError: _on_archive_error,
            RequestValidationError: _on_validation,
            HTTPException: _on_http,
            Exception: _on_unexpected,
        },
    )
    app.build = settings.build
    app.state.runtime = runtime
    app.state.throttle = throttle
    app.state.turns = turns
    app.state.streams = runtime.watching.streams
    app.router.route_class = StrictRoute
    app.router.routes.extend(_routes())
    # Outermost, so that answers to unexpected failures have them too; no middleware can be added after this.
    app.middleware_stack = SecurityHeaders(
        MetricsMiddleware(Compression(app.build_middleware_stack()), metrics=metrics),
        https=settings.public_url.startswith("https://"),
    )
    return app


def _throttle(services: Services, refusals: Refusals) -> Throttle | None:
    rates = services.settings.rates
    if rates is None:
        return None
    if services.workers is None:
        return Throttle.of_process(rates, services.clock, refusals)
    shared: dict[Kind, TakingTokens] = {kind: services.workers.buckets(kind, rates.of(kind)) for kind in Kind}
    return Throttle(shared, refusals)


def _lifespan(
    runtime: Runtime, unauthenticated: UnauthenticatedAttempts, refusals: Refusals, answers: Answers
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Sweep while the process runs; record how everything ended when it stops."""
    pause = runtime.services.settings.sweep / SECOND
    workers = runtime.services.workers

    def sweep() -> None:
        runtime.playback.end_idle()
        unauthenticated.write_if_due()
        refusals.write_if_due()
        runtime.metrics.custody_waiting.set(runtime.audit.retry())
        if workers is not None:
            workers.figures(counted(runtime.metrics))
        try:
            answers.tidy_if_due()
        except ArchiveError as error:
            # Answers that are kept too long do no harm; the next sweep tries again.
            _LOG.warning("old answers could not be deleted", code=error.code)

    async def sweep_for_ever(thread: ThreadPoolExecutor) -> None:
        while True:
            await asyncio.sleep(pause)
            await asyncio.get_running_loop().run_in_executor(thread, sweep)

    def stop() -> None:
        runtime.playback.end_all()
        unauthenticated.write()
        refusals.write()
        runtime.audit.retry()
        runtime.services.custody_record.settle()
        runtime.readiness.close()
        runtime.clips.headers.close()
        runtime.readers.shutdown()
        runtime.watching.close()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        if workers is not None:
            workers.listen()
        # One thread, so that the end comes after a sweep that is under way, and not beside it.
        with ThreadPoolExecutor(1, "sweep") as thread:
            sweeper = asyncio.create_task(sweep_for_ever(thread))
            try:
                yield
            finally:
                sweeper.cancel()
                await asyncio.get_running_loop().run_in_executor(thread, stop)

    return lifespan


async def _on_archive_error(request: Request, error: ArchiveError) -> Response:
    """Record the refusal, then answer it."""
    context: RequestContext | None = request.scope.get("saksi.visit")
    if context is not None and context.act is not None:
        try:
            await to_thread.run_sync(context.turned_away, error, problems.status_of(error))
        except ArchiveError as unrecorded:
            return problems.of_archive_error(unrecorded)
    return problems.of_archive_error(error)


async def _on_validation(_request: Request, error: RequestValidationError) -> Response:
    return problems.of_validation(error)


async def _on_http(request: Request, error: HTTPException) -> Response:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    principal: Principal | None = request.scope.get("saksi.principal")
    allow: list[str] | None = None
    if error.status_code == 405:
        may = principal.may if principal is not None else lambda _action: True
        allow = allowed_methods(request.app.routes, path, may)
    return problems.of_http(error, allow=allow)


async def _on_unexpected(_request: Request, error: Exception) -> Response:
    return problems.of_unexpected(error)
