"""Each answer of an S3 store as the archive's error, including answers that our MinIO never gives."""

import botocore.exceptions as bot
import pytest
import urllib3
from botocore.exceptions import ClientError

from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound, Refused, StoreFull, Unavailable
from archive.objects.s3.repeat import repeated, waits
from archive.objects.s3.trouble import Taken, translated

SECRET = "the-secret-part"


def answer(
    code: str, status: int = 400, message: str = "", headers: dict[str, str] | None = None
) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"{message} {SECRET}"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": headers or {},
                "RequestId": "",
                "HostId": "",
                "RetryAttempts": 0,
            },
        },
        "Operation",
    )


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (answer("NoSuchKey", 404), NotFound, "not_found"),
        (answer("NoSuchVersion", 404), NotFound, "not_found"),
        (answer("404", 404), NotFound, "not_found"),
        (answer("MethodNotAllowed", 405), NotFound, "not_found"),
        (answer("InvalidArgument", 400, "Invalid version id specified"), NotFound, "not_found"),
        (answer("NoSuchBucket", 404), Unavailable, "bucket_missing"),
        (answer("404", 404, headers={"x-minio-error-code": "NoSuchBucket"}), Unavailable, "bucket_missing"),
        (answer("BadDigest"), IntegrityError, "checksum_mismatch"),
        (answer("XAmzContentChecksumMismatch"), IntegrityError, "checksum_mismatch"),
        (answer("XMinioStorageFull", 507), StoreFull, "store_full"),
        (answer("Whatever", 507), StoreFull, "store_full"),
        (answer("XMinioAdminBucketQuotaExceeded"), StoreFull, "store_full"),
        (answer("AccessDenied", 403), Refused, "store_access_denied"),
        (answer("403", 403), Refused, "store_access_denied"),
        (answer("InvalidAccessKeyId", 403), Refused, "store_credentials_wrong"),
        (answer("SignatureDoesNotMatch", 403), Refused, "store_credentials_wrong"),
        (answer("RequestTimeTooSkewed", 403), Unavailable, "store_clock_skewed"),
        (answer("InvalidRequest", 400, "Object is WORM protected"), Refused, "store_locked"),
        (
            answer("InvalidRequest", 400, "Bucket is missing ObjectLockConfiguration"),
            Refused,
            "bucket_without_lock",
        ),
        (
            answer("InvalidRequest", 400, "the retain until date must be in the future"),
            Malformed,
            "lock_in_the_past",
        ),
        (answer("MetadataTooLarge"), Malformed, "bad_metadata"),
        (answer("EntityTooLarge"), Malformed, "object_too_large"),
        (answer("KeyTooLongError"), Malformed, "bad_key"),
        (answer("XMinioParentIsObject"), Refused, "store_refused"),  # a strange object is in the way
        (answer("InvalidRange", 416), Malformed, "bad_range"),
        (answer("SlowDown", 503), Unavailable, "store_unavailable"),
        (answer("SlowDownWrite", 503), Unavailable, "store_unavailable"),
        (answer("ConditionalRequestConflict", 409), Unavailable, "store_unavailable"),
        (answer("InternalError", 500), Unavailable, "store_unavailable"),
        (answer("", 502), Unavailable, "store_unavailable"),
        (answer("XMinioServerNotInitialized", 503), Unavailable, "store_unavailable"),
        (answer("InvalidRequest", 400, "something new"), Refused, "store_refused"),
        (bot.EndpointConnectionError(endpoint_url=SECRET), Unavailable, "store_unavailable"),
        (bot.ConnectionClosedError(endpoint_url=SECRET), Unavailable, "store_unavailable"),
        (bot.ReadTimeoutError(endpoint_url=SECRET), Unavailable, "store_timeout"),
        (bot.ConnectTimeoutError(endpoint_url=SECRET), Unavailable, "store_timeout"),
        (bot.SSLError(endpoint_url=SECRET, error=OSError(SECRET)), Unavailable, "store_unavailable"),
        (bot.ResponseStreamingError(error=SECRET), Unavailable, "store_unavailable"),
        (bot.IncompleteReadError(actual_bytes=1, expected_bytes=2), Unavailable, "store_unavailable"),
        (bot.HTTPClientError(error=OSError(SECRET)), Unavailable, "store_unavailable"),
        (bot.HTTPClientError(error=Malformed("ours", code="bad_key")), Malformed, "bad_key"),
        (bot.NoCredentialsError(), Refused, "store_credentials_missing"),
        (
            bot.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            Refused,
            "store_credentials_missing",
        ),
        (bot.ParamValidationError(report=SECRET), Malformed, "bad_request"),
        (bot.FlexibleChecksumError(error_msg=SECRET), IntegrityError, "object_altered"),
        (urllib3.exceptions.ProtocolError(SECRET), Unavailable, "store_unavailable"),
        (urllib3.exceptions.MaxRetryError(pool=None, url=SECRET), Unavailable, "store_unavailable"),  # type: ignore[arg-type]
        (ConnectionResetError(104, SECRET), Unavailable, "store_unavailable"),
    ],
)
def test_translation(error: Exception, kind: type[ArchiveError], code: str) -> None:
    with pytest.raises(ArchiveError) as caught, translated("reading a/b"):
        raise error
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_a_taken_key() -> None:
    for code in ("PreconditionFailed", "412"):
        with pytest.raises(Taken), translated("storing a/b"):
            raise answer(code, 412)


def test_our_own_errors_pass() -> None:
    with pytest.raises(StoreFull), translated("storing a/b"):
        raise StoreFull("full")


class Flaky:
    def __init__(self, *errors: ArchiveError) -> None:
        self.errors, self.asked = list(errors), 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.objects.s3.repeat.time.sleep", lambda _: None)


@pytest.mark.usefixtures("no_waiting")
class TestAskingAgain:
    def test_until_it_answers(self) -> None:
        ask = Flaky(Unavailable("1"), Unavailable("2"), Unavailable("3"))
        assert repeated(ask) == "answer"
        assert ask.asked == 4

    def test_four_times_at_most(self) -> None:
        ask = Flaky(*(Unavailable(str(n)) for n in range(9)))
        with pytest.raises(Unavailable):
            repeated(ask)
        assert ask.asked == 4

    @pytest.mark.parametrize(
        "error",
        [
            StoreFull("full"),
            Unavailable("hangs", code="store_timeout"),
            Unavailable("gone", code="bucket_missing"),
            NotFound("absent"),
            Refused("no"),
            IntegrityError("altered"),
        ],
    )
    def test_not_where_it_cannot_help(self, error: ArchiveError) -> None:
        ask = Flaky(error)
        with pytest.raises(type(error)):
            repeated(ask)
        assert ask.asked == 1


def test_waits_double_with_jitter_and_end() -> None:
    found = list(waits(9))
    assert len(found) == 8
    longest = 0.1
    for wait in found:
        assert longest / 2 <= wait <= longest
        longest = min(2 * longest, 2.0)
