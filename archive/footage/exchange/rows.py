"""The rows of a table of cameras, before anything is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.errors import Malformed
from archive.footage.cameras import COLUMNS

MAX_ROWS = 10_000
"""Rows in one table; a city's cameras are some thousands."""

KEPT_BY_SAKSI = (
    "registered_at",
    "disabled",
    "audio",
    "audio_since",
    "audio_allowed_by",
    "audio_proposed_by",
    "audio_reason",
    "audio_proposal",
    "kecamatan_name",
    "kelurahan_name",
)
"""Columns that a table may have and an import ignores: Saksi sets them itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the texts of the columns it has, by name.

    ``line`` is the line of a CSV file where the row ends, or the number of a GeoJSON feature, from 1.
    ``problem`` says why its texts cannot be used.
    """

    line: int
    fields: Mapping[str, str]
    problem: Malformed | None = None

    @property
    def id(self) -> str:
        """The camera that it names; "" for none."""
        return self.fields.get("id", "")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in their order. ``columns`` are those that every row has; ``ignored`` those that are ignored."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    ignored: tuple[str, ...] = ()


def bad_row(message: str) -> Malformed:
    """The problem of one row, which begins with the field if it is about one."""
    return Malformed(message, code="bad_row", hint=f"The fields are: {', '.join(COLUMNS)}.")


def check_count(rows: int) -> None:
    """Let a bounded number of rows pass. Raises Malformed ``too_many_rows``."""
    if rows > MAX_ROWS:
        raise Malformed(
            f"the table has more than {MAX_ROWS} rows",
            code="too_many_rows",
            hint="Divide it into several.",
        )
