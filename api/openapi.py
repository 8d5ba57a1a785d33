"""The description of the interface: FastAPI's, with our problems and our token in it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth.gate import OPEN
from api.idempotency import MAX_KEY
from api.schemas.problem import PROBLEM, Problem

WITHOUT_KEY = frozenset({"/v1/requests/attachments", "/v1/retention/plan"})
"""POSTs that have the same effect, or none, however often they are sent: they know no Idempotency-Key."""

_REF = "#/components/schemas/{model}"

_KEY: Mapping[str, Any] = MappingProxyType(
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "New for each change; sent again with the same request, nothing changes twice.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
    }
)


class DescribedApp(FastAPI):
    """An application whose OpenAPI document names the problem schema, the bearer token and the build."""

    build: Mapping[str, str] = MappingProxyType({})

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document; made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            document["info"]["x-build"] = dict(self.build)
            components = document.setdefault("components", {})
            schemas = components.setdefault("schemas", {})
            schema = Problem.model_json_schema(by_alias=True, ref_template=_REF)
            schemas.update(schema.pop("$defs", {}))
            schemas["Problem"] = schema
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    operation["security"] = [] if path in OPEN else [{"token": []}]
                    if method == "post" and path.startswith("/v1/") and path not in WITHOUT_KEY:
                        operation.setdefault("parameters", []).append(dict(_KEY))
                        operation["responses"].setdefault("409", PROBLEM)
            self.openapi_schema = document
        return self.openapi_schema
