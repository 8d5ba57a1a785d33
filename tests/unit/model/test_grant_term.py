"""No grant gives access for longer than 366 days, whatever an older entry says."""

from archive.model.grant import Grant, Right, from_state, granted_spans, to_state
from archive.timespan import DAY, SECOND, Timespan

T0 = 1_795_500_000_000_000


def test_an_older_entry_for_ten_years_ends_within_366_days() -> None:
    written = to_state(
        Grant(
            id="GRT-0123456789abcdef",
            person="dewi",
            cameras=("cam-1",),
            span=Timespan(T0 - DAY, T0),
            rights=frozenset({Right.VIEW}),
            until=T0 + 3650 * DAY,
            basis="LP/B/1",
            given_by="user:citra",
            given_at=T0,
        )
    )
    grant = from_state("GRT-0123456789abcdef", written)
    assert grant.until == T0 + 3650 * DAY  # what was written is read as it was written
    assert grant.ends_at == T0 + 366 * DAY
    assert grant.in_force(T0 + 366 * DAY - SECOND)
    assert not grant.in_force(T0 + 366 * DAY)
    assert not granted_spans([grant], "cam-1", Right.VIEW, T0 + 366 * DAY)
