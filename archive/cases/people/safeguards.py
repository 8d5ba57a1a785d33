"""What nobody may do to accounts, whatever their role: raise themselves, or leave the city without an admin.

The host (``os:…``) is no account: it is held to the second rule alone, and can always add an administrator.
"""

from collections.abc import Iterable

from archive.errors import Refused
from archive.model.user import Role, User
from archive.persons import same_person


def check_not_raised(actor: str, before: User, after: User) -> None:
    """Let somebody change an account, but not make their own reach further.

    Raises:
        Refused: ``own_account``: they give themselves a role, a district or an agency, or come in again.
    """
    if not same_person(actor, f"user:{before.id}"):
        return
    if (
        set(after.roles) - set(before.roles)
        or set(after.districts) - set(before.districts)
        or after.agency not in {before.agency, ""}
        or (after.enabled and not before.enabled)
    ):
        raise Refused(
            "nobody gives themselves a role, a district or an agency",
            code="own_account",
            hint="Ask another administrator.",
        )


def takes_an_admin(before: User, after: User) -> bool:
    """Whether the change takes an administrator who could act."""
    return is_admin(before) and not is_admin(after)


def check_admin_left(people: Iterable[User]) -> None:
    """See that somebody can still let people in. Raises Refused ``last_admin``."""
    if not any(is_admin(person) for person in people):
        raise Refused(
            "that is the last administrator",
            code="last_admin",
            hint="Make another administrator first, who can sign in.",
        )


def is_admin(person: User) -> bool:
    """Whether they are an administrator who is let in."""
    return person.enabled and Role.ADMIN in person.roles
