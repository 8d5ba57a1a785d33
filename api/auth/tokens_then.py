"""Which tokens stood at a time: what the ledger says of then, and the file of now.

The file decides who is let in, so what it holds today stood since it was made. Of what it holds no more the
ledger tells: a token stood from the entry that made it to the one that revoked it. Where the ledger is silent
the answer names one too many, never one too few:

- the first token of an installation has no entry that made it; once revoked it is taken as there before;
- a line that was removed from the file by hand left no entry: the token is taken as there since, and where
  it was the first, what it made is.
"""

from collections.abc import Iterable, Mapping, Sequence

from api.auth.holders import Known
from archive.model.token import KIND, TokenScope, from_json
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import format_instant, parse_instant

_SINCE_EVER = ""
"""Before every time, as times are written."""


def tokens_at(ledger: Ledger, known: Iterable[Known], at: int) -> Mapping[str, Known]:
    """The tokens that were not revoked at ``at``, by name; ``known`` are those of the file now.

    The hash of one that is gone is "": the ledger never had it.

    Raises:
        Unavailable: the ledger does not answer. IntegrityError, Malformed: a stream of it does not read.
    """
    found, ended = {}, set()
    for head in ledger.heads(KIND):
        entries = [head] if head.at <= at else list(ledger.history(KIND, head.id))
        stood = _stood(entries, at)
        if stood is not None:
            found[head.id] = stood
        elif entries[0].at <= at:
            ended.add(head.id)
    found |= {one.name: one for one in known if parse_instant(one.made_at) <= at}
    for one in list(found.values()):
        kind, _, maker = one.made_by.partition(":")
        if kind == "token" and maker not in found and maker not in ended:
            # Of this one nothing is known but what it made: it is told of as nobody who could see.
            found[maker] = Known(maker, "", _SINCE_EVER, TokenScope(actions=frozenset()))
    return dict(sorted(found.items()))


def _stood(entries: Sequence[Entry], at: int) -> Known | None:
    """The token of a stream that stood at a time."""
    before = next((entry for entry in reversed(entries) if entry.at <= at), None)
    if before is not None and not _revokes(before):
        return Known(before.id, "", format_instant(before.at), from_json(before.state), before.actor)
    after = next((entry for entry in entries if entry.at > at), None)
    if after is not None and _revokes(after):
        # Nobody revokes what is not there: this one stood, and its making was not put on record.
        return Known(after.id, "", _SINCE_EVER, from_json(after.state))
    return None


def _revokes(entry: Entry) -> bool:
    return bool(entry.state.get("revoked"))
