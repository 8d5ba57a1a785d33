"""What one person cannot do to accounts: raise themselves, give privileges, leave no administrator.

A privileged role, and every role that is added to an account, is *proposed* first. It takes effect when a
second person consents. On the host the first two administrators are made without consent, since nobody could
give it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from archive.errors import Conflict, Refused
from archive.model.user import PRIVILEGED, Role, User, access_of, from_state, in_force
from archive.records.ledger.streams import Entry

FOUNDERS = 2
"""How many administrators the host makes without consent."""
_SETS_PASSWORD, _CHOOSES_PASSWORD = "user.password_set", "user.sessions_ended"
_CHOSEN = frozenset({"invitation accepted", "password changed"})


def extends(before: User, after: User) -> bool:
    """Whether a change lets the account do more, at once or after a consent."""
    old, new = access_of(before), access_of(after)
    return bool(
        new.roles - old.roles
        or new.districts - old.districts
        or new.agency - old.agency
        or (after.enabled and not before.enabled)
    )


def opened(user: User) -> User:
    """A new account as one person may open it: its privileged roles are only proposed."""
    return _with_proposed(user, kept_roles=[role for role in user.roles if role not in PRIVILEGED])


def changed(before: User, after: User) -> User:
    """A change as one person may make it: roles that it takes away are gone, those it adds are proposed."""
    return _with_proposed(after, kept_roles=[role for role in after.roles if role in before.roles])


def claimed(before: User | None, after: User) -> User:
    """A provider's statement as it takes effect: of privileged roles only those that were consented to."""
    consented = () if before is None else before.roles
    return _with_proposed(
        after, kept_roles=[role for role in after.roles if role not in PRIVILEGED or role in consented]
    )


def reopened(before: User) -> User:
    """A closed account as one person may reopen it: its privileged roles are proposed again."""
    every = tuple(dict.fromkeys((*before.roles, *before.proposed)))
    wanted = replace(before, roles=every, enabled=True)
    return _with_proposed(wanted, kept_roles=[role for role in before.roles if role not in PRIVILEGED])


def consented(before: User) -> User:
    """The account after the consent. Raises Conflict ``nothing_proposed``."""
    if not before.proposed:
        raise Conflict(
            f"no role of {before.id} waits for consent",
            code="nothing_proposed",
            hint="Read the account again.",
        )
    return replace(before, roles=tuple(sorted({*before.roles, *before.proposed})), proposed=())


def proposers(history: Sequence[Entry]) -> tuple[str, ...]:
    """Everybody who proposed the roles that wait for consent now, by the entries themselves."""
    found: list[str] = []
    before: tuple[Role, ...] = ()
    for entry in history:
        now = from_state(entry.id, entry.state).proposed
        if not now:
            found = []
        elif now != before:
            found.append(entry.actor)
        before = now
    return tuple(dict.fromkeys(found))


def check_own_password(user: User, history: Sequence[Entry]) -> None:
    """Check that no other person knows the password of a local account that is to be privileged.

    Raises:
        Refused: ``invitation_needed``: the newest password was set by another person.
    """
    if not user.is_local or not PRIVILEGED & access_of(user).roles:
        return
    is_known = False
    for entry in history:
        if entry.action == _SETS_PASSWORD:
            is_known = True
        elif entry.action == _CHOOSES_PASSWORD and entry.reason in _CHOSEN:
            # The reason alone proves nothing: an administrator can give any.
            is_known = is_known and entry.actor != f"user:{user.id}"
    if is_known:
        raise invitation_needed(user.id)


def invitation_needed(user_id: str) -> Refused:
    """The error for a privileged account whose password another person knows, or would know."""
    return Refused(
        f"{user_id} has or gets a privileged role, so only its owner may know the password",
        code="invitation_needed",
        hint="Undang: saksi user invite, lalu orang lain: saksi user complete-invitation. / Invite them:"
        " saksi user invite, then another person: saksi user complete-invitation.",
    )


def _with_proposed(user: User, *, kept_roles: Iterable[Role]) -> User:
    kept = tuple(dict.fromkeys(kept_roles))
    return replace(user, roles=kept, proposed=tuple(role for role in user.roles if role not in kept))


def takes_an_admin(before: User, after: User) -> bool:
    """Whether the change removes an enabled administrator."""
    return is_admin(before) and not is_admin(after)


def check_admin_left(people: Iterable[User]) -> None:
    """Check that an administrator remains. Raises Refused ``last_admin``."""
    if not any(is_admin(person) for person in people):
        raise Refused(
            "this is the last administrator",
            code="last_admin",
            hint="First make another person an administrator who can sign in.",
        )


def is_admin(person: User) -> bool:
    """Whether they are an enabled administrator."""
    return person.enabled and Role.ADMIN in in_force(person)
