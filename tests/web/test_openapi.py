"""The description is valid, complete and true."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from arthur.web.routes import all_routes

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FETCHED = 502
"""Answered when the picture's own server fails: the one status above 499 that a request can bring about."""


@pytest.fixture
def document(client: httpx.Client) -> Any:
    return client.get("/api/v1/openapi.json").json()


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_api_route_is_described(document: dict[str, Any]) -> None:
    served = {(route.path, route.method.lower()) for route in all_routes() if route.path.startswith("/api/")}
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert served <= described


@pytest.mark.parametrize("path", ["/docs", "/api/v1/docs"])
def test_the_page_asks_nothing_of_the_outside(client: httpx.Client, path: str) -> None:
    page = client.get(path)
    assert page.headers["content-type"].startswith("text/html")
    assert "src=" not in page.text
    assert "href=" not in page.text
    assert "/api/v1/match" in page.text


OPERATIONS = [(route.method, route.path) for route in all_routes() if route.doc is not None]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_is_answered_is_what_is_described(server: Any, document: dict[str, Any], method: str, path: str) -> None:
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy().filter(lambda case: "://" not in str(case.body)))
    def answered(case: Any) -> None:
        response = case.call(base_url=server.url)
        if response.status_code not in (FETCHED, 504):
            case.validate_response(response, checks=CHECKS)

    answered()
