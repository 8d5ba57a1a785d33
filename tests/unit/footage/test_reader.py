"""Coverage, gaps and pending partition every queried span, and each instant has one cause."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage import reader
from archive.footage.reader import GapSpan, explain
from archive.model.gap import Gap, GapCause
from archive.timespan import DAY, SpanSet, Timespan
from tests.support.leaves import gap

EDGE = st.integers(0, 60)
CAUSES = st.sampled_from([GapCause.UNREACHABLE, GapCause.STALLED, GapCause.DISABLED])


@st.composite
def spans(draw: st.DrawFn) -> Timespan:
    start = draw(EDGE)
    return Timespan(start, start + draw(st.integers(1, 25)))


@st.composite
def records(draw: st.DrawFn) -> list[Gap]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        span = draw(spans())
        found.append(gap(span.start, span.end, cause=draw(CAUSES), gap_id=f"{number:016x}"))
    return found


@given(
    spans(),
    st.lists(spans(), max_size=4).map(SpanSet),
    records(),
    st.integers(0, 30),
    st.none() | EDGE,
    st.integers(1, 80),
)
def test_every_instant_has_exactly_one_answer(
    asked: Timespan,
    footage: SpanSet,
    told: list[Gap],
    registered_at: int,
    high_water: int | None,
    now: int,
) -> None:
    coverage = footage.within(asked)
    gaps, pending = explain(
        asked, coverage, told, registered_at=registered_at, high_water=high_water, now=now
    )
    for instant in range(asked.start, asked.end):
        answers = [instant in coverage, instant in pending, *(instant in g.span for g in gaps)]
        assert sum(answers) == 1
    for instant in range(asked.start, asked.end):
        causes = [g.cause for g in gaps if instant in g.span]
        if instant in coverage:
            assert not causes
        elif any(instant in record.span for record in told):
            assert causes[0] in {r.cause.value for r in told if instant in r.span}
        elif instant >= now:
            assert causes == [reader.NOT_YET]
        elif instant < registered_at:
            assert causes == [reader.NOT_REGISTERED]
        elif high_water is not None and instant < high_water:
            assert causes == [reader.UNKNOWN]
        else:
            assert instant in pending


def test_footage_beats_gap_and_touching_gaps_of_one_cause_are_one() -> None:
    gaps, pending = explain(
        Timespan(0, 100),
        SpanSet([Timespan(20, 40)]),
        [gap(10, 30), gap(40, 60, gap_id="1" * 16), gap(60, 70, gap_id="2" * 16)],
        registered_at=0,
        high_water=80,
        now=90,
    )
    assert gaps == (
        GapSpan(Timespan(0, 10), "unknown"),
        GapSpan(Timespan(10, 20), "unreachable"),
        GapSpan(Timespan(40, 70), "unreachable"),
        GapSpan(Timespan(70, 80), "unknown"),
        GapSpan(Timespan(90, 100), "not_yet"),
    )
    assert pending == SpanSet([Timespan(80, 90)])


@pytest.mark.parametrize(
    ("span", "code"),
    [(Timespan(500, 600), "span_in_future"), (Timespan(0, 367 * DAY), "span_too_long")],
)
def test_questions_nobody_can_answer_are_refused(span: Timespan, code: str) -> None:
    with pytest.raises(Malformed) as caught:
        reader.check_span(span, 500)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_disabled_camera_is_disabled_up_to_now() -> None:
    told = [gap(100, 200, cause=GapCause.DISABLED)]
    span = Timespan(50, 500)

    def answer(records: list[Gap], *, high_water: int | None = 200, is_disabled: bool = True) -> object:
        return explain(
            span,
            SpanSet((Timespan(50, 100),)),
            records,
            registered_at=0,
            high_water=high_water,
            now=400,
            is_disabled=is_disabled,
        )

    future = GapSpan(Timespan(400, 500), "not_yet")
    assert answer(told) == ((GapSpan(Timespan(100, 400), "disabled"), future), SpanSet())
    gaps, pending = (GapSpan(Timespan(100, 200), "disabled"), future), SpanSet((Timespan(200, 400),))
    assert answer(told, is_disabled=False) == (gaps, pending)
    # footage that the recorder still holds may be later than the last record of an earlier stretch
    later = [*told, gap(250, 260, cause=GapCause.STALLED, gap_id="6a15000000000008")]
    assert answer(later, high_water=260)[1] == SpanSet((Timespan(260, 400),))  # type: ignore[index]
