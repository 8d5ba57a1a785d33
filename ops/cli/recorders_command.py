"""``saksi recorders``: how recorders share the cameras, and moving cameras away from one."""

import time
from typing import Annotated

import typer

from archive.errors import Unavailable
from archive.timespan import SECOND
from ops.cli.options import Json, actor, district_codes, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.recording import membership_of
from ops.wiring import Site
from recorder.placement import fleet
from recorder.placement.assignment import Host
from recorder.placement.overview import HostLoad, overview
from recorder.placement.succession import Succession

app = typer.Typer(help="Show and change how recorders share the cameras.", no_args_is_help=True)

_LOOK_S = 0.5
"""Between two looks at the heartbeats, which come every few seconds."""
Name = Annotated[str, typer.Argument(metavar="RECORDER", help="The recorder's id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]


@app.command("list")
def list_(json_: Json = False) -> int:
    """Show every recorder with its cameras, and what moves. Exit 1: one that should record is not there."""
    with open_site() as site:
        found = _overview(site)
    is_well = all(one.is_live is not False or one.host.is_drained or not one.host.weight for one in found)
    if json_:
        print_json({"recorders": [one.to_json() for one in found]})
        return 0 if is_well else 1
    print_table(
        ("RECORDER", "THERE", "WEIGHT", "DISTRICTS", "DRAINED", "ASSIGNED", "RECORDS", "LEAVING"),
        [
            (
                one.host.name,
                "?" if one.is_live is None else _yes(one.is_live),
                str(one.host.weight),
                ", ".join(sorted(one.host.districts)) or "-",
                _yes(one.host.is_drained),
                str(one.assigned),
                str(one.records),
                str(one.leaving),
            )
            for one in found
        ],
    )
    return 0 if is_well else 1


@app.command()
def drain(recorder: Name, reason: Reason, json_: Json = False) -> None:
    """Let others record this recorder's cameras, without a gap; before an upgrade or a repair."""
    with open_site() as site:
        host = fleet.drain(site.ledger, recorder, actor=actor().id, reason=reason)
    _tell(host, f"Recorder {recorder} gives its cameras away; it may be stopped once it records none", json_)


@app.command()
def undrain(recorder: Name, reason: Reason, json_: Json = False) -> None:
    """Give a drained recorder its cameras back."""
    with open_site() as site:
        host = fleet.undrain(site.ledger, recorder, actor=actor().id, reason=reason)
    _tell(host, f"Recorder {recorder} gets its cameras back", json_)


@app.command()
def weight(
    recorder: Name,
    weight: Annotated[int, typer.Argument(metavar="N", help="100 is usual; 0: no camera's home.")],
    reason: Reason,
    json_: Json = False,
) -> None:
    """Set how much a recorder can record, relative to the others; 0 for one that does not come back."""
    with open_site() as site:
        host = fleet.weigh(site.ledger, recorder, weight, actor=actor().id, reason=reason)
    _tell(host, f"Recorder {recorder} has the weight {weight}", json_)


@app.command()
def districts(
    recorder: Name,
    reason: Reason,
    kecamatan: Annotated[
        list[str] | None,
        typer.Option("--kecamatan", help="District by code or name; may be repeated; without it: all."),
    ] = None,
    json_: Json = False,
) -> None:
    """Set the districts whose cameras a recorder should record as long as it has room."""
    codes = district_codes(kecamatan or ())
    with open_site() as site:
        host = fleet.assign_districts(site.ledger, recorder, codes, actor=actor().id, reason=reason)
    _tell(host, f"Recorder {recorder} records {', '.join(codes) or 'every district'}", json_)


@app.command()
def replaced(
    recorder: Name,
    by: Annotated[str, typer.Option("--by", metavar="RECORDER", help="The one that takes its place.")],
    within: Annotated[int, typer.Option("--within", min=1, help="Seconds to wait at most.")] = 120,
    json_: Json = False,
) -> int:
    """Wait until another recorder has footage of all that this one records. Exit 1: not in time."""
    succession = Succession(recorder, by)
    with open_site() as site:
        ends = site.clock.monotonic() + within * SECOND
        while True:
            missing = succession.missing(site.bare_index.heartbeats(), site.clock.now())
            if missing == frozenset() or site.clock.monotonic() >= ends:
                break
            time.sleep(_LOOK_S)
    if json_:
        print_json({"replaced": not missing and missing is not None, "missing": sorted(missing or ())})
    elif missing is None:
        say(f"Recorders {recorder} and {by} were not both heard; leave {recorder} as it is, see their logs")
    elif missing:
        say(f"Recorder {by} has no footage of {', '.join(sorted(missing))} yet; leave {recorder} as it is")
    else:
        say(f"Recorder {by} has footage of all that {recorder} records; stop {recorder}")
    return 0 if missing == frozenset() else 1


def _overview(site: Site) -> list[HostLoad]:
    membership = membership_of(site)
    live = None
    if membership is None:
        note("etcd_urls is not set: each recorder records every camera")
    else:
        try:
            live = membership.members()
        except Unavailable as error:
            note(f"{error.message}. {error.hint}")
    hosts = fleet.Fleet(site.ledger, site.stores.records).hosts()
    cameras = {camera.id: camera.place.kecamatan for camera in site.registry.cameras()}
    return overview(hosts, live, cameras, site.bare_index.heartbeats(), site.clock.now())


def _tell(host: Host, sentence: str, json_: bool) -> None:
    if not json_:
        say(sentence)
        return
    print_json(
        {
            "recorder": host.name,
            "weight": host.weight,
            "districts": sorted(host.districts),
            "drained": host.is_drained,
        }
    )


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
