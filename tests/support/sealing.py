"""What a worker seals with, over an archive of the tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.evidence.prepare import Preparer
from archive.evidence.proving import Prover
from archive.evidence.sealing import Sealer
from ops import keys
from tests.support.archives import SmallArchive


def preparer_of(archive: SmallArchive, **changes: Any) -> Preparer:
    """Plans packages of the archive; ``changes`` are of its fields."""
    made = Preparer(
        stores=archive.stores,
        index=archive.index,
        registry=archive.registry,
        ledger=archive.ledger,
        system={"name": "saksi"},
        organization="Dinas Kominfo",
        tz_display="Asia/Makassar",
        lock_days=3650,
        prover=Prover(archive.stores.records, archive.clock),
    )
    return replace(made, **changes)


def sealer_of(archive: SmallArchive, keys_dir: Path) -> Sealer:
    """Seals packages of the archive with the keys in a folder."""
    return Sealer(
        footage=archive.stores.footage,
        target=archive.stores.records,
        signer=keys.load_signer(keys_dir, clock=archive.clock),
        authority=keys.load_local_authority(keys_dir, clock=archive.clock),
        clock=archive.clock,
    )
