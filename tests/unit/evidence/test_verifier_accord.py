"""A statement against recorders' lines: what may excuse a segment that is not in the package."""

import pytest

from archive.evidence.verifier import accord, times
from archive.model.gap import GapCause, id_for_segment

RUN = "6a15000000000001"
SECOND = 1_000_000
T0 = times.parse("2026-11-30T00:00:00.000000Z")


def at(seconds: int) -> str:
    return times.show(T0 + seconds * SECOND)


def segment(seq: int) -> accord.Line:
    span = (T0 + 10 * seq * SECOND, T0 + 10 * (seq + 1) * SECOND)
    return accord.Line("segment", "cam-1", "rec-1", span, RUN, seq, f"segments/{seq}", "")


def gap(seq: int, cause: GapCause) -> accord.Line:
    return segment(seq)._replace(kind="gap", name=id_for_segment(cause, RUN, seq), seq=0, key="", cause=cause)


def found(*lines: accord.Line, cause: GapCause) -> list[str]:
    """What is reported of a package over three segments that leaves the middle one out as a gap."""
    originals = [
        {"camera": "cam-1", "run": RUN, "seq": seq, "key": f"segments/{seq}", "from": at(10 * seq),
         "to": at(10 * seq + 10)}
        for seq in (0, 2)
    ]  # fmt: skip
    stated = {
        "span": {"from": at(0), "to": at(30)},
        "prepared_at": at(900),
        "cameras": [{"id": "cam-1", "registered_at": at(-60)}],
        "originals": originals,
        "gaps": [{"camera": "cam-1", "from": at(10), "to": at(20), "cause": cause}],
    }
    codes: list[str] = []
    accord.check(stated, lines, lambda code, _: codes.append(code))
    return codes


def test_a_segment_with_a_line_was_not_lost_before_it() -> None:
    lines = segment(0), segment(1), segment(2), gap(1, GapCause.UPLOAD_LOST)
    assert found(*lines, cause=GapCause.UPLOAD_LOST) == ["original_left_out"]


@pytest.mark.parametrize("has_line", [True, False])
def test_a_segment_that_was_set_aside_is_excused(has_line: bool) -> None:
    lines = segment(0), *([segment(1)] if has_line else []), segment(2), gap(1, GapCause.SET_ASIDE)
    assert found(*lines, cause=GapCause.SET_ASIDE) == []


def test_a_number_that_was_lost_before_its_line_is_excused() -> None:
    lines = segment(0), segment(2), gap(1, GapCause.UPLOAD_LOST)
    assert found(*lines, cause=GapCause.UPLOAD_LOST) == []
