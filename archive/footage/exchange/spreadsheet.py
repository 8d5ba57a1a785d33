"""Cameras as CSV, safe to open in a spreadsheet.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula and runs it, also if
another person wrote the text. Such a cell is written with an apostrophe in front, which spreadsheets read as
"this is text"; reading takes the apostrophe away again. A plain number, such as a southern latitude, is no
formula and stays as it is.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable

from archive.errors import Malformed
from archive.footage.cameras import COLUMNS, form_of
from archive.footage.exchange.rows import KEPT_BY_SAKSI, Row, Table, bad_row, check_count
from archive.model.camera import Camera, shown_streams

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z", re.ASCII)
_TO_GUARD = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    if _TO_GUARD.match(text) is None or _NUMBER.match(text) is not None:
        return text
    return f"'{text}"


def unguarded(cell: str) -> str:
    """The text of a cell that :func:`guarded` wrote; any other cell is its own text."""
    return cell[1:] if _GUARDED.match(cell) is not None else cell


def to_csv(cameras: Iterable[Camera]) -> str:
    """A table with the columns of :data:`COLUMNS`; sources as they may be shown, without passwords."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    for camera in cameras:
        form = form_of(camera)
        shown = {name: getattr(form, name) for name in COLUMNS} | shown_streams(camera)
        writer.writerow([guarded(text) for text in shown.values()])
    return out.getvalue()


def read_csv(data: bytes) -> Table:
    """The rows of a CSV text in UTF-8, separated by commas or, as some spreadsheets write, semicolons.

    Raises:
        Malformed: ``bad_csv``: no CSV, or a header with columns that are unknown, repeated or lack ``id``;
            ``too_many_rows``.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad("the CSV is not in UTF-8") from error
    first, _, _ = text.partition("\n")
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header)
        for cells in reader:
            if cells:
                rows.append(_row(header, cells, reader.line_num))
                check_count(len(rows))
    except csv.Error as error:
        raise _bad(f"line {reader.line_num} is not CSV: {error}") from error
    columns = tuple(name for name in header if name in COLUMNS)
    return Table(tuple(rows), columns, tuple(name for name in header if name in KEPT_BY_SAKSI))


def _row(header: list[str], cells: list[str], line: int) -> Row:
    fields = {
        name: unguarded(cell.strip()).strip()
        for name, cell in zip(header, cells, strict=False)
        if name in COLUMNS
    }
    if len(cells) != len(header):
        return Row(line, fields, bad_row(f"the row has {len(cells)} cells, the header {len(header)}"))
    return Row(line, fields)


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS and name not in KEPT_BY_SAKSI]
    repeated = [name for name, times in Counter(header).items() if times > 1]
    if unknown or repeated:
        raise _bad(f"the CSV header has unknown {unknown or 'nothing'} and repeats {repeated or 'nothing'}")
    if "id" not in header:
        raise _bad("the CSV header has no id")


def _bad(message: str) -> Malformed:
    return Malformed(message, code="bad_csv", hint=f"The first line is: {','.join(COLUMNS)}")
