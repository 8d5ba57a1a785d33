"""The whole path: a request at night, the next turn, a mail to the duty officer; and a hook that hangs."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.timespan import parse_instant
from ops.jobs import all_jobs
from ops.notices.service import Notices
from tests.support.command_line import CommandLine
from tests.support.notices import Mailbox, mail_server
from tests.support.requesting import POLICE, requesting, urgent

NIGHT = parse_instant("2026-11-25T03:00:00+08:00")


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


def table(port: int, more: str = "") -> str:
    return (
        '[notices]\nquiet_hours = "22:00-05:00"\n[notices.smtp]\nhost = "127.0.0.1"\n'
        f'port = {port}\nsecurity = "none"\nsender = "saksi@kota.example"\n'
        f'[[notices.mail]]\nto = "piket@kota.example"\nrole = "war_room"\n{more}'
    )


def test_the_duty_officer_hears_of_a_request_at_three_in_the_next_turn(tmp_path: Path, box: Mailbox) -> None:
    (tmp_path / "saksi.toml").write_text(table(box.port))
    assert all_jobs()["notices"].every <= 5
    with requesting(tmp_path) as city:
        city.clock.step(NIGHT - city.clock.now())
        turn = all_jobs()["notices"].begin(city.site)
        head = city.requests.filing.file(urgent(), POLICE)
        assert turn() == 1
        assert turn() == 0
        (state,) = Notices(city.site).states()
        assert (state.told.sent, state.waiting) == (1, 0)
    ((recipients, message),) = box.taken
    assert recipients == ["piket@kota.example"]
    assert head.request.id in message["Subject"]
    assert "25 November 2026 03:00:00 WITA" in message.get_content()


def test_a_webhook_that_hangs_delays_no_mail(tmp_path: Path, box: Mailbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hook = (
            f'[[notices.webhooks]]\nname = "slow"\nurl = "http://127.0.0.1:{port}/"\nallow_private = true\n'
        )
        (tmp_path / "saksi.toml").write_text(table(box.port, hook))
        secrets = tmp_path / "keys" / "notices"
        secrets.mkdir(parents=True)
        (secrets / "webhook-slow.secret").write_bytes(b"secret\n")
        (secrets / "webhook-slow.secret").chmod(0o600)
        with requesting(tmp_path) as city:
            city.clock.step(NIGHT - city.clock.now())
            city.requests.filing.file(urgent(), POLICE)
            turn = all_jobs()["notices"].begin(city.site)
            assert turn() == 1
            city.requests.filing.file(urgent(case="LP/2"), POLICE)
            turn()
            assert len(box.taken) == 2


def test_the_command_tests_every_channel_and_names_what_fails(tmp_path: Path, box: Mailbox) -> None:
    (tmp_path / "saksi.toml").write_text(table(box.port))
    line = CommandLine(tmp_path)
    assert line("notice", "test").code == 0
    assert len(box.taken) == 1
    box.refused.add("piket@kota.example")
    answer = line("notice", "test", "--json")
    assert answer.code == 3
    assert answer.json["trials"][0]["code"] == "mail_refused"
    status = line("notice", "status", "--json").json
    assert [one["channel"] for one in status["channels"]] == ["mail"]
