"""Whether the parts behind the API answer, for load balancers and people; names parts, tells no secrets.

Anyone may ask, so asking costs little: an answer is reused for a second, and a part that hangs is asked
once, not once per caller.
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
    """Whether all is well, and the state of each part: ``ok``, ``no answer`` or an error code."""

    ready: bool
    parts: Mapping[str, str]


class Readiness:
    """Asks every part. Thread-safe."""

    def __init__(self, probes: Mapping[str, Probe], clock: Clock) -> None:
        self._probes = probes
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(probes)), thread_name_prefix="readiness")
        self._asker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness-asker")
        self._running: dict[str, Future[str]] = {}
        self._guard = threading.Lock()
        self._last: tuple[int, Answer] | None = None

    async def answer(self) -> Answer:
        """As :meth:`ask`, in a thread of its own: it answers while all others wait for a store that hangs."""
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
        """Let the threads go; a probe that hangs is not waited for."""
        for pool in (self._asker, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)


def probes_of(services: Services) -> Mapping[str, Probe]:
    """One cheap question to each part."""

    def listing(store: ObjectStore) -> Probe:
        def probe() -> None:
            next(iter(store.list("probe/")), None)

        return probe

    def index() -> None:
        services.index.high_water("probe")

    def tokens() -> None:
        services.tokens.principal_of("")

    watch = Watch(services.ledger, services.stores.records, services.clock)
    Gauge(
        "saksi_canary_open_findings",
        "Promises the canary saw the store break, not yet dealt with.",
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
