"""The tamper-evident log: its checkpoints, and proofs of single lines."""

from base64 import b64encode
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from api.audit import Act
from api.request_context import RequestContext, require
from api.routing import add_json
from api.schemas.log import CheckpointDetail, CheckpointPage, ProofOut
from archive.errors import Malformed
from archive.keys import MAX_KEY_BYTES
from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import prove

MAX_PAGE = 500
SHOWN = ("segments/", "journal/")
MAX_NUMBER = 10**10 - 1


def add_routes(router: APIRouter) -> None:
    """Add /v1/log and its subpaths."""
    tag = "log"
    add_json(router, "GET", "/v1/log/checkpoints", list_checkpoints, CheckpointPage, tag=tag)
    add_json(router, "GET", "/v1/log/checkpoints/{number}", get_checkpoint, CheckpointDetail, 404, tag=tag)
    add_json(router, "GET", "/v1/log/proof", get_proof, ProofOut, 404, tag=tag)


def list_checkpoints(
    context: Annotated[RequestContext, require("log.read")],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 48,
    cursor: Annotated[str, Query(max_length=10, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Checkpoints, the newest first."""
    context.begin(Act.LOG_READ)
    records = context.services.stores.records
    if cursor and not (cursor.isascii() and cursor.isdecimal()):
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    first = min(int(cursor) if cursor else MAX_NUMBER, stored.newest(records))
    numbers = range(first, max(0, first - limit), -1)
    found = [stored.read_state(records, number).to_json() for number in numbers]
    following = str(first - limit) if first > limit else None
    context.done(results=len(found))
    return JSONResponse({"checkpoints": found, "next": following})


def get_checkpoint(
    context: Annotated[RequestContext, require("log.read")],
    number: Annotated[int, Path(ge=1, le=MAX_NUMBER, description="Its number, from 1.")],
) -> JSONResponse:
    """One checkpoint with its text, signature and time stamp."""
    context.begin(Act.LOG_READ, f"checkpoint-{number}")
    records = context.services.stores.records
    state = stored.read_state(records, number)
    seals = {
        part.replace(".", "_"): stored.read_part(records, number, part)
        for part in (stored.SIGNATURE, stored.STAMP)
    }
    context.done()
    texts = {name: None if data is None else b64encode(data).decode("ascii") for name, data in seals.items()}
    return JSONResponse({**state.to_json(), "checkpoint": state.note.encode().decode("ascii"), **texts})


def get_proof(
    context: Annotated[RequestContext, require("log.read")],
    key: Annotated[
        str,
        Query(
            max_length=MAX_KEY_BYTES + 12,
            description="A segment's or ledger entry's key, KEY#LINE of a journal or custody object, "
            "or a custody event's id.",
        ),
    ],
) -> JSONResponse:
    """The inclusion proof of one line, with the checkpoint that includes it.

    The answer contains the line itself only for segments and journals: the ledger and custody have their own
    routes, with their own access rules. It contains the hash of every line.
    """
    context.begin(Act.LOG_READ, key)
    proof = prove(context.services.stores, key)
    context.done(checkpoint=proof.note.number)
    told = proof.to_json()
    if not key.startswith(SHOWN):
        told["leaf"] = None
    return JSONResponse(told)
