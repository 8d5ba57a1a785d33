"""Settings: ``saksi.toml`` in ``SAKSI_HOME``, overridden by ``SAKSI_…`` in the environment.

Unknown keys are refused in both, because a misspelt retention setting must not pass as the default. Every
setting is described in ``docs/reference/settings.md``, which a test holds to this module.
"""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive.errors import Malformed

PREFIX = "SAKSI_"
_FOREIGN = ("SAKSI_TEST_", "SAKSI_STACK_")
"""Prefixes of variables that belong to the tests and to the development stack."""


def default_home(environ: Mapping[str, str]) -> Path:
    """``SAKSI_HOME``, else ``~/.local/share/saksi``."""
    return Path(environ.get("SAKSI_HOME") or Path.home() / ".local" / "share" / "saksi").absolute()


def _recorder_id() -> str:
    name = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:50]
    return f"rec-{name or 'host'}"


class Settings(BaseModel):
    """All settings of one site. Paths are absolute; durations carry their unit in the name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path
    archive_url: str = Field(
        default="", description="Where objects live: file://DIR or s3://NAME?endpoint=…&region=…"
    )
    index_url: str = Field(default="", description="The index: sqlite:///PATH or http(s)://HOST:PORT")
    index_prefix: str = Field(default="saksi", description="Prefix of Elasticsearch index names")
    keys_dir: Path = Field(default=Path(), description="Seal, recorder and secret keys; back it up apart")
    spool_dir: Path = Field(default=Path(), description="Where segments wait until the store has them")
    spool_quota_mib: int = Field(default=20_480, ge=64, description="Spool size at which recording stops")
    recorder: str = Field(default_factory=_recorder_id, description="This host's recorder id")
    retention_floor_days: int = Field(default=30, ge=1, description="Object Lock on new segments")
    records_lock_days: int = Field(default=3650, ge=1, description="Object Lock on ledger, journal, custody")
    evidence_lock_days: int = Field(default=3650, ge=1, description="COMPLIANCE lock on sealed packages")
    journal_upload_seconds: int = Field(default=60, ge=1, le=60, description="Longest wait of a journal line")
    tsa_url: str = Field(default="", description="RFC 3161 authority; empty for the local one")
    host: str = Field(default="127.0.0.1", description="Address the API listens on")
    port: int = Field(default=8480, ge=0, le=65535, description="Port the API listens on")
    time_zone: str = Field(default="Asia/Makassar", description="Time zone of everything people look at")
    organization: str = Field(
        default="Pemerintah Kota Makassar", description="Named in packages as their source"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the file and the environment.

        Raises:
            Malformed: ``bad_setting`` naming the setting, where it was read, and what it should be.
        """
        home = default_home(environ)
        values: dict[str, Any] = {}
        path = home / "saksi.toml"
        if path.is_file():
            try:
                values.update(tomllib.loads(path.read_text("utf-8")))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise Malformed(f"{path.name} cannot be read: {error}", code="bad_setting") from error
            if "home" in values:
                raise Malformed(
                    "home cannot be set in saksi.toml", code="bad_setting", hint="Set SAKSI_HOME instead."
                )
        for name, value in environ.items():
            if name.startswith(PREFIX) and not name.startswith(_FOREIGN) and name != "SAKSI_HOME":
                values[name.removeprefix(PREFIX).lower()] = value
        values["home"] = home
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            setting = ".".join(str(part) for part in first["loc"])
            raise Malformed(
                f"setting {setting}: {first['msg']}",
                code="bad_setting",
                hint="docs/reference/settings.md lists every setting with its default.",
            ) from error

    def model_post_init(self, context: Any) -> None:
        """Fill the defaults that depend on ``home``."""
        fill = {
            "archive_url": f"file://{self.home / 'archive'}",
            "index_url": f"sqlite:///{self.home / 'index' / 'index.sqlite'}",
        }
        for name, value in fill.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        for name, folder in (("keys_dir", "keys"), ("spool_dir", "spool")):
            path: Path = getattr(self, name)
            object.__setattr__(self, name, (self.home / folder) if path == Path() else path.absolute())
