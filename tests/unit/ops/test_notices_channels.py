"""Notices that leave the installation: content, recipients and connections; and what never leaves."""

import hmac
import json
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.addresses import is_public
from archive.cases.notices.notice import Event
from archive.cases.notices.wording import words_of
from archive.clock import ManualClock
from archive.errors import ArchiveError, Malformed, NotFound, Refused, Unavailable
from archive.timespan import SECOND
from ops.notices.mail import PASSWORD as PASSWORD_FILE
from ops.notices.mail import MailChannel
from ops.notices.recipients import SmtpSettings, Webhook
from ops.notices.webhooks import WebhookChannel, sign
from ops.settings import Settings
from tests.support.leaves import T0
from tests.support.notices import (
    PASSWORD,
    SECRET,
    certificate,
    keep_secret,
    mail_server,
    notice,
    target,
    webhook,
)

ZONE = ZoneInfo("Asia/Makassar")
ADDRESS = "https://saksi.example"


def mail(keys: Path, port: int, **changes: Any) -> MailChannel:
    fields: dict[str, Any] = {
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "saksi@kota.example"
    }  # fmt: skip
    return MailChannel(
        server=SmtpSettings(**(fields | changes)),
        targets=(target(),),
        keys_dir=keys,
        zone=ZONE,
        address=ADDRESS,
    )


def hook_to(
    keys: Path, url: str, *, addresses: Sequence[str] | None = None, **changes: Any
) -> WebhookChannel:
    channel = WebhookChannel(
        hook=Webhook(**({"name": "piket", "url": url} | changes)),
        target=target(url, name="piket"),
        keys_dir=keys,
        clock=ManualClock(T0),
        zone=ZONE,
        address=ADDRESS,
    )
    if addresses is None:
        return channel
    return WebhookChannel(
        hook=channel.hook, target=channel.target, keys_dir=keys, clock=channel.clock, zone=ZONE,
        address=ADDRESS, resolve=lambda host, port: addresses,
    )  # fmt: skip


# Mail ------------------------------------------------------------------------------------------------


def test_a_mail_says_it_in_indonesian_first_with_the_time_in_wita_and_a_link(tmp_path: Path) -> None:
    with mail_server() as box:
        mail(tmp_path, box.port).deliver(notice(), target())
    ((recipients, message),) = box.taken
    text = message.get_content()
    assert recipients == ["piket@kota.example"]
    assert message["Subject"] == "[Saksi] MENDESAK: permintaan rekaman – REQ-2026-0123456789"
    assert text.index("MENDESAK") < text.index("URGENT")
    assert "Waktu: 24 November 2026" in text
    assert " WITA" in text
    assert f"{ADDRESS}/permintaan/REQ-2026-0123456789" in text
    assert "Instansi: Polrestabes Makassar" in text


def test_mail_goes_over_tls_with_a_sign_in(tmp_path: Path) -> None:
    files = certificate(tmp_path, "127.0.0.1")
    keep_secret(tmp_path, PASSWORD_FILE, PASSWORD.encode())
    with mail_server(files) as box:
        channel = mail(tmp_path, box.port, security="starttls", user="saksi", ca_file=files.certificate)
        channel.deliver(notice(), target())
    assert box.encrypted == [True]


def test_a_mail_server_whose_certificate_is_not_trusted_gets_neither_mail_nor_password(
    tmp_path: Path,
) -> None:
    keep_secret(tmp_path, PASSWORD_FILE, PASSWORD.encode())
    with mail_server(certificate(tmp_path, "127.0.0.1")) as box:
        with pytest.raises(Unavailable) as caught:
            mail(tmp_path, box.port, security="starttls", user="saksi").deliver(notice(), target())
    assert caught.value.code == "mail_unavailable"
    assert box.taken == []


def test_a_wrong_password_is_told_without_it(tmp_path: Path) -> None:
    files = certificate(tmp_path, "127.0.0.1")
    keep_secret(tmp_path, PASSWORD_FILE, b"another-pass-789")
    with mail_server(files) as box:
        channel = mail(tmp_path, box.port, security="starttls", user="saksi", ca_file=files.certificate)
        with pytest.raises(Unavailable) as caught:
            channel.deliver(notice(), target())
    assert "another-pass-789" not in str(caught.value) + caught.value.hint + repr(channel)


def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    with mail_server() as box, pytest.raises(Unavailable):
        mail(tmp_path, box.port, security="starttls").deliver(notice(), target())
    assert box.taken == []


def test_a_refused_recipient_is_refused_and_no_server_is_unavailable(tmp_path: Path) -> None:
    with mail_server() as box:
        box.refused.add("piket@kota.example")
        with pytest.raises(Refused) as caught:
            mail(tmp_path, box.port).deliver(notice(), target())
    assert caught.value.code == "mail_refused"
    with pytest.raises(Unavailable):
        mail(tmp_path, box.port).deliver(notice(), target())


HOSTILE = st.text(st.sampled_from("ab\r\n\0\t\x0b\x85\u2028: ,<>@é"), max_size=200)


@given(text=HOSTILE)
def test_no_typed_text_becomes_a_header_or_a_line_of_its_own(text: str) -> None:
    hostile = f"x\r\nBcc: thief@evil.example\r\n\r\n{text}"
    one = notice(agency_name=hostile, unit=hostile, code=hostile)
    channel = mail(Path(), 25)
    message = channel.message(one, target())
    assert message.keys() == channel.message(notice(), target()).keys()
    assert not [line for line in message.get_content().splitlines() if line.startswith("Bcc")]
    assert len(message.get_content().splitlines()) == len(
        channel.message(notice(code="x"), target()).get_content().splitlines()
    )


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_words_in_both_languages(event: Event) -> None:
    words = words_of(notice(event=event), zone=ZONE, address=ADDRESS)
    assert words.title.isprintable()
    assert words.indonesian.splitlines()[0] != words.english.splitlines()[0]


# Webhooks --------------------------------------------------------------------------------------------


def test_a_receiver_can_check_who_signed_what_and_when(tmp_path: Path) -> None:
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    with webhook() as hook:
        url = f"http://127.0.0.1:{hook.port}/in?town=makassar"
        hook_to(tmp_path, url, allow_private=True).deliver(notice(), target(url))
    ((headers, body),) = hook.taken
    stated = headers["Saksi-Timestamp"]
    right = hmac.new(SECRET, f"{stated}.".encode() + body, sha256).hexdigest()
    assert headers["Saksi-Signature"] == f"v1={right}"
    assert int(stated) == T0 // SECOND
    found = json.loads(body)
    assert (found["id"], found["event"], found["urgent"]) == (notice().id, "request_urgent", True)
    assert headers["Saksi-Notice"] == notice().id
    assert SECRET not in body
    assert hook.paths == ["/in?town=makassar"]


def test_redirects_are_not_followed_and_are_no_delivery(tmp_path: Path) -> None:
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    with webhook() as hook:
        hook.statuses = [307]
        url = f"http://127.0.0.1:{hook.port}/in"
        with pytest.raises(Unavailable) as caught:
            hook_to(tmp_path, url, allow_private=True).deliver(notice(), target(url))
    assert caught.value.code == "webhook_unavailable"
    assert hook.paths == ["/in"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.5", "172.16.3.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.1.1.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_called_by_nobody(tmp_path: Path, address: str) -> None:
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    assert not is_public(address)
    url = "https://hooks.example/in"
    for addresses in ([address], ["93.184.216.34", address]):
        with pytest.raises(Refused) as caught:
            hook_to(tmp_path, url, addresses=addresses).deliver(notice(), target(url))
        assert caught.value.code == "webhook_address_refused"


def test_public_addresses_are_public() -> None:
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


def test_the_connection_goes_to_the_address_that_was_judged(tmp_path: Path) -> None:
    """A name that resolves differently a moment later has no effect, because it is resolved once."""
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    files = certificate(tmp_path, "hooks.example")
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    with webhook(files) as hook:
        url = f"https://hooks.example:{hook.port}/in"
        channel = WebhookChannel(
            hook=Webhook(name="piket", url=url, allow_private=True, ca_file=files.certificate),
            target=target(url), keys_dir=tmp_path, clock=ManualClock(T0), zone=ZONE, address=ADDRESS,
            resolve=rebinding,
        )  # fmt: skip
        channel.deliver(notice(), target(url))
    assert asked == ["hooks.example"]
    assert hook.taken[0][0]["Host"] == f"hooks.example:{hook.port}"


def test_the_certificate_must_be_of_the_name_not_of_the_address(tmp_path: Path) -> None:
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    files = certificate(tmp_path, "127.0.0.1")
    with webhook(files) as hook:
        url = f"https://hooks.example:{hook.port}/in"
        channel = hook_to(
            tmp_path, url, addresses=["127.0.0.1"], allow_private=True, ca_file=files.certificate
        )
        with pytest.raises(Unavailable):
            channel.deliver(notice(), target(url))
    assert hook.taken == []


def test_a_proxy_of_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with webhook() as hook:
        url = f"http://127.0.0.1:{hook.port}/in"
        hook_to(tmp_path, url, allow_private=True).deliver(notice(), target(url))
    assert len(hook.taken) == 1


# Settings and secrets --------------------------------------------------------------------------------


def test_a_secret_that_others_may_read_or_that_is_missing_is_refused_without_its_text(tmp_path: Path) -> None:
    channel = hook_to(tmp_path, "https://hooks.example/in", addresses=["93.184.216.34"])
    with pytest.raises(NotFound) as missing:
        channel.deliver(notice(), target())
    assert missing.value.code == "notice_secret_missing"
    keep_secret(tmp_path, "webhook-piket.secret", SECRET)
    (tmp_path / "notices" / "webhook-piket.secret").chmod(0o640)
    with pytest.raises(Malformed) as open_to_all:
        channel.deliver(notice(), target())
    assert open_to_all.value.code == "bad_notice_secret"
    assert SECRET.decode() not in str(open_to_all.value)


SMTP = '[notices.smtp]\nhost = "127.0.0.1"\nsecurity = "none"\nsender = "saksi@kota.example"\n'


@pytest.mark.parametrize(
    "table",
    [
        '[[notices.webhooks]]\nname = "a"\nurl = "http://hooks.example/in"\n',
        '[[notices.webhooks]]\nname = "a"\nurl = "http://127.0.0.1/in"\n',
        '[[notices.webhooks]]\nname = "a"\nurl = "http://hooks.example/in"\nallow_private = true\n',
        '[[notices.webhooks]]\nname = "a"\nurl = "file:///etc/passwd"\n',
        '[[notices.webhooks]]\nname = "a"\nurl = "https://u:p4ss@hooks.example/in"\n',
        '[[notices.webhooks]]\nname = "../a"\nurl = "https://hooks.example/in"\n',
        '[notices.smtp]\nhost = "mail.example"\nsecurity = "none"\nsender = "s@kota.example"\n',
        '[notices.smtp]\nhost = "mail.example"\nsender = "s@kota.example\\nBcc: x@evil.example"\n',
        SMTP + '[[notices.mail]]\nto = "a@kota.example, b@evil.example"\nrole = "admin"\n',
        SMTP + '[[notices.mail]]\nto = "a@polri.example"\nrole = "police"\n',
        SMTP
        + '[[notices.mail]]\nto = "a@polri.example"\nrole = "police"\nagency = "x"\nevents=["canary_red"]\n',
        '[[notices.mail]]\nto = "a@kota.example"\nrole = "admin"\n',
        '[notices]\nquiet_hours = "25:00-05:00"\n',
        '[notices]\npassword = "hunter2"\n',
    ],
)
def test_a_table_that_would_tell_the_wrong_ones_is_refused_without_repeating_it(
    tmp_path: Path, table: str
) -> None:
    (tmp_path / "saksi.toml").write_text(table)
    with pytest.raises(ArchiveError) as caught:
        Settings.load({"SAKSI_HOME": str(tmp_path)})
    assert caught.value.code == "bad_setting"
    for secret in ("p4ss", "hunter2", "evil.example"):
        assert secret not in str(caught.value)


def test_a_table_as_the_guide_shows_it_reads(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "notices.md").read_text("utf-8")
    (tmp_path / "saksi.toml").write_text(guide.partition("```toml\n")[2].partition("```")[0])
    table = Settings.load({"SAKSI_HOME": str(tmp_path)}).notices
    assert table.smtp is not None
    assert table.mail
    assert table.webhooks


def test_the_guides_recipe_accepts_what_is_genuine_and_fresh_and_nothing_else(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "notices.md").read_text("utf-8")
    recipe: dict[str, Any] = {}
    exec(guide.partition("```python\n")[2].partition("```")[0], recipe)  # noqa: S102 - our own page
    stamp, body = str(int(time.time())), b'{"v":1}'
    headers = {"Saksi-Timestamp": stamp, "Saksi-Signature": sign(SECRET, stamp, body)}
    assert recipe["is_genuine"](SECRET, headers, body)
    assert not recipe["is_genuine"](SECRET, headers, body + b" ")
    assert not recipe["is_genuine"](SECRET + b"x", headers, body)
    old = str(int(stamp) - 301)
    assert not recipe["is_genuine"](SECRET, {**headers, "Saksi-Timestamp": old}, body)
    assert not recipe["is_genuine"](
        SECRET, {"Saksi-Timestamp": old, "Saksi-Signature": sign(SECRET, old, body)}, body
    )
