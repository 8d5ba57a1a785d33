"""The tamper-evident log as JSON."""

from pydantic import BaseModel


class CheckpointOut(BaseModel):
    """One checkpoint. ``sha256`` is of its text; ``witnesses`` counts the receipts."""

    number: int
    origin: str
    size: int
    root: str
    prev: str
    at: str
    sha256: str
    signed: bool
    stamped: bool
    witnesses: int


class CheckpointPage(BaseModel):
    """Some checkpoints, the newest first; ``next`` is the cursor that goes on, null at the end."""

    checkpoints: list[CheckpointOut]
    next: str | None


class CheckpointDetail(CheckpointOut):
    """One checkpoint with its text; signature and stamp in base64, null while it has none."""

    checkpoint: str
    checkpoint_p7s: str | None
    checkpoint_tsr: str | None


class InclusionOut(BaseModel):
    """``inclusion.json`` of ``docs/reference/log.md``."""

    v: int
    origin: str
    number: int
    tree_size: int
    leaf_index: int
    leaf_hash: str
    proof: list[str]
    key: str
    line: int


class ProofOut(BaseModel):
    """One line, the way to its checkpoint's root, and the checkpoint; binary parts in base64 or null.

    ``leaf`` is null for lines of the ledger and of custody, which name people.
    """

    leaf: str | None
    inclusion: InclusionOut
    checkpoint: str
    checkpoint_p7s: str | None
    checkpoint_tsr: str | None
