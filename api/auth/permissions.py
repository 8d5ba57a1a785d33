"""Permissions as one table of actions and roles (design: access). Everything else is denied.

A row is an action, a column a role, a cell how far the role reaches:

``all``      every camera, the whole city
``own``      cameras in the districts of the person
``granted``  footage that a grant opens: its cameras, its span, its right, until it ends
``facts``    public facts of every camera; coverage and gaps; no picture, no address of a device
``mine``     what the person did or asked for, or what was granted to them

A person with several roles has the reach of each of them. ``docs/reference/permissions.md`` is made from
this table. A machine's token may do what its scope lists, ``all`` or in its districts (``own``).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from archive.model.grant import Right
from archive.model.user import Role


class Reach(StrEnum):
    """How far a permission reaches."""

    ALL = "all"
    OWN = "own"
    GRANTED = "granted"
    FACTS = "facts"
    MINE = "mine"


_NONE = "–"
_COLUMNS = (Role.ADMIN, Role.WAR_ROOM, Role.KECAMATAN, Role.POLICE, Role.SATPOL_PP, Role.AUDITOR)

# Police and Satpol PP / PPNS differ in the legal bases they may name, not in what they reach.
_TABLE = """
action              | admin | war_room | kecamatan | police  | satpol_pp | auditor
api.describe        | all   | all      | all       | all     | all       | all
session.read        | mine  | mine     | mine      | mine    | mine      | mine
session.edit        | mine  | mine     | mine      | mine    | mine      | mine
metrics.read        | all   | –        | –         | –       | –         | –
cameras.read        | all   | all      | own       | facts   | facts     | all
cameras.edit        | all   | –        | –         | –       | –         | –
cameras.audio       | all   | –        | –         | –       | –         | –
recordings.read     | all   | all      | own       | facts   | facts     | all
health.read         | all   | all      | own       | –       | –         | all
compliance.read     | all   | all      | own       | –       | –         | all
footage.play        | all   | all      | own       | granted | granted   | –
clips.read          | all   | all      | own       | granted | granted   | –
clips.download      | –     | all      | –         | –       | –         | –
evidence.request    | –     | –        | –         | –       | –         | –
evidence.read       | mine  | all      | mine      | mine    | mine      | all
evidence.verify     | mine  | mine     | mine      | mine    | mine      | all
evidence.download   | –     | all      | –         | granted | granted   | –
requests.file       | –     | –        | –         | mine    | mine      | –
requests.amend      | –     | –        | –         | mine    | mine      | –
requests.comment    | –     | all      | –         | mine    | mine      | –
requests.receive    | –     | –        | –         | mine    | mine      | –
requests.decide     | –     | all      | –         | –       | –         | –
requests.hand_over  | –     | all      | –         | –       | –         | –
requests.read       | –     | all      | –         | mine    | mine      | all
custody.read        | mine  | mine     | mine      | mine    | mine      | all
policies.read       | all   | all      | own       | facts   | facts     | all
policies.edit       | all   | –        | –         | –       | –         | –
retention.plan      | all   | all      | –         | –       | –         | all
holds.place         | all   | all      | –         | –       | –         | –
holds.read          | all   | all      | –         | mine    | mine      | all
holds.release       | all   | –        | –         | –       | –         | –
dispositions.read   | all   | –        | –         | –       | –         | all
log.read            | all   | –        | –         | –       | –         | all
incidents.read      | all   | all      | –         | –       | –         | all
incidents.close     | all   | –        | –         | –       | –         | –
users.read          | all   | –        | –         | –       | –         | all
users.edit          | all   | –        | –         | –       | –         | –
grants.read         | all   | all      | –         | mine    | mine      | all
grants.edit         | –     | all      | –         | –       | –         | –
tokens.read         | all   | –        | –         | –       | –         | all
tokens.edit         | all   | –        | –         | –       | –         | –
"""

RIGHT_OF: Mapping[str, Right] = MappingProxyType(
    {
        "footage.play": Right.VIEW,
        "clips.read": Right.VIEW,
        "clips.download": Right.DOWNLOAD,
        "evidence.download": Right.DOWNLOAD,
    }
)
"""The right that a grant must carry for an action; no grant opens other actions."""

NEEDS_PURPOSE = frozenset({"footage.play", "clips.download", "evidence.download"})
"""Actions for which a person must state a purpose: viewing and downloading footage."""

DECISIONS = frozenset(
    {
        "cameras.audio",
        "policies.edit",
        "holds.release",
        "requests.decide",
        "requests.hand_over",
        "users.edit",
        "grants.edit",
        "tokens.edit",
    }
)
"""Decisions that a named person must answer for. A token made over HTTP may not list them: with it, its maker
could act as the second person wherever a rule requires two.
"""


def _parsed(table: str) -> Mapping[str, Mapping[Role, Reach]]:
    head, *rows = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    if tuple(head[1:]) != tuple(role.value for role in _COLUMNS):
        raise ValueError("the columns of the table are not the roles")
    return MappingProxyType(
        {
            action: MappingProxyType(
                {role: Reach(cell) for role, cell in zip(_COLUMNS, cells, strict=True) if cell != _NONE}
            )
            for action, *cells in rows
        }
    )


PERMISSIONS: Mapping[str, Mapping[Role, Reach]] = _parsed(_TABLE)
"""Reach by action and role; a role that is missing is denied."""

_NOTHING: Mapping[Role, Reach] = MappingProxyType({})


def reach_of(roles: frozenset[Role], action: str) -> frozenset[Reach]:
    """How far people with these roles reach with the action; empty if it is denied."""
    row = PERMISSIONS.get(action, _NOTHING)
    return frozenset(row[role] for role in roles if role in row)


def permissions_page() -> str:
    """``docs/reference/permissions.md``."""
    head = " | ".join(f"`{role.value}`" for role in _COLUMNS)
    lines = [
        "# Permissions",
        "",
        "Generated by `make docs` from `api/auth/permissions`. Everything that the table does not allow is",
        "denied. Every route has one action; the [HTTP interface](http.md) says which.",
        "",
        f"| action | {head} |",
        f"| --- |{' --- |' * len(_COLUMNS)}",
    ]
    for action, row in PERMISSIONS.items():
        cells = " | ".join(row[role].value if role in row else _NONE for role in _COLUMNS)
        lines.append(f"| `{action}` | {cells} |")
    decisions = ", ".join(f"`{action}`" for action in sorted(DECISIONS))
    purposes = ", ".join(f"`{action}`" for action in sorted(NEEDS_PURPOSE))
    rights = ", ".join(f"`{action}` by the right `{right}`" for action, right in RIGHT_OF.items())
    lines += [
        "",
        "- `all`: every camera. `own`: cameras that stood in the person's districts at the time shown;",
        "  other cameras answer as if they did not exist.",
        "- `granted`: footage that a grant opens to the person or their agency, wholly inside the grant's",
        f"  span, until the grant ends or is revoked: {rights}.",
        "- `facts`: public facts of every camera, coverage and gaps; no picture, no address of a device.",
        "- `mine`: what the person did or asked for, and packages that a grant opens.",
        "- A person with several roles has the reach of each of them.",
        f"- A person needs a purpose for {purposes}: with the request, or once for the session.",
        "- A machine's token may do what its scope lists, in its districts, until it expires. A token",
        "  without a scope, such as the first one of an installation, may do everything.",
        "- A token made over HTTP expires, never reaches further than its maker does at the time of use, and",
        f"  makes no decisions: it may not list {decisions}.",
        "- `evidence.request` seals without a request. No role has it, so that one person asks and another",
        "  approves. Only the host and tokens that list it may use it.",
    ]
    return "\n".join(lines) + "\n"
