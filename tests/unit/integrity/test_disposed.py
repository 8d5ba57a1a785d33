"""What was destroyed on record is known at every moment: also while the record passes on from an order."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.canonical import sha256_hex
from archive.integrity.fixity.disposed import Disposed
from archive.lifecycle.breakglass import service as breakglass
from archive.lifecycle.breakglass.service import Order, OrderStatus
from archive.lifecycle.disposition.listing import LIST, Doomed, DoomedList, disposition_id
from archive.model import disposition as dispositions
from archive.model.disposition import Cause
from archive.ports import Content
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry
from archive.timespan import SECOND, Timespan, hour_of
from tests.support.archives import SmallArchive, small_archive
from tests.support.leaves import RUN, T0

SPAN = Timespan(T0, T0 + 10 * SECOND)
DOOMED = Doomed("cam-1", SPAN, keys.segment_key("cam-1", T0, RUN, 0, "a" * 64), "v", 100, "a" * 64, "bg-1")


def in_work(archive: SmallArchive) -> tuple[Order, Entry]:
    """An order whose list is stored and named, and its entry."""
    data = DoomedList(Cause.BREAK_GLASS, T0, (DOOMED,)).encode()
    name = disposition_id(sha256_hex(data))
    archive.stores.records.put(keys.disposition_prefix(name) + LIST, Content.of_bytes(data))
    order = Order(
        id="bg-1", number="1/2026", authority="PN", basis="basis", cameras=("cam-1",), span=SPAN,
        ordered_by="os:a", ordered_at=T0, status=OrderStatus.IN_WORK, approved_by="os:b", approved_at=T0,
        approved_digest="b" * 64, disposition=name, list_sha256=sha256_hex(data), listed_span=SPAN,
        segments=1, size=100, started_at=T0, started_by="os:a",
    )  # fmt: skip
    entry = archive.ledger.append(
        breakglass.KIND, order.id, breakglass.to_state(order), expected=0, actor="os:a", action="x.started"
    )
    return order, entry


def over(disposed: Disposed) -> set[str]:
    return {one.key for one in disposed.over("cam-1", SPAN)}


def among(disposed: Disposed) -> set[str]:
    return disposed.among(hour_of(T0), {DOOMED.key})


@pytest.mark.parametrize("ask", [over, among])
def test_a_destruction_is_known_while_its_order_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Disposed], set[str]]
) -> None:
    """The disposition gets its entry, and then the order ends: between two looks at the ledger."""
    archive = small_archive(tmp_path)
    order, entry = in_work(archive)
    refresh, looks = StrictHeads.refresh, list[StrictHeads]()

    def look(heads: StrictHeads) -> Mapping[str, Entry]:
        found = dict(refresh(heads))
        looks.append(heads)
        if len(looks) == 1:
            archive.ledger.append(
                dispositions.KIND, order.disposition, dispositions.to_state(order.started()), expected=0,
                actor="os:a", action="disposition.started",
            )  # fmt: skip
            done = replace(order, status=OrderStatus.EXECUTED, executed_at=T0)
            breakglass.append(archive.ledger, entry, done, actor="os:a", action="break_glass.executed")
        return found

    monkeypatch.setattr(StrictHeads, "refresh", look)
    assert ask(Disposed(archive.stores.records, archive.ledger)) == {DOOMED.key}
