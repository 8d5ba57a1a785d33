"""The packages from npm: only an archive with the locked hash is used, whatever the registry sends."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from api.web.files import PLAYER
from archive.errors import IntegrityError, Malformed, Unavailable
from ops import pages

ROOT = Path(__file__).resolve().parents[3]


def archive(**inner: bytes) -> bytes:
    files = {
        "package/dist/hls.light.min.mjs": b"export default 1;",
        "package/LICENSE": b"Apache-2.0",
        **inner,
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as made:
        for name, content in files.items():
            if content:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                made.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def lock_of(folder: Path, content: bytes, *, algorithm: str = "sha512") -> Path:
    digest = base64.b64encode(hashlib.new(algorithm, content).digest()).decode()
    lock = folder / "package-lock.json"
    found = {"version": "9.9.9", "integrity": f"{algorithm}-{digest}"}
    lock.write_text(json.dumps({"packages": {"node_modules/hls.js": found}}))
    return lock


@pytest.fixture
def player_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the player is wanted."""
    monkeypatch.setattr(pages, "PACKAGES", {"hls.js": pages.PACKAGES["hls.js"]})


class Registry:
    """An npm registry on the loopback."""

    def __init__(self) -> None:
        self.content = b""
        self.asked: list[str] = []
        registry = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry.asked.append(self.path)
                self.send_response(200 if registry.content else 404)
                self.send_header("Content-Length", str(len(registry.content)))
                self.end_headers()
                self.wfile.write(registry.content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/npm"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    made = Registry()
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("npm_config_registry", made.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.usefixtures("player_alone")
def test_what_is_locked_is_fetched_once(registry: Registry, tmp_path: Path) -> None:
    registry.content = archive()
    lock = lock_of(tmp_path, registry.content)
    folder = tmp_path / "web" / "fetched"
    assert pages.main(folder, lock) == 0
    assert (folder / PLAYER / PLAYER).read_bytes() == b"export default 1;"
    assert (folder / PLAYER / "LICENSE").is_file()
    assert registry.asked == ["/npm/hls.js/-/hls.js-9.9.9.tgz"]
    assert pages.main(folder, lock) == 0
    assert len(registry.asked) == 1
    registry.content = archive(**{"package/dist/hls.light.min.mjs": b"export default 2;"})
    assert pages.main(folder, lock_of(tmp_path, registry.content)) == 0
    assert (folder / PLAYER / PLAYER).read_bytes() == b"export default 2;"
    assert [one.name for one in folder.iterdir()] == [PLAYER]


@pytest.mark.usefixtures("player_alone")
def test_a_player_that_was_fetched_into_no_folder_of_its_own_is_replaced(
    registry: Registry, tmp_path: Path
) -> None:
    registry.content = archive()
    folder = tmp_path / "fetched"
    folder.mkdir()
    (folder / PLAYER).write_bytes(b"export default 0;")
    assert pages.main(folder, lock_of(tmp_path, registry.content)) == 0
    assert (folder / PLAYER / PLAYER).read_bytes() == b"export default 1;"


@pytest.mark.usefixtures("player_alone")
def test_what_was_altered_is_never_unpacked(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = lock_of(tmp_path, archive())
    registry.content = archive(**{"package/dist/hls.light.min.mjs": b"export default evil;"})
    assert pages.main(tmp_path / "fetched", lock) == 1
    assert "is not what the lock names" in capsys.readouterr().err
    assert not (tmp_path / "fetched").exists()


@pytest.mark.usefixtures("player_alone")
def test_an_old_player_stays_where_the_new_one_is_altered(registry: Registry, tmp_path: Path) -> None:
    registry.content = archive()
    assert pages.main(tmp_path / "fetched", lock_of(tmp_path, registry.content)) == 0
    lock = lock_of(tmp_path, b"something else")
    assert pages.main(tmp_path / "fetched", lock) == 1
    assert (tmp_path / "fetched" / PLAYER / PLAYER).read_bytes() == b"export default 1;"


@pytest.mark.usefixtures("player_alone")
def test_without_a_registry_setup_goes_on_and_says_how(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pages.main(tmp_path / "fetched", lock_of(tmp_path, archive())) == 0  # 404
    assert "python -m ops.pages" in capsys.readouterr().err
    assert not (tmp_path / "fetched").exists()


@pytest.mark.parametrize("integrity", ["", "sha1-AAAA", "md5-xx", "sha512-AAAA", "sha512-!!", "sha512"])
def test_a_lock_without_a_good_hash_lets_nothing_through(integrity: str) -> None:
    with pytest.raises(Malformed) as refused:
        pages.check(pages.Locked("hls.js", "1", integrity), b"")
    assert refused.value.code == "bad_package_lock"
    digest = base64.b64encode(hashlib.sha512(b"x").digest()).decode()
    with pytest.raises(IntegrityError):
        pages.check(pages.Locked("hls.js", "1", f"sha512-{digest}"), b"y")


def test_an_archive_without_the_player_is_refused(tmp_path: Path) -> None:
    player = pages.Locked("hls.js", "1", "x")
    with pytest.raises(Malformed) as refused:
        pages.unpack(archive(**{"package/dist/hls.light.min.mjs": b""}), tmp_path / "fetched", player)
    assert refused.value.code == "bad_package"
    assert list(tmp_path.iterdir()) == []


def test_the_registry_is_the_one_npm_is_set_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / ".npmrc"
    setting.write_text("fund=false\n//x.test/:_authToken=secret\nregistry = https://one.test/npm\n")
    assert pages.registry({}, [tmp_path / "none", setting]) == "https://one.test/npm/"
    assert pages.registry({"NPM_CONFIG_REGISTRY": "https://two.test/"}, [setting]) == "https://two.test/"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as refused:
        pages.registry({}, [])
    assert refused.value.code == "npm_registry_unknown"


def test_the_lock_of_the_tree_names_a_hash_and_no_address() -> None:
    lock = ROOT / "package-lock.json"
    found = {name: pages.locked(lock, name) for name in pages.PACKAGES}
    assert all(one.integrity.startswith("sha512-") for one in found.values())
    assert "://" not in lock.read_text("utf-8")
    wanted = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]
    assert wanted == {name: one.version for name, one in found.items()}


def test_one_package_that_cannot_be_had_keeps_no_other_from_coming(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.content = archive()
    assert pages.main(tmp_path / "fetched", lock_of(tmp_path, registry.content)) == 1
    assert (tmp_path / "fetched" / PLAYER / PLAYER).is_file()
    assert "does not lock swagger-ui-dist" in capsys.readouterr().err
