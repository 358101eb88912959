"""IHE RPE messages, judged by our own schema of what trialconv writes, and by what a schema cannot say.

No public package holds HL7's schema of plannedStudy. Ours (`rpe_schemas`) has the form that hospitals' systems are
known to send, which is less than HL7 v3 allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, cast

from lxml import etree

from trialconv.issues import Issue, issue
from trialconv.validators.xml_places import element_path, line_of

_RPE: Final = "urn:ihe:qrph:rpe:2009"
_V3: Final = "{urn:hl7-org:v3}"
_SOAP: Final = "{http://www.w3.org/2003/05/soap-envelope}"
_ACTION: Final = f"{_RPE}:RetrieveProtocolDefResponse"
_MESSAGE: Final = f"{{{_RPE}}}RetrieveProtocolDefResponse"
_HEAD: Final = 4096


def is_rpe(data: bytes) -> bool:
    """Tell whether an XML document speaks of RPE in its beginning."""
    return _RPE.encode() in data[:_HEAD]


def validate_rpe(data: bytes) -> list[Issue]:
    """Return what is wrong with a message, alone or in a SOAP 1.2 envelope; nothing when it is valid."""
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        return [_refusal(f"it is not well-formed XML: {error.msg}", f"line {error.lineno or 1}")]
    if root.getroottree().docinfo.internalDTD is not None:
        return [_refusal("it has a document type declaration, which such a message does not use")]
    message = root.find(f"{_SOAP}Body/{_MESSAGE}") if root.tag == f"{_SOAP}Envelope" else root
    if message is None or message.tag != _MESSAGE:
        return [_refusal(f"there is no {_MESSAGE} where it should be", line_of(root))]
    found = list(_schema_issues(message))
    if root is not message:
        found += _envelope_issues(root)
    return found or list(_identity_issues(message))


def _refusal(reason: str, place: str = "") -> Issue:
    return issue("invalid-document", f"The file is no RPE message: {reason}.", source_path=place)


@cache
def _schema() -> etree.XMLSchema:
    folder = Path(str(files(__package__).joinpath("rpe_schemas")))
    return etree.XMLSchema(etree.parse(folder / "rpe.xsd", etree.XMLParser(no_network=True)))


def _schema_issues(message: etree._Element) -> Iterable[Issue]:
    schema = _schema()
    if not schema.validate(message):
        for error in cast("Iterable[etree._LogEntry]", schema.error_log):
            kind = error.type_name.removeprefix("SCHEMAV_").lower().replace("_", "-")
            yield issue("schema", error.message, source_path=f"line {error.line}", rule=f"xsd:{kind}")


def _envelope_issues(envelope: etree._Element) -> Iterable[Issue]:
    action = envelope.findtext(f"{_SOAP}Header/{{http://www.w3.org/2005/08/addressing}}Action")
    if action != _ACTION:
        message = f"the action of the envelope is {action!r}, not {_ACTION!r}"
        yield issue("conformance", message, source_path=line_of(envelope), rule="rpe:action")


def _identity_issues(message: etree._Element) -> Iterable[Issue]:
    """Yield what is wrong with ids: the study is the one that is asked for, and each arm has its own."""
    query, study = message[0], message[1][0]
    if query.items() != study[0].items():
        text = "the study's id is not that of the query"
        yield issue("conformance", text, target_path=element_path(study[0]), rule="rpe:query")
    seen: set[tuple[str, str]] = set()
    for element in study.iter(f"{_V3}id"):
        identity = (str(element.get("root")), str(element.get("extension")))
        if identity in seen:
            text = f"the id {identity[1]!r} stands twice"
            place = line_of(element)
            yield issue("duplicate-id", text, source_path=place, target_path=element_path(element))
        seen.add(identity)
