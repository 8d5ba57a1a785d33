"""The OpenAPI description: FastAPI's, with additions that cannot be derived from types.

They are added here for all operations, so that no route can forget them: authentication, answers of the
middleware, conditions, headers of answers, examples, and problems as shared responses with one meaning each.
"""

import json
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.auth.authentication import OPEN
from api.described.examples import example_of
from api.described.headers import HEADERS, KEY, NONE_MATCH, OF_PARTS
from api.described.statuses import ANY, MEANINGS, WITH_BODY, name_of, shared_responses
from api.described.words import BODIES, INTRODUCTION, PARAMETERS, SCHEMES, TAGS
from api.problems import MEDIA_TYPE
from api.schemas.problem import Problem

WITHOUT_KEY = frozenset(
    {
        "/v1/requests/attachments",
        "/v1/retention/plan",
        "/v1/search",
        "/v1/tokens",
        "/v1/invitations",
        "/v1/invitations/second-half",
    }
)
"""POSTs without Idempotency-Key: a repetition has the same effect, none, or is refused; and an answer with a
secret must not be stored.
"""

MADE = frozenset(
    {
        "add_camera",
        "place_hold",
        "file_request",
        "request_evidence",
        "order_export",
        "make_token",
        "open_account",
        "give_grant",
    }
)
"""Operations whose answer says in ``Location`` where the new object can be read."""

UNTAGGED = frozenset({"request_evidence", "order_export", "close_request", "revoke_token"})
"""Operations that make or change something, but whose answer has no version for a further change."""

_REF = "#/components/schemas/{model}"
_SENTENCE = re.compile(r"(.+?)[.;:](?:\s|\Z)", re.DOTALL)


class DescribedApp(FastAPI):
    """An application whose OpenAPI document describes every possible answer."""

    build: Mapping[str, str] = MappingProxyType({})

    def __init__(self, **options: Any) -> None:
        super().__init__(generate_unique_id_function=operation_id, **options)
        self._encoded: bytes | None = None

    def openapi_json(self) -> bytes:
        """The OpenAPI document as JSON; made once, since to encode it takes longer than any other answer."""
        if self._encoded is None:
            self._encoded = json.dumps(self.openapi(), ensure_ascii=False).encode("utf-8")
        return self._encoded

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document; made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title, version=self.version, description=INTRODUCTION, routes=self.routes
            )
            document["info"]["x-build"] = dict(self.build)
            document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schema = Problem.model_json_schema(by_alias=True, ref_template=_REF)
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
            components["securitySchemes"] = {name: dict(one) for name, one in SCHEMES.items()}
            components["responses"] = shared_responses()
            components["headers"] = {name: dict(one) for name, one in HEADERS.items()}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    _describe(operation, method, path, schemas)
            self.openapi_schema = document
        return self.openapi_schema


def operation_id(route: APIRoute) -> str:
    """An operation is named as the function that answers it."""
    return route.name


def _describe(operation: dict[str, Any], method: str, path: str, schemas: Mapping[str, Any]) -> None:
    """Add to one operation the parts that all operations of its kind share."""
    text = re.sub(r"``([^`]*)``", r"`\1`", operation["description"])
    operation["description"] = text
    sentence = _SENTENCE.match(text)
    operation["summary"] = " ".join((sentence[1] if sentence else text).split())
    operation["security"] = [] if path in OPEN else [{name: []} for name in SCHEMES]
    parameters, responses = operation.setdefault("parameters", []), operation["responses"]
    has_key = method == "post" and path.startswith("/v1/") and path not in WITHOUT_KEY
    _ask(parameters, responses, has_key=has_key)
    for parameter in parameters:
        _exemplify(parameter)
    for status in (
        *ANY,
        405,
        500,
        *(WITH_BODY if "requestBody" in operation else ()),
        *((409,) if has_key else ()),
    ):
        responses.setdefault(str(status), _problem(status))
    for status, response in responses.items():
        if MEDIA_TYPE in response.get("content", {}):
            responses[status] = _problem(int(status))
    _head(operation, has_key=has_key)
    operation["responses"] = dict(sorted(responses.items()))
    for media in _media(operation):
        _show(media, schemas)


def _ask(parameters: list[dict[str, Any]], responses: Mapping[str, Any], *, has_key: bool) -> None:
    """Add the conditions and the key that a request may carry."""
    known = {one["name"] for one in parameters}
    wanted: list[Mapping[str, Any]] = [KEY] if has_key else []
    if "206" in responses:
        wanted += OF_PARTS
    elif "304" in responses:
        wanted.append(NONE_MATCH)
    parameters += [dict(one) for one in wanted if one["name"] not in known]
    conditions = [one for one in parameters if one["name"] in {"If-Match", "If-None-Match"}]
    if "428" in responses and len(conditions) == 1:
        conditions[0]["required"] = True
        conditions[0]["schema"].pop("default", None)


def _exemplify(parameter: dict[str, Any]) -> None:
    schema = parameter.get("schema", {})
    if parameter["name"] not in PARAMETERS or "example" in parameter or "examples" in {*parameter, *schema}:
        return
    value = PARAMETERS[parameter["name"]]
    parameter["example"] = [value] if schema.get("type") == "array" else value


def _head(operation: Mapping[str, Any], *, has_key: bool) -> None:
    """Add the headers of answers that are not problems."""
    responses, name = operation["responses"], operation["operationId"]
    is_part, is_read, is_change = (status in responses for status in ("206", "304", "428"))
    for status, response in responses.items():
        names: list[str] = []
        if status in {"200", "201", "206", "304"} and (
            is_part or is_read or ((is_change or name in MADE) and name not in UNTAGGED)
        ):
            names.append("ETag")
        if status in {"200", "206"} and is_part:
            names.append("Accept-Ranges")
        if status == "206":
            names.append("Content-Range")
        if status in {"201", "202"} and name in MADE:
            names.append("Location")
        if status < "300" and has_key:
            names.append("Idempotency-Replayed")
        if names:
            headers = dict(response.get("headers", {}))
            headers |= {one: {"$ref": f"#/components/headers/{one}"} for one in names}
            responses[status] = {**response, "headers": headers}


def _media(operation: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body of an operation's request and answers except problems, with its media type."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for response in operation["responses"].values():
        yield from response.get("content", {}).items()


def _show(media: tuple[str, dict[str, Any]], schemas: Mapping[str, Any]) -> None:
    kind, body = media
    if kind in {"application/json", "application/geo+json"}:
        body["example"] = example_of(body["schema"], schemas)
    elif kind in BODIES:
        body["example"] = BODIES[kind]


def _problem(status: int) -> dict[str, str]:
    if status not in MEANINGS:
        raise ValueError(f"api.described.statuses lacks {status}")
    return {"$ref": f"#/components/responses/{name_of(status)}"}
