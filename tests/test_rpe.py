"""IHE RPE messages: what they hold, what the field table claims, what the validator finds, and how one is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from command_runner import run
from made_up import changed, fields, full_study, record, study
from trialconv import validate
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.validators.rpe import validate_rpe
from trialconv_mappings.fields import field_rows
from trialconv_mappings.rpe.message import ACTION

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "examples" / "studies" / "NCT99999901.json"
NAMES = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "rpe": "urn:ihe:qrph:rpe:2009",
    "v3": "urn:hl7-org:v3",
}


def message(tree: Any, **options: Any) -> bytes:
    """Return the message of a made-up study."""
    made = transform(record(tree), TARGETS["rpe"], Options(**options))
    assert made.findings == []
    return made.data


def found(data: bytes, path: str) -> list[str]:
    """Return what a path finds in a message, as text."""
    return [str(one) for one in etree.fromstring(data).xpath(path, namespaces=NAMES)]


def test_the_header_and_the_arms() -> None:
    """Number, titles, summary, criteria and arms are there; the number of the characteristic is digits."""
    data = run("to-rpe", STUDY).out
    planned = "/rpe:RetrieveProtocolDefResponse/rpe:protocolDef/v3:plannedStudy"
    assert found(data, f"{planned}/v3:id/@extension") == ["NCT99999901"]
    assert found(data, "/rpe:RetrieveProtocolDefResponse/rpe:query/@extension") == ["NCT99999901"]
    assert found(data, f"{planned}/v3:title/text()") == ["A Made-up Study of Inventol in Imaginary Fever"]
    characteristic = f"{planned}/v3:subjectOf/v3:studyCharacteristic[v3:code/@code='NCT']"
    assert found(data, f"{characteristic}/v3:value/@value") == ["99999901"]
    arms = f"{planned}/v3:component4/v3:timePointEventDefinition[v3:code/@code='CELL']"
    assert found(data, f"{arms}/v3:title/text()") == ["Inventol", "Placebo"]
    (text,) = found(data, f"{planned}/v3:text/text()")
    assert "Official title:\nA Made-up Randomized" in text
    assert "Temperature >= 38 °C" in text
    assert found(data, "//*[@code='CYCLE' or @code='VISIT' or @code='PROC']") == []


def test_a_bare_study_has_its_number_as_title() -> None:
    """HL7 demands a title; without one it is the number, and an Issue says so."""
    made = transform(
        record({"protocolSection": {"identificationModule": {"nctId": "NCT99900001"}}}), TARGETS["rpe"], Options()
    )
    assert found(made.data, "//v3:title/text()") == ["NCT99900001"]
    assert [each.code for each in made.issues if each.code == "filled-in"] == ["filled-in"]
    assert made.findings == []


def test_characters_that_xml_cannot_hold() -> None:
    """A control character is replaced, with an Issue for each place, and the message stays valid."""
    arms = {"armGroups": [{"label": "Arm\x01"}]}
    tree = study(identificationModule={"briefTitle": "A\x00title"}, armsInterventionsModule=arms)
    tree["protocolSection"]["descriptionModule"] = {"briefSummary": "A summary\ufffe"}
    made = transform(record(tree), TARGETS["rpe"], Options())
    assert made.findings == []
    assert [each.code for each in made.issues].count("character-replaced") == 3
    assert "A\ufffdtitle" in made.data.decode()


def test_the_field_table_is_true() -> None:
    """A field changes the message when it has a home in the table, and in that place; else it changes nothing."""
    before = message(full_study())
    homes = {row.path: row.home for row in field_rows("rpe")}
    assert sum(map(bool, homes.values())) == 6
    for field in fields():
        after = message(changed(full_study(), field))
        assert (after != before) == bool(homes[field.path]), field.path
        for home in homes[field.path].split("; ") if homes[field.path] else ():
            name = home.partition("/")[2].partition("[")[0].rpartition("/")[2]
            path = (
                f"string(//v3:plannedStudy/v3:{name})"
                if name in ("title", "text")
                else f"//v3:{name}//@*|//v3:{name}//text()"
            )
            assert _values(before, path) != _values(after, path), (field.path, home)


def _values(data: bytes, path: str) -> Any:
    return etree.fromstring(data).xpath(path, namespaces=NAMES)


def test_the_same_record_is_the_same_message() -> None:
    """Equal input gives equal bytes, in an envelope, too; another version of the record is another message."""
    made = message(study(), soap_to="https://ehr.example.org/rpe")
    assert made == message(study(), soap_to="https://ehr.example.org/rpe")
    assert len(found(made, "//wsa:MessageID/text()")) == 1


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b'classCode="CLNTRL"', b'classCode="OBS"', "xsd:"),
        (b'moodCode="EVN"', b"", "xsd:"),
        (b'code="NCT"', b'code="NTC"', "xsd:"),
        (b'code="CELL"', b'code="VISIT"', "xsd:"),
        (b"<query ", b"<inquiry/><query ", "xsd:"),
        (b"<title>A Made-up Study of Inventol in Imaginary Fever</title>", b"<title> </title>", "xsd:"),
        (b'root="2.16', b'root="NCT', "xsd:"),
        (
            b'<query root="2.16.840.1.113883.3.1077" extension="NCT99999901"',
            b'<query root="1.2" extension="X"',
            "rpe:query",
        ),
        (b".ARM2", b".ARM1", ""),
        (b"RetrieveProtocolDefResponse</wsa", b"Other</wsa", "rpe:action"),
        (b"env:Body", b"env:Other", ""),
        (b"<env:Header>", b"<env:Header", ""),
        (b"<env:Envelope", b"<!DOCTYPE x [<!ENTITY a 'b'>]><env:Envelope", ""),
    ],
)
def test_defects_are_found(old: bytes, new: bytes, rule: str) -> None:
    """What breaks the schema, the ids or the envelope is an error, as a file, too."""
    data = run("to-rpe", "--soap", "https://ehr.example.org/rpe", STUDY).out
    assert validate(data) == []
    broken = data.replace(old, new)
    assert broken != data
    findings = validate_rpe(broken)
    assert findings
    assert all(each.severity == "error" for each in findings)
    assert any(each.rule.startswith(rule) for each in findings)


class Receiver(BaseHTTPRequestHandler):
    """A stand-in for an EHR: takes SOAP 1.2 messages, answers, and keeps what it understood."""

    received: list[dict[str, str]]

    def do_POST(self) -> None:
        """Answer a message, or refuse what is none."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        planned = envelope.find("env:Body/rpe:RetrieveProtocolDefResponse/rpe:protocolDef/v3:plannedStudy", NAMES)
        right = self.headers.get("Content-Type", "").startswith("application/soap+xml") and planned is not None
        if planned is not None:
            number = planned.find("v3:subjectOf/v3:studyCharacteristic[v3:code]/v3:value", NAMES)
            self.received.append(
                {
                    "action": envelope.findtext("env:Header/wsa:Action", namespaces=NAMES) or "",
                    "to": envelope.findtext("env:Header/wsa:To", namespaces=NAMES) or "",
                    "title": planned.findtext("v3:title", namespaces=NAMES) or "",
                    "number": number.get("value", "") if number is not None else "",
                }
            )
        answer = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>'
        self.send_response(200 if right else 500)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Start a stand-in on the loopback interface; give its address, and the list of what it understood."""
    received: list[dict[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Receiver,), {"received": received}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/rpe", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_receiver_understands_the_message(receiver: tuple[str, list[dict[str, str]]]) -> None:
    """A SOAP 1.2 receiver that knows nothing of trialconv finds action, address, title and number."""
    address, received = receiver
    data = run("to-rpe", "--soap", address, STUDY).out
    kind = f'application/soap+xml; charset=utf-8; action="{ACTION}"'
    assert httpx.post(address, content=data, headers={"Content-Type": kind}).status_code == 200
    title = "A Made-up Study of Inventol in Imaginary Fever"
    assert received == [{"action": ACTION, "to": address, "title": title, "number": "99999901"}]
    assert httpx.post(address, content=run("to-odm", STUDY).out).status_code == 500
