"""``saksi stack``: the real servers of a development machine."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json
from ops.cli.output import note, print_json, print_table, say

if TYPE_CHECKING:
    from ops.stack import Stack

app = typer.Typer(help="Run the real MinIO, Elasticsearch and MediaMTX here.", no_args_is_help=True)

Parts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PART]…", help="minio, elasticsearch, mediamtx, etcd, keycloak, proxy."),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="PART",
        help="Also start an optional server: etcd, keycloak, proxy. May be repeated.",
    ),
]


def _stack() -> "Stack":
    from ops.stack import Places, Stack  # minio-py alone takes 0.3 s to import

    places = Places.from_environment()
    return Stack(places.state_dir, places.cache_dir, ports=places.ports, progress=note)


@app.command()
def up(parts: Parts = None, with_: With = None) -> None:
    """Download missing servers, start those not running, and wait until all answer."""
    stack = _stack()
    started = stack.up(parts or None)
    if with_:
        started += stack.up(with_)
    for status in started:
        note(f"{status.name} {status.version} is {status.state.value}")


@app.command()
def down(parts: Parts = None) -> None:
    """Stop the servers; their content stays."""
    _stack().down(parts or None)


@app.command()
def status(json_: Json = False) -> int:
    """Show which servers run; exit 1 if a required one does not."""
    from ops.stack.stack import OPTIONAL

    found = _stack().status()
    if json_:
        print_json(
            {
                "parts": [
                    {"name": s.name, "version": s.version, "state": s.state.value, "ports": dict(s.ports)}
                    for s in found
                ]
            }
        )
    else:
        print_table(("PART", "VERSION", "STATE"), [(s.name, s.version, s.state.value) for s in found])
    return 0 if all(s.state == "running" or (s.name in OPTIONAL and s.pid is None) for s in found) else 1


@app.command()
def env(
    tests: Annotated[bool, typer.Option("--tests", help="Only what the tests need.")] = False,
) -> None:
    """Print the settings to use the servers, for: eval "$(saksi stack env)"."""
    for name, value in _stack().env().items():
        if not tests or not name.startswith("SAKSI_") or name.startswith("SAKSI_TEST_"):
            say(f"export {name}={shlex.quote(value)}")
