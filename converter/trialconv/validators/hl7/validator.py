"""The HL7 validator at work: one Java process for any number of documents.

The process is started for the first document, and loads the definitions of a FHIR version for the first document
of that version: the official packages, and those of our extensions from this project's own files. `Judge.java` is
our part on its side; we ask it by lines, one document at a time. It has no terminology server and no network.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, Severity, TrialconvError, UsageError, issue
from trialconv.validators.hl7.installation import PACKAGES, Installation
from trialconv.validators.schema_messages import shortened
from trialconv_mappings.extensions import package_folder

#: A single answer takes seconds, and loading a version less than a minute, unless something is wrong.
LIMIT: Final = 900.0
#: The definitions of a FHIR version take more than a gigabyte of memory; of a third one they would be too many.
_MOST_LOADED: Final = 2
_SEVERITIES: Final[dict[str, Severity]] = {
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "information": "information",
}
_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"
#: How the validator names a resource in a path, where we write it in brackets.
_RESOURCE: Final = re.compile(r"/\*([^*]+)\*/")


class Hl7Validator:
    """A running HL7 validator; use it in a `with`.

    `told` hears what is being loaded. `limit` is the number of seconds that an answer may take.
    """

    def __init__(
        self, installation: Installation, *, told: Callable[[str], None] | None = None, limit: float = LIMIT
    ) -> None:
        self._installation = installation
        self._told = told or (lambda _: None)
        self._limit = limit
        self._loaded: list[FhirVersion] = []
        self._process: subprocess.Popen[str] | None = None
        self._late = False

    def __enter__(self) -> Hl7Validator:
        self._scratch = tempfile.TemporaryDirectory(prefix="trialconv-hl7-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._scratch.cleanup()

    def judge(self, document: bytes, version: FhirVersion) -> list[Issue]:
        """Return what the validator finds in a FHIR document, JSON or XML, as Issues with rules `hl7:...`.

        Raises UsageError when a package of the version is missing, and TrialconvError when the validator ends or
        does not answer in time.
        """
        if version not in self._loaded:
            self._load(version)
        file = Path(self._scratch.name) / ("document.xml" if is_xml(document) else "document.json")
        file.write_bytes(document)
        answer = self._ask("judge", version, str(file))
        if "failed" in answer:
            return [issue("hl7-validator", f"the HL7 validator failed: {answer['failed']}", rule="hl7:failed")]
        return [_issue(found) for found in answer["issue"] if found.get("severity") in _SEVERITIES]

    def _load(self, version: FhirVersion) -> None:
        for package in PACKAGES[version]:
            if not (self._installation.packages / package).is_dir():
                where = self._installation.packages
                raise UsageError(f"the FHIR package {package} is not at {where}: `make validator` puts it there")
        if len(self._loaded) == _MOST_LOADED:
            self._ask("forget", self._loaded.pop(0))
        self._told(f"loading the definitions of FHIR {version} into the HL7 validator ...")
        answer = self._ask("load", version, *PACKAGES[version], str(package_folder(version)))
        if "failed" in answer:
            raise TrialconvError(f"the HL7 validator could not load FHIR {version}: {answer['failed']}")
        self._loaded.append(version)

    def _ask(self, *words: str) -> dict[str, Any]:
        """Send a command and return the answer."""
        if self._process is None:
            self._process = self._start()
        commands, answers = self._process.stdin, self._process.stdout
        if commands is None or answers is None:
            raise AssertionError("the process has pipes")
        alarm = threading.Timer(self._limit, self._end)
        alarm.start()
        try:
            commands.write("\t".join(words) + "\n")
            commands.flush()
            answer = answers.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            alarm.cancel()
        if not answer:
            raise TrialconvError(self._ended())
        read: dict[str, Any] = orjson.loads(answer)
        return read

    def _end(self) -> None:
        self._late = True
        if self._process is not None:
            self._process.kill()

    def _start(self) -> subprocess.Popen[str]:
        # By this file a validator of another version takes the packages for none of its own, and removes them.
        (self._installation.packages / "packages.ini").unlink(missing_ok=True)
        source = files("trialconv.validators.hl7").joinpath("Judge.java")
        command = (
            *self._installation.java,
            f"-Duser.home={self._installation.home}",
            *("-cp", self._installation.class_path, str(source)),
            str(self._installation.settings),
        )
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )

    @property
    def _log(self) -> Path:
        return Path(self._scratch.name) / "log"

    def _ended(self) -> str:
        """Return why there is no answer: what the process said last."""
        said = self._log.read_text("utf-8", "replace").strip().splitlines()[-8:]
        end = self._process.wait() if self._process else None
        why = f"gave no answer within {self._limit:g} s" if self._late else f"ended with the exit code {end}"
        return "\n".join((f"the HL7 validator {why}; it said last:", *(f"  {line}" for line in said)))


def is_xml(document: bytes) -> bool:
    """Tell whether a document is XML, by its first character."""
    return document.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def _issue(found: Mapping[str, Any]) -> Issue:
    """Return a finding of an OperationOutcome as an Issue; a validator's message says all that it has to say."""
    extras = {
        extension["url"].removeprefix(_EXTENSION): extension.get("valueInteger", extension.get("valueCode"))
        for extension in found.get("extension", ())
    }
    place = (found.get("expression") or found.get("location") or [""])[0]
    line, column = extras.get("issue-line"), extras.get("issue-col")
    known = isinstance(line, int) and isinstance(column, int) and line > 0 and column > 0
    return issue(
        "hl7-validator",
        found.get("details", {}).get("text") or found.get("diagnostics") or found.get("code", ""),
        source_path=f"line {line}, column {column}" if known else "",
        target_path=_RESOURCE.sub(lambda name: f"({shortened(name[1])})", place),
        rule=f"hl7:{extras.get('message-id') or found.get('code', '')}",
        severity=_SEVERITIES[found["severity"]],
    )
