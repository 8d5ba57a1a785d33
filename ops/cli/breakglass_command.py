"""``saksi break-glass``: destroy footage by a lawful order before its lock ends."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archive.errors import Refused
from archive.lifecycle.breakglass import service as orders
from archive.lifecycle.breakglass.service import Order
from ops.cli.options import From, Json, To, actor, open_site, parse_span
from ops.cli.output import note, print_json, print_table, progress_bar, say
from ops.cli.times import span_text, zone_of_city
from ops.wiring import Site

if TYPE_CHECKING:
    from archive.objects.s3.bypass import RootCredential

app = typer.Typer(
    help="Destroy footage by a lawful order before its lock ends: two people and the root credential.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ORDER_ID")]


@app.command("order")
def place(
    cameras: Annotated[list[str], typer.Option("--camera", help="Camera id; may be repeated.", metavar="ID")],
    start: From,
    end: To,
    number: Annotated[str, typer.Option("--number", help="The order's own number.", metavar="TEXT")],
    authority: Annotated[str, typer.Option("--authority", help="Who gave the order.", metavar="TEXT")],
    basis: Annotated[str, typer.Option("--basis", help="Its legal basis.", metavar="TEXT")],
    json_: Json = False,
) -> None:
    """Record an order; nothing is destroyed yet."""
    with open_site() as site:
        order = orders.place_order(
            site.ledger,
            site.clock,
            number=number,
            authority=authority,
            basis=basis,
            cameras=cameras,
            span=parse_span(start, end),
            actor=actor().id,
        )
    _print(site, order, json_=json_)
    note(f"Another person approves it: saksi break-glass approve {order.id} --reason …")


@app.command()
def approve(
    order_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="What the approver checked.", metavar="TEXT")],
    json_: Json = False,
) -> None:
    """Approve an order that another person placed."""
    with open_site() as site:
        order = orders.approve(site.ledger, site.clock, order_id, actor=actor().id, reason=reason)
    _print(site, order, json_=json_)


@app.command()
def execute(
    order_id: Id,
    confirm: Annotated[
        str, typer.Option("--confirm", help="The order's own number once more.", metavar="TEXT")
    ],
    credential_file: Annotated[
        Path | None,
        typer.Option(
            "--credential-file",
            help="Root credential: access key and secret on two lines; without it, you are prompted.",
            metavar="FILE",
        ),
    ] = None,
    endpoint: Annotated[
        str,
        typer.Option("--endpoint", help="The store's own address, if a proxy is in front.", metavar="URL"),
    ] = "",
    json_: Json = False,
) -> None:
    """Destroy what an approved order names, with the store's root credential; run it again after a crash."""
    from ops.breakglass import execution_of

    with open_site() as site, progress_bar("break-glass") as bar:
        order = orders.find_order(site.ledger, order_id)
        if confirm != order.number:
            raise Refused(
                f"the number of order {order_id} is not {confirm!r}",
                code="order_not_confirmed",
                hint="Read the order again: saksi break-glass show",
            )
        execution = execution_of(
            site, _credential(site, credential_file), endpoint=endpoint, progress=bar.step
        )
        done = execution.execute(order_id, actor=actor().id)
    _print(site, done, json_=json_)


@app.command()
def show(order_id: Annotated[str, typer.Argument(metavar="[ORDER_ID]")] = "", json_: Json = False) -> None:
    """Show one order, or list all."""
    with open_site() as site:
        if order_id:
            _print(site, orders.find_order(site.ledger, order_id), json_=json_)
            return
        found = list(orders.orders(site.ledger))
    if json_:
        print_json({"orders": [order.to_json() for order in found]})
        return
    print_table(
        ("order", "number", "status", "cameras", "ordered by", "approved by", "segments"),
        [
            (
                order.id,
                order.number,
                order.status.value,
                str(len(order.cameras)),
                order.ordered_by,
                order.approved_by,
                str(order.segments),
            )
            for order in found
        ],
    )


def _credential(site: Site, path: Path | None) -> "RootCredential | None":
    from ops.breakglass import needs_credential, read_credential

    if not needs_credential(site):
        return None
    if path is not None:
        return read_credential(path)
    if not sys.stdin.isatty():
        return None
    from archive.objects.s3.bypass import RootCredential

    access_key = typer.prompt("Root access key", err=True)
    return RootCredential(access_key, typer.prompt("Root secret", hide_input=True, err=True))


def _print(site: Site, order: Order, *, json_: bool) -> None:
    if json_:
        print_json(order.to_json())
        return
    say(f"order        {order.id}  ({order.status.value})")
    say(f"number       {order.number}, {order.authority}")
    say(f"basis        {order.basis}")
    say(f"span         {span_text(order.span, zone_of_city(site))}")
    say(f"cameras      {', '.join(order.cameras)}")
    say(f"ordered by   {order.ordered_by}")
    if order.approved_by:
        say(f"approved by  {order.approved_by}")
    if order.disposition:
        say(f"disposition  {order.disposition}: {order.segments} segments, {order.size} bytes")
