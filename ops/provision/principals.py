"""Makes accounts on MinIO; their secrets are written to files and never shown.

**Provisioning an account**: 1 make its secret and write it to its file · 2 put its policy on the store · 3
make the account with that secret · 4 attach the policy. Each step can be repeated: a second run with the same
files makes the accounts as the files describe them.
"""

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from minio import MinioAdmin
from minio.error import MinioAdminException

from archive.durable import UNFINISHED, disk_errors, sync_folder, write_all
from archive.errors import Malformed, Refused
from ops.provision.accounts import Account
from ops.provision.connection import connect_admin, is_absent, translated

FOLDER = "store-accounts"
_SECRET = re.compile(r"AWS_SECRET_ACCESS_KEY=([A-Za-z0-9_-]{20,})$", re.MULTILINE)
_SECRET_BYTES = 30


@dataclass(frozen=True, slots=True)
class Principal:
    """An account on the store. ``environment`` is the file of variables with which a program uses it."""

    account: Account
    access_key: str
    environment: Path
    fresh: bool


def provision_accounts(
    endpoint: str,
    access_key: str,
    secret_key: str,
    archive: str,
    accounts: Iterable[Account],
    *,
    keys_dir: Path,
    rotate: bool = False,
    region: str | None = None,
) -> list[Principal]:
    """Make the accounts, or bring their policies up to date; existing secrets stay unless ``rotate``.

    Raises:
        Malformed: ``store_endpoint_invalid``, ``account_file_unreadable``.
        Refused: ``account_secret_elsewhere``: the account exists and its file is not here, so a new secret
            would lock out the host that has the file; ``store_access_denied``.
        Unavailable: ``store_unavailable``, ``store_accounts_unavailable``, and the disk.
    """
    admin = connect_admin(endpoint, access_key, secret_key, region)
    folder = keys_dir / FOLDER
    with disk_errors("the accounts' secrets"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    return [_provision(admin, archive, account, folder, rotate=rotate) for account in accounts]


def _provision(admin: MinioAdmin, archive: str, account: Account, folder: Path, *, rotate: bool) -> Principal:
    name, file = account.access_key(archive), folder / f"{account.name}.env"
    doing = f"making the account {name}"
    fresh = rotate or not file.exists()
    if fresh:
        if not rotate and _exists(admin, name, doing):
            raise Refused(
                f"the account {name} exists, and its secret is not in {FOLDER}",
                code="account_secret_elsewhere",
                hint="copy the file from the host that has it, or make a new secret with --rotate",
            )
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        _write_secretly(file, f"AWS_ACCESS_KEY_ID={name}\nAWS_SECRET_ACCESS_KEY={secret}\n")
    else:
        secret = _kept_secret(file)
    with translated(doing):
        admin.policy_add(name, policy=account.policy(archive))
        admin.user_add(name, secret)
        admin.policy_set(name, user=name)
    return Principal(account, name, file, fresh)


def _exists(admin: MinioAdmin, name: str, doing: str) -> bool:
    with translated(doing):
        try:
            admin.user_info(name)
        except MinioAdminException as error:
            if is_absent(error):
                return False
            raise
    return True


def _kept_secret(file: Path) -> str:
    with disk_errors(file.name):
        match = _SECRET.search(file.read_text("ascii", errors="replace"))
    if match is None:
        raise Malformed(
            f"{file.name} holds no secret",
            code="account_file_unreadable",
            hint="restore it from the backup of the keys, or make a new secret with --rotate",
        )
    return match[1]


def _write_secretly(file: Path, text: str) -> None:
    """Replace a file that no other user can read at any moment; durable when this returns."""
    unfinished = file.with_name(file.name + UNFINISHED)
    with disk_errors(file.name):
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, text.encode("ascii"))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.rename(file)
        sync_folder(file.parent)
