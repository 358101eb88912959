"""One record, many records: read, map, list the losses, write, judge."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from trialconv.catalog import READERS, TARGETS, Target
from trialconv.context import Context, Options
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, SourceError, TrialconvError, UsageError, issue
from trialconv.losses import losses
from trialconv.placement import Coverage, Tally
from trialconv.readers.detect import detect
from trialconv.readers.sources import MAX_RECORD_SIZE, documents
from trialconv.record import Record
from trialconv.record.leaves import Values, leaf_values
from trialconv.scrub import scrubbed
from trialconv.xport import SIGNATURE

if TYPE_CHECKING:
    from pathlib import Path

_T = TypeVar("_T")


class Converted(NamedTuple):
    """What became of a record: the document, its bytes, and the Issues of reading, mapping and judging.

    `findings` are those of the validator alone; a document is valid when none of them is an error. Of a target
    that gives several files `files` has the bytes of each, and `data` all of them in one. `uncoded` has each
    value that has no code, with the code table that was asked.
    """

    record: Record
    document: Any
    data: bytes
    issues: list[Issue]
    findings: list[Issue]
    files: dict[str, bytes] = {}
    uncoded: tuple[tuple[str, str], ...] = ()

    @property
    def valid(self) -> bool:
        """Tell whether the validator found no error."""
        return not any(found.severity == "error" for found in self.findings)


def read(
    source: str | Path,
    *,
    reader: str | None = None,
    max_record_size: int = MAX_RECORD_SIZE,
    on_error: Callable[[SourceError], None] | None = None,
) -> Iterator[Record]:
    """Yield every record of a file, a directory, a ZIP or standard input (`-`), in the order of the input.

    `reader` is a name of `trialconv.catalog.READERS`; by default the content chooses. A record, or a file, that
    cannot be read raises SourceError, or is given to `on_error` and the reading goes on.
    """
    for outcome in read_outcomes(str(source), reader, max_record_size):
        if isinstance(outcome, Record):
            yield outcome
        elif on_error is None:
            raise outcome
        else:
            on_error(outcome)


def read_outcomes(source: str, reader: str | None, limit: int) -> Iterator[Record | SourceError]:
    """Yield every record of an input, or the reason why one cannot be had."""
    if reader is not None and reader not in READERS:
        raise UsageError(f"no reader is called {reader!r}; there are {', '.join(READERS)}")
    for document in documents(source):
        if isinstance(document, SourceError):
            yield document
            continue
        try:
            yield from READERS[reader or detect(document)].read(document, limit)
        except SourceError as error:
            yield error


def collect_less() -> None:
    """Have the garbage collector look less often, for a process that does nothing but convert.

    Records and documents are trees, which reference counting frees at once.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def target_named(name: str) -> Target:
    """Return the target with this name. Raises UsageError when there is none."""
    if name not in TARGETS:
        raise UsageError(f"no target is called {name!r}; there are {', '.join(TARGETS)}")
    return TARGETS[name]


def transform(record: Record, target: Target, options: Options, *, check: bool = True) -> Converted:
    """Convert a record, list what is lost, and judge the document (unless `check` is False)."""
    ctx = Context(record, target.options(options))
    document = scrubbed(ctx, target.build(ctx), for_xml=target.suffix == ".xml")
    if target.write_files is None:
        files: dict[str, bytes] = {}
        data = target.write(document)
    else:
        files = target.write_files(document)
        data = b"".join(files.values())
    findings = target.check(document, files or data) if check else []
    issues = record.issues + ctx.issues + losses(record, target.name)
    return Converted(record, document, data, issues, findings, files, tuple(ctx.uncoded))


def transform_isolated(
    record: Record, target: Target, options: Options, *, check: bool = True
) -> Converted | SourceError:
    """Convert a record as `transform` does; a failure on this record is returned, so that others go on."""
    return _isolated(record, target, lambda: transform(record, target, options, check=check))


def _isolated(record: Record, target: Target, work: Callable[[], _T]) -> _T | SourceError:
    try:
        return work()
    except TrialconvError:
        raise
    except Exception as error:  # one broken record must not end the run of a million
        where = f"{record.source}: {type(error).__name__}: {error}"
        return SourceError(issue("internal-error", f"{where}; target {target.name}", record=record.nct_id))


def coverage(
    records: Iterable[Record],
    target: str = "fhir-r4",
    options: Options | None = None,
    *,
    on_error: Callable[[SourceError], None] | None = None,
) -> Coverage:
    """Return where the values of records stand in a target: how many in which field, and why others do not.

    `target` is a name of `trialconv.catalog.TARGETS`. A record that cannot be converted raises SourceError, or is
    given to `on_error` and counted as failed. Records may be any number; none of them is held.
    """
    tally = Tally(target_named(target).name)
    for record in records:
        for error in tally_record(record, [tally], options or Options()):
            if on_error is None:
                raise error
            on_error(error)
    return tally.coverage()


def tally_record(record: Record, tallies: Sequence[Tally], options: Options) -> list[SourceError]:
    """Count the values of a record in each of several targets. Returns why it could not be converted to some."""
    errors = []
    values: Values | None = None
    for tally in tallies:
        target = TARGETS[tally.target]

        def count(tally: Tally = tally, target: Target = target) -> None:
            nonlocal values
            values = leaf_values(record) if values is None else values
            ctx = Context(record, target.options(options))
            tally.add(record, values, ctx.issues, target.build(ctx))

        if (error := _isolated(record, target, count)) is not None:
            tally.fail()
            errors.append(error)
    return errors


def convert(record: Record, target: str = "fhir-r4", options: Options | None = None) -> Any:
    """Return a record as a document: a dict for a FHIR or USDM target, XML bytes for an ODM target.

    For SDTM it is a dict with the bytes of each file by its name. `target` is a name of
    `trialconv.catalog.TARGETS`. The document is the caller's own: changing it changes nothing else. Use
    `trialconv.validate` to judge it.
    """
    made = transform(record, target_named(target), options or Options(), check=False)
    if made.files:
        return made.files
    # Equal parts of a document are one object until it is written; the caller's are all objects of their own.
    return made.data if target.startswith("odm") else json.loads(made.data)


def validate(
    document: Any,
    *,
    fhir_version: FhirVersion | None = None,
    engine: str = "trialconv",
    extensions: bool = False,
) -> list[Issue]:
    """Judge a document: FHIR, USDM or Dataset-JSON as a dict, or any document as bytes or text.

    A dict of file names with bytes, as `convert` gives for SDTM, is judged file by file. Bytes are recognised by
    their content: FHIR JSON or NDJSON, USDM JSON, Dataset-JSON, ODM XML, Define-XML, SAS transport files. Without
    `fhir_version` the version is inferred from version-specific elements, else R4; an Issue of severity
    information says which one it was and why. The engine `fhir.resources` asks that library instead of our own
    schemas (R4B and R5 only). With `extensions` each FHIR extension is judged by its definition, too. Issues of
    NDJSON have their line as `source_path`. Raises UsageError for an unknown version or engine.
    """
    if engine not in ("trialconv", "fhir.resources"):
        raise UsageError(f"no engine is called {engine!r}; there are trialconv and fhir.resources")
    judge = partial(_judge_fhir, engine=engine, extensions=extensions)
    if isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    if isinstance(document, bytes):
        if document.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
            from trialconv.validators.odm import validate_odm_xml

            return validate_odm_xml(document)
        if document.startswith(SIGNATURE):
            from trialconv.validators.sdtm import validate_xport

            return validate_xport(document)
        from trialconv.validators.fhir_lines import resources_on_lines

        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            lines = resources_on_lines(document)
            if lines is None:
                return [issue("invalid-document", f"neither JSON, nor XML, nor a SAS transport file: {error}")]
            return _validate_lines(lines, fhir_version, judge)
    if isinstance(document, dict) and document and all(isinstance(data, bytes) for data in document.values()):
        from trialconv.validators.sdtm import within

        return [within(name, found) for name, data in document.items() for found in validate(data)]
    return _validate_json(document, fhir_version, judge)


#: Judges a resource of a FHIR version; the set holds references that lead out of it and are known.
_Judge = Callable[[dict[str, Any], FhirVersion, set[str]], list[Issue]]


def _validate_json(document: Any, fhir_version: FhirVersion | None, judge: _Judge) -> list[Issue]:
    if isinstance(document, dict) and "datasetJSONVersion" in document:
        from trialconv.validators.dataset_json import validate_dataset_json

        return validate_dataset_json(document)
    from trialconv.validators.usdm import is_usdm, validate_usdm

    if is_usdm(document):
        return validate_usdm(document)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        expected = (
            "a JSON object with a resourceType (FHIR), with study and usdmVersion (USDM) or with a "
            "datasetJSONVersion, or XML, or a SAS transport file"
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
    document: dict[str, Any], version: FhirVersion, known: set[str], *, engine: str, extensions: bool
) -> list[Issue]:
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
