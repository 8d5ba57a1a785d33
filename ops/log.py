"""The tamper-evident log of an installation: the job, the witnesses, and its state."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx

from archive.records.checkpoint import stored
from archive.records.checkpoint.findings import LogReport
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.verify import Progress, verify_log
from archive.records.checkpoint.witness import Witness
from archive.records.ledger.heads import StrictHeads
from archive.timespan import MINUTE, Timespan
from archive.trust.judge import load_trust
from ops import keys
from ops.authority import authority_of
from ops.wiring import Site

EVIDENCE, PENDING = "evidence", "checkpoint_pending"
"""The ledger kind of packages, and the status of one that waits for the log."""

TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass
class Log:
    """The log of one site. Making a checkpoint needs the log key; reading and verifying need no key."""

    site: Site

    @property
    def interval(self) -> int:
        """The pause between two checkpoints, µs."""
        return self.site.settings.checkpoint_minutes * MINUTE

    @cached_property
    def maker(self) -> CheckpointMaker:
        """The maker of checkpoints.

        Raises:
            NotFound: ``keys_not_found``. Malformed: ``bad_witness_url``, ``bad_origin``.
        """
        site, settings = self.site, self.site.settings
        return CheckpointMaker(
            stores=site.stores,
            ledger=site.ledger,
            clock=site.clock,
            signer=keys.load_log_signer(
                settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir
            ),
            authority=authority_of(site),
            origin=settings.log_origin,
            lock_days=settings.evidence_lock_days,
            interval=self.interval,
            witnesses=self.witnesses,
        )

    def run(self) -> int:
        """One turn of the log job: a checkpoint at once if a package waits for the log, else if one is due.

        Returns:
            The number of checkpoints made.

        Raises: as :meth:`archive.records.checkpoint.job.CheckpointMaker.run_due`.
        """
        made, newest = 0, self.newest()
        young = newest and self.state(newest).note.at > self.site.clock.now() - 5 * MINUTE
        if not young and any(
            entry.state.get("waiting") == PENDING for entry in self._requests.refresh().values()
        ):
            made = 0 if self.maker.make() is None else 1
        return made + self.maker.run_due()

    @cached_property
    def _requests(self) -> StrictHeads:
        return StrictHeads(self.site.ledger, self.site.stores.records, EVIDENCE)

    @cached_property
    def witnesses(self) -> Sequence[Witness]:
        """The witnesses that the settings name. Raises Malformed ``bad_witness_url``."""
        urls = self.site.settings.log_witness_urls
        if not urls:
            return ()
        client = httpx.Client(timeout=TIMEOUT, follow_redirects=False)
        self.site.closing(client.close)
        return tuple(Witness(url, client, self.site.clock) for url in urls)

    def newest(self) -> int:
        """The number of the newest checkpoint; 0 if there is none."""
        return stored.newest(self.site.stores.records)

    def state(self, number: int) -> stored.CheckpointState:
        """One checkpoint. Raises NotFound ``checkpoint_not_found``, IntegrityError."""
        return stored.read_state(self.site.stores.records, number)

    def newest_states(self, count: int) -> Iterator[stored.CheckpointState]:
        """The newest checkpoints, newest first."""
        head = self.newest()
        for number in range(head, max(0, head - count), -1):
            yield self.state(number)

    def verify(
        self,
        *,
        trust: Sequence[Path],
        stamp_trust: Sequence[Path] = (),
        signer: str | None = None,
        crls: Sequence[Path] = (),
        span: Timespan | None = None,
        progress: Progress | None = None,
    ) -> LogReport:
        """Verify the log. Without ``trust`` it uses this installation's own root, which proves less.

        Raises:
            NotFound: ``trust_not_found``, ``crl_not_found``.
            Malformed: ``bad_trust``, ``bad_fingerprint``, ``bad_crl``.
        """
        roots = list(trust) or [self.site.settings.keys_dir / f"{keys.ROOT}.pem"]
        return verify_log(
            self.site.stores,
            self.site.clock,
            trust=load_trust(roots, list(stamp_trust), signer, crls=crls),
            interval=self.interval,
            span=span,
            progress=progress or (lambda _step, _seen: None),
        )
