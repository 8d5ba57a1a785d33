import json
from typing import Any

import pytest
from starlette.responses import JSONResponse

from api import problems
from api.ranges import RangeNotSatisfiable
from archive import errors
from archive.errors import ArchiveError
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import GapSpan
from archive.timespan import Timespan

SECRET = "/srv/archive/keys on host minio.internal"


def _every(kind: type[ArchiveError]) -> list[type[ArchiveError]]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in _every(child))]


def _body(response: JSONResponse) -> dict[str, Any]:
    assert response.media_type == "application/problem+json"
    body: dict[str, Any] = json.loads(bytes(response.body))
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:saksi:problem:{body['code']}"
    assert {"title", "detail", "hint"} <= set(body)
    return body


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("x"), 404),
        (errors.Refused("x"), 403),
        (errors.Refused("x", code="private_view"), 422),
        (errors.Refused("x", code="unauthenticated"), 401),
        (errors.Refused("x", code="precondition_failed"), 412),
        (errors.Conflict("x"), 409),
        (errors.AlreadyExists("x"), 409),
        (errors.Malformed("x"), 422),
        (errors.Malformed("x", code="bad_camera"), 500),
        (errors.IntegrityError("x"), 500),
        (errors.Unavailable("x"), 503),
        (errors.StoreFull("x"), 503),
        (errors.ArchiveError("x"), 500),
        (RangeNotSatisfiable(10), 416),
        (NoFootage("x", []), 409),
    ],
)
def test_each_error_has_its_status(error: ArchiveError, status: int) -> None:
    assert problems.of_archive_error(error).status_code == status


def test_every_class_of_the_tree_becomes_a_problem() -> None:
    for kind in _every(ArchiveError):
        if kind in (RangeNotSatisfiable, NoFootage):
            continue
        try:
            error = kind("a sentence", hint="what to do")
        except TypeError:
            continue  # a class with a signature of its own
        body = _body(problems.of_archive_error(error))
        assert body["code"] == error.code


def test_what_failed_inside_is_not_told_outside() -> None:
    for error in (
        errors.IntegrityError(SECRET, hint=SECRET),
        errors.Unavailable(SECRET, hint=SECRET),
        errors.StoreFull(SECRET, hint=SECRET),
        errors.Malformed(SECRET, code="bad_entry", hint=SECRET),
    ):
        response = problems.of_archive_error(error)
        body = _body(response)
        assert SECRET not in bytes(response.body).decode()
        assert body["code"] == error.code
        assert body["incident"].startswith("INC-")


def test_an_unforeseen_failure_has_an_incident_and_no_word_of_itself() -> None:
    response = problems.of_unexpected(RuntimeError(SECRET))
    body = _body(response)
    assert response.status_code == 500
    assert SECRET not in bytes(response.body).decode()
    assert body["incident"].startswith("INC-")
    assert "RuntimeError" not in bytes(response.body).decode()


def test_gaps_are_told() -> None:
    error = NoFootage("nothing", [GapSpan(Timespan(0, 1_000_000), "stalled")])
    body = _body(problems.of_archive_error(error))
    assert body["gaps"] == [
        {"from": "1970-01-01T00:00:00.000000Z", "to": "1970-01-01T00:00:01.000000Z", "cause": "stalled"}
    ]


def test_headers_that_clients_need() -> None:
    assert problems.of_archive_error(RangeNotSatisfiable(10)).headers["content-range"] == "bytes */10"
    assert problems.of_archive_error(errors.Unavailable("x")).headers["retry-after"] == "5"
    refused = problems.of_archive_error(errors.Refused("x", code="unauthenticated"))
    assert refused.headers["www-authenticate"] == 'Bearer realm="saksi"'
    for response in (refused, problems.of_unexpected(RuntimeError())):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


def test_whoever_may_not_file_now_is_told_of_a_new_key() -> None:
    """The key of a request that was answered from 500 on stays taken (:mod:`api.idempotency`)."""
    busy = errors.Unavailable(SECRET, code="filing_busy", hint="File again with a new Idempotency-Key.")
    response = problems.of_archive_error(busy)
    assert _body(response)["hint"].endswith(" / File again with a new Idempotency-Key.")
    assert SECRET not in bytes(response.body).decode()
