"""What is wrong with a document of any kind that trialconv writes: the kind is told from the content."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, UsageError, issue
from trialconv.xport import SIGNATURE

if TYPE_CHECKING:
    from trialconv.validators.hl7.validator import Hl7Validator

#: Who can judge FHIR.
ENGINES: Final = ("trialconv", "fhir.resources", "hl7")
#: What an XML document of FHIR says in its root element, and how far from the beginning that is looked for.
_FHIR_XML: Final = re.compile(rb"""=\s*["']http://hl7\.org/fhir["']""")
_XML_HEAD: Final = 4096


def validate(
    document: Any,
    *,
    fhir_version: FhirVersion | None = None,
    engine: str = "trialconv",
    extensions: bool = False,
    hl7: Hl7Validator | None = None,
) -> list[Issue]:
    """Judge a document: FHIR, USDM, ODM or Dataset-JSON as a dict, or any document as bytes or text.

    A dict of file names with bytes, as `convert` gives for SDTM, is judged file by file. Bytes are recognised by
    their content: JSON of FHIR, USDM, ODM or Dataset-JSON, FHIR NDJSON, ODM XML, Define-XML, IHE RPE messages, SAS
    transport files.
    Without `fhir_version` the version is inferred from version-specific elements, else R4; an Issue of severity
    information says which one it was and why. The engine `fhir.resources` asks that library instead of our own
    schemas (R4B and R5 only), `hl7` the validator of HL7, which judges FHIR XML, too; `hl7` is one that runs
    already, for many documents. With `extensions` each FHIR extension is judged by its definition, too. Issues of
    NDJSON have their line as `source_path`. Raises UsageError for an unknown version or engine, and for an engine
    that is not there.
    """
    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine!r}; there are {', '.join(ENGINES)}")
    if engine == "hl7" and hl7 is None:
        from trialconv.validators.hl7.installation import find_installation
        from trialconv.validators.hl7.validator import Hl7Validator

        with Hl7Validator(find_installation()) as started:
            return validate(document, fhir_version=fhir_version, engine=engine, extensions=extensions, hl7=started)
    judge = partial(_judge_fhir, engine=engine, extensions=extensions, hl7=hl7)
    if isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    if isinstance(document, bytes):
        return _validate_bytes(document, fhir_version, judge, hl7)
    if isinstance(document, dict) and document and all(isinstance(data, bytes) for data in document.values()):
        from trialconv.validators.sdtm import within

        return [within(name, found) for name, data in document.items() for found in validate(data)]
    return _validate_json(document, fhir_version, judge)


#: Judges a resource of a FHIR version; the set holds references that lead out of it and are known. Its own bytes
#: can be given as `written`.
_Judge = Callable[..., list[Issue]]


def _validate_bytes(
    data: bytes, fhir_version: FhirVersion | None, judge: _Judge, hl7: Hl7Validator | None
) -> list[Issue]:
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        return _validate_xml(data, fhir_version, hl7)
    if data.startswith(SIGNATURE):
        from trialconv.validators.sdtm import validate_xport

        return validate_xport(data)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        from trialconv.validators.fhir_lines import resources_on_lines

        lines = resources_on_lines(data)
        if lines is None:
            return [issue("invalid-document", f"neither JSON, nor XML, nor a SAS transport file: {error}")]
        return _validate_lines(lines, fhir_version, judge)
    return _validate_json(document, fhir_version, partial(judge, written=data))


def _validate_xml(data: bytes, fhir_version: FhirVersion | None, hl7: Hl7Validator | None) -> list[Issue]:
    if hl7 is not None and _FHIR_XML.search(data, 0, _XML_HEAD):
        version, assumed = _version_of({}, fhir_version)
        return assumed + hl7.judge(data, version)
    from trialconv.validators.rpe import is_rpe, validate_rpe

    if is_rpe(data):
        return validate_rpe(data)
    from trialconv.validators.odm import validate_odm_xml

    return validate_odm_xml(data)


def _validate_json(document: Any, fhir_version: FhirVersion | None, judge: _Judge) -> list[Issue]:
    if isinstance(document, dict) and "datasetJSONVersion" in document:
        from trialconv.validators.dataset_json import validate_dataset_json

        return validate_dataset_json(document)
    from trialconv.odm_tree import is_odm_json
    from trialconv.validators.odm_json import validate_odm_json
    from trialconv.validators.usdm import is_usdm, validate_usdm
    from trialconv.validators.warehouse import is_rows, validate_rows

    if is_odm_json(document):
        return validate_odm_json(document)
    if is_usdm(document):
        return validate_usdm(document)
    if is_rows(document):
        return validate_rows(document)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        expected = (
            "a JSON object with a resourceType (FHIR), with study and usdmVersion (USDM), with a fileOID "
            "(ODM) or with a datasetJSONVersion, or XML, or a SAS transport file"
        )
        return [issue("invalid-document", f"expected {expected}")]
    version, assumed = _version_of(document, fhir_version)
    return assumed + judge(document, version, set())


def _validate_lines(lines: list[tuple[int, Any]], fhir_version: FhirVersion | None, judge: _Judge) -> list[Issue]:
    from trialconv.validators.fhir_lines import judge_lines

    everything = {
        "resourceType": "Bundle",
        "entry": [{"resource": one} for _, one in lines if isinstance(one, dict)],
    }
    version, assumed = _version_of(everything, fhir_version)
    return assumed + list(judge_lines(lines, lambda one, known: judge(one, version, known)))


def _version_of(document: dict[str, Any], given: FhirVersion | None) -> tuple[FhirVersion, list[Issue]]:
    if given is None:
        from trialconv.validators.fhir import infer_version

        version, why = infer_version(document)
        return version, [issue("fhir-version-assumed", f"judged as FHIR {version}: {why}")]
    if given not in FHIR_VERSIONS:
        raise UsageError(f"no FHIR version is called {given!r}; there are {', '.join(FHIR_VERSIONS)}")
    return given, []


def _judge_fhir(
    document: dict[str, Any],
    version: FhirVersion,
    known: set[str],
    *,
    engine: str,
    extensions: bool,
    hl7: Hl7Validator | None,
    written: bytes | None = None,
) -> list[Issue]:
    """Return what an engine finds; `written` are the document's own bytes, for one that tells places in them."""
    if hl7 is not None:
        return hl7.judge(written or json.dumps(document).encode(), version)
    if engine == "fhir.resources":
        from trialconv.validators.second_opinion import validate_with_fhir_resources

        return validate_with_fhir_resources(document, version)
    from trialconv.validators.fhir import validate_fhir

    findings = validate_fhir(document, version, known=known)
    if extensions and not any(found.rule == "json" for found in findings):
        from trialconv.validators.extensions import check_extensions

        findings += check_extensions(document, version)
    return findings


def fhir_models(bundle: dict[str, Any], version: FhirVersion = "R5") -> Any:
    """Return a FHIR resource or Bundle as an object of the fhir.resources library (R4B or R5).

    Raises UsageError for R4, which that library does not have, and pydantic.ValidationError when the library
    does not accept the document.
    """
    from trialconv.validators import second_opinion

    return cast("Any", second_opinion.fhir_models(bundle, version))
