"""``saksi serve``, ``work``, ``up`` and ``doctor``: run the parts, and diagnose the installation."""

import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import ArchiveError, Malformed
from archive.records.ledger.memory import EntryMemory
from ops.cli.options import Json, open_or_make_site, open_site
from ops.cli.output import note, print_json, progress_bar, say
from ops.cli.refusing import in_zone
from ops.cli.times import zone_of_city
from ops.wiring import Site

if TYPE_CHECKING:
    from ops.jobs import Job

Host = Annotated[str, typer.Option("--host", help="Address to listen on; without it: the setting.")]
Port = Annotated[int, typer.Option("--port", help="Port to listen on; without it: the setting.")]

Workers = Annotated[
    int, typer.Option("--workers", min=1, max=64, help="Processes behind the port; they share all limits.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the top level."""
    app.command("init")(init)
    app.command("serve")(serve)
    app.command("proxy")(proxy)
    app.command("up")(up)
    app.command("work")(work)
    app.command("doctor")(doctor)


def init(json_: Json = False) -> None:
    """Make a new installation in SAKSI_HOME: its folder, and an archive in a folder if that is set."""
    from archive.clock import SystemClock
    from ops import installation
    from ops.settings import Settings

    settings = Settings.load()
    is_new = installation.make(settings, SystemClock())
    if json_:
        print_json({"home": str(settings.home), "archive_url": settings.archive_url, "is_new": is_new})
    elif is_new:
        say(f"A new installation is in {settings.home}")
        say("Next, for trying Saksi: saksi keys init; then: saksi camera add")
    else:
        say(f"The installation in {settings.home} is there already; nothing was changed")


def serve(host: Host = "", port: Port = -1, workers: Workers = 1) -> None:
    """Serve only the HTTP API. While no job follows custody and ledger into the index, this process does."""
    from ops.heap import settle, undisturbed

    with undisturbed():
        from ops.following import StandInThread
        from ops.serving import server_of
        from ops.workers import serve_with_workers

    with open_site(memory=EntryMemory()) as site:
        if workers > 1:
            chosen = (host or site.settings.host, _port(site, port))
            _announce(site, *chosen)
            with StandInThread(site, tell=lambda error: _tell("follow", error)):
                serve_with_workers(site.settings, site.clock, chosen, workers, tell=note)
            return
        server = server_of(site, host=host or site.settings.host, port=_port(site, port))
        _announce(site, server.config.host, server.config.port)
        settle()
        with StandInThread(site, tell=lambda error: _tell("follow", error)):
            server.run()


def proxy(
    certificate: Annotated[str, typer.Option("--certificate", metavar="PATH", help="Certificate and chain.")],
    key: Annotated[str, typer.Option("--key", metavar="PATH", help="Its private key, on the proxy's host.")],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where browsers connect.")
    ] = "443",
    api: Annotated[str, typer.Option("--api", metavar="HOST:PORT", help="The API; without it: as set.")] = "",
) -> None:
    """Print the configuration of the nginx in front of the API, for the name in public_url."""
    from urllib.parse import urlsplit

    from ops.deploy import api_proxy_configuration
    from ops.settings import Settings

    settings = Settings.load()
    public = urlsplit(settings.public_url)
    if public.scheme != "https" or not public.hostname:
        raise Malformed(
            "public_url must be an https address with a host name",
            code="bad_setting",
            hint="Set public_url, such as https://saksi.example.",
        )
    behind = api or f"{settings.host}:{settings.port}"
    text = api_proxy_configuration(
        public.hostname, listen=listen, api=behind, certificate=certificate, key=key
    )
    say(text.rstrip())


def up(host: Host = "", port: Port = -1) -> None:
    """Run everything in one process: recorder, HTTP API and jobs (the embedded default)."""
    import asyncio

    from ops.heap import share_heap, undisturbed

    share_heap()
    with undisturbed():
        from ops.everything import run_everything
        from ops.telemetry import stderr_log

    with open_or_make_site() as site:
        chosen = (host or site.settings.host, _port(site, port))
        _announce(site, *chosen)
        asyncio.run(run_everything(site, stderr_log(), host=chosen[0], port=chosen[1]))


def work(
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this job; may be repeated.", metavar="JOB")
    ] = None,
    once: Annotated[str, typer.Option("--once", help="Run one job once, then exit.", metavar="JOB")] = "",
    json_: Json = False,
) -> None:
    """Run the archive's background jobs, all of them or those named."""
    from ops.heap import settle
    from ops.jobs import JobThreads

    chosen = [_job(name) for name in ([once] if once else only or _job_names())]
    with open_site() as site:
        if once:
            with progress_bar(once):
                count = chosen[0].begin(site)()
            print_json({"job": once, "done": count}) if json_ else say(f"{once}: {count} done")
            return
        threads = JobThreads(site, chosen, tell=_tell)
        settle()
        threads.start()
        note(f"Working: {', '.join(job.name for job in chosen)}; stop with Ctrl-C.")
        wait_for_signal()
        threads.stop()


def doctor(json_: Json = False) -> int:
    """Diagnose everything this installation depends on; exit 1 if anything is broken."""
    from ops.doctor import Light, examine, worst

    with open_site() as site:
        found = list(examine(site))
    verdict = worst(found)
    if json_:
        print_json({"light": verdict.value, "diagnoses": [one.to_json() for one in found]})
    else:
        zone = zone_of_city(site)
        marks = {Light.GREEN: "  ok  ", Light.AMBER: "! amber", Light.RED: "✗ red  "}
        for one in found:
            say(f"{marks[one.light]:8} {one.subject:10} {in_zone(one.message, zone)}")
            if one.hint:
                say(f"{'':19} {in_zone(one.hint, zone)}")
    return 1 if verdict is Light.RED else 0


def wait_for_signal() -> None:
    """Return when the process receives a stop signal."""
    asked = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while not asked.wait(3600):
        pass


def _announce(site: Site, host: str, port: int) -> None:
    from ops.tokens import first_token

    place = first_token(site)
    note(f"API: http://{host}:{port}/v1  (health: /healthz)")
    if place is not None:
        note(f"The first token is in {place}; read it, and delete the file.")
        note("To make more tokens: saksi token create NAME")


def _port(site: Site, port: int) -> int:
    return site.settings.port if port < 0 else port


def _tell(job: str, error: ArchiveError) -> None:
    note(f"{job}: {error.message} [{error.code}] {error.hint}")


def _job_names() -> list[str]:
    from ops.jobs import all_jobs

    return list(all_jobs())


def _job(name: str) -> "Job":
    from ops.jobs import all_jobs

    jobs = all_jobs()
    if name not in jobs:
        raise Malformed(f"there is no job {name!r}", code="bad_job", hint=f"Jobs are: {', '.join(jobs)}")
    return jobs[name]
