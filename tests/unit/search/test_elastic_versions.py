"""Version ids as bytes: each comes back as it was, and random ones take no more than their bytes."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from search.elastic.versions import packed, unpacked


@given(
    st.one_of(st.text(max_size=80), st.uuids().map(str), st.binary(min_size=32, max_size=32).map(bytes.hex))
)
def test_each_version_comes_back(version: str) -> None:
    assert unpacked(packed(version)) == version


@given(st.uuids().map(str))
def test_a_uuid_takes_seventeen_bytes(version: str) -> None:
    assert len(base64.b64decode(packed(version))) == 17


def test_what_only_looks_like_one_is_kept_as_text() -> None:
    for odd in (
        "0" * 63 + "G",
        "A" * 64,
        "00000000-0000-0000-0000-00000000000A",
        "\n" + "0" * 64,
        "0" * 64 + "\n",
    ):
        assert unpacked(packed(odd)) == odd
