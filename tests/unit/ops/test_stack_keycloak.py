"""Keycloak as a part of the stack: no passwords exist until it starts, and it starts only when named."""

import json
import stat
from pathlib import Path

from ops.stack import Stack
from ops.stack.keycloak import REALM_FILE, Keycloak, _realm, _secrets
from ops.stack.part import Room
from ops.stack.stack import OPTIONAL

ROLES = {"admin", "war_room", "kecamatan", "police", "satpol_pp", "auditor"}


def room(folder: Path) -> Room:
    return Room(folder, folder / "program", {"keycloak": 19080})


def test_the_realm_file_holds_no_password_and_no_secret() -> None:
    text = REALM_FILE.read_text("utf-8")
    realm = json.loads(text)
    assert "credentials" not in text
    assert not any("secret" in client for client in realm["clients"])
    assert {role["name"] for role in realm["roles"]["realm"]} == ROLES
    assert {role for user in realm["users"] for role in user["realmRoles"]} == ROLES


def test_everybody_gets_a_password_of_their_own_that_stays(tmp_path: Path) -> None:
    drawn = _secrets(room(tmp_path))
    assert _secrets(room(tmp_path)) == drawn
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600
    realm = _realm(drawn)
    passwords = [user["credentials"][0]["value"] for user in realm["users"]]
    assert len(set(passwords)) == len(realm["users"]) == 8
    machines = [client for client in realm["clients"] if not client["publicClient"]]
    assert len({client["secret"] for client in machines}) == len(machines) == 2


def test_the_page_is_bound_to_pkce_and_asks_no_password_itself() -> None:
    page = json.loads(REALM_FILE.read_text("utf-8"))["clients"][0]
    assert page["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not page["directAccessGrantsEnabled"]
    assert not page["implicitFlowEnabled"]


def test_it_starts_only_where_it_is_named(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "state", tmp_path / "cache", parts=(Keycloak(),))
    assert "keycloak" in OPTIONAL
    assert stack.up() == []
    assert stack.fetched()
    assert not stack.fetched(["keycloak"])
