"""What may be done with a request in which state: one table, and nothing else decides.

A row is an act, the states in which it may be done, and the state afterwards (``=`` for the same). The states
``sealing``, ``sealed``, ``sealed_untimestamped`` and ``seal_failed`` follow the package's own stream.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from archive.errors import Conflict
from archive.model.request import RequestStatus


class RequestAct(StrEnum):
    """What people do with a request."""

    FILE = "file"
    AMEND = "amend"
    COMMENT = "comment"
    ATTACH = "attach"
    ADD_LETTER = "add_letter"
    RAISE_LIMIT = "raise_limit"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    HAND_OVER = "hand_over"
    RECEIVE = "receive"
    CLOSE = "close"

    @property
    def action(self) -> str:
        """The ledger action of the act."""
        return _ACTIONS[self]


_ACTIONS: Mapping[RequestAct, str] = MappingProxyType(
    {
        RequestAct.FILE: "request.filed",
        RequestAct.AMEND: "request.amended",
        RequestAct.COMMENT: "request.commented",
        RequestAct.ATTACH: "request.attached",
        RequestAct.ADD_LETTER: "request.letter_added",
        RequestAct.RAISE_LIMIT: "request.limit_raised",
        RequestAct.APPROVE: "request.approved",
        RequestAct.REJECT: "request.rejected",
        RequestAct.CANCEL: "request.cancelled",
        RequestAct.HAND_OVER: "request.handed_over",
        RequestAct.RECEIVE: "request.received",
        RequestAct.CLOSE: "request.closed",
    }
)

_LIVE = "submitted approved sealing sealed sealed_untimestamped seal_failed handed_over"

_TABLE = f"""
act         | in                                 | then        | who
file        |                                    | submitted   | police, Satpol PP
amend       | submitted approved seal_failed     | submitted   | the agency; the approval is void
comment     | {_LIVE} | =           | the agency, War Room
attach      | {_LIVE} | =           | the agency
add_letter  | {_LIVE} | =           | the agency, while the letter lacks something
raise_limit | submitted                          | =           | War Room
approve     | submitted                          | approved    | War Room, not who filed or amended
reject      | submitted                          | rejected    | War Room, not who filed or amended
cancel      | submitted approved seal_failed     | cancelled   | the agency
hand_over   | sealed handed_over                 | handed_over | War Room, not who filed, amended or approved
receive     | handed_over                        | =           | the agency that asked
close       | handed_over                        | closed      | War Room
"""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. ``before`` is empty for the first act; ``after`` is None if the state stays."""

    act: RequestAct
    before: frozenset[RequestStatus]
    after: RequestStatus | None
    who: str


def _parsed(table: str) -> Mapping[RequestAct, Transition]:
    rows = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:])
    return MappingProxyType(
        {
            RequestAct(act): Transition(
                RequestAct(act),
                frozenset(RequestStatus(one) for one in before.split()),
                None if after == "=" else RequestStatus(after),
                who,
            )
            for act, before, after, who in rows
        }
    )


TRANSITIONS: Mapping[RequestAct, Transition] = _parsed(_TABLE)
"""The row of each act."""

ENDS = frozenset(RequestStatus) - {one for row in TRANSITIONS.values() for one in row.before}
"""States in which nothing more can be done."""


def after(act: RequestAct, status: RequestStatus) -> RequestStatus:
    """The state that the act leads to.

    Raises:
        Conflict: ``request_state``: in this state the act is not possible.
    """
    row = TRANSITIONS[act]
    if status not in row.before:
        states = ", ".join(one.value for one in RequestStatus if one in row.before)
        raise Conflict(
            f"a request that is {status.value} cannot be changed by: {act.value}",
            code="request_state",
            hint=f"That is possible while it is {states or 'not filed yet'}.",
        )
    return row.after or status


def possible(status: RequestStatus) -> tuple[RequestAct, ...]:
    """The acts that a state allows, for any person."""
    return tuple(act for act, row in TRANSITIONS.items() if status in row.before)


def transitions_page() -> str:
    """The table as the guide shows it."""
    lines = ["| act | in | then | who |", "| --- | --- | --- | --- |"]
    for row in TRANSITIONS.values():
        before = " ".join(f"`{one.value}`" for one in RequestStatus if one in row.before)
        then = "–" if row.after is None else f"`{row.after.value}`"
        lines.append(f"| `{row.act.value}` | {before or '–'} | {then} | {row.who} |")
    return "\n".join(lines) + "\n"
