"""Metadata that would fill a machine's memory is refused: at most 400 MB for any part of up to 64 MiB."""

import subprocess
import sys

import pytest

from archive import canonical as ours
from archive.evidence.verifier import canonical, statement
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.findings import Broken

ALONE = """
import sys
from archive.evidence.verifier import bag, batches, canonical, statement
from archive.evidence.verifier.findings import Broken
unit, reader = sys.argv[1].encode().decode("unicode_escape").encode("latin-1"), sys.argv[2]
data = b'{"a":[' + unit * ((60 << 20) // len(unit)) + b']}\\n'
try:
    {
        "statement": statement.parse,
        "line": canonical.read,
        "manifest": bag.read_manifest,
        "info": bag._read_info,
        "journal": lambda given: batches.read(given, ()),
    }[reader](data)
except (Broken, canonical.BadJson) as error:
    # Not getrusage: its peak begins with that of the process that was forked.
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(int(status["VmHWM"].split()[0]) // 1024, str(error)[:80])
"""


@pytest.mark.parametrize(
    ("unit", "reader"),
    [
        ('{"a":0},', "statement"),
        ("[],", "line"),
        ("0,", "line"),
        ('"ab",', "line"),
        ('"\\xf0\\x9f\\x98\\x80", ', "line"),
        ("\n", "manifest"),
        ("\n", "info"),
        ("\n", "journal"),
    ],
    ids="objects lists integers texts wide lines labels leaves".split(),
)
def test_hostile_metadata_takes_little_memory(unit: str, reader: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, unit, reader], capture_output=True, text=True, check=True
    )
    peak, _, why = done.stdout.partition(" ")
    assert why, "it is refused"
    assert int(peak) <= 400


def test_the_limits_themselves() -> None:
    def of(count: int, value: bytes) -> bytes:
        return b'{"a":[' + b",".join([value] * count) + b"]}"

    assert len(canonical.read(of(canonical.MAX_CONTAINERS - 2, b"{}"))["a"]) == canonical.MAX_CONTAINERS - 2
    for data in (
        of(canonical.MAX_CONTAINERS - 1, b"{}"),
        of(canonical.MAX_VALUES, b"0"),
        b'{"a":"' + b"x" * (canonical.MAX_TEXT + 1) + b'"}',
    ):
        with pytest.raises(BadJson):
            canonical.read(data)
    with pytest.raises(Broken, match="32 MiB"):
        statement.parse(bytes(statement.MAX_BYTES + 1))


@pytest.mark.parametrize("name", ["\U0001f600", "\ue000", "z", "\u00e9", '"\\', "\x7f", "\u2028", "\x00\x1f"])
@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_names_are_in_the_order_of_rfc_8785_at_every_depth(name: str, depth: int) -> None:
    """By UTF-16: U+1F600 stands before U+E000."""
    value: dict[str, object] = {name: 1, "\U0001f600a": "\U0001f600", "\ue000b": [], "a": {}}
    for _ in range(depth):
        value = {"list": [value, {name: [value]}]}
    data = canonical.write(value)
    assert canonical.read(data) == value
    assert ours.encode(value) == data  # type: ignore[arg-type]
    with pytest.raises(BadJson):
        canonical.read(data.replace(b'"a":{}', b'"a": {}'))


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":0,"a":0}', b'{"a":[{"b":0,"a":0}]}', b'{"a":{"c":{"b":0,"a":0}}}', b'{"a":0} ', b' {"a":0}',
        b'{"a":0}x', b'{"a":"\\u0041"}', b'{"a":1.0}', b'{"a":-0}', b'{"a":01}', b'{"a":0,"a":0}', b'[]',
        b'{',
        b'{"a":"\\/"}', b'{"a":[0 ]}', b'{"\xf0\x9f\x98\x80":0,"\xee\x80\x80":0,"a":0}', b'"', b'{"a":"',
    ],
)  # fmt: skip
def test_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(BadJson):
        canonical.read(data)
