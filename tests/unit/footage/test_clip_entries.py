"""H.265 is labelled hvc1, and only if the label is true."""

import pytest

from archive.footage.clip.entries import shown_entry, shown_init, track_shape
from archive.footage.mp4.track import write_init
from tests.support.recordings import hevc_entry, made_track


def test_hevc_with_its_parameter_sets_is_shown_as_hvc1() -> None:
    entry = hevc_entry(32, 33, 34, 39)
    shown = shown_entry(entry)
    assert shown[4:8] == b"hvc1"
    assert len(shown) == len(entry)
    changed = [index for index, (a, b) in enumerate(zip(entry, shown, strict=True)) if a != b]
    assert changed[:2] == [5, 6]  # "ev" became "vc"
    # one array_completeness bit for VPS, SPS and PPS each, none for SEI
    assert [entry[index] for index in changed[2:]] == [32, 33, 34]
    assert [shown[index] for index in changed[2:]] == [0x80 | 32, 0x80 | 33, 0x80 | 34]


@pytest.mark.parametrize("kinds", [(), (32,), (33, 34), (32, 33)])
def test_hevc_without_a_parameter_set_stays_hev1(kinds: tuple[int, ...]) -> None:
    entry = hevc_entry(*kinds)
    assert shown_entry(entry) == entry


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_damaged_configuration_stays_as_it_is(cut: int) -> None:
    entry = hevc_entry(32, 33, 34)
    # the last bytes are lost and both boxes say so: arrays then run past the end
    hvcc = entry.index(b"hvcC") - 4
    size = len(entry) - cut
    torn = size.to_bytes(4) + entry[4:hvcc] + (size - hvcc).to_bytes(4) + entry[hvcc + 4 : size]
    assert shown_entry(torn)[4:8] == b"hev1"


def test_h264_stays_as_it_is() -> None:
    entry = made_track().sample_entry
    assert shown_entry(entry) is entry


def test_an_initialisation_is_relabelled_in_place() -> None:
    entry = hevc_entry(32, 33, 34)
    init = write_init(made_track(entry))
    shown = shown_init(init, entry)
    assert len(shown) == len(init)
    assert init.count(b"hev1") == shown.count(b"hvc1") == 1
    assert shown.replace(shown_entry(entry), entry) == init


def test_the_shape_of_a_track_is_kept() -> None:
    track = made_track()
    assert track_shape(write_init(track)) == track.shape
