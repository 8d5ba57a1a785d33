"""Readiness: whether the parts behind the API answer, for load balancers and people; reveals no secrets.

Anyone may ask, so an answer is cheap: it is reused for a second, and a part that hangs is queried once, not
once per caller.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from prometheus_client import Gauge

from api.services import Services
from archive.clock import Clock
from archive.errors import ArchiveError
from archive.integrity.canary import Watch
from archive.ports import ObjectStore
from archive.timespan import SECOND

REUSE = SECOND
PATIENCE_S = 2.0

Probe = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether all parts are ready, and the state of each: ``ok``, ``no answer`` or an error code."""

    ready: bool
    parts: Mapping[str, str]


class Readiness:
    """Queries every part. Thread-safe."""

    def __init__(self, probes: Mapping[str, Probe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="readiness")
        self._asker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness-asker")
        self._running: dict[str, Future[str]] = {}
        self._guard = threading.Lock()
        self._last: tuple[int, Answer] | None = None

    async def answer(self) -> Answer:
        """As :meth:`ask`, in its own thread: it answers even if all others wait for a store that hangs."""
        return await asyncio.get_running_loop().run_in_executor(self._asker, self.ask)

    def ask(self) -> Answer:
        """The state of every part, at most a second old."""
        with self._guard:
            now = self._clock.monotonic()
            if self._last is not None and now - self._last[0] < REUSE:
                return self._last[1]
            for name, probe in self._probes.items():
                running = self._running.get(name)
                if running is None or running.done():
                    self._running[name] = self._pool.submit(_try, probe)
            wait(self._running.values(), timeout=PATIENCE_S)
            parts = {
                name: running.result() if running.done() else "no answer"
                for name, running in self._running.items()
            }
            answer = Answer(all(state == "ok" for state in parts.values()), parts)
            self._last = (self._clock.monotonic(), answer)
            return answer

    def close(self) -> None:
        """Release the threads without waiting for a probe that hangs."""
        for pool in (self._asker, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)


def probes_of(services: Services) -> Mapping[str, Probe]:
    """One cheap query to each part."""

    def listing(store: ObjectStore) -> Probe:
        def probe() -> None:
            next(iter(store.list("probe/")), None)

        return probe

    def index() -> None:
        services.index.heartbeats()

    def tokens() -> None:
        services.tokens.principal_of("")

    watch = Watch(services.ledger, services.stores.records, services.clock)
    Gauge(
        "saksi_canary_open_findings",
        "Open findings of the canary: promises that the store broke.",
        registry=services.metrics,
    ).set_function(lambda: len(watch.last))
    return {
        "locks": watch.check,
        "footage": listing(services.stores.footage),
        "records": listing(services.stores.records),
        "cache": listing(services.stores.cache),
        "index": index,
        "tokens": tokens,
    }


def _try(probe: Probe) -> str:
    try:
        probe()
    except ArchiveError as error:
        return error.code
    return "ok"
