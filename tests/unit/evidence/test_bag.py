import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.evidence import bag, paths

DIGEST = "a" * 64
PARTS = st.text("abcdefghij0123456789_", min_size=1, max_size=8)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "data/" + "/".join(parts))
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.dictionaries(PATHS, DIGESTS, min_size=1))
def test_a_manifest_reads_back_and_is_sorted(digests: dict[str, str]) -> None:
    data = bag.write_manifest(digests)
    assert bag.read_manifest("m", data) == digests
    listed = [line[66:] for line in data.decode().splitlines()]
    assert listed == sorted(digests)
    assert all(line[64:66] == "  " for line in data.decode().splitlines())


@pytest.mark.parametrize(
    "path",
    [
        "data/../x", "/data/x", "data//x", "data/x ", "data/\u00e9", "data/x%0a", "data/x\ny", "data\\x",
        "data/.hidden", "data/-rf", "data/x.", "data/aux", "data/AUX.txt", "data/com1.mp4", "",
        "data/" + "x" * 200,
    ],
)  # fmt: skip
def test_unusable_paths_are_refused(path: str) -> None:
    with pytest.raises(Malformed) as caught:
        bag.check_path(path)
    assert caught.value.code == "bad_package_path"


def test_paths_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(Malformed, match="case only"):
        bag.write_manifest({"data/Cam": DIGEST, "data/cam": DIGEST})


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x\n", f"{DIGEST} data/x\n".encode(), f"{DIGEST}  data/x".encode(),
        f"{DIGEST}  data/x\r\n".encode(),
        f"{DIGEST.upper()}  data/x\n".encode(), f"{DIGEST}  data/x\n{DIGEST}  data/x\n".encode(),
        f"{DIGEST}  data/y\n{DIGEST}  data/x\n".encode(), b"\xff\n", f"{DIGEST}  data/x\n\n".encode(),
    ],
)  # fmt: skip
def test_manifests_that_are_not_ours_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        bag.read_manifest("manifest-sha256.txt", data)
    assert caught.value.code == "bad_manifest"


def test_bag_info_reads_back_and_refuses_line_breaks() -> None:
    fields = {"External-Identifier": "EVD-2026-0123456789", "Source-Organization": "Dinas Kominfo é"}
    assert bag.read_info(bag.write_info(fields.items())) == fields
    with pytest.raises(Malformed):
        bag.write_info([("Source-Organization", "x\nPayload-Oxum: 0.0")])


def test_cameras_that_windows_would_confuse_get_folders_of_their_own() -> None:
    folders = paths.camera_folders(["Cam-A", "cam-a", "CAM-a", "aux", "com1.x"])
    assert len({folder.lower() for folder in folders.values()}) == 5
    for folder in folders.values():
        bag.check_path(f"data/original/{folder}/x.mp4")
    assert paths.camera_folders(["cam-1"]) == {"cam-1": "cam-1"}
