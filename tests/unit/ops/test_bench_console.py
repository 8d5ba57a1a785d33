"""The bench of the console knows the home of each role, and when it answers."""

from api.web.navigation import BARS
from archive.model.user import Role
from ops.bench.browsing import READY
from ops.bench.console import home_of, paths_of
from ops.bench.console_city import PEOPLE


def test_of_every_home_it_is_known_when_it_answers() -> None:
    measured = {role for user in PEOPLE for role in user.roles}
    assert set(BARS) - measured == {Role.SATPOL_PP}, "whose bar is that of the police"
    assert BARS[Role.SATPOL_PP] == BARS[Role.POLICE]
    assert {home_of(role) for role in measured} <= set(READY)


def test_a_person_walks_through_the_pages_of_their_own_bar() -> None:
    for user in PEOPLE:
        paths = paths_of(user)
        assert paths[0] == home_of(user.roles[0])
        assert len(paths) == len(set(paths)) == len(BARS[user.roles[0]])
