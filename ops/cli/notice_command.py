"""``saksi notice``: test the notices, and show which deliveries wait."""

from typing import TYPE_CHECKING

import typer

from archive.canonical import JsonObject
from archive.errors import Unavailable
from archive.timespan import format_instant
from ops.cli.options import Json, open_site
from ops.cli.output import print_json, print_table
from ops.cli.times import time_text, zone_of_city

if TYPE_CHECKING:
    from ops.notices.service import ChannelState

app = typer.Typer(help="Notices by mail and webhook: test them, see what waits.", no_args_is_help=True)


@app.command("test")
def try_out(json_: Json = False) -> None:
    """Send a test notice to every recipient in the settings."""
    from ops.notices.service import Notices, require_channels  # an HTTP client, which other commands save

    with open_site() as site:
        notices = Notices(site)
        require_channels(notices)
        trials = notices.test()
    if json_:
        print_json(
            {
                "trials": [
                    {
                        "channel": one.channel,
                        "target": one.target,
                        "taken": one.error is None,
                        "code": "" if one.error is None else one.error.code,
                        "message": "" if one.error is None else one.error.message,
                    }
                    for one in trials
                ]
            }
        )
    else:
        print_table(
            ("CHANNEL", "TO", "TAKEN", ""),
            [
                (
                    one.channel,
                    one.target,
                    "yes" if one.error is None else "no",
                    "" if one.error is None else f"{one.error.message} [{one.error.code}]",
                )
                for one in trials
            ],
        )
    failed = sum(one.error is not None for one in trials)
    if failed:
        raise Unavailable(f"{failed} of {len(trials)} notices were not accepted", code="notices_not_taken")


@app.command()
def status(json_: Json = False) -> None:
    """Show every channel: what was delivered, what waits, and since when it fails."""
    from ops.notices.service import Notices

    with open_site() as site:
        states = list(Notices(site).states())
        zone = zone_of_city(site)
    if json_:
        print_json({"channels": [_state_json(one) for one in states]})
        return
    print_table(
        ("CHANNEL", "TARGETS", "DELIVERED", "WAITING", "GIVEN UP", "LAST", "FAILS SINCE"),
        [
            (
                one.channel.name,
                str(len(one.channel.targets)),
                str(one.told.sent),
                str(one.waiting),
                str(one.told.given_up),
                "–" if one.told.last_at is None else time_text(one.told.last_at, zone),
                ""
                if one.told.trouble is None
                else f"{time_text(one.told.trouble.since, zone)} [{one.told.trouble.code}]",
            )
            for one in states
        ],
    )


def _state_json(state: "ChannelState") -> JsonObject:
    told, trouble = state.told, state.told.trouble
    return {
        "channel": state.channel.name,
        "targets": [target.name for target in state.channel.targets],
        "told": told.sent,
        "waiting": state.waiting,
        "given_up": told.given_up,
        "last_at": None if told.last_at is None else format_instant(told.last_at),
        "failing_since": None if trouble is None else format_instant(trouble.since),
        "failing_code": "" if trouble is None else trouble.code,
    }
