"""The stand-in for the registry answers as the registry's own OpenAPI says."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from registry_server import StandIn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.specs.openapi import checks as rules

_EXAMPLES: Final = 40
_CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    rules.status_code_conformance,
    rules.content_type_conformance,
    rules.response_schema_conformance,
    rules.negative_data_rejection,
]


@pytest.fixture(scope="module")
def openapi(shared: Path) -> Any:
    """Return the registry's OpenAPI, from the folder of real records and schemas."""
    path = shared / "corpus" / "schemas" / "ctg-oas-v2.0.5.json"
    if not path.is_file():
        pytest.skip(f"no OpenAPI of the registry at {path}")
    return schemathesis.openapi.from_dict(json.loads(path.read_bytes()))


@pytest.fixture(scope="module")
def served(smoke_studies: list[tuple[str, bytes]]) -> Iterator[StandIn]:
    """Return a stand-in that serves real records."""
    with StandIn() as registry:
        registry.put(*(data for _, data in smoke_studies))
        yield registry


def statuses_of(operation: Any, url: str, mode: Any) -> set[int]:
    """Send generated requests, hold the answers against the OpenAPI, and return their statuses."""
    statuses = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        response = case.call(base_url=url)
        case.validate_response(response, checks=_CHECKS)
        statuses.add(response.status_code)

    ask()
    return statuses


@pytest.mark.parametrize(
    ("path", "status"), [("/studies", 200), ("/studies/{nctId}", 404), ("/version", 200), ("/stats/size", 200)]
)
def test_well_formed_requests_are_answered_as_documented(
    openapi: Any, served: StandIn, path: str, status: int
) -> None:
    """Statuses, content types and bodies are documented ones."""
    assert status in statuses_of(openapi[path]["GET"], served.url, schemathesis.GenerationMode.POSITIVE)


@pytest.mark.parametrize("path", ["/studies", "/studies/{nctId}"])
def test_malformed_requests_are_refused_as_documented(openapi: Any, served: StandIn, path: str) -> None:
    """What the OpenAPI does not allow is a bad request."""
    # Whether a request that was meant to be malformed is so, and was taken, is for negative_data_rejection to say.
    assert 400 in statuses_of(openapi[path]["GET"], served.url, schemathesis.GenerationMode.NEGATIVE)


def test_answers_with_records_are_as_documented(openapi: Any, served: StandIn) -> None:
    """A whole page of real records, one record, and an older id of one fit the OpenAPI."""
    older = next(one for one in served.studies.values() if b"nctIdAliases" in one)
    identification = json.loads(older)["protocolSection"]["identificationModule"]
    one = openapi["/studies/{nctId}"]["GET"]
    for case, status in [
        (openapi["/studies"]["GET"].Case(query={"pageSize": 1000, "countTotal": "true"}), 200),
        (one.Case(path_parameters={"nctId": identification["nctId"]}), 200),
        (one.Case(path_parameters={"nctId": identification["nctIdAliases"][0]}), 301),
    ]:
        response = case.call(base_url=served.url, allow_redirects=False)
        assert response.status_code == status
        case.validate_response(response, checks=_CHECKS)


def test_a_stand_in_that_errs_is_found_out(openapi: Any) -> None:
    """The comparison with the OpenAPI sees a field of the wrong type and a status that is not documented."""

    class Wrong(StandIn):
        def answer(self, path: str, parameters: list[tuple[str, str]]) -> tuple[int, dict[str, str], bytes]:
            if path == "/version":
                return 418, {"Content-Type": "text/plain"}, b"short and stout"
            return 200, {"Content-Type": "application/json"}, b'{"studies":[],"totalCount":"many"}'

    with Wrong() as registry:
        for path in ("/studies", "/version"):
            with pytest.raises(schemathesis.core.failures.FailureGroup):
                statuses_of(openapi[path]["GET"], registry.url, schemathesis.GenerationMode.POSITIVE)
