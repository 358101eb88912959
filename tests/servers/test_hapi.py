"""A real HAPI FHIR JPA server, R4 and R5: a study goes in, is found, is judged, changes, and comes back.

Runs with `make test-servers`, where Maven can get HAPI's artifacts; see docs/test-servers.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from start_hapi import VERSIONS, Hapi, HapiError

from trialconv import convert, read
from trialconv.context import Options
from trialconv.formats import FhirVersion
from trialconv_mappings.extensions import package_folder

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = ROOT / "tests" / "cases" / "ctgov_json"
#: A made-up study with two sites, contacts, and conditions with and without a code.
STUDY = CASES / "two-phases-two-arms" / "input.json"
NCT = "NCT99990101"
#: Another one, which no other test sends.
OTHER_STUDY = CASES / "duplicates" / "input.json"
REGISTRY = "https://clinicaltrials.gov/nctid"
MESH = "https://www.nlm.nih.gov/mesh"
Document = dict[str, Any]

#: HAPI judges by an older definition of this extension, which has it on the ContactPoint; HL7's package of
#: extensions has moved it to the value.
MOVED_EXTENSION = "StructureDefinition/contactpoint-extension is not allowed to be used at this point"
#: R5's own search parameter, which R4 lacks: https://hl7.org/fhir/R5/researchstudy-search.html
BY_CONDITION: Document = {
    "resourceType": "SearchParameter",
    "id": "ResearchStudy-condition",
    "url": "http://hl7.org/fhir/SearchParameter/ResearchStudy-condition",
    "version": "5.0.0",
    "name": "condition",
    "status": "active",
    "description": "Condition being studied",
    "code": "condition",
    "base": ["ResearchStudy"],
    "type": "token",
    "expression": "ResearchStudy.condition",
}


class Server:
    """A server of a FHIR version, with what the tests ask of it."""

    def __init__(self, base: str, version: FhirVersion) -> None:
        self.version = version
        kind = "application/fhir+json"
        self._client = httpx.Client(base_url=base, headers={"Accept": kind, "Content-Type": kind}, timeout=300)

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def push(self, bundle: Document) -> list[str]:
        """Send a transaction and return the status of each entry."""
        answer = self._answer("POST", "", bundle)
        return [entry["response"]["status"][:3] for entry in answer["entry"]]

    def get(self, path: str) -> Document:
        """Read a resource."""
        return self._answer("GET", path)

    def put(self, resource: Document) -> Document:
        """Store a resource under its id."""
        return self._answer("PUT", f"{resource['resourceType']}/{resource['id']}", resource)

    def ids(self, search: str) -> list[str]:
        """Return the ids of what a search finds."""
        entries = self._answer("GET", search).get("entry", [])
        return [entry["resource"]["id"] for entry in entries]

    def findings(self, resource: Document) -> list[tuple[str, str]]:
        """Return severity and words of what `$validate` finds; a refused document has its findings, too."""
        answer = self._client.post(f"/{resource['resourceType']}/$validate", json=resource)
        assert answer.status_code in (200, 412), answer.text
        return [(one["severity"], one["diagnostics"]) for one in answer.json()["issue"]]

    def _answer(self, method: str, path: str, body: Document | None = None) -> Document:
        answer = self._client.request(method, f"/{path}" if path else "", json=body)
        assert answer.is_success, answer.text
        found: Document = answer.json()
        return found


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Start a server that knows our definitions, and R5's search by condition."""
    try:
        hapi = Hapi(request.param)
    except HapiError as problem:
        pytest.skip(str(problem))
    with hapi as base:
        made = Server(base, request.param)
        for file in sorted(package_folder(request.param).iterdir(), key=lambda one: one.name):
            if file.name != "package.json":
                made.put(json.loads(file.read_bytes()))
        if request.param == "R4":
            made.put(BY_CONDITION)
        made.push(bundle_of(made.version))
        yield made
        made.close()


def bundle_of(version: FhirVersion, study: Path = STUDY, **options: Any) -> Document:
    """Return a study as a transaction."""
    (record,) = read(study)
    made: Document = convert(record, f"fhir-{version.lower()}", Options(**options))
    return made


def study_in(bundle: Document) -> Document:
    """Return the ResearchStudy of a bundle."""
    (found,) = (one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "ResearchStudy")
    return dict(found)


def test_every_resource_is_there_as_it_was_sent(server: Server) -> None:
    """The server gives back what was sent, with nothing but its own version and time added."""
    for entry in bundle_of(server.version)["entry"]:
        sent = entry["resource"]
        found = server.get(f"{sent['resourceType']}/{sent['id']}")
        meta = found.pop("meta")
        assert int(meta.pop("versionId")) >= 1
        assert meta.pop("lastUpdated")
        source = meta.pop("source").partition("#")[0]  # HAPI puts the number of the request behind the source
        assert meta | ({"source": source} if source else {}) == sent.get("meta", {})
        assert found == {key: value for key, value in sent.items() if key != "meta"}


def test_the_study_is_found_by_its_number(server: Server) -> None:
    """The registry's number finds the study, and another number does not."""
    assert server.ids(f"ResearchStudy?identifier={REGISTRY}|{NCT}") == [NCT]
    assert server.ids(f"ResearchStudy?identifier={NCT}") == [NCT]
    assert server.ids(f"ResearchStudy?identifier={REGISTRY}|NCT00000000") == []


def test_the_study_is_found_by_condition(server: Server) -> None:
    """A condition finds the study by its code and by its words."""
    conditions = study_in(bundle_of(server.version))["condition"]
    codes = [coding["code"] for one in conditions for coding in one.get("coding", ()) if coding["system"] == MESH]
    assert codes
    for code in codes:
        assert server.ids(f"ResearchStudy?condition={MESH}|{code}") == [NCT]
    assert server.ids(f"ResearchStudy?condition:text={conditions[0]['text']}") == [NCT]
    assert server.ids(f"ResearchStudy?condition={MESH}|D000000") == []


def test_the_study_is_found_by_site(server: Server) -> None:
    """A site finds its study by its id, its name and its city, and the study brings its sites along."""
    sites = [reference["reference"] for reference in study_in(bundle_of(server.version))["site"]]
    site = server.get(sites[0])
    assert server.ids(f"ResearchStudy?site={sites[0]}") == [NCT]
    assert server.ids(f"ResearchStudy?site:Location.name={site['name']}") == [NCT]
    assert server.ids(f"ResearchStudy?site:Location.address-city={site['address']['city']}") == [NCT]
    assert server.ids("ResearchStudy?site:Location.name=No such site") == []
    with_sites = server.ids(f"ResearchStudy?_id={NCT}&_include=ResearchStudy:site")
    assert set(with_sites) == {NCT, *(site.partition("/")[2] for site in sites)}


def test_the_server_finds_no_errors(server: Server) -> None:
    """`$validate` has no error against any resource, and against a broken one it has."""
    resources = [entry["resource"] for entry in bundle_of(server.version)["entry"]]
    errors = [
        (resource["id"], words)
        for resource in resources
        for severity, words in server.findings(resource)
        if severity in ("error", "fatal")
    ]
    moved = [one for one in errors if MOVED_EXTENSION in one[1]]
    assert [one for one in errors if one not in moved] == []
    assert len(moved) == 1
    broken = study_in(bundle_of(server.version))
    del broken["status"]
    assert any(severity == "error" for severity, _ in server.findings(broken))


def test_the_same_again_changes_nothing_and_a_change_makes_a_version(server: Server) -> None:
    """Equal resources keep their version; the one that changed gets the next, under the same id."""
    bundle = bundle_of(server.version)
    versions = {one: _version(server, one) for one in _places(bundle)}
    assert set(server.push(bundle)) == {"200"}
    assert {one: _version(server, one) for one in _places(bundle)} == versions

    changed = bundle_of(server.version)
    study = next(one["resource"] for one in changed["entry"] if one["resource"]["id"] == NCT)
    study["title"] = "Another title"
    server.push(changed)
    place = f"ResearchStudy/{NCT}"
    assert server.get(place)["title"] == "Another title"
    assert _version(server, place) == versions[place] + 1
    server.push(bundle)
    assert server.get(place)["title"] == study_in(bundle)["title"]
    others = [one for one in versions if one != place]
    assert {one: _version(server, one) for one in others} == {one: versions[one] for one in others}


def test_conditional_requests_find_the_study_that_is_there(server: Server) -> None:
    """Asked to create the study if there is none, the server makes it once, under an id of its own."""
    bundle = bundle_of(server.version, OTHER_STUDY, request="conditional-create")
    number = study_in(bundle)["identifier"][0]["value"]
    search = f"ResearchStudy?identifier={REGISTRY}|{number}"
    assert server.ids(search) == []
    assert "201" in server.push(bundle)
    (first,) = server.ids(search)
    assert first != number
    assert set(server.push(bundle)) == {"200"}
    assert server.ids(search) == [first]


def _places(bundle: Document) -> list[str]:
    return [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle["entry"]]


def _version(server: Server, place: str) -> int:
    return int(server.get(place)["meta"]["versionId"])
