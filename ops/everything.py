"""``saksi up``: recorder, API and jobs in one process, which is the embedded default."""

import asyncio
from typing import Any

from archive.errors import ArchiveError
from ops.heap import settle
from ops.jobs import JobThreads, all_jobs
from ops.recording import recorder_of, stopping
from ops.serving import server_of
from ops.wiring import Site


async def run_everything(site: Site, log: Any, *, host: str, port: int) -> None:
    """Run until a signal comes or a part fails; the recorder's spool is archived before this returns.

    Raises:
        ArchiveError: the first failure of a part.
    """
    recorder = recorder_of(site, log, None)
    server = server_of(site, host=host, port=port)

    def tell(job: str, error: ArchiveError) -> None:
        log.warning("job_waits", job=job, code=error.code, reason=error.message)

    jobs = JobThreads(site, list(all_jobs().values()), tell=tell)
    settle()
    jobs.start()
    with stopping(recorder):
        serving = asyncio.create_task(server.serve())
        recording = asyncio.create_task(recorder.run())
        await asyncio.wait({serving, recording}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        recorder.stop()
        results = await asyncio.gather(serving, recording, return_exceptions=True)
    await asyncio.to_thread(jobs.stop)
    for result in results:
        if isinstance(result, BaseException):
            raise result
