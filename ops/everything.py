"""``saksi up``: recorder, API and jobs in one process, which is the embedded default."""

import asyncio
from typing import Any

from archive.errors import ArchiveError
from ops.recording import recorder_of, stopping
from ops.serving import SealingThread, server_of
from ops.wiring import Site

LOOK_EVERY = 2.0


async def run_everything(site: Site, log: Any, *, host: str, port: int) -> None:
    """Run until a signal comes or a part fails; the recorder's spool is archived before this returns.

    Raises:
        ArchiveError: the first failure of a part.
    """
    recorder = recorder_of(site, log, None)
    server = server_of(site, host=host, port=port)

    def tell(error: ArchiveError) -> None:
        log.warning("sealing_waits", code=error.code, reason=error.message)

    sealing = SealingThread(site, every=LOOK_EVERY, tell=tell)
    sealing.start()
    with stopping(recorder):
        serving = asyncio.create_task(server.serve())
        recording = asyncio.create_task(recorder.run())
        await asyncio.wait({serving, recording}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        recorder.stop()
        results = await asyncio.gather(serving, recording, return_exceptions=True)
    await asyncio.to_thread(sealing.stop)
    for result in results:
        if isinstance(result, BaseException):
            raise result
