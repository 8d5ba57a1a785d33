"""The bench of the console knows the home of each role, and when it answers."""

from api.web.navigation import BARS
from archive.model.user import Role
from ops.bench.browsing import READY
from ops.bench.console import Seen, figures_of, home_of, paths_of, tables_of
from ops.bench.console_city import PEOPLE
from ops.bench.console_steps import Dragged, Loads, Pictures, Zoomed


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


def test_what_the_browser_saw_becomes_figures_with_their_goals() -> None:
    quick = Loads([900.0], [300.0], [100.0], [250_000], [6_000], 40, 3)
    slow = Loads([1100.0], [300.0], [], [399_000], [6_000], 40, 3)
    seen = Seen(
        {Role.POLICE: quick, Role.ADMIN: slow}, Loads([20.0], [10.0]),
        {Role.POLICE: {"/temukan": (7_000, 6_000)}, Role.ADMIN: {"/kesehatan": (60_000, 55_000)}},
        Dragged([16.7, 16.7], [50.0, 16.7]), Zoomed([20.0, 99.0], [17.0], [400.0], [200.0], 400),
        Pictures([650.0], [300.0], [50.0], [200.0], [900.0], [40.0]),
    )  # fmt: skip
    missed = {figure.name for figure in figures_of(seen) if figure.met is False}
    assert missed == {
        "home of admin interactive, cold, p95",
        "second navigation, worst page of a bar",
        "map of all cameras dragged, some streets: a frame, median",
        "map of all cameras dragged, some streets: a frame, p95",
    }
    loads, walked, moves = tables_of(seen)
    assert [row[0] for row in loads.rows] == ["police: /temukan", "admin: /kesehatan", "floor: /healthz"]
    assert ("admin", "/kesehatan", "60.0", "55.0") in walked.rows
    assert all(len(row) == len(table.columns) for table in (loads, walked, moves) for row in table.rows)
