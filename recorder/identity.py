"""The recorder's name and key in the ledger, and how it finds its place in the journal again."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive.errors import Conflict, NotFound, Refused
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.ledger.streams import Entry, Ledger
from archive.records.logbook import Logbook, newest_in_archive
from recorder.placement.fleet import carried_on

_KIND = "recorder"


def register(ledger: Ledger, recorder: str, key: Ed25519PublicKey) -> Entry:
    """Make sure that the ledger has the recorder's public key; a new key is a new version, reason ``rotate``.

    Raises:
        ArchiveError: as the ledger; Conflict if two recorders of one name start at the same time.
    """
    state = {
        "public_key": base64.b64encode(key.public_bytes_raw()).decode("ascii"),
        "key_sha256": journal.public_key_sha256(key),
    }
    try:
        head = ledger.head(_KIND, recorder)
    except NotFound:
        return ledger.append(
            _KIND, recorder, state, expected=0, actor=f"recorder:{recorder}", action="recorder.registered"
        )
    if head.state.get("public_key") == state["public_key"]:
        return head
    return ledger.append(
        _KIND, recorder, {**carried_on(head.state), **state},
        expected=head.version, actor=f"recorder:{recorder}", action="recorder.key_changed", reason="rotate",
    )  # fmt: skip


def find_place(logbook: Logbook, ledger: Ledger, records: ObjectStore, recorder: str) -> bool:
    """If a known recorder has a new spool, continue after its last batch in the archive.

    Returns:
        Whether the recorder had lost its spool.

    Raises:
        Conflict: ``recorder_unknown_place``: the account may not read the journal, so the number of the next
            batch cannot be known.
        ArchiveError: as the store.
    """
    if not logbook.has_no_batch:
        return False
    try:
        ledger.head(_KIND, recorder)
    except NotFound:
        return False
    try:
        newest = newest_in_archive(records, recorder)
    except Refused as error:
        raise Conflict(
            f"recorder {recorder} has recorded before, but its spool is empty",
            code="recorder_unknown_place",
            hint="Give it another recorder id, or let its account list and read journal/.",
        ) from error
    if newest is None:
        return False
    logbook.continue_from(newest.batch, newest.digest)
    return True
