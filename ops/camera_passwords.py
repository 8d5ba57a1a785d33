"""Gives many cameras new passwords, one after the other; the old one counts until the new one works.

The order keeps every camera recorded: the camera takes the password, the account is tried with it by ONVIF
and at the stream, and only then is it registered, which recorders follow. If it does not work, the camera
gets the old one back. A run that broke off can be repeated: a camera that has the new password already is
only registered.
"""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from archive.canonical import JsonObject
from archive.errors import ArchiveError, Malformed, Refused
from archive.footage.cameras import CameraHead, Registry
from archive.footage.source_url import Source, parse_source, with_account
from archive.model.camera import Camera
from archive.model.gap import GapCause
from recorder.devices import Devices, Login

COLUMNS = ("id", "password")
LONGEST = 64
MOST_ROWS = 10_000
_TRIES = 3


class Outcome(StrEnum):
    """What became of a camera's password, or would become of it."""

    CHANGED = "changed"
    REGISTERED = "registered"
    """The camera had it already; only the registration was old."""
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PasswordRow:
    """One row of the table: its line, the camera, and the password that it shall have."""

    line: int
    camera: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row: the outcome, or the error."""

    row: PasswordRow
    outcome: Outcome | None
    error: ArchiveError | None = None

    def to_json(self) -> JsonObject:
        """As ``saksi camera password --json`` prints it."""
        shown: JsonObject = {"line": self.row.line, "camera": self.row.camera}
        if self.error is not None:
            problem = {"code": self.error.code, "message": self.error.message, "hint": self.error.hint}
            return shown | {"outcome": "refused", **problem}
        return shown | {"outcome": "" if self.outcome is None else self.outcome.value}


def read_rows(text: str) -> Sequence[PasswordRow]:
    """The rows of a CSV table with the columns ``id`` and ``password``. No error quotes a password.

    Raises:
        Malformed: ``bad_csv``: no such table, or a camera stands in it twice; ``too_many_rows``.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[PasswordRow] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            raise _bad(f"the first line is not {','.join(COLUMNS)}")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise _bad(f"line {reader.line_num} has {len(cells)} cells, and not {len(header)}")
            found = dict(zip(header, cells, strict=True))
            rows.append(PasswordRow(reader.line_num, found["id"].strip(), found["password"]))
    except csv.Error as error:
        raise _bad(f"line {reader.line_num} is not CSV") from error
    if len(rows) > MOST_ROWS:
        raise Malformed(f"the table has more than {MOST_ROWS} rows", code="too_many_rows")
    twice = {row.camera for row in rows if sum(one.camera == row.camera for one in rows) > 1}
    if twice:
        raise _bad(f"{min(twice)} stands in it twice")
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChange:
    """Changes passwords for ``actor`` with ``reason``.

    ``stream`` says why a source gives nothing, None if it gives footage. ``admin`` is the account that may
    change accounts; without it each camera's own. ``is_dry``: nothing is written, and cameras are only asked
    whether they let the old or the new password in. ``pause`` is how long, in seconds, a camera may take
    before it is asked again.
    """

    registry: Registry
    devices: Devices
    stream: Callable[[Source], Awaitable[GapCause | None]]
    actor: str
    reason: str
    admin: Login | None = None
    is_dry: bool = False
    pause: float = 2.0

    def run(self, rows: Sequence[PasswordRow]) -> Iterator[RowResult]:
        """Every row in turn; an error ends its row only."""
        for row in rows:
            try:
                yield RowResult(row, asyncio.run(self._change(row)))
            except ArchiveError as error:
                yield RowResult(row, None, error)

    async def _change(self, row: PasswordRow) -> Outcome:
        if not row.password or len(row.password) > LONGEST or not _is_plain(row.password):
            raise Malformed(
                f"the new password is not 1 to {LONGEST} printable ASCII characters",
                code="bad_new_password",
                hint="Most cameras take no other.",
            )
        head = self.registry.head(row.camera)
        address, url = head.camera.details.onvif, self.registry.source_of(head.camera)
        source = parse_source(url)
        if not address or not source.user:
            raise Refused(
                f"{row.camera} is registered without {'a user name' if address else 'an ONVIF address'}",
                code="camera_without_onvif",
                hint=f"Register it: saksi camera edit {row.camera} --onvif HOST, or --source with the name.",
            )
        old, new = Login(source.user, source.password), Login(source.user, row.password)
        fresh = with_account(url, new.user, new.password)
        if old == new:
            await self.devices.check(address, old)
            return Outcome.SAME
        has_new = await self._has_new(address, old, new)
        if self.is_dry:
            return Outcome.REGISTERED if has_new else Outcome.CHANGED
        if has_new:
            self._register(head, new)
            return Outcome.REGISTERED
        await self.devices.replace_password(address, self.admin or old, new.user, new.password)
        if not await self._works(address, new, parse_source(fresh)):
            await self._put_back(row.camera, address, old, new)
        self._register(head, new)
        return Outcome.CHANGED

    def _register(self, head: CameraHead, new: Login) -> None:
        self.registry.edit(
            head.camera.id,
            with_login(self.registry, head.camera, new.user, new.password),
            actor=self.actor,
            reason=self.reason,
            expected=head.entry.version,
        )

    async def _has_new(self, address: str, old: Login, new: Login) -> bool:
        """Whether the camera has the new password already. Raises if it lets neither in."""
        try:
            await self.devices.check(address, old)
        except Refused as error:
            if error.code != "device_login_refused":
                raise
            await self.devices.check(address, new)
            return True
        return False

    async def _works(self, address: str, new: Login, source: Source) -> bool:
        """Whether the new password opens device and stream; a camera may take a moment to apply it."""
        for turn in range(_TRIES):
            if turn:
                await asyncio.sleep(self.pause)
            try:
                await self.devices.check(address, new)
            except ArchiveError:
                continue
            if await self.stream(source) is not GapCause.AUTH_FAILED:
                return True
        return False

    async def _put_back(self, camera: str, address: str, old: Login, new: Login) -> None:
        """See that the camera has the old password, and say so. Always raises."""
        try:
            try:
                await self.devices.check(address, old)
            except Refused:
                await self.devices.replace_password(address, self.admin or new, old.user, old.password)
                await self.devices.check(address, old)
        except ArchiveError as error:
            raise Refused(
                f"{camera} lets neither the old nor the new password in now ({error.message})",
                code="password_unsure",
                hint="The registered one stays. Set the password on the camera's own page, then run again.",
            ) from error
        raise Refused(
            f"{camera} took the new password and did not let it in; the old one counts again",
            code="password_not_taken",
            hint="Its password rules may be stricter: try a longer one, with letters and digits.",
        )


def with_login(
    registry: Registry, camera: Camera, user: str, password: str, *, source: str = ""
) -> dict[str, str]:
    """The changes that give a camera's streams this account: its main one's, and its sub stream's.

    A sub stream with another account than the main one's keeps its own. ``source`` is a new main stream.

    Raises:
        Malformed: ``bad_source``: its main stream is no camera with an account.
        IntegrityError: ``secret_unreadable``.
    """
    main, sub = registry.source_of(camera), registry.sub_of(camera)
    changes = {"source": with_account(source or main, user, password)}
    if sub and parse_source(sub).host and parse_source(sub).user == parse_source(main).user:
        changes["sub"] = with_account(sub, user, password)
    return changes


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _bad(what: str) -> Malformed:
    return Malformed(
        f"the table of passwords cannot be read: {what}",
        code="bad_csv",
        hint=f"Write CSV in UTF-8 whose first line is {','.join(COLUMNS)}.",
    )
