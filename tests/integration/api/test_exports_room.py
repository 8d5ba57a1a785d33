"""Who may have an export, and how many: other people, rights that end, and the room for all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.cases.exports.board import ExportBoard
from archive.cases.people.grants import Grants
from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import HOUR, SECOND, Timespan
from tests.support.api_site import ASKED, CAMERA, T0, Caller, Site, open_site
from tests.support.exports import EXPORTS, worker
from tests.support.people import add_person, caller, catch_up, grant

OWN, OTHER = "73.71.01", "73.71.02"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as made:
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "siti", Role.KECAMATAN, districts=[OWN])
        add_person(made, "farid", Role.KECAMATAN, districts=[OTHER])
        add_person(made, "dewi", Role.POLICE, agency="polrestabes")
        add_person(made, "indra", Role.AUDITOR)
        catch_up(made)
        yield made


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def ordered(site: Site, name: str) -> Any:
    return caller(site, name)("POST", EXPORTS, json={"cameras": [CAMERA], **ASKED})


def test_a_second_person_of_the_role_neither_sees_nor_changes_it(site: Site) -> None:
    reach = {"siti", "citra"}
    for owner in reach:
        export_id = ordered(site, owner).json()["export_id"]
        worker(site).run()
        for name in {"siti", "farid", "citra"} - {owner}:
            call = caller(site, name)
            assert call.get(EXPORTS).json()["exports"] == [] or name in reach
            assert export_id not in call.get(EXPORTS).text
            for status in ("paused", "queued", "cancelled"):
                answer = call("POST", f"{EXPORTS}/{export_id}/status", json={"status": status})
                assert told(answer) == (404, "export_not_found"), (name, status)
            assert told(call.get(f"{EXPORTS}/{export_id}")) == (404, "export_not_found")
            assert told(call.get(f"{EXPORTS}/{export_id}/export.zip")) == (404, "export_not_found")
        found = caller(site, owner).get(f"{EXPORTS}/{export_id}").json()
        assert (found["status"], found["parts_done"]) == ("ready", 1)


def test_who_may_order(site: Site) -> None:
    assert told(ordered(site, "farid")) == (404, "camera_not_found")
    assert told(ordered(site, "dewi")) == (403, "not_granted")
    assert told(ordered(site, "indra")) == (403, "not_permitted")
    assert told(caller(site, "siti", purpose="").get(EXPORTS))[0] in {200, 422}
    assert site.events("export.order")[-1].outcome.value == "refused"


@pytest.mark.parametrize("when", ["while it is made", "before the download"])
@pytest.mark.parametrize("how", ["revoked", "expired", "narrowed"])
def test_a_right_that_ends_ends_the_fetching(site: Site, when: str, how: str) -> None:
    hour = Timespan(T0, T0 + HOUR)
    rights = (Right.VIEW, Right.DOWNLOAD)
    given = grant(site, "dewi", [CAMERA], hour, *rights, until=site.clock.now() + HOUR // 2)
    export_id = ordered(site, "dewi").json()["export_id"]

    def end() -> None:
        if how == "revoked":
            Grants(site.services.ledger, site.clock).revoke(given.id, actor="user:citra", reason="selesai")
        elif how == "expired":
            site.clock.advance(HOUR)
        else:
            grant(site, "dewi", [CAMERA], Timespan(T0, T0 + 5 * SECOND), *rights)
            Grants(site.services.ledger, site.clock).revoke(given.id, actor="user:citra", reason="keliru")
        catch_up(site)

    if when == "while it is made":
        end()
    worker(site).run()
    address = f"{EXPORTS}/{export_id}/export.zip"
    if when == "before the download":
        assert caller(site, "dewi").get(address).status_code == 200
        end()
    sent = len(site.events("export.download.started"))
    for method in ("GET", "HEAD"):
        assert caller(site, "dewi")(method, address).status_code == 403
    assert told(caller(site, "dewi").get(address)) == (403, "not_granted")
    assert len(site.events("export.download.started")) == sent, "no byte left"
    assert site.events("export.download")[-1].outcome.value == "refused"


def test_the_room_for_all_is_not_exceeded(site: Site) -> None:
    first = ordered(site, "citra").json()
    size = first["bytes"]
    assert size > 0

    def call(room: int, name: str) -> Any:
        board = ExportBoard(site.services.stores.cache, site.clock, room=room)
        other = Caller(site.remade(exports=board), caller(site, name)._headers)
        return other("POST", EXPORTS, json={"cameras": [CAMERA], **ASKED})

    assert told(call(size - 1, "siti")) == (422, "export_too_large")
    assert told(call(2 * size - 1, "siti")) == (503, "exports_full"), "one that waits has its room"
    worker(site).run()
    done = caller(site, "citra").get(f"{EXPORTS}/{first['export_id']}").json()["bytes_done"]
    assert told(call(size + done - 1, "siti")) == (503, "exports_full")
    assert call(size + done, "siti").status_code == 202
    gone = caller(site, "citra")(
        "POST", f"{EXPORTS}/{first['export_id']}/status", json={"status": "cancelled"}
    )
    assert gone.status_code == 200
    assert call(2 * size, "siti").status_code == 202, "what was cancelled takes no room"
