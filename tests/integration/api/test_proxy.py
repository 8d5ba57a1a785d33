"""nginx as ``saksi proxy`` configures it, in front of a real ``saksi serve``, as a browser sees it."""

import json
import socket
import ssl
from collections.abc import Iterator

import pytest

from archive.model.user import Role
from tests.support.api_proxies import NAME, ApiProxy, api_behind_proxy
from tests.support.api_server import new_token, read_all
from tests.support.people import account_in


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProxy]:
    with api_behind_proxy(tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="module")
def token(proxy: ApiProxy) -> str:
    return new_token(proxy.server.line)


def raw(proxy: ApiProxy, data: bytes, *, name: str = NAME) -> bytes:
    context = proxy.context()
    context.check_hostname = name == NAME
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as client,
    ):
        client.sendall(data)
        return read_all(client)


def custody(proxy: ApiProxy) -> list[dict[str, str]]:
    line = proxy.server.line
    folder = line.home / "archive"
    lines = [
        json.loads(one)
        for path in sorted(folder.rglob("custody/**/*.jsonl"))
        for one in path.read_text().splitlines()
    ]
    return [one for one in lines if "actor" in one]


def test_the_client_on_record_is_the_one_the_proxy_saw(proxy: ApiProxy, token: str) -> None:
    """The client claims another address in every header that a server might read; none has an effect."""
    claims = {
        "X-Forwarded-For": "198.51.100.1",
        "Forwarded": "for=198.51.100.2",
        "X-Real-IP": "198.51.100.3",
        "X-Forwarded-Host": "evil.test",
    }
    with proxy.client(Authorization=f"Bearer {token}") as client:
        params = {"from": "2026-11-24T14:00:00+08:00", "to": "2026-11-24T15:00:00+08:00"}
        assert client.get("/v1/recordings", params=params, headers=claims).status_code == 200
    text = json.dumps(custody(proxy))
    assert '"127.0.0.1"' in text
    assert "198.51.100" not in text


def test_every_answer_is_for_https_alone_and_names_no_server_version(proxy: ApiProxy, token: str) -> None:
    with proxy.client() as client:
        for answer in (client.get("/healthz"), client.get("/v1/cameras"), client.get("/nothing")):
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            assert answer.headers.get_list("content-security-policy") == [
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ]
            assert not any(digit in answer.headers.get("server", "") for digit in "0123456789")
        assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 404


def test_the_session_is_bound_to_https_and_to_this_host(proxy: ApiProxy) -> None:
    password = account_in(proxy.server.line.home, "citra", Role.WAR_ROOM)
    form = {"name": "citra", "password": password, "purpose": "shift 3"}
    with proxy.client(Origin=proxy.origin) as client:
        answer = client.post("/auth/local", json=form)
        assert answer.status_code == 200, answer.text
        header = answer.headers.get_list("set-cookie")[0]
        name, _, rest = header.partition("=")
        assert name == "__Host-saksi"
        flags = {part.strip() for part in rest.split(";")[1:]}
        assert flags == {"Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Lax", "Secure"}
        cookie = {"Cookie": header.split(";")[0]}
        assert client.get("/v1/session", headers=cookie).json()["id"] == "user:citra"
        foreign = client.post(
            "/auth/logout", headers={**cookie, "Origin": "https://evil.test", "Saksi-Request": "1"}
        )
        assert foreign.json()["code"] == "cross_site_request"


def test_nothing_is_smuggled_past_it(proxy: ApiProxy, token: str) -> None:
    hidden = b"GET /metrics HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nX: "
    for headers in (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 4\r\n",
        b"X: y\r\n Transfer-Encoding: chunked\r\n",
    ):
        head = (
            b"POST /v1/cameras HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nAuthorization: Bearer "
            + token.encode() + b"\r\nConnection: close\r\n" + headers + b"\r\n"
        )  # fmt: skip
        answer = raw(proxy, head + b"0\r\n\r\n" + hidden)
        assert answer.count(b"HTTP/1.1 ") == 1, (headers, answer)
        assert b"saksi_http_requests" not in answer, headers
        assert answer.split()[1] in {b"400", b"422", b"501", b"403", b"404"}, (headers, answer)


def test_no_other_name_is_answered(proxy: ApiProxy) -> None:
    for host in (b"evil.test", b"127.0.0.1"):
        answer = raw(proxy, b"GET /healthz HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 421 "), answer


def test_old_protocols_are_not_spoken(proxy: ApiProxy) -> None:
    context = proxy.context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert raw(proxy, b"GET /healthz HTTP/1.0\r\nHost: " + NAME.encode() + b"\r\n\r\n").startswith(
        b"HTTP/1.1 200"
    )
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("AES128-SHA:@SECLEVEL=0")  # no forward secrecy
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(plain, server_hostname=NAME)


def test_a_body_too_large_is_refused_in_our_words(proxy: ApiProxy, token: str) -> None:
    with proxy.client(Authorization=f"Bearer {token}") as client:
        answer = client.post("/v1/cameras", content=b"x" * (300 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_flood_of_sign_ins_is_refused_before_it_arrives(proxy: ApiProxy) -> None:
    found = []
    with proxy.client() as client:
        for _ in range(120):
            answer = client.get("/auth/callback", params={"state": "x", "code": "y"})
            found.append(answer.status_code)
            if answer.status_code == 429:
                break
    assert answer.status_code == 429
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "rate_limited"
    assert int(answer.headers["retry-after"]) >= 1
