"""The real servers of a development machine: MinIO, Elasticsearch, MediaMTX, without containers.

``Stack`` fetches pinned versions into a cache, starts them on the loopback interface, waits for health
and stops them again. It serves developers, the integration tests and the benchmarks; a city installs its
servers in its own way and gives Saksi only their addresses. One module per server holds what is special to
that server; everything else (cache, ports, processes, state) is shared. Linux only: it reads ``/proc``.
"""

from ops.stack.part import PartStatus, State
from ops.stack.places import Places
from ops.stack.stack import Stack

__all__ = ["PartStatus", "Places", "Stack", "State"]
