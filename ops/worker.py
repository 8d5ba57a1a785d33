"""One worker of ``saksi serve --workers``: ``python -m ops.worker LISTENER CALLS TURNS``, three sockets."""

import os
import socket
import sys
from typing import TYPE_CHECKING

from ops.heap import settle, undisturbed

if TYPE_CHECKING:
    import uvicorn


def main(descriptors: list[int]) -> None:
    """Serve until the parent says so or is gone."""
    with undisturbed():
        from api.workers.membership import Membership
        from archive.records.ledger.memory import EntryMemory
        from ops import installation
        from ops.serving import server_of
        from ops.settings import Settings
        from ops.wiring import Site

    for one in descriptors:
        os.set_inheritable(one, False)
    listener, calls, turns = (socket.socket(fileno=one) for one in descriptors)
    settings = Settings.load()
    installation.require(settings)
    servers: list[uvicorn.Server] = []

    def end() -> None:
        for server in servers:
            server.should_exit = True

    membership = Membership(calls, turns, end)
    with Site(settings, memory=EntryMemory()) as site:
        site.own_events.share(membership.tally())
        server = server_of(site, host=settings.host, port=settings.port, workers=membership)
        servers.append(server)
        settle()
        server.run(sockets=[listener])


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
