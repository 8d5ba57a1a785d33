"""Who may have an export, and how many: other people, rights that end, and the room for all."""

from collections.abc import Iterator
from typing import Any

import pytest

from archive.cases.exports.board import ExportBoard
from archive.model.token import TokenScope
from archive.model.user import Role
from ops.tokens import token_file
from tests.support.api_site import ASKED, CAMERA, Caller, Site, open_site
from tests.support.exports import EXPORTS, worker
from tests.support.people import add_person, caller, catch_up, users_of

FORM = {"cameras": [CAMERA], **ASKED}
PEOPLE = {
    "citra": Role.WAR_ROOM, "tomo": Role.WAR_ROOM, "rina": Role.WAR_ROOM, "agus": Role.WAR_ROOM,
    "siti": Role.KECAMATAN, "dewi": Role.POLICE, "indra": Role.AUDITOR,
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role in PEOPLE.items():
            districts = ["73.71.01"] if role is Role.KECAMATAN else []
            agency = "polrestabes" if role is Role.POLICE else ""
            add_person(made, name, role, districts=districts, agency=agency)
        catch_up(made)
        yield made


@pytest.fixture(autouse=True)
def empty(site: Site) -> None:
    for folder in site.services.exports.folders():
        site.services.exports.forget(folder.prefix)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def machine(site: Site, name: str, *districts: str) -> Caller:
    """A machine whose token is for some districts."""
    scope = TokenScope(actions=frozenset({"clips.download"}), districts=frozenset(districts))
    token = token_file(site.evidence.site).create(name, site.clock, scope)
    return Caller(site.app, {"Authorization": f"Bearer {token}"})


def test_nobody_else_sees_or_changes_it(site: Site) -> None:
    """Not a second person of the role, not a machine of the district or of another."""
    others = {
        "tomo": caller(site, "tomo"),
        "mariso": machine(site, "mariso", "73.71.01"),
        "mamajang": machine(site, "mamajang", "73.71.02"),
        "first": site.call,
    }
    owner = caller(site, "citra")
    export_id = owner("POST", EXPORTS, json=FORM).json()["export_id"]
    for _ in ("while it waits", "once it is ready"):
        for name, call in others.items():
            assert export_id not in call.get(EXPORTS).text
            for status in ("paused", "queued", "cancelled"):
                answer = call("POST", f"{EXPORTS}/{export_id}/status", json={"status": status})
                assert told(answer) == (404, "export_not_found"), (name, status)
            assert told(call.get(f"{EXPORTS}/{export_id}")) == (404, "export_not_found")
            assert told(call.get(f"{EXPORTS}/{export_id}/export.zip")) == (404, "export_not_found")
        worker(site).run()
    found = owner.get(f"{EXPORTS}/{export_id}").json()
    assert (found["status"], found["parts_done"]) == ("ready", 1)


def test_who_may_order(site: Site) -> None:
    for name in ("siti", "dewi", "indra"):
        assert told(caller(site, name)("POST", EXPORTS, json=FORM)) == (403, "not_permitted")
    abroad = machine(site, "tallo", "73.71.02")
    assert told(abroad("POST", EXPORTS, json=FORM)) == (404, "camera_not_found")
    refused = site.events("export.order")[-1]
    assert (refused.actor.id, refused.outcome.value) == ("token:tallo", "refused")
    assert told(caller(site, "citra", purpose="").get(EXPORTS)) in {(200, ""), (422, "purpose_needed")}
    assert site.services.exports.folders() == []


@pytest.mark.parametrize("when", ["while it is made", "before the download"])
@pytest.mark.parametrize("how", ["closed", "another role", "token revoked"])
def test_a_right_that_ends_ends_the_fetching(site: Site, when: str, how: str) -> None:
    name = {"closed": "rina", "another role": "agus", "token revoked": "robot"}[how]
    users = users_of(site)
    if how == "token revoked":
        call = machine(site, name, "73.71.01")
    else:
        if how == "closed":
            users.enable(name, actor="os:test", reason="kembali")
            users.consent(name, actor="os:second", reason="x") if users.user(name).proposed else None
        else:
            users.change(
                name, roles=(Role.WAR_ROOM,), districts=(), agency="", actor="os:test", reason="kembali"
            )
            users.consent(name, actor="os:second", reason="x") if users.user(name).proposed else None
        catch_up(site)
        call = caller(site, name)
    export_id = call("POST", EXPORTS, json=FORM).json()["export_id"]
    address = f"{EXPORTS}/{export_id}/export.zip"

    def end() -> None:
        if how == "closed":
            users.disable(name, actor="os:test", reason="pindah")
        elif how == "another role":
            users.change(
                name, roles=(Role.KECAMATAN,), districts=("73.71.01",), agency="",
                actor="os:test", reason="pindah",
            )  # fmt: skip
        else:
            token_file(site.evidence.site).revoke(name)
        if how != "token revoked":
            catch_up(site)

    if when == "while it is made":
        end()
    worker(site).run()
    if when == "before the download":
        assert call.get(address).status_code == 200
        end()
    sent = len(site.events("export.download.started"))
    for method in ("GET", "HEAD"):
        assert call(method, address).status_code in {401, 403}
    assert len(site.events("export.download.started")) == sent, "no byte left"


def test_the_room_for_all_is_not_exceeded(site: Site) -> None:
    citra, tomo = caller(site, "citra"), caller(site, "tomo")
    first = citra("POST", EXPORTS, json=FORM).json()
    size = first["bytes"]
    assert size > 0

    def ordering(room: int) -> Any:
        board = ExportBoard(site.services.stores.cache, site.clock, room=room)
        return Caller(site.remade(exports=board), tomo._headers)("POST", EXPORTS, json=FORM)

    assert told(ordering(size - 1)) == (422, "export_too_large")
    assert told(ordering(2 * size - 1)) == (503, "exports_full"), "one that waits has its room"
    worker(site).run()
    done = citra.get(f"{EXPORTS}/{first['export_id']}").json()["bytes_done"]
    assert told(ordering(size + done - 1)) == (503, "exports_full")
    second = ordering(size + done).json()["export_id"]
    assert told(ordering(size + done)) == (503, "exports_full")
    for owner, name in ((citra, first["export_id"]), (tomo, second)):
        gone = owner("POST", f"{EXPORTS}/{name}/status", json={"status": "cancelled"})
        assert gone.json()["status"] == "cancelled"
    assert ordering(size).status_code == 202, "what was cancelled takes no room"
