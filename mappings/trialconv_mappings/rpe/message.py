"""The message RetrieveProtocolDefResponse with a plannedStudy of HL7 v3.

IHE QRPH Technical Framework, supplement Retrieve Process for Execution. The form is that of messages which systems
of hospitals are known to send to Epic; no EHR has been tried with ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from trialconv.context import Context
from trialconv.lineage import derived, filled, join, plain
from trialconv.odm_tree import Node
from trialconv.record.protocol import ProtocolSection
from trialconv_mappings.cdisc.text import clean

RPE: Final = "urn:ihe:qrph:rpe:2009"
HL7_V3: Final = "urn:hl7-org:v3"
ACTION: Final = f"{RPE}:RetrieveProtocolDefResponse"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
#: ClinicalTrials.gov numbers as an object identifier, from HL7's registry of naming systems.
NCT_OID: Final = "2.16.840.1.113883.3.1077"


def build_message(ctx: Context) -> Node:
    """Return the message, in a SOAP 1.2 envelope if the options name a receiver."""
    number = ctx.record.nct_id
    identity = {"root": NCT_OID, "extension": number}
    message = Node(
        "RetrieveProtocolDefResponse",
        {"xmlns": RPE},
        [Node("query", identity), Node("protocolDef", {}, [_planned_study(ctx, identity)])],
    )
    if ctx.options.soap_to is None:
        return message
    # The clock and chance have no place here: the same record is the same message.
    day = ctx.record.last_update
    name = uuid5(NAMESPACE_URL, f"{ctx.options.base}/rpe/{number}/{day or ''}")
    header = [
        Node("wsa:Action", {}, [ACTION]),
        Node("wsa:MessageID", {}, [derived(f"urn:uuid:{name}", number, day)]),
        Node("wsa:To", {}, [ctx.options.soap_to]),
    ]
    return Node(
        "env:Envelope",
        {"xmlns:env": _SOAP, "xmlns:wsa": _ADDRESSING},
        [Node("env:Header", {}, header), Node("env:Body", {}, [message])],
    )


def _planned_study(ctx: Context, identity: dict[str, str]) -> Node:
    protocol = ctx.record.study.protocol_section
    children = [Node("id", identity), *_texts(ctx, protocol), _number(identity["extension"])]
    for position, arm in enumerate(protocol.arms_interventions_module.arm_groups, start=1):
        if arm.label:
            source = f"protocolSection.armsInterventionsModule.armGroups[{position - 1}].label"
            label = clean(ctx, arm.label, source, "component4/timePointEventDefinition/title")
            children.append(_arm(label, {**identity, "extension": identity["extension"] + f".ARM{position}"}))
    attributes = {"xmlns": HL7_V3, "xmlns:xsi": _XSI, "classCode": "CLNTRL", "moodCode": "DEF"}
    return Node("plannedStudy", attributes, children)


def _texts(ctx: Context, protocol: ProtocolSection) -> Iterator[Node]:
    """Yield title and text. What HL7 v3 has no place for that receivers are known to read stands in the text."""
    names = protocol.identification_module
    printed = ctx.record.extras.get("title")
    title = names.brief_title or names.official_title or printed
    if title:
        source = "protocolSection.identificationModule.briefTitle"
        yield Node("title", {}, [clean(ctx, title, source, "plannedStudy/title")])
    else:
        ctx.note("filled-in", "the number of the study", target_path="plannedStudy/title")
        yield Node("title", {}, [filled(ctx.record.nct_id)])
    parts = (
        ("Official title", derived(names.official_title, title) if names.official_title != title else None),
        ("Summary", plain(protocol.description_module.brief_summary or "")),
        ("Eligibility criteria", plain(protocol.eligibility_module.eligibility_criteria or "")),
    )
    text = join("\n\n", [f"{heading}:\n" + part for heading, part in parts if part])
    if text:
        yield Node("text", {}, [clean(ctx, text, "", "plannedStudy/text")])


def _number(number: str) -> Node:
    """Return the registry's number, as digits: Epic adds the letters."""
    value = Node("value", {"xsi:type": "ST", "value": number.removeprefix("NCT")})
    characteristic = Node(
        "studyCharacteristic", {"classCode": "OBS", "moodCode": "EVN"}, [Node("code", {"code": "NCT"}), value]
    )
    return Node("subjectOf", {"typeCode": "SUBJ"}, [characteristic])


def _arm(label: str, identity: dict[str, str]) -> Node:
    """Return an arm: a cell of the calendar without cycles and visits."""
    code = Node("code", {"code": "CELL", "codeSystem": "n/a"})
    event = Node(
        "timePointEventDefinition",
        {"classCode": "CTTEVENT", "moodCode": "DEF"},
        [Node("id", identity), Node("title", {}, [label]), code],
    )
    return Node("component4", {"typeCode": "COMP"}, [event])
