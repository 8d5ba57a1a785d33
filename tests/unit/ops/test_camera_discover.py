"""What ``saksi camera discover`` shows: who answered, and which of them are registered already."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import ops.recording
from ops.cli import tree
from ops.cli.speaking import Language
from ops.settings import Settings
from ops.wiring import Site
from recorder.devices import FoundDevice
from tests.support.archives import camera_form
from tests.support.command_line import CommandLine

FOUND = [
    FoundDevice(
        address="http://10.0.0.7/onvif/device_service", answered_from="10.0.0.7", maker="Kaca", model="K-4"
    ),
    FoundDevice(address="http://10.0.0.9/onvif/device_service", answered_from="10.0.0.66"),
    FoundDevice(address="https://[fd12::5]/onvif/device_service", answered_from="10.0.0.8"),
]


class Network:
    """A network where :data:`FOUND` answer."""

    def __init__(self) -> None:
        self.asked: tuple[tuple[str, ...], float] = ((), 0)

    async def search(self, interfaces: Sequence[str], seconds: float) -> Sequence[FoundDevice]:
        self.asked = (tuple(interfaces), seconds)
        return FOUND


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    made, saksi = Network(), CommandLine(tmp_path / "home")
    for name, value in saksi.environment().items():
        monkeypatch.setenv(name, value)
    with Site(Settings.load(saksi.environment())) as site:
        site.registry.add(camera_form(), actor="os:tester")  # its stream is at 10.0.0.7
        site.registry.add(
            camera_form(id="cam-2", source="rtsp://10.0.0.3/1", onvif="https://[fd12::5]"), actor="os:tester"
        )
    monkeypatch.setattr(ops.recording, "devices_of", lambda site: made)
    return made


def discover(*words: str) -> Any:
    return tree(Language.ENGLISH, "camera")(args=["camera", "discover", *words], standalone_mode=False)


def test_those_that_are_registered_have_their_ids(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    assert discover("--interface", "10.0.0.2", "--for", "2s", "--json") == 0
    assert network.asked == (("10.0.0.2",), 2.0)
    devices = json.loads(capsys.readouterr().out)["devices"]
    assert [(one["address"], one["cameras"]) for one in devices] == [
        (FOUND[0].address, ["cam-1"]),
        (FOUND[1].address, []),
        (FOUND[2].address, ["cam-2"]),
    ]
    assert devices[1]["answered_from"] == "10.0.0.66"


def test_people_see_a_table(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    assert discover() == 0
    assert network.asked == ((), 3.0)
    shown = capsys.readouterr().out
    assert [word in shown for word in ("Kaca", "K-4", "cam-1", "10.0.0.66")] == [True] * 4
