"""MinIO: the S3 store with Object Lock.

Upstream no longer publishes binaries, so it is built from the Go module. The version is pinned to the last
release that the module proxy serves and that passes Saksi's conformance suite.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.provision import provision
from ops.stack import folders, golang
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.record import write_whole
from ops.stack.wire import answers

_MODULE_VERSION = "v0.0.0-20250422221226-0d7408fc9969"
_REGION = "us-east-1"
_ARCHIVE = "saksi"
# Long enough to prove that locks hold, short enough that a developer can clean up tomorrow.
_FLOOR_DAYS = 1


@dataclass(frozen=True, slots=True)
class Minio:
    """A single MinIO on one folder, with the three buckets of an archive named ``saksi``."""

    name: str = "minio"
    version: str = "RELEASE.2025-04-22"
    patience: float = 60

    @property
    def ports(self) -> Mapping[str, int]:
        """The S3 port; the console is off."""
        return {"minio": 19000}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Build the server with Go. Errors of ``golang.find`` and ``build.run`` pass through."""

        def make(folder: Path) -> None:
            go = golang.find(cache, progress)
            golang.install(go, "github.com/minio/minio", _MODULE_VERSION, into=folder, progress=progress)

        return cache.get(self.name, self.version, make, progress) / "minio"

    def prepare(self, room: Room) -> Launch:
        """Make the data folder and the root credentials, which are random and then kept."""
        store, certificates = room.folder / "data", room.folder / "certs"
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        certificates.mkdir(exist_ok=True)
        user, password = _credentials(room)
        return Launch(
            argv=[
                str(room.program), "server", "--quiet", "--address", f"127.0.0.1:{room.ports['minio']}",
                "--certs-dir", str(certificates), str(store),
            ],
            env={
                "PATH": os.defpath,
                "HOME": str(room.folder),
                "MINIO_ROOT_USER": user,
                "MINIO_ROOT_PASSWORD": password,
                "MINIO_SITE_REGION": _REGION,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
            },
            cwd=room.folder,
        )  # fmt: skip

    def healthy(self, room: Room) -> bool:
        """Query the probe that needs the disk to be open; the probe `ready` succeeds before that."""
        return answers(room.url("minio") + "/minio/health/cluster")

    def settle(self, room: Room) -> None:
        """Make the buckets. Errors of ``provision`` pass through."""
        user, password = _credentials(room)
        provision(
            room.url("minio"), user, password, _ARCHIVE,
            footage_floor_days=_FLOOR_DAYS, records_lock_days=_FLOOR_DAYS, region=_REGION,
        )  # fmt: skip

    def environment(self, room: Room) -> dict[str, str]:
        """Archive URL and root credentials."""
        user, password = _credentials(room)
        endpoint = room.url("minio")
        return {
            "SAKSI_ARCHIVE_URL": f"s3://{_ARCHIVE}?endpoint={endpoint}&region={_REGION}",
            "AWS_ACCESS_KEY_ID": user,
            "AWS_SECRET_ACCESS_KEY": password,
            "SAKSI_TEST_MINIO_URL": endpoint,
        }


def _credentials(room: Room) -> tuple[str, str]:
    file = room.folder / "credentials.json"
    if not file.exists():
        fresh = {"user": f"root-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(30)}
        write_whole(file, json.dumps(fresh), mode=0o600)
    try:
        kept = json.loads(file.read_text())
    except PermissionError as error:
        raise folders.unwritable(file, error) from error
    return kept["user"], kept["password"]
