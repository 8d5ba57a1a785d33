"""The table of permissions: its content, that it is complete, and that the page says the same."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from api.auth.permissions import (
    NEEDS_PURPOSE,
    PERMISSIONS,
    RIGHT_OF,
    Reach,
    permissions_page,
    reach_of,
)
from api.auth.principal import Principal, unrestricted
from archive.model.grant import Grant, Right
from archive.model.user import Role
from archive.timespan import Timespan

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "permissions.md"
NOW = 1_000_000
ROLES = st.frozensets(st.sampled_from(Role))
ACTIONS = st.sampled_from(sorted(PERMISSIONS))


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == permissions_page(), "run: make docs"


def may(role: Role, action: str) -> Reach | None:
    return PERMISSIONS[action].get(role)


def test_the_auditor_sees_no_footage() -> None:
    for action in ("footage.play", "clips.read", "clips.download", "evidence.download"):
        assert may(Role.AUDITOR, action) is None
    assert may(Role.AUDITOR, "custody.read") is Reach.ALL


def test_an_admin_takes_no_footage_away_and_approves_nothing() -> None:
    for action in ("clips.download", "evidence.download", "requests.decide", "grants.edit"):
        assert may(Role.ADMIN, action) is None


def test_police_look_at_what_was_granted_and_take_packages_alone() -> None:
    for role in (Role.POLICE, Role.SATPOL_PP):
        assert may(role, "footage.play") is Reach.GRANTED
        assert may(role, "clips.download") is None
        assert may(role, "evidence.download") is Reach.GRANTED
        assert may(role, "requests.decide") is None


def test_who_files_does_not_decide() -> None:
    filing = {role for role in Role if may(role, "requests.file")}
    assert not filing & {role for role in Role if may(role, "requests.decide")}
    assert not filing & {role for role in Role if may(role, "requests.hand_over")}


def test_an_operator_of_a_kecamatan_never_reaches_beyond_it() -> None:
    wide = {action for action, row in PERMISSIONS.items() if row.get(Role.KECAMATAN) is Reach.ALL}
    assert wide == {"api.describe"}


def test_every_cell_that_a_grant_opens_names_its_right() -> None:
    opened = {action for action, row in PERMISSIONS.items() if Reach.GRANTED in row.values()}
    assert opened <= set(RIGHT_OF)
    assert set(PERMISSIONS) >= NEEDS_PURPOSE


@given(ROLES, st.text(max_size=30))
def test_what_is_not_in_the_table_is_denied(roles: frozenset[Role], action: str) -> None:
    if action not in PERMISSIONS:
        assert reach_of(roles, action) == frozenset()
        assert not Principal("user:x", roles=roles).may(action)


@given(ROLES, ROLES, ACTIONS)
def test_roles_add_up_and_take_nothing_away(
    some: frozenset[Role], more: frozenset[Role], action: str
) -> None:
    assert reach_of(some | more, action) == reach_of(some, action) | reach_of(more, action)


@given(ACTIONS)
def test_nobody_without_a_role_or_an_action_may_anything(action: str) -> None:
    assert not Principal("user:x").may(action)
    assert unrestricted("token:x").may(action)


SPANS = st.tuples(st.integers(0, 90), st.integers(1, 10)).map(lambda pair: Timespan(pair[0], sum(pair)))


@given(st.lists(SPANS, max_size=4), SPANS, st.sampled_from(sorted(RIGHT_OF)), st.sampled_from(Right))
def test_a_grant_opens_no_instant_beside_its_span(
    spans: list[Timespan], asked: Timespan, action: str, right: Right
) -> None:
    grants = tuple(given_for(span, {right}) for span in spans)
    police = Principal("user:x", roles=frozenset({Role.POLICE}), grants=grants)
    inside = all(any(instant in span for span in spans) for instant in range(asked.start, asked.end))
    opens = inside and RIGHT_OF[action] is right and may(Role.POLICE, action) is Reach.GRANTED
    assert police.is_granted(action, "cam-1", asked, NOW) is opens
    assert not police.is_granted(action, "cam-2", asked, NOW)
    assert not Principal("user:y", roles=frozenset({Role.AUDITOR}), grants=grants).is_granted(
        action, "cam-1", asked, NOW
    )


def given_for(span: Timespan, rights: set[Right], **changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "id": "GRT-1",
        "person": "x",
        "cameras": ("cam-1",),
        "span": span,
        "rights": frozenset(rights),
        "until": NOW + 10,
        "basis": "b",
        "given_by": "user:citra",
        "given_at": NOW - 10,
        **changes,
    }
    return Grant(**fields)


@pytest.mark.parametrize(
    ("changes", "at", "opens"),
    [
        ({}, NOW, True),
        ({}, NOW + 9, True),
        ({}, NOW + 10, False),
        ({}, NOW - 11, False),
        ({"revoked": True}, NOW, False),
    ],
)
def test_a_grant_opens_until_it_ends(changes: dict[str, Any], at: int, opens: bool) -> None:
    grant = given_for(Timespan(0, 10), {Right.VIEW}, **changes)
    police = Principal("user:x", roles=frozenset({Role.POLICE}), grants=(grant,))
    assert police.is_granted("footage.play", "cam-1", Timespan(0, 10), at) is opens


def test_a_route_that_narrows_to_nothing_refuses_whoever_reaches_less_than_all() -> None:
    from api.request_context import require

    dependency = require("cameras.read")
    assert dependency.dependency.narrows == frozenset()
    assert require("cameras.read", Reach.OWN).dependency.narrows == {Reach.OWN}


def test_a_forgetful_route_is_closed(tmp_path: Path) -> None:
    from typing import Annotated

    from api.request_context import RequestContext, require
    from api.routing import StrictRoute
    from tests.support.api_site import open_site
    from tests.support.people import add_person, caller

    def forgetful(context: Annotated[RequestContext, require("cameras.read")]) -> JSONResponse:
        return JSONResponse({})

    with open_site(tmp_path, variant=None) as site:
        app: FastAPI = site.app
        assert app.router.route_class is StrictRoute
        app.router.add_api_route("/v1/forgetful", forgetful, methods=["GET"])
        add_person(site, "erna", Role.KECAMATAN, districts=["73.71.01"])
        add_person(site, "citra", Role.WAR_ROOM)
        assert caller(site, "erna").get("/v1/forgetful").status_code == 403
        assert caller(site, "citra").get("/v1/forgetful").status_code == 200
