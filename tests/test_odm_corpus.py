"""Real studies to ODM: every document is valid, the same on every run, and readable by another program."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from odm_made_up import context, full_study
from trialconv.context import Context, Options
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.odm_tree import NAMESPACES
from trialconv.record import Record, SourceInfo, decode_study
from trialconv.validators.odm import validate_odm_xml
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm


def converted(name: str, data: bytes, version: OdmVersion) -> bytes:
    """Return the ODM document of an API v2 study."""
    record = Record(decode_study(data)[0], SourceInfo(name))
    return write_odm_xml(build_odm(Context(record, Options(odm_version=version))))


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_real_studies_are_valid_and_repeatable(
    version: OdmVersion, smoke_studies: list[tuple[str, bytes]]
) -> None:
    """Every study of the small set gives a document without errors, and the same bytes again."""
    for name, data in smoke_studies:
        document = converted(name, data, version)
        assert validate_odm_xml(document) == [], name
        assert converted(name, data, version) == document, name


@pytest.mark.parametrize(("version", "package"), [("2.0", "odm_2_0"), ("1.3.2", "odm_1_3_2")])
def test_odmlib_reads_the_document(version: OdmVersion, package: str, tmp_path: Path) -> None:
    """odmlib, an independent reader, loads the document and finds its references, names and parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from odmlib import loader, odm_loader
        from odmlib.oid_generator import create_oid_checker
    root = build_odm(context(full_study(), odm_version=version))
    path = tmp_path / "study.xml"
    path.write_bytes(write_odm_xml(root))
    reader = loader.ODMLoader(odm_loader.XMLODMLoader(model_package=package, ns_uri=NAMESPACES[version]))
    reader.open_odm_document(str(path))
    document = reader.root()
    study = document.Study[0]
    ids = full_study()["protocolSection"]["identificationModule"]
    if version == "2.0":
        assert document.verify_oids(create_oid_checker(package))
        assert study.ProtocolName == ids["orgStudyIdInfo"]["id"]
        read = [each.OID for each in study.MetaDataVersion[0].Protocol.StudySummary.StudyParameter]
        assert read == [each.attributes["OID"] for each in root.find_all("StudyParameter")]
    else:
        assert study.GlobalVariables.ProtocolName._content == ids["orgStudyIdInfo"]["id"]
        read = [each.OID for each in study.MetaDataVersion[0].ConditionDef]
        assert read == [each.attributes["OID"] for each in root.find_all("ConditionDef")]
