"""Makes the boto3 client: signing, checksums, time limits, connections, the source of credentials."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.utils import parse_timestamp

from archive.errors import Malformed, Refused
from archive.objects.s3.endpoints import OnlyS3
from archive.objects.s3.quick import QuickRequests
from archive.objects.s3.trouble import translated

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a store: the client, and quick requests for a store with its own address."""

    client: "S3Client"
    quick: QuickRequests | None


def connect(
    endpoint: str | None,
    region: str | None = None,
    *,
    pool_size: int = 32,
    connect_timeout: float = 3.0,
    read_timeout: float = 20.0,
) -> Connection:
    """Connect to the store at ``endpoint``; without one, to AWS. Thread-safe; stores may share it.

    Credentials come from the usual AWS variables or files. With an endpoint the store is reached directly,
    not through a proxy from the environment, and credentials never come from a cloud's metadata service.
    Nothing is sent before the first call.

    ``pool_size`` is the number of connections kept open: as many as threads use the stores. Times are in
    seconds; ``read_timeout`` applies to each wait, not to a whole body.

    Raises:
        Malformed: ``bad_archive_url`` for an invalid endpoint.
        Refused: ``store_credentials_missing``.
    """
    region = region or DEFAULT_REGION
    session = botocore.session.get_session()
    # dateutil, botocore's own parser, takes 90 µs per time, which is most of the cost of a listing.
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    if endpoint is not None:
        providers = session.get_component("credential_provider")
        providers.remove("container-role")
        providers.remove("iam-role")
        session.get_component("data_loader").file_loader = OnlyS3()
    timeouts = (connect_timeout, read_timeout)
    with translated("connecting to the object store"):
        credentials = session.get_credentials()
        if credentials is None:
            raise Refused(
                "there are no credentials for the object store",
                code="store_credentials_missing",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            )
        try:
            client = boto3.Session(botocore_session=session).client(
                "s3", endpoint_url=endpoint, region_name=region, config=_config(endpoint, pool_size, timeouts)
            )
        except ValueError as error:
            raise Malformed(
                f"{endpoint!r} is not the address of an object store",
                code="bad_archive_url",
                hint="Give scheme, host and port, as in http://127.0.0.1:9000.",
            ) from error
    if endpoint is None:
        return Connection(client, None)
    verify = session.get_config_variable("ca_bundle") or True
    quick = QuickRequests(
        credentials, endpoint, region, pool_size=pool_size, timeouts=timeouts, verify=verify
    )
    return Connection(client, quick)


def connect_client(endpoint: str | None, region: str | None = None) -> "S3Client":
    """The boto3 client of :func:`connect` alone."""
    return connect(endpoint, region).client


def _config(endpoint: str | None, pool_size: int, timeouts: tuple[float, float]) -> Config:
    return Config(
        signature_version="s3v4",
        s3={
            "addressing_style": "auto" if endpoint is None else "path",
            # The signed checksum header covers the body: no second hash over plain HTTP.
            "payload_signing_enabled": False,
        },
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # A put is never repeated blindly; this adapter itself repeats requests that are safe to repeat.
        retries={"total_max_attempts": 1, "mode": "standard"},
        max_pool_connections=pool_size,
        connect_timeout=timeouts[0],
        read_timeout=timeouts[1],
        tcp_keepalive=True,
        proxies=None if endpoint is None else {},
        # Without it botocore composes its own for each request, at 0.1 ms.
        user_agent="saksi",
    )


def _timestamp(value: Any) -> datetime:
    """An ISO 8601 or HTTP date; botocore reads other forms."""
    if isinstance(value, str):
        if value[:1].isdigit() and "T" in value:
            return datetime.fromisoformat(value)
        if value.endswith("GMT"):
            return parsedate_to_datetime(value)
    return parse_timestamp(value)
