"""The ways to send a bundle: put, conditional create and update, batch, collection; split ones; shared parties."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_runner import run
from fhir_server import RefusedError, Server, references
from made_up import NCT, Tree, bundle, encoded, full_study, resources, study
from trialconv import validate
from trialconv.catalog import TARGETS
from trialconv.context import BASE, Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import UsageError
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv_mappings.fhir.split import dependency_groups, split_bundle

MODES: list[dict[str, Any]] = [
    {},
    {"bundle": "batch"},
    {"bundle": "collection"},
    {"request": "conditional-create"},
    {"request": "conditional-update"},
    {"shared_organizations": True, "provenance": True, "narrative": True},
    {"shared_organizations": True, "provenance": True, "narrative": True, "request": "conditional-update"},
]
CONDITIONAL = ["conditional-create", "conditional-update"]


def several_sites(count: int, nct_id: str = NCT) -> Tree:
    """Return a study with parties, arms and many sites."""
    tree = full_study()
    tree["protocolSection"]["identificationModule"]["nctId"] = nct_id
    tree["protocolSection"]["contactsLocationsModule"]["locations"] = [
        {"facility": f"Made-up hospital {number}", "city": "Oslo", "country": "Norway"} for number in range(count)
    ]
    return tree


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a file with one study that has everything."""
    path = tmp_path / "one.json"
    path.write_bytes(encoded(several_sites(7)))
    return path


# every mode


@pytest.mark.parametrize("version", FHIR_VERSIONS)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: " ".join(map(str, mode.values())) or "put")
def test_every_mode_is_valid(smoke_studies: list[tuple[str, bytes]], version: FhirVersion, mode: Tree) -> None:
    """Every real study in every mode is a valid bundle, and the same bytes on a second run."""
    options, target = Options(**mode), TARGETS[f"fhir-{version.lower()}"]
    for name, data in smoke_studies:
        made = transform(read_study(data, SourceInfo(name)), target, options)
        assert [str(found) for found in made.findings] == [], name
        again = transform(read_study(data, SourceInfo(name)), target, options, check=False)
        assert made.data == again.data, name


@pytest.mark.parametrize("version", FHIR_VERSIONS)
@pytest.mark.parametrize("request_", ["put", *CONDITIONAL])
def test_what_a_server_makes_of_it(one: Path, version: FhirVersion, request_: str) -> None:
    """A server takes the bundle, and the same bundle again makes nothing twice and changes nothing."""
    made = run("to-fhir", one, "--fhir-version", version, "--request", request_).document
    assert [str(found) for found in validate(made, fhir_version=version) if found.severity == "error"] == []
    server = Server()
    server.send(made)
    before = dict(server.resources)
    assert len(before) == len(made["entry"])
    server.send(made)
    assert server.resources == before


@pytest.mark.parametrize("request_", CONDITIONAL)
def test_conditional_requests(one: Path, request_: str) -> None:
    """Resources have no id but the identifier that they are searched by; references are urn:uuid of the bundle."""
    put = run("to-fhir", one).document
    made = run("to-fhir", one, "--request", request_).document
    urls = {entry["fullUrl"] for entry in made["entry"]}
    assert len(urls) == len(put["entry"])
    assert all(url.startswith("urn:uuid:") for url in urls)
    for before, entry in zip(put["entry"], made["entry"], strict=True):
        resource, request = entry["resource"], entry["request"]
        kind, id_ = resource["resourceType"], before["resource"]["id"]
        system, value = f"{BASE}/NamingSystem/part-id", id_
        if kind == "ResearchStudy":
            system, value = "https://clinicaltrials.gov/nctid", NCT
        assert {"system": system, "value": value}.items() <= resource["identifier"][
            -1 if kind != "ResearchStudy" else 0
        ].items()
        search = f"identifier={system}%7C{value}"
        if request_ == "conditional-create":
            assert request == {"method": "POST", "url": kind, "ifNoneExist": search}
        else:
            assert request == {"method": "PUT", "url": f"{kind}?{search}"}
        assert "id" not in resource
        assert set(references(resource)) <= urls
    plan = resources(made, "PlanDefinition")[0]
    assert f'"definitionCanonical": "{BASE}/ActivityDefinition/{NCT}-activity-' in json.dumps(plan)


def test_conditional_create_leaves_what_is_there(one: Path) -> None:
    """What the server has stays as it is with conditional-create, and is replaced with conditional-update."""
    made = {name: run("to-fhir", one, "--request", name).document for name in CONDITIONAL}
    server = Server()
    server.send(made["conditional-create"])
    (address,) = (address for address in server.resources if address.startswith("ResearchStudy/"))
    server.resources[address] = {**server.resources[address], "title": "edited on the server"}
    server.send(made["conditional-create"])
    assert server.resources[address]["title"] == "edited on the server"
    server.send(made["conditional-update"])
    assert server.resources[address]["title"] != "edited on the server"


def test_a_base_with_separators(one: Path) -> None:
    """What has a meaning in a query is escaped in the search."""
    made = run("to-fhir", one, "--request", "conditional-update", "--base", "https://example.org/a,b&c=d").document
    assert (
        "identifier=https://example.org/a%5C%2Cb%26c%3Dd/NamingSystem/part-id%7C"
        in made["entry"][1]["request"]["url"]
    )
    server = Server()
    server.send(made)
    before = dict(server.resources)
    server.send(made)
    assert server.resources == before


def test_batch_is_in_order(one: Path) -> None:
    """The entries of a batch come after those that they refer to, and are those of the transaction."""
    batch, transaction = run("to-fhir", one, "--bundle", "batch").document, run("to-fhir", one).document
    assert batch["type"] == "batch"
    seen: set[str] = set()
    for entry in batch["entry"]:
        assert set(references(entry["resource"])) <= seen
        seen.add(entry["request"]["url"])
    key = lambda entry: entry["fullUrl"]  # noqa: E731
    assert sorted(batch["entry"], key=key) == sorted(transaction["entry"], key=key)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--request", "conditional-create", "--bundle", "batch"], "does not go with a batch"),
        (["--request", "conditional-update", "--bundle", "batch"], "does not go with a batch"),
        (["--request", "conditional-update", "--bundle", "collection"], "has no requests"),
        (["--request", "conditional-create", "--provenance"], "does not go with conditional-create"),
        (["--max-entries", "5", "--bundle", "collection"], "does not go with a collection"),
        (["--max-entries", "0"], "--max-entries"),
        (["--max-entries", "few"], "--max-entries"),
        (["--bundle", "document"], "--bundle"),
        (["--request", "post"], "--request"),
        (["--format", "turtle"], "--format"),
        (["--format", "ndjson"], "--out"),
        (["--format", "ndjson", "--out", "x.ndjson"], "--out"),
        (["--format", "ndjson", "--out", "x", "--bundle", "collection"], "--bundle"),
        (["--format", "ndjson", "--out", "x", "--request", "conditional-create"], "--request"),
        (["--format", "ndjson", "--out", "x", "--max-entries", "5"], "--max-entries"),
        (["--format", "ndjson", "--out", "x", "--pretty"], "--pretty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_go_together(one: Path, arguments: list[str], told: str) -> None:
    """Options that do not go together are exit code 2 and a sentence, before anything is read or written."""
    ran = run("to-fhir", one, *arguments)
    assert (ran.code, ran.out) == (2, b"")
    assert told in ran.err
    assert "converted" not in ran.err


def test_options_of_the_library_are_checked() -> None:
    """The library refuses what the command refuses."""
    with pytest.raises(UsageError, match="batch"):
        Options(bundle="batch", request="conditional-create")
    with pytest.raises(UsageError, match="collection"):
        split_bundle(bundle(study(), bundle="collection"), 2)
    with pytest.raises(UsageError, match="at least one"):
        split_bundle(bundle(study()), 0)


# split bundles


@pytest.mark.parametrize("version", FHIR_VERSIONS)
@settings(max_examples=30, deadline=None)
@given(largest=st.integers(1, 40), sites=st.integers(0, 20), request_=st.sampled_from(["put", *CONDITIONAL]))
def test_split_bundles_load_one_after_the_other(
    version: FhirVersion, largest: int, sites: int, request_: str
) -> None:
    """Sent in their order the parts make on a server what the whole makes, and nothing twice when sent again."""
    whole = bundle(several_sites(sites), f"fhir-{version.lower()}", request=request_)
    parts = split_bundle(whole, largest)
    assert all(1 <= len(part["entry"]) <= largest for part in parts)
    assert sum(len(part["entry"]) for part in parts) == len(whole["entry"])
    by_parts, at_once = Server(), Server()
    at_once.send(whole)
    for part in [*parts, *parts]:
        by_parts.send(part)
    if request_ == "put":
        assert by_parts.resources == at_once.resources
    else:
        assert len(by_parts.resources) == len(at_once.resources)
        assert by_parts.known_by_identifiers() == at_once.known_by_identifiers()


@pytest.mark.parametrize("version", FHIR_VERSIONS)
@pytest.mark.parametrize("request_", ["put", *CONDITIONAL])
def test_split_bundles_are_valid(one: Path, version: FhirVersion, request_: str) -> None:
    """Each part is a valid bundle but for what it refers to in an earlier one."""
    ran = run("to-fhir", one, "--fhir-version", version, "--request", request_, "--max-entries", "4")
    assert len(ran.documents) > 3
    earlier: set[str] = set()
    for part in ran.documents:
        errors = [found for found in validate(part, fhir_version=version) if found.severity == "error"]
        # Only a reader of all parts can see that these are there.
        elsewhere = [found for found in errors if found.code == "reference-unresolved"]
        assert errors == elsewhere
        here = {entry["request"]["url"] for entry in part["entry"]}
        if request_ == "put":
            pointers_ = {pointer for entry in part["entry"] for pointer in references(entry["resource"])}
            assert pointers_ <= here | earlier
        else:
            assert {found.rule for found in elsewhere} <= {"canonical"}
        earlier |= here


def test_parts_of_a_batch_are_in_order(one: Path) -> None:
    """A batch is cut like a transaction: each part needs only what came before."""
    seen: set[str] = set()
    parts = run("to-fhir", one, "--bundle", "batch", "--max-entries", "4").documents
    assert {part["type"] for part in parts} == {"batch"}
    for entry in (entry for part in parts for entry in part["entry"]):
        assert set(references(entry["resource"])) <= seen
        seen.add(entry["request"]["url"])


def test_a_part_alone_is_refused(one: Path) -> None:
    """A later part without the earlier ones has references to nothing: the order matters."""
    parts = run("to-fhir", one, "--request", "conditional-update", "--max-entries", "4").documents
    with pytest.raises(RefusedError, match="0 answers"):
        Server().send(parts[-1])


@pytest.mark.parametrize(("format_", "suffix"), [("json", ".json"), ("xml", ".xml")])
def test_files_of_split_bundles(one: Path, tmp_path: Path, format_: str, suffix: str) -> None:
    """--out gets a file per part; their names sort in the order of loading. What fits has its usual name."""
    out = tmp_path / "out"
    ran = run("to-fhir", one, "--format", format_, "--max-entries", "2", "--out", out)
    assert ran.code == 0
    names = sorted(path.name for path in out.iterdir())
    count = len(names)
    assert count > 9
    assert names == [f"{NCT}-{number:02}-of-{count}{suffix}" for number in range(1, count + 1)]
    assert run("to-fhir", one, "--format", format_, "--max-entries", "2", "--out", out).code == 5
    assert run("to-fhir", one, "--format", format_, "--max-entries", "500", "--out", out).code == 0
    assert (out / f"{NCT}{suffix}").is_file()


def test_one_part_is_in_the_way(one: Path, tmp_path: Path) -> None:
    """When one of the files exists, none is written."""
    out = tmp_path / "out"
    assert run("to-fhir", one, "--max-entries", "4", "--out", out).code == 0
    first, *others = sorted(out.iterdir())
    first.unlink()
    ran = run("to-fhir", one, "--max-entries", "4", "--out", out)
    assert (ran.code, sorted(out.iterdir())) == (5, others)


def test_parts_need_a_folder(one: Path, tmp_path: Path) -> None:
    """Several bundles do not go into one file, and as XML not to standard output: exit code 2."""
    ran = run("to-fhir", one, "--max-entries", "4", "--out", tmp_path / "all.json")
    assert (ran.code, "give a folder" in ran.err) == (2, True)
    ran = run("to-fhir", one, "--max-entries", "4", "--format", "xml")
    assert (ran.code, ran.out) == (2, b"")


def test_parts_go_to_standard_output_as_lines(one: Path) -> None:
    """Without --out the parts are lines, in the order of loading, --pretty or not."""
    ran = run("to-fhir", one, "--max-entries", "4", "--pretty")
    assert all(line.startswith(b'{"resourceType":"Bundle"') for line in ran.out.splitlines())
    server = Server()
    for part in ran.documents:
        server.send(part)
    assert run("to-fhir", one, "--max-entries", "400").document == run("to-fhir", one).document


@settings(max_examples=200, deadline=None)
@given(
    links=st.lists(st.lists(st.integers(0, 11), max_size=4), min_size=1, max_size=12), largest=st.integers(1, 12)
)
def test_any_references_are_followed(links: list[list[int]], largest: int) -> None:
    """Whatever refers to what: a part needs nothing of a later one, and only circles go beyond the limit."""
    entries = [
        {
            "fullUrl": f"urn:example:{number}",
            "resource": {
                "resourceType": "Basic",
                "extension": [{"valueReference": {"reference": f"urn:example:{other}"}} for other in others],
            },
            "request": {"method": "POST", "url": "Basic"},
        }
        for number, others in enumerate(links)
    ]
    groups = dependency_groups(entries)
    widest = max(len(group) for group in groups)
    parts = split_bundle({"type": "transaction", "entry": entries}, largest)
    assert sorted(entry["fullUrl"] for part in parts for entry in part["entry"]) == sorted(
        entry["fullUrl"] for entry in entries
    )
    known = {entry["fullUrl"] for entry in entries}
    seen: set[str] = set()
    for part in parts:
        assert len(part["entry"]) <= max(largest, widest)
        seen |= {entry["fullUrl"] for entry in part["entry"]}
        assert {pointer for entry in part["entry"] for pointer in references(entry["resource"])} & known <= seen


# shared organizations


def test_shared_organizations(tmp_path: Path) -> None:
    """Studies share an Organization of which they say the same; persons and all else stay the study's own."""
    for number, nct_id in enumerate(("NCT99999901", "NCT99999902")):
        (tmp_path / f"{number}.json").write_bytes(encoded(several_sites(2, nct_id)))
    ran = run("to-fhir", tmp_path, "--shared-organizations")
    first, second = ({entry["request"]["url"] for entry in made["entry"]} for made in ran.documents)
    assert first & second == {url for url in first if url.startswith("Organization/organization-")}
    assert first & second
    assert not {url for url in first if url.startswith("Organization/NCT")}
    server = Server()
    for made in ran.documents:
        server.send(made)
    assert len(server.resources) == len(first | second)
    own = run("to-fhir", tmp_path).documents
    assert not {entry["fullUrl"] for entry in own[0]["entry"]} & {entry["fullUrl"] for entry in own[1]["entry"]}


def test_shared_organizations_do_not_change_one_another(tmp_path: Path) -> None:
    """Of one name, what studies say different things of is two Organizations: no load takes a class away."""
    sponsor = {"leadSponsor": {"name": "Made-up Pharma", "class": "INDUSTRY"}}
    official = {"overallOfficials": [{"name": "A. Person", "affiliation": "Made-up Pharma"}]}
    (tmp_path / "1.json").write_bytes(encoded(study("NCT99999901", sponsorCollaboratorsModule=sponsor)))
    (tmp_path / "2.json").write_bytes(encoded(study("NCT99999902", contactsLocationsModule=official)))
    server = Server()
    for made in run("to-fhir", tmp_path, "--shared-organizations").documents:
        server.send(made)
    found = [one for one in server.resources.values() if one["resourceType"] == "Organization"]
    assert [("type" in one, one["name"]) for one in found] == [(True, "Made-up Pharma"), (False, "Made-up Pharma")]


# provenance


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_provenance(one: Path, version: FhirVersion) -> None:
    """--provenance adds where the resources come from: the page, the hash of the record, and trialconv."""
    arguments = ("--fhir-version", version, "--created", "2025-01-02T03:04:05Z", "--provenance")
    made = run("to-fhir", one, *arguments).document
    (found,) = resources(made, "Provenance")
    others = [entry["request"]["url"] for entry in made["entry"] if entry["resource"] is not found]
    assert [target["reference"] for target in found["target"]] == others
    assert found["recorded"] == "2025-01-02T03:04:05Z"
    assert found["agent"][0]["who"]["display"].startswith("trialconv ")
    page, content = (entity["what"]["identifier"]["value"] for entity in found["entity"])
    assert page == f"https://clinicaltrials.gov/study/{NCT}"
    record = read_study(one.read_bytes(), SourceInfo("one.json"))
    assert content.startswith("ni:///sha-256;")
    assert _decoded(content) == record.version.content_hash
    assert run("to-fhir", one, *arguments[:4]).document["entry"] == made["entry"][:-1]


def _decoded(uri: str) -> str:
    """Return the hash in a URI of RFC 6920 in hexadecimal."""
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(uri.rpartition(";")[2] + "=").hex()


def test_provenance_of_another_content_has_another_hash(tmp_path: Path) -> None:
    """The hash follows what the record says."""
    hashes = set()
    for title in ("One", "Two"):
        tree = study(identificationModule={"briefTitle": title})
        hashes.add(
            resources(bundle(tree, provenance=True), "Provenance")[0]["entity"][1]["what"]["identifier"]["value"]
        )
    assert len(hashes) == 2


def test_provenance_is_made_anew_without_an_identifier(one: Path) -> None:
    """With conditional-update each load is told of: a Provenance has no identifier to be found by."""
    made = run("to-fhir", one, "--request", "conditional-update", "--provenance").document
    assert made["entry"][-1]["request"] == {"method": "POST", "url": "Provenance"}
    server = Server()
    for _ in range(2):
        server.send(made)
    assert len([address for address in server.resources if address.startswith("Provenance/")]) == 2
    assert len(server.resources) == len(made["entry"]) + 1
