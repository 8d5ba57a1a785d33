"""The results of a measurement: samples, figures with peer and target, tables. Pure; no clocks, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Spread:
    """Summary of the samples of one quantity: median, 95th percentile, minimum, maximum, and count."""

    p50: float
    p95: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """Summarise samples. Raises ValueError if there are none."""
        if not samples:
            raise ValueError("nothing was measured")
        return cls(quantile(samples, 0.5), quantile(samples, 0.95), min(samples), max(samples), len(samples))


def quantile(samples: Sequence[float], share: float) -> float:
    """The quantile by linear interpolation between the nearest ranks (type 7), as in most programs."""
    ordered = sorted(samples)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity, Saksi's beside a peer's. Less is better for every figure.

    ``limit`` is the largest value that meets the target, in ``unit``; ``rule`` states the target in words.
    Without a target both are empty.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    limit: float | None = None
    rule: str = ""

    @property
    def ratio(self) -> float | None:
        """Saksi's value as a multiple of the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        return None if self.limit is None else self.ours <= self.limit


@dataclass(frozen=True, slots=True)
class Table:
    """All measurements, for readers who want more than the figures. Cells are text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One quantity over another, such as ms over segments. Curves of one ``group`` share a colour."""

    name: str
    group: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The results of one subject. ``conditions`` are sentences that a reader needs to judge the figures.

    ``commit`` is the program's, with ``+`` if files were changed since; "" where no one recorded it.
    """

    subject: str
    title: str
    at: str
    seconds: int
    command: str
    machine: Mapping[str, str]
    conditions: tuple[str, ...]
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...] = ()
    commit: str = ""
    curves: tuple[Curve, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read :meth:`to_json` back."""
        parts = dict(value)
        parts["conditions"] = tuple(parts["conditions"])
        parts["figures"] = tuple(Figure(**figure) for figure in parts["figures"])
        parts["tables"] = tuple(
            Table(one["title"], tuple(one["columns"]), tuple(tuple(row) for row in one["rows"]))
            for one in parts["tables"]
        )
        parts["curves"] = tuple(
            Curve(name=one["name"], group=one["group"], points=tuple((x, y) for x, y in one["points"]))
            for one in parts.get("curves", ())
        )
        return cls(**parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A subject that could not be measured: when, at which commit, and why."""

    subject: str
    at: str
    commit: str
    reason: str


def short(value: float) -> str:
    """A number with three significant digits, never in scientific form."""
    size = abs(value)
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"
