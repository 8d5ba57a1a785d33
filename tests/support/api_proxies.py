"""An nginx as a city deploys it, in front of a real ``saksi serve``, with its own certificate."""

import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops.deploy import api_proxy_configuration
from ops.stack import ports
from ops.stack.account import give, unprivileged
from ops.stack.proxy import configuration
from tests.support.api_server import ApiServer, api_server
from tests.support.programs import nginx, required

NAME = "saksi.test"


@dataclass(frozen=True)
class ApiProxy:
    """A proxy on the loopback, reached by the name in its certificate."""

    port: int
    certificate: Path
    server: ApiServer
    folder: Path

    @property
    def origin(self) -> str:
        """The proxy's address as browsers see it."""
        return f"https://{NAME}:{self.port}"

    def client(self, **headers: str) -> httpx.Client:
        """A client that checks the certificate and speaks to the proxy by its name."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        transport = _ByName(context)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": f"{NAME}:{self.port}", **headers},
            transport=transport,
            timeout=30,
        )

    def context(self) -> ssl.SSLContext:
        """TLS as a browser does it."""
        return ssl.create_default_context(cafile=str(self.certificate))


class _ByName(httpx.HTTPTransport):
    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        return super().handle_request(request)


@contextmanager
def api_behind_proxy(home: Path, settings: dict[str, str] | None = None) -> Iterator[ApiProxy]:
    """A server and the proxy in front of it, while the block runs."""
    program = nginx()
    folder = Path(tempfile.mkdtemp(prefix="saksi-api-proxy-"))
    port = ports.free()
    own = {
        "SAKSI_PUBLIC_URL": f"https://{NAME}:{port}",
        "SAKSI_TRUSTED_PROXIES": "127.0.0.1/32",
        **(settings or {}),
    }
    try:
        with api_server(home, own) as server:
            folder.chmod(0o755)
            subprocess.run(
                [
                    required("openssl"), "req", "-x509", "-newkey", "ec",
                    "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                    "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem"),
                ],
                check=True, capture_output=True,
            )  # fmt: skip
            text = api_proxy_configuration(
                NAME,
                listen=f"127.0.0.1:{port}",
                api=f"127.0.0.1:{server.port}",
                certificate=str(folder / "certificate.pem"),
                key=str(folder / "key.pem"),
            )
            (folder / "saksi-store.conf").write_text(text)
            (folder / "nginx.conf").write_text(configuration(folder))
            with _nginx(program, folder) as process:
                proxy = ApiProxy(port, folder / "certificate.pem", server, folder)
                _wait(proxy, process)
                yield proxy
    finally:
        shutil.rmtree(folder)


@contextmanager
def _nginx(program: str, folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    account = unprivileged()
    if account is not None:
        give(account, folder)
    argv = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        argv, stderr=log, user=account.uid if account else None, group=account.gid if account else None
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        log.close()


def _wait(proxy: ApiProxy, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    with proxy.client() as client:
        while True:
            try:
                if client.get("/healthz").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert process.poll() is None, (proxy.folder / "log").read_text()
            assert time.monotonic() < deadline, (proxy.folder / "log").read_text()
            time.sleep(0.05)  # real time: a pause between two looks
