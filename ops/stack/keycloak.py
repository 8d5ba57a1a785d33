"""Keycloak: the OpenID provider of a city, with the people of one story in it.

The first start draws the passwords and secrets and stores them beside the data with mode 0600, so that the
realm file in the repository holds no secrets.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.stack import folders, jdk
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.record import write_whole
from ops.stack.wire import answers

REALM = "saksi"
REALM_FILE = Path(__file__).resolve().parent.parent / "deploy" / "keycloak" / "saksi-realm.json"
_COORDINATE = "org.keycloak:keycloak-quarkus-dist:zip"
_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A development Keycloak on the loopback interface, with the realm ``saksi``. Optional."""

    name: str = "keycloak"
    version: str = "26.7.3"
    patience: float = 300

    @property
    def ports(self) -> Mapping[str, int]:
        """The HTTP port."""
        return {"keycloak": 19080}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Find a JDK, then download and unpack Keycloak. Errors of both steps pass through."""
        jdk.find()

        def make(folder: Path) -> None:
            # Imported late: the import takes longer than a whole `up` that finds everything running.
            from ops.stack import maven

            maven.fetch(f"{_COORDINATE}:{self.version}", _SHA256, into=folder, progress=progress)

        return cache.get(self.name, self.version, make, progress)

    def prepare(self, room: Room) -> Launch:
        """Copy the program, which writes into its own folder, and the realm with fresh passwords.

        Raises ``Unavailable`` (``stack_jdk_missing``, ``stack_folder_closed``).
        """
        home = room.folder / f"keycloak-{self.version}"
        if not home.exists():
            draft = room.folder / "copying"
            shutil.rmtree(draft, ignore_errors=True)
            shutil.copytree(room.program, draft)
            draft.rename(home)
        secrets_ = _secrets(room)
        imported = home / "data" / "import"
        imported.mkdir(parents=True, exist_ok=True)
        write_whole(imported / "saksi-realm.json", json.dumps(_realm(secrets_)), mode=0o600)
        return Launch(
            argv=[
                str(home / "bin/kc.sh"), "start-dev", "--import-realm", "--http-host=127.0.0.1",
                f"--http-port={room.ports['keycloak']}", "--cache=local", "--log-level=warn",
            ],
            env={
                "PATH": os.defpath,
                "HOME": str(room.folder),
                "JAVA_HOME": str(jdk.find()),
                "JAVA_OPTS_KC_HEAP": "-Xms96m -Xmx512m",
                "KC_BOOTSTRAP_ADMIN_USERNAME": secrets_["admin_user"],
                "KC_BOOTSTRAP_ADMIN_PASSWORD": secrets_["admin_password"],
            },
            cwd=room.folder,
        )  # fmt: skip

    def healthy(self, room: Room) -> bool:
        """Query the description of the realm: once it answers, the realm is imported."""
        return answers(f"{self.issuer(room)}/.well-known/openid-configuration")

    def settle(self, room: Room) -> None:
        """Nothing to do: the realm was imported at the start."""

    def environment(self, room: Room) -> dict[str, str]:
        """The issuer for programs; the administrator, passwords and secrets for tests."""
        secrets_ = _secrets(room)
        return {
            "SAKSI_OIDC_ISSUER": self.issuer(room),
            "SAKSI_OIDC_CLIENT_ID": "saksi",
            "SAKSI_TEST_KEYCLOAK_URL": room.url("keycloak"),
            "SAKSI_TEST_KEYCLOAK_SECRETS": json.dumps(secrets_, separators=(",", ":")),
        }

    @staticmethod
    def issuer(room: Room) -> str:
        """The realm's issuer."""
        return f"{room.url('keycloak')}/realms/{REALM}"


def _realm(secrets_: Mapping[str, Any]) -> dict[str, Any]:
    """The realm file with a password for each person and a secret for each machine."""
    realm: dict[str, Any] = json.loads(REALM_FILE.read_text("utf-8"))
    for user in realm["users"]:
        password = secrets_["passwords"][user["username"]]
        user["credentials"] = [{"type": "password", "value": password, "temporary": False}]
    for client in realm["clients"]:
        if not client["publicClient"]:
            client["secret"] = secrets_["clients"][client["clientId"]]
    return realm


def _secrets(room: Room) -> dict[str, Any]:
    file = room.folder / "credentials.json"
    if not file.exists():
        realm = json.loads(REALM_FILE.read_text("utf-8"))
        fresh = {
            "admin_user": f"root-{secrets.token_hex(4)}",
            "admin_password": secrets.token_urlsafe(24),
            "passwords": {user["username"]: secrets.token_urlsafe(18) for user in realm["users"]},
            "clients": {
                client["clientId"]: secrets.token_urlsafe(24)
                for client in realm["clients"]
                if not client["publicClient"]
            },
        }
        write_whole(file, json.dumps(fresh), mode=0o600)
    try:
        kept: dict[str, Any] = json.loads(file.read_text())
    except PermissionError as error:
        raise folders.unwritable(file, error) from error
    return kept
