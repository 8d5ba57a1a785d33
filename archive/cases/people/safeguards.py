"""What no account may do, whatever its role: raise itself, or leave the city without an administrator.

The host (``os:…``) is no account: only the second rule binds it, and it can always add an administrator.
"""

from collections.abc import Iterable

from archive.errors import Refused
from archive.model.user import Role, User
from archive.persons import same_person


def check_not_raised(actor: str, before: User, after: User) -> None:
    """Allow a change of an account, unless the actor extends their own access.

    Raises:
        Refused: ``own_account``: they give themselves a role, a district or an agency, or enable themselves.
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
    return person.enabled and Role.ADMIN in person.roles
