"""The only place where readers, mappings, writers and validators meet: by name, in the order of display.

Everything heavy is imported when it is called for, so that naming the targets costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from trialconv.context import Context, Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion, OdmVersion
from trialconv.issues import Issue, SourceError

if TYPE_CHECKING:
    from trialconv.readers.sources import Document, RawRecord
    from trialconv.record import Record, SourceInfo
    from trialconv_mappings.back import Rebuilt


class Reader(NamedTuple):
    """A reader: its name, what it reads, and how.

    `split` cuts a document into the bytes of its records, or says why one cannot be had; `parse` makes a record of
    such bytes, or raises SourceError.
    """

    name: str
    title: str
    split: Callable[[Document, int], Iterator[RawRecord | SourceError]]
    parse: Callable[[RawRecord], Record]


class Target(NamedTuple):
    """A target: what a record can become.

    `needs_number` False says that a study without an NCT number can become it, too.
    `build` makes a plain document of a context, `write` makes bytes of a document, `check` judges a document
    and its bytes. `versions` are the options that choose this target. `write_pretty` writes a document indented,
    `split` cuts one that is too large into several, of at most so many entries. A target that gives several files
    for a study has `write_files`, which makes the bytes of each by its name; `check` then judges those. Targets
    without need have none of the three.
    """

    name: str
    title: str
    suffix: str
    media_type: str
    versions: dict[str, Any]
    build: Callable[[Context], Any]
    write: Callable[[Any], bytes]
    check: Callable[[Any, Any], list[Issue]]
    write_pretty: Callable[[Any], bytes] | None = None
    split: Callable[[Any, int], list[Any]] | None = None
    write_files: Callable[[Any], dict[str, bytes]] | None = None
    needs_number: bool = True

    def options(self, options: Options) -> Options:
        """Return the options with this target's version."""
        if all(getattr(options, name) == version for name, version in self.versions.items()):
            return options
        return replace(options, **self.versions)


def _split_json(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    from trialconv.readers.ctgov_json import split_ctgov_json

    return split_ctgov_json(document, limit)


def _parse_json(raw: RawRecord) -> Record:
    from trialconv.readers.ctgov_json import read_study

    return read_study(raw.data, raw.source)


def _one_record(name: str) -> Callable[[Document, int], Iterator[RawRecord | SourceError]]:
    """Return what cuts a document that is one record: there is nothing to cut."""

    def split(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
        from trialconv.readers.sources import RawRecord, read_whole

        try:
            yield RawRecord(document.source._replace(reader=name), read_whole(document, limit))
        except SourceError as error:
            yield error

    return split


def _parse_xml(raw: RawRecord) -> Record:
    from trialconv.readers.ctgov_xml import read_ctgov_xml

    return read_ctgov_xml(raw.data, raw.source)


def _parse_page(raw: RawRecord) -> Record:
    from trialconv.readers.ctgov_page import read_ctgov_page

    return read_ctgov_page(raw.data, raw.source)


def _split_fhir(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    from trialconv.readers.fhir import no_study, read_fhir
    from trialconv_mappings.fhir.back import rebuilt_studies

    for found in read_fhir(document, limit):
        if isinstance(found, SourceError):
            yield found
        else:
            yield from _rebuilt(found.source, rebuilt_studies(found.tree), partial(no_study, found))


def _split_odm(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    from trialconv.readers.odm import no_study, read_odm
    from trialconv_mappings.odm.back import rebuilt_studies

    found = read_odm(document, limit)
    yield from _rebuilt(found.source, rebuilt_studies(found.tree), partial(no_study, found))


def _rebuilt(
    source: SourceInfo, studies: Iterable[Rebuilt], no_study: Callable[[], SourceError]
) -> Iterator[RawRecord | SourceError]:
    """Yield each study that a document gave back, as bytes that any process can make a record of."""
    import msgspec

    from trialconv.readers.sources import RawRecord

    none = True
    for back in studies:
        none = False
        yield RawRecord(source, msgspec.json.encode(back))
    if none:
        yield no_study()


def _parse_rebuilt(raw: RawRecord) -> Record:
    import msgspec

    from trialconv.readers.common import rebuilt_record
    from trialconv_mappings.back import Rebuilt

    back = msgspec.json.decode(raw.data, type=Rebuilt)
    return rebuilt_record(back.tree, raw.source, back.issues, back.extras)


def _fhir_target(version: FhirVersion) -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.fhir.bundle import build_bundle

        return build_bundle(ctx)

    def write(document: Any) -> bytes:
        from trialconv.writers.json import write_json

        return write_json(document)

    def write_pretty(document: Any) -> bytes:
        from trialconv.writers.json import write_json

        return write_json(document, pretty=True) + b"\n"

    def split(document: Any, largest: int) -> list[Any]:
        from trialconv_mappings.fhir.split import split_bundle

        return split_bundle(document, largest)

    def check(document: Any, data: bytes) -> list[Issue]:
        from trialconv.validators.fhir import validate_fhir

        return validate_fhir(document, version, data)

    return Target(
        f"fhir-{version.lower()}",
        f"FHIR {version} Bundle, JSON",
        ".json",
        "application/fhir+json",
        {"fhir_version": version},
        build,
        write,
        check,
        write_pretty,
        split,
    )


def fhir_in_xml(target: Target, version: FhirVersion) -> Target:
    """Return a FHIR target that writes XML instead of JSON."""

    def write(document: Any, *, pretty: bool = False) -> bytes:
        from trialconv.writers.fhir_xml import write_fhir_xml

        return write_fhir_xml(document, version, pretty=pretty)

    def check(document: Any, _: bytes) -> list[Issue]:
        from trialconv.validators.fhir import validate_fhir

        return validate_fhir(document, version)

    return target._replace(
        title=f"FHIR {version} Bundle, XML",
        suffix=".xml",
        media_type="application/fhir+xml",
        write=write,
        write_pretty=partial(write, pretty=True),
        check=check,
    )


def fhir_in_lines(target: Target) -> Target:
    """Return a FHIR target that writes the resources of a Bundle, a line each in their order, and no Bundle."""

    def write(document: Any) -> bytes:
        from trialconv.writers.json import write_json_lines

        return write_json_lines(entry["resource"] for entry in document["entry"])

    return target._replace(suffix=".ndjson", media_type="application/fhir+ndjson", write=write, write_pretty=None)


def _odm_target(name: str, title: str, version: OdmVersion, *, plain: bool = False) -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.odm.document import build_odm

        return build_odm(ctx)

    def write(document: Any) -> bytes:
        from trialconv.writers.odm_xml import write_odm_xml

        return write_odm_xml(document)

    def check(document: Any, data: bytes) -> list[Issue]:
        from trialconv.validators.odm import validate_odm_tree

        return validate_odm_tree(document, data)

    versions = {"odm_version": version, "odm_plain": plain}
    return Target(name, title, ".xml", "application/xml", versions, build, write, check)


def _odm_json_target() -> Target:
    def write(document: Any, *, pretty: bool = False) -> bytes:
        from trialconv.writers.odm_json import write_odm_json

        return write_odm_json(document, pretty=pretty)

    def check(document: Any, data: bytes) -> list[Issue]:
        from trialconv.validators.odm_json import validate_odm_json

        return validate_odm_json(data)

    def write_pretty(document: Any) -> bytes:
        return write(document, pretty=True) + b"\n"

    xml = _odm_target("odm-2.0-json", "CDISC ODM 2.0 study definition, JSON", "2.0")
    return xml._replace(
        suffix=".json", media_type="application/json", write=write, check=check, write_pretty=write_pretty
    )


def _usdm_target() -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.usdm.document import build_usdm

        return build_usdm(ctx)

    def write(document: Any) -> bytes:
        from trialconv.writers.json import write_json

        return write_json(document)

    def check(document: Any, data: bytes) -> list[Issue]:
        from trialconv.validators.usdm import validate_usdm

        return validate_usdm(document)

    return Target(
        "usdm-4.0", "CDISC USDM 4.0 study definition, JSON", ".json", "application/json", {}, build, write, check
    )


def _sdtm_target() -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.sdtm.package import build_sdtm

        return build_sdtm(ctx)

    def write_files(document: Any) -> dict[str, bytes]:
        from trialconv.writers.sdtm import write_sdtm

        return write_sdtm(document)

    def write(document: Any) -> bytes:
        return b"".join(write_files(document).values())

    def check(document: Any, files: dict[str, bytes]) -> list[Issue]:
        from trialconv.validators.sdtm import validate_sdtm_files

        return validate_sdtm_files(document, files)

    title = "CDISC SDTM trial design datasets TS and TI, with Define-XML 2.1"
    return Target("sdtm", title, "", "", {}, build, write, check, write_files=write_files)


def _warehouse_target() -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.warehouse.rows import build_rows

        return build_rows(ctx)

    def write(document: Any) -> bytes:
        from trialconv.writers.json import write_json

        return write_json(document)

    def check(document: Any, _: bytes) -> list[Issue]:
        from trialconv.validators.warehouse import validate_rows

        return validate_rows(document)

    title = "Rows of the warehouse's tables, JSON"
    return Target("warehouse", title, ".json", "application/json", {}, build, write, check)


def sdtm_dataset(name: str) -> Target:
    """Return the target that gives one dataset (`TS` or `TI`) as Dataset-JSON, and no other file."""

    def build(ctx: Context) -> Any:
        from trialconv_mappings.sdtm.package import build_dataset

        return build_dataset(ctx, name)

    def write(document: Any) -> bytes:
        from trialconv.writers.json import write_json

        return write_json(document)

    def check(document: Any, _: bytes) -> list[Issue]:
        from trialconv.validators.dataset_json import validate_dataset_json

        return validate_dataset_json(document)

    return Target(
        "sdtm",
        f"CDISC SDTM {name}, Dataset-JSON 1.1",
        ".json",
        "application/json",
        {"sdtm_format": "dataset-json"},
        build,
        write,
        check,
    )


def _registry_json() -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.registry_json import build_registry_json

        return build_registry_json(ctx)

    def write_pretty(document: Any) -> bytes:
        import msgspec

        return msgspec.json.format(bytes(document), indent=2) + b"\n"

    return Target(
        "ctgov-json",
        "ClinicalTrials.gov API v2 JSON",
        ".json",
        "application/json",
        {},
        build,
        write=bytes,
        check=lambda document, data: [],
        write_pretty=write_pretty,
        needs_number=False,
    )


def _rpe_target() -> Target:
    def build(ctx: Context) -> Any:
        from trialconv_mappings.rpe.message import build_message

        return build_message(ctx)

    def write(document: Any) -> bytes:
        from trialconv.writers.odm_xml import write_odm_xml

        return write_odm_xml(document)

    def check(document: Any, data: bytes) -> list[Issue]:
        from trialconv.validators.rpe import validate_rpe

        return validate_rpe(data)

    title = "IHE RPE RetrieveProtocolDefResponse, XML (unproven)"
    return Target("rpe", title, ".xml", "application/xml", {}, build, write, check)


READERS: Final[dict[str, Reader]] = {
    reader.name: reader
    for reader in (
        Reader("ctgov-json", "ClinicalTrials.gov API v2 JSON", _split_json, _parse_json),
        Reader(
            "ctgov-xml",
            "ClinicalTrials.gov legacy XML (<clinical_study>)",
            _one_record("ctgov-xml"),
            _parse_xml,
        ),
        Reader(
            "ctgov-page",
            "a ClinicalTrials.gov record rendered as a text page",
            _one_record("ctgov-page"),
            _parse_page,
        ),
        Reader(
            "fhir",
            "a FHIR R4, R4B or R5 Bundle or ResearchStudy, JSON, NDJSON or XML",
            _split_fhir,
            _parse_rebuilt,
        ),
        Reader(
            "odm",
            "a CDISC ODM 2.0 or 1.3.2 study definition, XML or ODM 2.0 JSON",
            _split_odm,
            _parse_rebuilt,
        ),
    )
}

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for target in (
        *(_fhir_target(version) for version in FHIR_VERSIONS),
        _odm_target("odm-2.0", "CDISC ODM 2.0 study definition, XML", "2.0"),
        _odm_json_target(),
        _odm_target("odm-1.3.2", "CDISC ODM 1.3.2 study definition with SDM-XML 1.0", "1.3.2"),
        _odm_target("odm-1.3.2-plain", "CDISC ODM 1.3.2 plain study definition, XML", "1.3.2", plain=True),
        _usdm_target(),
        _sdtm_target(),
        _warehouse_target(),
        _rpe_target(),
    )
}
#: The way back to the registry's own JSON. It is none of the targets, since it has every field of a record.
REGISTRY_JSON: Final = _registry_json()
