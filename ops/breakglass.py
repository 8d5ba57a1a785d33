"""Break-glass on an installation: what destroys the footage, and with which credential.

The root credential comes from a prompt or a file. It lives only while the command runs, and is never stored.
"""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from archive.errors import Malformed, Refused
from archive.lifecycle.breakglass.job import Destroyer, Execution, Progress
from archive.objects.filesystem.bypass import LockedDestroyer as FolderDestroyer
from archive.objects.locations import FileLocation, parse_archive_url
from ops.disposition import Dispositions
from ops.wiring import Site

if TYPE_CHECKING:
    from archive.objects.s3.bypass import RootCredential


def needs_credential(site: Site) -> bool:
    """Whether the archive is in a store with credentials; for a folder, write permission is enough."""
    return not isinstance(parse_archive_url(site.settings.archive_url), FileLocation)


def read_credential(path: Path) -> "RootCredential":
    """The root credential in a file: the access key on the first line, the secret on the second.

    Raises:
        Malformed: ``bad_credential``: the file cannot be read, or has another form.
        Refused: ``credential_exposed``: other users may read it.
    """
    from archive.objects.s3.bypass import RootCredential

    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Refused(
                f"{path.name} is readable by others", code="credential_exposed", hint="chmod 600 it."
            )
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path.name} cannot be read", code="bad_credential") from error
    if len(lines) != 2:
        raise Malformed(
            f"{path.name} is not a credential file",
            code="bad_credential",
            hint="Write the access key on the first line and the secret on the second.",
        )
    return RootCredential(*lines)


def execution_of(
    site: Site, credential: "RootCredential | None", *, endpoint: str = "", progress: Progress
) -> Execution:
    """The execution of orders here. ``endpoint`` is the store's own address, if a proxy is in front of it.

    Raises:
        NotFound: ``keys_not_found``: the log key, which signs the record, is missing.
        Refused: ``store_credentials_missing``.
    """
    return Execution(
        stores=site.stores,
        index=site.index,
        ledger=site.ledger,
        clock=site.clock,
        destroyer=_destroyer(site, credential, endpoint),
        closer=Dispositions(site).disposer,
        lock_days=site.settings.records_lock_days,
        progress=progress,
    )


def _destroyer(site: Site, credential: "RootCredential | None", endpoint: str) -> Destroyer:
    location = parse_archive_url(site.settings.archive_url)
    if isinstance(location, FileLocation):
        return FolderDestroyer(location.folder / "footage", site.clock)
    if credential is None:
        raise Refused(
            "locked footage is destroyed with the store's root credential",
            code="store_credentials_missing",
            hint="Give --credential-file, or enter it at the prompt.",
        )
    from archive.objects.s3.bypass import LockedDestroyer

    return LockedDestroyer.connect(endpoint or location.endpoint, location.region, location.name, credential)
