"""Connects to the store as its administrator, and translates the library's errors to ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

import urllib3
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import MinioAdminException, MinioException, S3Error

from archive.errors import ArchiveError, Malformed, Refused, Unavailable

_WRONG_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch")


def connect(endpoint: str, access_key: str, secret_key: str, region: str | None) -> Minio:
    """A client for buckets. Raises Malformed ``store_endpoint_invalid``."""
    parts = _address(endpoint)
    return Minio(
        parts.netloc, access_key, secret_key,
        secure=parts.scheme == "https", region=region, http_client=_transport(),
    )  # fmt: skip


def connect_admin(endpoint: str, access_key: str, secret_key: str, region: str | None) -> MinioAdmin:
    """A client for accounts and their policies. Raises Malformed ``store_endpoint_invalid``."""
    parts = _address(endpoint)
    return MinioAdmin(
        endpoint=parts.netloc,
        credentials=StaticProvider(access_key, secret_key),
        region=region or "",
        secure=parts.scheme == "https",
        http_client=_transport(),
    )


def _address(endpoint: str) -> SplitResult:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise Malformed(
            f"{endpoint!r} is not an endpoint of a store",
            code="store_endpoint_invalid",
            hint="give only scheme, host and port, as in http://127.0.0.1:19000",
        )
    return parts


def _transport() -> urllib3.PoolManager:
    # The library's own client waits five minutes for an answer. A MinIO that is still starting answers
    # "Retry-After: one minute", and is ready after a second.
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5, read=30),
        retries=urllib3.Retry(
            total=6,
            connect=1,
            backoff_factor=0.2,
            status_forcelist=[502, 503, 504],
            allowed_methods=None,
            respect_retry_after_header=False,
        ),
    )


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """The one place where errors of minio-py, and of urllib3 below it, become ours."""
    try:
        yield
    except S3Error as error:
        raise _translate(doing, error) from error
    except MinioAdminException as error:
        raise _translate_admin(doing, error) from error
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise Unavailable(
            f"{doing}: the store does not answer ({error})",
            code="store_unavailable",
            hint="check that it runs and that the endpoint is right",
        ) from error
    except ValueError as error:
        # The library raises this before it sends anything.
        raise Malformed(f"{doing}: {error}", code="bucket_name_invalid") from error


def _translate(doing: str, error: S3Error) -> ArchiveError:
    if error.code in _WRONG_CREDENTIALS:
        return Refused(
            f"{doing}: the store does not know these credentials",
            code="store_credentials_wrong",
            hint="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if error.code == "AccessDenied":
        return Refused(
            f"{doing}: the credentials do not permit it",
            code="store_access_denied",
            hint="provision with an administrator's credentials",
        )
    return Unavailable(f"{doing}: {error.code}: {error.message}", code="store_unavailable")


def is_absent(error: MinioAdminException) -> bool:
    """Whether the store answered that the account does not exist."""
    return "XMinioAdminNoSuchUser" in error._body


def _translate_admin(doing: str, error: MinioAdminException) -> ArchiveError:
    if any(code in error._body for code in (*_WRONG_CREDENTIALS, "AccessDenied")):
        return Refused(
            f"{doing}: the credentials do not permit it",
            code="store_access_denied",
            hint="provision with an administrator's credentials, directly and not through the proxy",
        )
    return Unavailable(
        f"{doing}: the store answers {error._code}",
        code="store_accounts_unavailable",
        hint="Saksi makes accounts only on MinIO; on another store make them from `saksi store accounts`",
    )
