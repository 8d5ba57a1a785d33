from pathlib import Path

import pytest

from archive.errors import Malformed
from ops.stack import Places


def test_variables_decide(tmp_path: Path) -> None:
    places = Places.from_environment(
        {
            "SAKSI_STACK_CACHE": str(tmp_path / "c"),
            "SAKSI_STACK_DIR": str(tmp_path / "s"),
            "SAKSI_STACK_PORT_MINIO": "19100",
            "SAKSI_STACK_PORT_MEDIAMTX_API": "0",
        }
    )
    assert places == Places(tmp_path / "c", tmp_path / "s", {"minio": 19100, "mediamtx_api": 0})


def test_ordinary_user_keeps_things_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    places = Places.from_environment({})
    assert places == Places(Path.home() / ".cache/saksi/stack", Path.home() / ".local/state/saksi/stack")


def test_root_keeps_things_where_others_can_enter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert Places.from_environment({}) == Places(Path("/var/cache/saksi/stack"), Path("/var/lib/saksi/stack"))


@pytest.mark.parametrize("value", ["", "http", "-1", "65536", "1.5", "²"])
def test_port_that_is_none(value: str) -> None:
    with pytest.raises(Malformed) as caught:
        Places.from_environment({"SAKSI_STACK_PORT_RTSP": value})
    assert caught.value.code == "stack_port_invalid"
    assert "SAKSI_STACK_PORT_RTSP" in caught.value.message
