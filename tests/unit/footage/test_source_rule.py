"""The addresses a camera's source may have: every spelling, names, folders, and pinning."""

import asyncio
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.addresses import is_of_this_machine, read_address
from archive.errors import Refused, Unavailable
from archive.footage.sources import SourceRule
from recorder.binary import Binary
from recorder.command import record_command
from recorder.reach import pinned, reach
from recorder.sources import parse_source

ANY = SourceRule()
CITY = SourceRule(networks=(ip_network("10.20.0.0/16"), ip_network("fd12::/32")))
BENCH = SourceRule(networks=(ip_network("127.0.0.0/8"),))

OUR_OWN = [
    "127.0.0.1",
    "127.9.9.9",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "localhost",
    "LocalHost.",
    "cam.localhost",
    "169.254.169.254",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "224.0.0.1",
    "[ff02::1]",
    "255.255.255.255",
    "240.0.0.1",
]


def passes(rule: SourceRule, url: str) -> bool:
    try:
        rule.check(url)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("host", OUR_OWN)
@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
def test_without_a_setting_a_camera_is_another_machine(scheme: str, host: str) -> None:
    with pytest.raises(Refused) as caught:
        ANY.check(f"{scheme}://user:secret@{host}:8554/main")
    assert caught.value.code == "source_refused"
    assert "secret" not in caught.value.message
    assert host.strip("[]") not in caught.value.message


@pytest.mark.parametrize(
    "host", ["10.0.0.7", "192.168.1.9", "172.16.0.1", "203.0.113.9", "[fd12::9]", "cam-7.lan"]
)
def test_without_a_setting_cameras_stand_in_private_and_public_networks(host: str) -> None:
    assert passes(ANY, f"rtsp://{host}/main")


def test_with_a_setting_cameras_stand_there_and_nowhere_else() -> None:
    for host in ("10.20.0.1", "10.20.255.255", "[fd12::1]", "[::ffff:10.20.1.1]", "a-name.lan"):
        CITY.check(f"rtsp://{host}/")
    for host in ("10.21.0.1", "192.168.1.1", "8.8.8.8", "[fd13::1]", *OUR_OWN):
        with pytest.raises(Refused):
            CITY.check(f"rtsp://{host}/")
    BENCH.check("rtsp://localhost:8554/")
    BENCH.check("rtsp://127.0.0.1/")
    with pytest.raises(Refused):
        BENCH.check("rtsp://10.0.0.1/")


@given(st.ip_addresses())
def test_an_address_of_ours_is_never_admitted(address: object) -> None:
    """The check is independent of the rule's code: it uses the standard library's facts about the address."""
    found = read_address(str(address))
    if found is not None and ANY.admits(str(address)):
        assert not found.is_loopback
        assert not found.is_link_local
        assert not found.is_multicast
        assert not found.is_unspecified


def test_files_are_replayed_from_named_folders_alone(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    inside, outside = shelf / "a.mp4", tmp_path / "secret.mp4"
    for path in (inside, outside):
        path.write_bytes(b"x")
    (shelf / "link.mp4").symlink_to(outside)
    rule = SourceRule(folders=(shelf,))
    rule.check(inside.as_uri())
    for bad in (outside, shelf / "link.mp4", shelf / ".." / "secret.mp4", Path("/etc/passwd")):
        with pytest.raises(Refused):
            rule.check(f"file://{bad}")
    with pytest.raises(Refused):
        rule.check(f"file://{shelf}/%2e%2e/secret.mp4")
    with pytest.raises(Refused):
        ANY.check(inside.as_uri())
    ANY.check("test://")


# At the connection ----------------------------------------------------------------------------------------


class Answers:
    """A resolver whose answers change from one question to the next, as in DNS rebinding."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0)


def reached(url: str, answers: Answers, rule: SourceRule = ANY, turn: int = 0) -> str:
    source = asyncio.run(reach(parse_source(url), rule, timeout=1, turn=turn, resolver=answers))
    return source.url


def test_the_address_that_was_judged_is_the_one_in_the_url() -> None:
    answers = Answers(["10.0.0.9"], ["127.0.0.1"])
    source = asyncio.run(reach(parse_source("rtsp://u:p%40@cam.lan/a?b=c"), ANY, timeout=1, resolver=answers))
    assert source.url == "rtsp://u:p%40@10.0.0.9:554/a?b=c"
    assert (source.host, source.port, source.name) == ("10.0.0.9", 554, "cam.lan")
    made = record_command(
        Binary(Path("/usr/bin/ffmpeg"), "5.1.9", 5), source, Path("/spool"), segment_seconds=10, timeout_us=1
    )
    assert b"cam.lan" not in made.stdin
    assert answers.asked == 1
    with pytest.raises(Refused):
        reached("rtsp://cam.lan/", answers)


def test_an_http_camera_still_hears_its_name() -> None:
    source = pinned(parse_source("http://cam.lan:81/live.flv"), "fd12::1")
    assert source.url == "http://[fd12::1]:81/live.flv"
    made = record_command(
        Binary(Path("/usr/bin/ffmpeg"), "5.1.9", 5), source, Path("/spool"), segment_seconds=10, timeout_us=1
    )
    assert b"option headers 'Host: cam.lan:81'\n" in made.stdin


def test_of_several_addresses_the_admitted_ones_take_turns() -> None:
    found = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "10.0.0.2"]
    hosts = [reached("rtsp://cam.lan/", Answers(found), turn=turn) for turn in range(3)]
    assert hosts == ["rtsp://10.0.0.1:554/", "rtsp://10.0.0.2:554/", "rtsp://10.0.0.1:554/"]


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["::1"], ["fe80::1%eth0"], ["169.254.169.254", "::ffff:7f00:1"]]
)
def test_a_name_that_leads_to_us_is_not_connected_to(found: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        reached("rtsp://cam.lan/", Answers(found))
    assert caught.value.code == "source_refused"


def test_a_name_without_an_address() -> None:
    async def nothing(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(Unavailable) as caught:
        asyncio.run(reach(parse_source("rtsp://cam.lan/"), ANY, timeout=1, resolver=nothing))
    assert caught.value.code == "camera_without_address"


def test_readers_of_urls_that_differ_cannot_be_played_against_each_other() -> None:
    """FFmpeg gets a URL newly composed around the checked address, so tricks in the URL have no effect."""
    for url in (
        r"rtsp://10.0.0.1\@127.0.0.1/x",
        "rtsp://127.0.0.1@10.0.0.1/x",
    ):
        source = parse_source(url)
        answer = reached(url, Answers(["10.0.0.1"]))
        where = answer.removeprefix("rtsp://").partition("/")[0].rpartition("@")[2]
        assert where == f"10.0.0.1:{source.port}"


def own_addresses() -> list[str]:
    """This machine's addresses on its interfaces, as the system lists them."""
    listed = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_the_machines_own_addresses_are_refused_on_every_interface() -> None:
    for address in own_addresses():
        network = ip_network(address)
        wide = SourceRule(networks=(network.supernet(8),))
        alone = SourceRule(networks=(network,))
        host = f"[{address}]" if network.version == 6 else address
        for rule in (ANY, wide):
            assert not rule.admits(address)
            with pytest.raises(Refused) as refused:
                rule.check(f"rtsp://{host}/1")
            assert refused.value.code == "source_refused"
        assert alone.admits(address)  # somebody wrote down this very address
    for address in ("127.0.0.1", "::1"):
        assert is_of_this_machine(ip_address(address))
    for address in ("203.0.113.77", "2001:db8:77::1", "255.255.255.255", "224.0.0.1"):
        assert not is_of_this_machine(ip_address(address))


def test_an_address_that_became_our_own_is_refused_at_the_next_connection() -> None:
    own: set[object] = set()
    rule = SourceRule(networks=(ip_network("10.20.0.0/16"),), is_own=lambda address: address in own)
    assert rule.admits("10.20.0.5")
    own.add(ip_address("10.20.0.5"))
    assert not rule.admits("10.20.0.5")
    assert not rule.admits("::ffff:10.20.0.5")
    assert rule.admits("10.20.0.6")
