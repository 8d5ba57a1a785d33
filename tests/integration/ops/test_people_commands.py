"""``saksi user``, ``grant`` and ``token`` as people run them, and their ledger entries."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops.accounts import passwords_of
from ops.settings import Settings
from ops.wiring import Site
from tests.support.command_line import CommandLine

UNTIL = (datetime.now(UTC) + timedelta(days=300)).isoformat(timespec="seconds")
"""A grant ends within 366 days."""


@pytest.fixture
def saksi(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def open_site(saksi: CommandLine) -> Site:
    return Site(Settings.load({"SAKSI_HOME": str(saksi.home)}))


def test_a_person_from_the_first_day_to_the_last(saksi: CommandLine) -> None:
    added = saksi("user", "add", "citra", "--role", "police", "--generate", "--json")
    assert added.code == 0, added.err
    password = added.json["password"]
    assert len(password) >= 20
    with open_site(saksi) as site:
        assert passwords_of(site).proves("citra", password)
    again = saksi("user", "add", "citra", "--role", "police", "--generate", "--json")
    assert (again.code, again.problem["code"]) == (2, "user_exists")
    reset = saksi("user", "password", "citra", "--generate", "--json")
    with open_site(saksi) as site:
        assert not passwords_of(site).proves("citra", password), "a taken name changes no password"
        assert passwords_of(site).proves("citra", reset.json["password"])
    assert saksi("user", "change", "citra", "--role", "kecamatan", "--district", "73.71.13").code == 0
    assert saksi("user", "disable", "citra", "--reason", "left").code == 0
    (shown,) = saksi("user", "list", "--json").json["users"]
    assert (shown["roles"], shown["proposed"]) == ([], ["kecamatan"]), "an added role waits for consent"
    assert shown["districts"] == ["73.71.13"]
    assert not shown["enabled"]
    with open_site(saksi) as site:
        history = list(site.ledger.history("user", "citra"))
    assert [entry.action for entry in history] == [
        "user.added", "user.password_set", "user.password_set", "user.changed", "user.disabled",
    ]  # fmt: skip
    assert history[0].actor.startswith("os:")


def test_no_account_is_there_unasked_and_none_without_a_password(saksi: CommandLine) -> None:
    assert saksi("user", "list", "--json").json["users"] == []
    wrong = saksi("user", "add", "citra", "--role", "god", "--generate", "--json")
    assert (wrong.code, wrong.problem["code"]) == (2, "bad_role")
    assert saksi("user", "add", "citra", "--role", "admin").code != 0, "nobody is there to be asked"
    assert saksi("user", "list", "--json").json["users"] == []


def test_a_scoped_token_is_on_record_without_itself(saksi: CommandLine) -> None:
    made = saksi(
        "token", "create", "war-room", "--action", "footage.play", "--district", "73.71.13",
        "--expires", UNTIL, "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    assert made.json["actions"] == ["footage.play"]
    unknown = saksi("token", "create", "x", "--action", "everything", "--json")
    assert unknown.problem["code"] == "bad_token_scope"
    past = saksi("token", "create", "x", "--expires", "2020-01-01T00:00:00Z", "--json")
    assert past.problem["code"] == "bad_token_scope"
    listed = saksi("token", "list", "--json").json
    assert listed["tokens"] == ["war-room"]
    assert listed["scopes"]["war-room"]["districts"] == ["73.71.13"]
    assert saksi("token", "revoke", "war-room").code == 0
    with open_site(saksi) as site:
        history = list(site.ledger.history("token", "war-room"))
    assert [entry.action for entry in history] == ["token.created", "token.revoked"]
    assert made.json["token"] not in str(history)


def test_a_grant_is_given_for_cameras_that_exist(saksi: CommandLine) -> None:
    words = [
        "grant", "give", "--person", "polisi", "--camera", "cam-1", "--basis", "LP/B/1", "--json",
        "--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T15:00:00+08:00",
        "--until", UNTIL,
    ]  # fmt: skip
    assert saksi(*words).problem["code"] == "camera_not_found"
    added = saksi(
        "camera", "add", "cam-1", "--source", "test://", "--name", "Jl. Penghibur", "--lat", "-5.14",
        "--lon", "119.4", "--kecamatan", "73.71.01", "--kelurahan", "73.71.01.1001", "--owner", "public",
        "--view", "public",
    )  # fmt: skip
    assert added.code == 0, added.err
    given = saksi(*words)
    assert given.code == 0, given.err
    assert given.json["rights"] == ["view"]
    assert saksi("grant", "revoke", given.json["id"]).code == 0
    (shown,) = saksi("grant", "list", "--json").json["grants"]
    assert shown["revoked"] is True


def test_whoever_is_invited_chooses_the_password_and_nobody_else_knows_it(saksi: CommandLine) -> None:
    first = saksi("user", "add", "kominfo", "--role", "admin", "--generate", "--json")
    assert first.code == 0, first.err
    invited = saksi(
        "user", "add", "erna", "--role", "kecamatan", "--district", "73.71.13", "--invite", "--json"
    )
    assert invited.code == 0, invited.err
    assert set(invited.json) == {"user", "code", "expires_at"}
    shown = saksi("user", "show", "erna", "--json").json
    assert (shown["signs_in"], shown["roles"]) == ("invited", ["kecamatan"])
    assert [entry["action"] for entry in shown["history"]] == ["user.added", "user.invited"]
    again = saksi("user", "invite", "erna", "--reason", "hilang", "--json").json
    assert again["code"] != invited.json["code"]
    with open_site(saksi) as site:
        kept = (site.settings.keys_dir / "invitations.json").read_text()
        assert again["code"] not in kept
        assert not passwords_of(site).has("erna")
    assert saksi("user", "show", "nobody", "--json").problem["code"] == "user_not_found"


def test_the_host_too_leaves_the_city_an_administrator(saksi: CommandLine) -> None:
    saksi("user", "add", "kominfo", "--role", "admin", "--generate", "--json")
    saksi("user", "add", "dewi", "--role", "admin", "--invite", "--json")
    refused = saksi("user", "disable", "kominfo", "--reason", "x")
    assert refused.code != 0, "dewi cannot sign in yet"
    assert "last administrator" in refused.err
    lowered = saksi("user", "change", "kominfo", "--role", "auditor")
    assert lowered.code != 0
    assert saksi("user", "password", "dewi", "--generate", "--json").code == 0
    assert saksi("user", "disable", "kominfo", "--reason", "x").code == 0


def test_who_could_see_a_camera_is_told_on_the_host(saksi: CommandLine) -> None:
    saksi(
        "camera", "add", "cam-1", "--source", "test://", "--name", "Jl. Penghibur", "--lat", "-5.14",
        "--lon", "119.4", "--kecamatan", "73.71.01", "--kelurahan", "73.71.01.1001", "--owner", "public",
        "--view", "public",
    )  # fmt: skip
    saksi("user", "add", "erna", "--role", "kecamatan", "--district", "73.71.01", "--invite", "--json")
    saksi("user", "add", "farid", "--role", "kecamatan", "--district", "73.71.02", "--invite", "--json")
    saksi("user", "add", "indra", "--role", "auditor", "--invite", "--json")
    found = saksi("user", "viewers", "cam-1", "--json")
    assert found.code == 0, found.err
    assert {one["who"] for one in found.json["viewers"]} == {"user:erna"}
    assert saksi("user", "viewers", "cam-0", "--json").problem["code"] == "camera_not_found"
    tied = saksi(
        "grant", "give", "--person", "erna", "--camera", "cam-1", "--basis", "LP/B/1", "--json",
        "--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T15:00:00+08:00",
        "--until", UNTIL,
    )  # fmt: skip
    assert tied.problem["code"] == "persons_tied", "whoever opened the account"
    given = saksi(
        "grant", "give", "--agency", "polrestabes", "--camera", "cam-1", "--basis", "LP/B/1", "--json",
        "--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T15:00:00+08:00",
        "--until", UNTIL,
    )  # fmt: skip
    shown = saksi("grant", "show", given.json["id"], "--json")
    assert [entry["action"] for entry in shown.json["history"]] == ["grant.given"]
