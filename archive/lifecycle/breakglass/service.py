"""Orders to destroy footage before its lock ends: placed by one person, approved by another, on record."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.ids import check_name, new_entry_id
from archive.model.disposition import Cause, Disposition, DispositionStatus, OrderingPolicy
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import Separation, relations_of
from archive.separation import Decision, check_known, check_separation
from archive.timespan import Timespan, format_instant, parse_instant

KIND = "break_glass"
ORDERED, APPROVED = "break_glass.ordered", "break_glass.approved"
MAX_TEXT = 300
MAX_CAMERAS = 1000


class OrderStatus(StrEnum):
    """Where an order stands."""

    ORDERED = "ordered"
    APPROVED = "approved"
    IN_WORK = "in_work"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as its newest entry records it; what is not known yet is "" or 0 or None.

    ``number`` is the order's own, as on paper; ``authority`` gave it. ``approved_digest`` is the SHA-256
    of the entry that was approved. ``disposition`` names the list, the record and the disposition's stream.
    """

    id: str
    number: str
    authority: str
    basis: str
    cameras: tuple[str, ...]
    span: Timespan
    ordered_by: str
    ordered_at: int
    status: OrderStatus = OrderStatus.ORDERED
    approved_by: str = ""
    approved_at: int | None = None
    approved_digest: str = ""
    disposition: str = ""
    list_sha256: str = ""
    listed_span: Timespan | None = None
    segments: int = 0
    size: int = 0
    started_at: int | None = None
    started_by: str = ""
    executed_at: int | None = None

    @property
    def in_work(self) -> Disposition | None:
        """The disposition in progress: its list is named, its record is not written yet."""
        if self.status is not OrderStatus.IN_WORK:
            return None
        return self.started()

    def started(self) -> Disposition:
        """The disposition as it was started. Raises Conflict ``order_not_started``."""
        if self.listed_span is None or self.started_at is None or self.approved_at is None:
            raise Conflict(f"order {self.id} has no list yet", code="order_not_started")
        return Disposition(
            id=self.disposition,
            cause=Cause.BREAK_GLASS,
            status=DispositionStatus.STARTED,
            started_at=self.started_at,
            started_by=self.started_by,
            span=self.listed_span,
            segments=self.segments,
            bytes=self.size,
            list_sha256=self.list_sha256,
            policies=(self._behind_it(self.approved_at),),
        )

    def _behind_it(self, approved_at: int) -> OrderingPolicy:
        """The order, in the field where other dispositions name the policies that order them."""
        return OrderingPolicy(
            scope=self.id,
            version=2,
            keep_days_min=0,
            keep_days_max=None,
            basis=f"{self.number}, {self.authority}: {self.basis}",
            segments=self.segments,
            bytes=self.size,
            acts=(
                (1, self.ordered_at, self.ordered_by, ORDERED),
                (2, approved_at, self.approved_by, APPROVED),
            ),
        )

    def to_json(self) -> JsonObject:
        """The order as ``saksi break-glass show --json`` prints it."""
        return {"id": self.id, **to_state(self)}


def place_order(
    ledger: Ledger,
    clock: Clock,
    *,
    number: str,
    authority: str,
    basis: str,
    cameras: Iterable[str],
    span: Timespan,
    actor: str,
) -> Order:
    """Step 1. Nothing is destroyed yet.

    Raises:
        Malformed: ``bad_order``: no camera or too many, a text that is empty, too long or unprintable, or a
            span that is not over.
        Refused: ``person_unknown``: the actor is not a known person.
    """
    check_known(actor, relations_of(ledger, (actor,)))
    chosen = tuple(sorted({check_name("camera", camera) for camera in cameras}))
    now = clock.now()
    texts = (number, authority, basis)
    if any(not text.strip() or len(text) > MAX_TEXT or not text.isprintable() for text in texts):
        raise Malformed(
            "an order needs its number, its authority and its legal basis",
            code="bad_order",
            hint=f"Give each in at most {MAX_TEXT} printable characters.",
        )
    if not 1 <= len(chosen) <= MAX_CAMERAS:
        raise Malformed(f"an order names 1 to {MAX_CAMERAS} cameras", code="bad_order")
    if span.end > now:
        raise Malformed(
            "the span of the order is not over yet",
            code="bad_order",
            hint="Footage that is not there cannot be destroyed; stop the camera instead.",
        )
    order = Order(
        id=f"bg-{new_entry_id()[:16]}",
        number=number.strip(),
        authority=authority.strip(),
        basis=basis.strip(),
        cameras=chosen,
        span=span,
        ordered_by=actor,
        ordered_at=now,
    )
    entry = ledger.append(
        KIND, order.id, to_state(order), expected=0, actor=actor, action=ORDERED, reason=basis
    )
    return from_state(entry.id, entry.state)


def approve(ledger: Ledger, clock: Clock, order_id: str, *, actor: str, reason: str) -> Order:
    """Step 2, by a person other than the one who placed the order.

    Raises:
        NotFound: ``break_glass_not_found``.
        Refused: ``same_person``, ``person_unknown``, ``persons_tied``, ``host_unlinked``: as
            :func:`archive.separation.check_separation`.
        Conflict: ``order_approved``, ``ledger_conflict``.
        Malformed: ``reason_missing``.
    """
    if not reason.strip():
        raise Malformed("a reason is needed", code="reason_missing", hint="Say what you examined.")
    head = ledger.head(KIND, check_name(KIND, order_id))
    order = from_state(head.id, head.state)
    if order.status is not OrderStatus.ORDERED:
        raise Conflict(f"order {order_id} is {order.status.value}", code="order_approved")
    placed_by = (order.ordered_by, head.actor)
    Separation(ledger, clock).check(Decision.BREAK_GLASS_APPROVE, actor, placed_by)
    approved = replace(
        order,
        status=OrderStatus.APPROVED,
        approved_by=actor,
        approved_at=clock.now(),
        approved_digest=head.digest,
    )
    return append(ledger, head, approved, actor=actor, action=APPROVED, reason=reason)


def approved_order(ledger: Ledger, order_id: str) -> tuple[Entry, Order]:
    """The head of an order that two people approved, judged by its whole history and not by its state.

    The people are judged by their relations at the time of the approval.

    Raises:
        NotFound: ``break_glass_not_found``.
        Refused: ``order_not_approved``, ``same_person``, ``person_unknown``, ``persons_tied``,
            ``host_unlinked``.
        IntegrityError: ``ledger_broken``.
    """
    history = list(ledger.history(KIND, check_name(KIND, order_id)))
    if not history:
        raise NotFound(f"there is no order {order_id}", code="break_glass_not_found")
    order = from_state(order_id, history[-1].state)
    if len(history) < 2 or history[1].action != APPROVED:
        raise Refused(
            f"order {order_id} has not been approved",
            code="order_not_approved",
            hint="A second person must approve it: saksi break-glass approve",
        )
    placed, approval = history[0], history[1]
    first = from_state(order_id, placed.state)
    relations = relations_of(ledger, (placed.actor, approval.actor), until=approval.at)
    check_separation(Decision.BREAK_GLASS_APPROVE, approval.actor, (placed.actor,), relations, approval.at)
    same = (first.cameras, first.span, first.number, placed.digest)
    if same != (order.cameras, order.span, order.number, order.approved_digest):
        raise Refused(
            f"order {order_id} is not the one that was approved",
            code="order_not_approved",
            hint="Place the order again and have the new order approved.",
        )
    return history[-1], order


def orders(ledger: Ledger) -> Iterator[Order]:
    """Every order, by id. Raises Malformed ``bad_order``; otherwise as the ledger."""
    for entry in ledger.heads(KIND):
        yield from_state(entry.id, entry.state)


def find_order(ledger: Ledger, order_id: str) -> Order:
    """One order. Raises NotFound ``break_glass_not_found``."""
    head = ledger.head(KIND, check_name(KIND, order_id))
    return from_state(head.id, head.state)


def append(ledger: Ledger, head: Entry, order: Order, *, actor: str, action: str, reason: str = "") -> Order:
    """Record an order's next state. Raises Conflict ``ledger_conflict``; otherwise as the ledger."""
    entry = ledger.append(
        KIND, order.id, to_state(order), expected=head.version, actor=actor, action=action, reason=reason
    )
    return from_state(entry.id, entry.state)


def to_state(order: Order) -> JsonObject:
    """The order as its ledger entry stores it; its id is the stream's."""
    listed = order.listed_span
    return {
        "number": order.number,
        "authority": order.authority,
        "basis": order.basis,
        "cameras": list(order.cameras),
        "from": format_instant(order.span.start),
        "to": format_instant(order.span.end),
        "ordered_by": order.ordered_by,
        "ordered_at": format_instant(order.ordered_at),
        "status": order.status.value,
        "approved_by": order.approved_by,
        "approved_at": _written(order.approved_at),
        "approved_digest": order.approved_digest,
        "disposition": order.disposition,
        "list_sha256": order.list_sha256,
        "listed_from": None if listed is None else format_instant(listed.start),
        "listed_to": None if listed is None else format_instant(listed.end),
        "segments": order.segments,
        "bytes": order.size,
        "started_at": _written(order.started_at),
        "started_by": order.started_by,
        "executed_at": _written(order.executed_at),
    }


def from_state(order_id: str, state: Mapping[str, Any]) -> Order:
    """Read an order back. Raises Malformed ``bad_order``."""
    try:
        listed = state["listed_from"]
        return Order(
            id=order_id,
            number=state["number"],
            authority=state["authority"],
            basis=state["basis"],
            cameras=tuple(state["cameras"]),
            span=Timespan.parse(state["from"], state["to"]),
            ordered_by=state["ordered_by"],
            ordered_at=parse_instant(state["ordered_at"]),
            status=OrderStatus(state["status"]),
            approved_by=state["approved_by"],
            approved_at=_read(state["approved_at"]),
            approved_digest=state["approved_digest"],
            disposition=state["disposition"],
            list_sha256=state["list_sha256"],
            listed_span=None if listed is None else Timespan.parse(listed, state["listed_to"]),
            segments=state["segments"],
            size=state["bytes"],
            started_at=_read(state["started_at"]),
            started_by=state["started_by"],
            executed_at=_read(state["executed_at"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError, Malformed) as error:
        raise Malformed(f"order {order_id} cannot be read: {error}", code="bad_order") from error


def _written(at: int | None) -> str | None:
    return None if at is None else format_instant(at)


def _read(text: str | None) -> int | None:
    return None if text is None else parse_instant(text)
