"""The description of the interface: FastAPI's, with our problems and our token in it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.auth.gate import OPEN
from api.schemas.problem import Problem

_REF = "#/components/schemas/{model}"


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
                for operation in operations.values():
                    operation["security"] = [] if path in OPEN else [{"token": []}]
            self.openapi_schema = document
        return self.openapi_schema
