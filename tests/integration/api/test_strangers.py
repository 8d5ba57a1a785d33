"""What strangers and people without a permission learn from the answers' edges."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from archive.errors import Unavailable
from archive.model.user import Role
from tests.support.api_site import Caller, Site, open_site
from tests.support.people import add_person, caller, catch_up, cookie_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("strangers"), variant=None) as made:
        add_person(made, "ani", Role.ADMIN)
        add_person(made, "wati", Role.WAR_ROOM)
        add_person(made, "dewi", Role.AUDITOR)
        catch_up(made)
        yield made


class Dead:
    """A store that does not answer."""

    def list(self, *_: object, **__: object) -> Iterator[None]:
        raise Unavailable("the store does not answer", code="store_unreachable")


def test_readyz_tells_strangers_yes_or_no_only(site: Site) -> None:
    stores = replace(site.services.stores, footage=Dead())  # type: ignore[arg-type]
    for app, status, word in ((site.app, 200, "ok"), (site.remade(stores=stores), 503, "not_ready")):
        for headers in (
            {},
            {"Authorization": "Bearer invented"},
            {"Cookie": "saksi=invented"},
            {"Cookie": cookie_of(site, "wati")},
        ):
            answer = Caller(app, headers).get("/readyz")
            assert (answer.status_code, answer.json()) == (status, {"status": word}), headers
        for headers in (site.headers, {"Cookie": cookie_of(site, "ani")}):
            told = Caller(app, headers).get("/readyz").json()
            assert told["status"] == word
            assert told["parts"]["footage"] == ("ok" if status == 200 else "store_unreachable")


def test_allow_lists_what_is_allowed(site: Site) -> None:
    for path, name, allowed in (
        ("/v1/cameras", "ani", "GET, HEAD, POST"),
        ("/v1/cameras", "wati", "GET, HEAD"),
        ("/v1/users", "wati", ""),
        ("/v1/session", "dewi", "GET, HEAD, PATCH"),
        ("/v1/requests", "dewi", "GET, HEAD"),
    ):
        answer = caller(site, name)("DELETE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), (path, name)
    assert site.call("DELETE", "/v1/requests/attachments").headers["allow"] == "POST"
    assert Caller(site.app)("DELETE", "/auth/local").headers["allow"] == "POST"
