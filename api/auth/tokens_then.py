"""Which tokens were valid at a past time, from the ledger's history and today's token file.

The token file decides which tokens are accepted, so a token in it has been valid since it was made. For a
token that is no longer in the file the ledger answers: it was valid from the entry that made it to the one
that revoked it. If the ledger has no entry, the answer names one token too many, never one too few:

- the first token of an installation has no entry that made it; if it is revoked, it counts as valid at every
  time before that;
- a line removed from the file by hand left no entry: the token counts as valid to this day; if it was the
  first token, which has no entry at all, only the tokens it made do.
"""

from collections.abc import Iterable, Mapping, Sequence

from api.auth.holders import Known
from archive.model.token import KIND, TokenScope, from_json
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import format_instant, parse_instant

_SINCE_EVER = ""
"""A text that sorts before every written time."""


def tokens_at(ledger: Ledger, known: Iterable[Known], at: int) -> Mapping[str, Known]:
    """The tokens that were not revoked at ``at``, by name; ``known`` are those in the file now.

    The hash of a token that is no longer in the file is "": the ledger never has hashes.

    Raises:
        Unavailable: the ledger does not answer. IntegrityError, Malformed: one of its streams is unreadable.
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
            # This token is known only by the tokens it made: the answer gives it no actions.
            found[maker] = Known(maker, "", _SINCE_EVER, TokenScope(actions=frozenset()))
    return dict(sorted(found.items()))


def _stood(entries: Sequence[Entry], at: int) -> Known | None:
    """The token of a stream that was valid at a time."""
    before = next((entry for entry in reversed(entries) if entry.at <= at), None)
    if before is not None and not _revokes(before):
        return Known(before.id, "", format_instant(before.at), from_json(before.state), before.actor)
    after = next((entry for entry in entries if entry.at > at), None)
    if after is not None and _revokes(after):
        # A revoked token must have existed: this one was valid, and its making was not recorded.
        return Known(after.id, "", _SINCE_EVER, from_json(after.state))
    return None


def _revokes(entry: Entry) -> bool:
    return bool(entry.state.get("revoked"))
