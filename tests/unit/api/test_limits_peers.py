"""The client's address: a claim counts only from our proxies, and only for the hops they saw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits.peers import MAX_HOPS, ForwardingHeader, TrustedProxies, network_of, plain
from archive.errors import Malformed

PROXY, OUTER = "10.0.0.5", "10.0.1.9"
OURS = TrustedProxies(["10.0.0.5", "10.0.1.0/28"])


def x_forwarded(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"x-forwarded-for", value.encode("latin-1")) for value in values]


@pytest.mark.parametrize(
    ("peer", "values", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # no proxy of ours: a claim
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # what the client sent stays on the left
        (PROXY, ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        (PROXY, ["10.0.0.5, 198.51.100.1"], "198.51.100.1"),
        (PROXY, [f"198.51.100.1, {OUTER}"], "198.51.100.1"),  # two proxies of ours
        (PROXY, [f"1.2.3.4, 198.51.100.1, {OUTER}"], "198.51.100.1"),
        (PROXY, [OUTER], OUTER),
        (PROXY, ["unknown"], PROXY),
        (PROXY, ["198.51.100.1, unknown"], PROXY),
        (PROXY, ["198.51.100.1, "], PROXY),
        (PROXY, [f"198.51.100.1, garbage, {OUTER}"], OUTER),
        (PROXY, ["198.51.100.1:4711"], "198.51.100.1"),
        (PROXY, ["[2001:db8::7]:4711"], "2001:db8::7"),
        (PROXY, ["2001:db8::7"], "2001:db8::7"),
        (PROXY, ["fe80::1%eth0"], PROXY),
        (PROXY, ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["198.51.100.1]"], PROXY),
        (PROXY, ["198.51.100.01"], PROXY),
        (PROXY, ["127.1"], PROXY),
        (PROXY, [", ".join([OUTER] * (MAX_HOPS + 5))], OUTER),
    ],
)
def test_the_address_is_the_last_one_that_is_no_proxy_of_ours(
    peer: str, values: list[str], client: str
) -> None:
    assert OURS.client(peer, x_forwarded(*values)) == client


def test_the_other_header_is_not_read() -> None:
    both = [(b"forwarded", b"for=1.2.3.4"), *x_forwarded("198.51.100.1")]
    assert OURS.client(PROXY, both) == "198.51.100.1"
    standard = TrustedProxies([PROXY], header=ForwardingHeader.FORWARDED)
    assert standard.client(PROXY, both) == "1.2.3.4"
    assert standard.client(PROXY, x_forwarded("1.2.3.4")) == PROXY


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=198.51.100.1;proto=https;by=10.0.0.5", "198.51.100.1"),
        ('by=10.0.0.5; For="[2001:db8::7]:80"', "2001:db8::7"),
        ("for=1.2.3.4, for=198.51.100.1", "198.51.100.1"),
        ("for=1.2.3.4;for=198.51.100.1", PROXY),
        ("for=_hidden", PROXY),
        ("for=unknown", PROXY),
        ("proto=https", PROXY),
    ],
)
def test_the_standard_header_reads_alike(value: str, client: str) -> None:
    standard = TrustedProxies([PROXY], header=ForwardingHeader.FORWARDED)
    assert standard.client(PROXY, [(b"forwarded", value.encode())]) == client


@given(st.text(alphabet='0123456789abcdef.:,[]%; ="x', max_size=80), st.booleans())
def test_whatever_a_client_sends_its_own_address_stands(claim: str, is_standard: bool) -> None:
    """The proxy appends the address it saw; earlier entries of the header change nothing."""
    header = ForwardingHeader.FORWARDED if is_standard else ForwardingHeader.X_FORWARDED_FOR
    seen = "for=198.51.100.1" if is_standard else "198.51.100.1"
    proxies = TrustedProxies([PROXY], header=header)
    name = header.value.encode()
    assert proxies.client(PROXY, [(name, f"{claim}, {seen}".encode())]) == "198.51.100.1"
    assert proxies.client(PROXY, [(name, claim.encode()), (name, seen.encode())]) == "198.51.100.1"


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "proxy.example", "10.0.0.5/8", ""])
def test_nobody_and_everybody_are_no_proxies(network: str) -> None:
    with pytest.raises(Malformed) as refused:
        TrustedProxies([network])
    assert refused.value.code == "bad_setting"


def test_one_subscriber_is_one_stranger() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::9") != network_of("2001:db8:1:2::9")
    assert network_of("198.51.100.1") == "198.51.100.1"
    assert network_of("") == ""
    assert plain("::ffff:1.2.3.4") == "1.2.3.4"
