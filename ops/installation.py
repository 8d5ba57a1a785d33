"""Whether an installation is there, is new, or has lost its archive; and the making of a new one.

An installation is its home (``SAKSI_HOME``) and its archive. Only ``saksi init``, ``saksi up``, the demo and,
after a question, ``saksi camera add`` make one: everywhere else a mistyped home would be an empty archive
that answers "no footage", and footage would be recorded where nobody looks for it.

A home that has an index or a spool but no archive was used before. Its archive's disk is probably not
mounted, so nothing makes a second archive there.
"""

from enum import StrEnum
from pathlib import Path

from archive.clock import Clock
from archive.errors import NotFound, Refused, Unavailable
from archive.objects.locations import FileLocation, open_stores, parse_archive_url
from ops.settings import Settings


class State(StrEnum):
    """What is found where the settings point."""

    THERE = "there"
    NEW = "new"
    LOST = "lost"


def state_of(settings: Settings) -> State:
    """What stands at the home and at the archive's address.

    Buckets are not asked for here: an archive on S3 needs only its home, and a bucket that does not exist is
    refused by the store.

    Raises:
        Malformed: ``bad_archive_url``.
        Refused: ``home_closed``: this user may not look.
    """
    location = parse_archive_url(settings.archive_url)
    try:
        if not isinstance(location, FileLocation):
            return State.THERE if settings.home.is_dir() else State.NEW
        if (location.folder / "records").is_dir():
            return State.THERE
        used = _holds_something(settings.home / "index") or _holds_something(settings.spool_dir)
    except PermissionError as error:
        raise Refused(
            f"{error.filename} may not be read by this user",
            code="home_closed",
            hint="Run the command as the user that the installation belongs to, such as: sudo -u saksi …",
        ) from error
    return State.LOST if used else State.NEW


def _holds_something(folder: Path) -> bool:
    """An empty folder may have been prepared for a new installation."""
    return folder.is_dir() and any(folder.iterdir())


def require(settings: Settings) -> None:
    """Insist on an installation.

    Raises:
        NotFound: ``no_installation``.
        Unavailable: ``archive_lost``.
    """
    state = state_of(settings)
    if state is State.NEW:
        raise NotFound(
            f"there is no Saksi installation in {settings.home}",
            code="no_installation",
            hint="Check SAKSI_HOME and SAKSI_ARCHIVE_URL. For a new installation: saksi init",
        )
    if state is State.LOST:
        raise _lost(settings)


def make(settings: Settings, clock: Clock) -> bool:
    """Make the home, and an archive in a folder; False if the installation is there already.

    Raises:
        Unavailable: ``archive_lost``, or a folder cannot be made.
    """
    match state_of(settings):
        case State.THERE:
            return False
        case State.LOST:
            raise _lost(settings)
    _make_home(settings.home)
    location = parse_archive_url(settings.archive_url)
    if isinstance(location, FileLocation):
        open_stores(location, clock)
    return True


def _make_home(home: Path) -> None:
    try:
        home.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{home} cannot be made: {error.strerror}",
            code="home_unwritable",
            hint="Check SAKSI_HOME, and the owner and mode of the folder above it.",
        ) from error


def _lost(settings: Settings) -> Unavailable:
    return Unavailable(
        f"{settings.home} was used before, and its archive is not at {settings.archive_url}",
        code="archive_lost",
        hint="Mount the archive's disk, or correct SAKSI_ARCHIVE_URL. Nothing was made in its place.",
    )
