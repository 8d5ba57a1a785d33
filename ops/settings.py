"""Settings: ``saksi.toml`` in ``SAKSI_HOME``, overridden by ``SAKSI_…`` in the environment.

Unknown keys are refused in both, because a misspelt retention setting must not silently mean the default.
``docs/reference/settings.md`` describes every setting; a test compares it with this module.
"""

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, ValidationError

from api.limits.peers import ForwardingHeader
from archive.errors import Malformed, Refused
from archive.model.camera import OwnerKind
from ops.notices.recipients import NoticeSettings

PREFIX = "SAKSI_"
_FOREIGN = ("SAKSI_TEST_", "SAKSI_STACK_")
"""Prefixes of the variables of the tests and of the development stack."""


def default_home(environ: Mapping[str, str]) -> Path:
    """``SAKSI_HOME``, else ``~/.local/share/saksi``."""
    return Path(environ.get("SAKSI_HOME") or Path.home() / ".local" / "share" / "saksi").absolute()


def _recorder_id() -> str:
    name = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:50]
    return f"rec-{name or 'host'}"


def _words(value: object) -> object:
    """A list from the environment: words separated by commas."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _folders(value: object) -> object:
    """A list of folders from the environment: separated by colons, as in ``PATH``."""
    return tuple(filter(None, value.split(":"))) if isinstance(value, str) else value


class Settings(BaseModel):
    """All settings of one site. Paths are absolute; durations carry their unit in the name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path
    archive_url: str = Field(
        default="", description="Where objects are stored: file://DIR or s3://NAME?endpoint=…&region=…"
    )
    index_url: str = Field(
        default="", description="The index: sqlite:///PATH or http(s)://HOST:PORT[,HOST:PORT…]"
    )
    index_ca_file: Path | None = Field(
        default=None, description="Certificates that may have signed that of an https index, in PEM"
    )
    index_api_key_file: Path | None = Field(
        default=None, description="File with the API key of the index, readable by its owner only"
    )
    index_prefix: str = Field(default="saksi", description="Prefix of Elasticsearch index names")
    keys_dir: Path = Field(
        default=Path(), description="Seal, recorder and secret keys; back it up separately"
    )
    passphrase_dir: Path | None = Field(
        default=None,
        description="Folder of <role>.passphrase for encrypted keys; else systemd's CREDENTIALS_DIRECTORY",
    )
    spool_dir: Path = Field(default=Path(), description="Where segments wait until the store has them")
    spool_quota_mib: int = Field(default=20_480, ge=64, description="Spool size at which recording stops")
    metrics_camera_series: int = Field(
        default=2000, ge=0, description="Most cameras with metrics of their own; with more, none has; 0: none"
    )
    recorder: str = Field(default_factory=_recorder_id, description="This host's recorder id")
    adopt_after_minutes: int = Field(
        default=60, ge=20, description="How long a recorder is silent before others sign for what it stored"
    )
    etcd_urls: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="etcd servers through which recorders share cameras, such as https://HOST:2379, a list or"
        " with commas; if unset, this host records every camera",
    )
    etcd_prefix: str = Field(
        default="saksi",
        pattern=r"^[A-Za-z0-9._-]{1,60}$",
        description="Where in etcd the recorders' names are",
    )
    etcd_ca_file: Path | None = Field(
        default=None, description="Certificates that may have signed those of https etcd servers, in PEM"
    )
    etcd_certificate_file: Path | None = Field(
        default=None, description="This host's certificate for etcd, in PEM; with etcd_key_file"
    )
    etcd_key_file: Path | None = Field(
        default=None, description="Key of that certificate, in PEM, readable by its owner only"
    )
    camera_networks: Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="The only networks where cameras may be, such as 10.20.0.0/16; if unset, anywhere except"
        " this machine, its link, and a cloud's metadata service",
    )
    camera_folders: Annotated[tuple[Path, ...], BeforeValidator(_folders)] = Field(
        default=(),
        description="Folders of recordings that may be replayed as cameras, a list or separated by colons;"
        " if unset, none",
    )
    camera_ca_file: Path | None = Field(
        default=None,
        description="The authorities that may have signed the certificates of cameras, in PEM: for rtsps and"
        " https streams and for ONVIF; without it each encrypted stream needs the fingerprint of its own",
    )
    camera_certificates_file: Path | None = Field(
        default=None,
        description="Only for ONVIF with cameras that signed their certificates themselves: these"
        " certificates, in PEM; if set, no authority counts for ONVIF",
    )
    city_box: Annotated[tuple[Decimal, Decimal, Decimal, Decimal], BeforeValidator(_words)] = Field(
        default=(Decimal("-5.27"), Decimal("118.98"), Decimal("-4.72"), Decimal("119.57")),
        description="South, west, north and east edge of the city in degrees; a camera outside gets a remark",
    )
    areas_file: Path | None = Field(
        default=None,
        description="CSV code,name,level of the city's kecamatan and kelurahan; if unset, those of Makassar",
    )
    map_tiles_url: str = Field(
        default="",
        description="Template of map tiles with {z}, {x} and {y}, best from a server of the city's own;"
        " if unset, a plain map",
    )
    map_tiles_attribution: str = Field(
        default="", description="Whom the map names as the source of its tiles"
    )
    map_tiles_closest: int = Field(
        default=19, ge=1, le=22, description="Zoom of the most detailed tiles that the server has"
    )
    map_outlines_file: Path | None = Field(
        default=None, description="GeoJSON with outlines of districts for the map; if unset, none"
    )
    retention_floor_days: int = Field(default=30, ge=1, description="Object Lock on new segments")
    shortening_wait_hours: int = Field(
        default=24, ge=1, description="Time between the approval of a shorter retention and its beginning"
    )
    hold_max_future_days: int = Field(
        default=366, ge=1, description="How far into the future a hold's span may reach"
    )
    records_lock_days: int = Field(default=3650, ge=1, description="Object Lock on ledger, journal, custody")
    log_origin: str = Field(default="saksi.makassar/log", description="The log's name in every checkpoint")
    checkpoint_minutes: int = Field(
        default=60, ge=1, le=1440, description="Pause between checkpoints: an insider's forgery window"
    )
    log_witness_urls: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(), description="Witnesses that receive checkpoints: https addresses, a list or with commas"
    )
    archive_quota_gib: int = Field(
        default=0,
        ge=0,
        description="Capacity for footage in the store; 0: that of the disk of an archive in a folder",
    )
    archive_amber_percent: int = Field(
        default=85, ge=1, le=100, description="Above this, Saksi sends an alert"
    )
    archive_red_percent: int = Field(
        default=95, ge=1, le=100, description="Above this, Saksi destroys footage where a policy permits it"
    )
    pressure_owners: Annotated[tuple[OwnerKind, ...], BeforeValidator(_words)] = Field(
        default=(OwnerKind.BUSINESS, OwnerKind.WORSHIP, OwnerKind.PUBLIC, OwnerKind.GOVERNMENT),
        description="Whose footage of one day is destroyed first when the store is full",
    )
    letter_due_hours: int = Field(
        default=24, ge=1, description="Time within which the letter of an urgent request must arrive"
    )
    request_max_camera_hours: int = Field(
        default=48, ge=1, description="Camera-hours that one request may hold, unless the War Room raises it"
    )
    agency_max_open_camera_hours: int = Field(
        default=480, ge=1, description="Camera-hours that all open requests of one agency may hold"
    )
    request_release_after_days: int = Field(
        default=7,
        ge=0,
        description="Time after which a rejected or cancelled request's hold is released by rule",
    )
    attachment_max_mib: int = Field(default=20, ge=1, le=100, description="Largest attachment of a request")
    evidence_lock_days: int = Field(default=3650, ge=1, description="COMPLIANCE lock on sealed packages")
    handover_downloads: int = Field(
        default=3, ge=1, le=100, description="How many times a recipient may download a handed-over package"
    )
    handover_hours: int = Field(
        default=72, ge=1, le=744, description="How long a recipient may download a handed-over package"
    )
    journal_upload_seconds: int = Field(
        default=60, ge=1, le=60, description="Longest time before a journal line is uploaded"
    )
    fixity_mib_per_second: int = Field(
        default=32, ge=0, description="How fast the fixity scrub may read, in MiB/s; 0 turns it off"
    )
    fixity_days: int = Field(default=30, ge=1, description="Number of days in which everything is read once")
    skim_cache_mib: int = Field(
        default=4096,
        ge=16,
        description="Most MiB of thumbnails and activity in the cache; the oldest go first",
    )
    export_cache_gib: int = Field(
        default=200, ge=1, description="Room for all exports in the cache; an order beyond it is refused"
    )
    tsa_url: str = Field(default="", description="RFC 3161 authority; empty for the local one")
    host: str = Field(default="127.0.0.1", description="Address the API listens on")
    port: int = Field(default=8480, ge=0, le=65535, description="Port the API listens on")
    public_url: str = Field(
        default="",
        description="Where browsers reach the API, such as https://saksi.example; if unset, host and port",
    )
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="Further host names the API answers to, besides public_url's, localhost and IP addresses",
    )
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(),
        description="Networks of proxies whose client address header is trusted, such as 10.0.0.5/32",
    )
    forwarding_header: ForwardingHeader = Field(
        default=ForwardingHeader.X_FORWARDED_FOR,
        description="The header they set: x-forwarded-for or forwarded; the other is ignored",
    )
    rate_address: int = Field(
        default=30_000, ge=0, description="Requests a minute from one address; 0: no limit"
    )
    rate_sign_in: int = Field(default=120, ge=0, description="Sign-ins a minute from one address")
    rate_stranger: int = Field(default=120, ge=0, description="Unknown tokens a minute from one address")
    rate_search: int = Field(default=1_200, ge=0, description="Read requests a minute by one person")
    rate_media: int = Field(default=6_000, ge=0, description="Media requests a minute by one person")
    rate_write: int = Field(default=240, ge=0, description="Changes a minute by one person")
    session_idle_minutes: int = Field(
        default=30, ge=1, description="Time without use after which a session ends"
    )
    session_hours: int = Field(default=12, ge=1, le=24, description="Time after which every session ends")
    session_check_seconds: int = Field(
        default=25,
        ge=1,
        le=30,
        description="How often Saksi asks the OpenID provider whether a session is still valid",
    )
    roster_seconds: int = Field(default=5, ge=1, le=15, description="How old cached people and grants may be")
    oidc_issuer: str = Field(default="", description="OpenID provider; empty for local accounts only")
    oidc_client_id: str = Field(default="saksi", description="This installation's name at the provider")
    oidc_audience: str = Field(default="saksi-api", description="The audience that access tokens must name")
    oidc_user_claim: str = Field(default="preferred_username", description="Claim with the person's name")
    oidc_roles_claim: str = Field(default="realm_access.roles", description="Claim with their roles")
    oidc_districts_claim: str = Field(default="kecamatan", description="Claim with their districts")
    oidc_agency_claim: str = Field(default="agency", description="Claim with their agency")
    notices: NoticeSettings = Field(
        default_factory=NoticeSettings,
        description="Recipients of notices, by mail and webhook; a table, see the guide on notices",
    )
    time_zone: str = Field(default="Asia/Makassar", description="Time zone of all times shown to people")
    organization: str = Field(
        default="Pemerintah Kota Makassar", description="Named in packages as their source organisation"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the file and the environment.

        Raises:
            Malformed: ``bad_setting``, naming the setting, where it was read, and what it should be.
            Refused: ``home_closed``: this user may not read the file.
        """
        home = default_home(environ)
        values: dict[str, Any] = {}
        path = home / "saksi.toml"
        try:
            text = path.read_text("utf-8") if path.is_file() else None
            if text is not None:
                values.update(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Malformed(f"{path.name} cannot be read: {error}", code="bad_setting") from error
        except OSError as error:
            raise Refused(
                f"{path} cannot be read: {error.strerror}",
                code="home_closed",
                hint="Run the command as the user that the installation belongs to, such as: sudo -u saksi …",
            ) from error
        if text is not None:
            if "home" in values:
                raise Malformed(
                    "home cannot be set in saksi.toml", code="bad_setting", hint="Set SAKSI_HOME instead."
                )
        for name, value in environ.items():
            if name.startswith(PREFIX) and not name.startswith(_FOREIGN) and name != "SAKSI_HOME":
                values[name.removeprefix(PREFIX).lower()] = value
        values["home"] = home
        if environ.get("CREDENTIALS_DIRECTORY"):
            values.setdefault("passphrase_dir", environ["CREDENTIALS_DIRECTORY"])
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
