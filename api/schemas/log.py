"""The tamper-evident log as JSON."""

from pydantic import BaseModel, Field

from api.schemas.examples import FROM, HASH, KEY, OTHER


class CheckpointOut(BaseModel):
    """One checkpoint. ``sha256`` is of its text; ``witnesses`` counts the receipts."""

    number: int = Field(examples=[118])
    origin: str = Field(examples=["saksi.makassar.example/log"])
    size: int = Field(examples=[5242880])
    root: str = Field(examples=["n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="])
    prev: str = Field(examples=[HASH])
    at: str = Field(examples=[FROM])
    sha256: str = Field(examples=[HASH])
    signed: bool
    stamped: bool
    witnesses: int = Field(examples=[1])


class CheckpointPage(BaseModel):
    """Some checkpoints, the newest first; ``next`` is the cursor of the next page, null at the end."""

    checkpoints: list[CheckpointOut]
    next: str | None = Field(examples=[None])


class CheckpointDetail(CheckpointOut):
    """One checkpoint with its text; signature and time stamp in base64, null until it has them."""

    checkpoint: str = Field(
        examples=["saksi.makassar.example/log\n412\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n"]
    )
    checkpoint_p7s: str | None = Field(examples=["MIIB…"])
    checkpoint_tsr: str | None = Field(examples=["MIIC…"])


class InclusionOut(BaseModel):
    """``inclusion.json`` of ``docs/reference/log.md``."""

    v: int = Field(examples=[1])
    origin: str = Field(examples=["saksi.makassar.example/log"])
    number: int = Field(examples=[118])
    tree_size: int = Field(examples=[412])
    leaf_index: int = Field(examples=[17])
    leaf_hash: str = Field(examples=[OTHER])
    proof: list[str] = Field(examples=[[HASH, OTHER]])
    key: str = Field(examples=[KEY])
    line: int = Field(examples=[3])


class ProofOut(BaseModel):
    """One line, its path to the checkpoint's root, and the checkpoint; binary parts in base64 or null.

    ``leaf`` is null for lines of the ledger and of custody, which name people.
    """

    leaf: str | None = Field(examples=[None])
    inclusion: InclusionOut
    checkpoint: str = Field(
        examples=["saksi.makassar.example/log\n412\nn4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\n"]
    )
    checkpoint_p7s: str | None = Field(examples=["MIIB…"])
    checkpoint_tsr: str | None = Field(examples=["MIIC…"])
