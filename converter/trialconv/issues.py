"""Issues: what trialconv has to say about a record or a document, and the exceptions for "cannot go on".

An Issue is data. It names what happened, where (source path and target path) and what to do. Its `code` is
one of the catalogue below; the documentation page is made from the same catalogue.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

Severity = Literal["error", "warning", "information"]

#: Severities from the gravest to the mildest.
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "information")


class IssueKind(NamedTuple):
    """A line of the catalogue: the default severity, what the code means and what a user can do about it.

    `left_out`: with this code a mapping says that a value, which has a home in the target, is not there this time.
    """

    severity: Severity
    meaning: str
    action: str
    left_out: bool = False


#: Every issue code that trialconv can raise.
CATALOGUE: Final[dict[str, IssueKind]] = {
    # reading a source
    "unreadable-source": IssueKind(
        "error",
        "The input could not be opened or read.",
        "Check the path, the permissions and that the file is complete.",
    ),
    "unrecognised-format": IssueKind(
        "error",
        "The input is none of the formats that trialconv reads.",
        "Give a ClinicalTrials.gov JSON, XML or page, or force a reader with --from.",
    ),
    "unsupported-format": IssueKind(
        "error",
        "The input is a known registry format for which there is no reader yet.",
        "Download the record as API v2 JSON instead.",
    ),
    "malformed-source": IssueKind(
        "error",
        "The input breaks the rules of its own format.",
        "Download the record again; the message gives the place.",
    ),
    "not-a-study": IssueKind(
        "error",
        "The input is well formed but holds no study.",
        "Check that the file is a study record and not another answer of the registry.",
    ),
    "record-too-large": IssueKind(
        "error",
        "A single record is larger than the limit.",
        "Raise --max-record-size if the record is genuine.",
    ),
    "several-records": IssueKind(
        "error",
        "There is more than one record where only one can be taken.",
        "Send the records one by one, or convert them with the command line.",
    ),
    "unsafe-archive-entry": IssueKind(
        "error",
        "An archive entry has a name that points outside the archive.",
        "Do not trust this archive; make a new one.",
    ),
    "empty-source": IssueKind(
        "warning",
        "A directory or archive holds no file that looks like a record.",
        "Check the path.",
    ),
    "unknown-field": IssueKind(
        "warning",
        "The record has a field that the registry's OpenAPI does not list. It is not converted.",
        "Report it if the registry has published the field.",
    ),
    "unknown-enum-value": IssueKind(
        "warning",
        "A field holds a word that the registry's OpenAPI does not list. It is kept as text, without a code.",
        "Report it if the registry has published the value.",
    ),
    "wrong-type": IssueKind(
        "warning",
        "A field holds a value of another type than the registry's OpenAPI gives. It is not converted.",
        "Check the source.",
    ),
    "ambiguous-page": IssueKind(
        "warning",
        "A part of a text page can be read in several ways. Its text is kept whole and not split.",
        "Use the record's JSON for a complete conversion.",
    ),
    "unread-page-text": IssueKind(
        "warning",
        "A part of a text page was not understood. Its text is kept as it stands and not converted.",
        "Use the record's JSON for a complete conversion.",
    ),
    "broken-character": IssueKind(
        "information",
        "A text holds U+FFFD in the place of a character that was lost at the source. It is kept.",
        "Look at the sponsor's own documents for the text.",
    ),
    "not-in-source": IssueKind(
        "information",
        "The source format does not say something that other formats of the registry do.",
        "Use the record's JSON if you need it.",
    ),
    "unread-element": IssueKind(
        "warning",
        "An XML element is not one that the reader knows. It is not converted.",
        "Report it with the file.",
    ),
    "not-understood": IssueKind(
        "warning",
        "A document has elements that nothing of the registry's record is said by. They are not converted.",
        "Look at the element that the message names.",
    ),
    "no-word": IssueKind(
        "warning",
        "A document has a code that no word of the registry stands for. It is not converted.",
        "Look at the code; docs/codes.md tells which codes the words have.",
    ),
    "ambiguous-code": IssueKind(
        "warning",
        "A document has a code that several words of the registry stand for. None is guessed.",
        "Look at the code; docs/codes.md tells which codes the words have.",
    ),
    "contradiction": IssueKind(
        "warning",
        "Two places of a document say different things of one field. The message tells which one is used.",
        "Correct the document.",
    ),
    "several-studies": IssueKind(
        "information",
        "A document has several studies. Each of them becomes a record.",
        "Nothing.",
    ),
    "fhir-version-not-read": IssueKind(
        "warning",
        "A resource is of a FHIR version that trialconv does not read. It is read as far as it is like R5.",
        "Look at what was not understood, and give R4, R4B or R5 for a complete conversion.",
    ),
    "no-registry-number": IssueKind(
        "warning",
        "A study has no NCT number. Its record can be written as the registry's JSON, but not be converted.",
        "Give the document the number, as an identifier of the system https://clinicaltrials.gov/nctid.",
    ),
    # asking the registry
    "not-in-registry": IssueKind(
        "error",
        "The registry has no record of an id.",
        "Check the id. The registry never deletes a record, but an id may never have been given.",
    ),
    "invalid-id": IssueKind(
        "error",
        "A list of ids holds something that is no NCT number.",
        "Correct the line: NCT and eight digits.",
    ),
    "older-id": IssueKind(
        "information",
        "An id is an older one of a record. The record was fetched under its present id.",
        "Use the present id.",
    ),
    "registry-failed": IssueKind(
        "error",
        "The registry could not be reached, or answered something else than its API says.",
        "Try again later. Check --registry-url, and what stands between you and the registry.",
    ),
    "incomplete-listing": IssueKind(
        "error",
        "A list of all ids has fewer of them than the registry counts, so that nothing can be told from it.",
        "Try again later.",
    ),
    "implausible-listing": IssueKind(
        "error",
        "A list of all ids lacks so many of the studies that are there that the list is not believed.",
        "Look whether the registry has them. If they are gone, --check-vanished always marks them.",
    ),
    "vanished-record": IssueKind(
        "warning",
        "The registry has no more record of a study that is there. The study is marked, and kept.",
        "Ask the registry. The mark goes when the record comes back.",
    ),
    # mapping a record
    "no-code": IssueKind(
        "warning",
        "A value has no row in the code table, and so no code. It is carried as text where the target can.",
        "Report it if the target's code system has a fitting code.",
        left_out=True,
    ),
    "status-not-stated": IssueKind(
        "warning",
        "The target demands a status that the record does not give; the absence is marked, not guessed.",
        "See --unknown-status for studies of unknown status.",
    ),
    "status-from-last-known": IssueKind(
        "warning",
        "The status is unknown now; the last known one was used because --unknown-status asked for it.",
        "Do not read it as current.",
    ),
    "invalid-date": IssueKind(
        "warning",
        "A date is not one of yyyy, yyyy-MM or yyyy-MM-dd, or is no day of the calendar. It is not converted.",
        "Check the source.",
        left_out=True,
    ),
    "invalid-link": IssueKind(
        "warning",
        "A web address holds characters that no address can hold. It is carried as text.",
        "Check the source.",
    ),
    "number-out-of-range": IssueKind(
        "warning",
        "A number lies outside of what the target's type can hold. It is not converted.",
        "Check the source.",
        left_out=True,
    ),
    "date-order": IssueKind(
        "warning",
        "A start lies after its end. Both are kept apart, since the target forbids such a period.",
        "Check the source.",
    ),
    "age-not-understood": IssueKind(
        "warning",
        "An age limit is not a number and a unit. It is carried as text where the target can.",
        "Check the source.",
        left_out=True,
    ),
    "age-order": IssueKind(
        "warning",
        "The minimum age lies above the maximum age.",
        "Check the source.",
    ),
    "country-without-code": IssueKind(
        "warning",
        "A country name is not in the table of countries. It is carried as text where the target can.",
        "Report it if it is a country.",
        left_out=True,
    ),
    "criteria-not-split": IssueKind(
        "warning",
        "The eligibility criteria could not be split for certain. The text is carried whole.",
        "Read the whole text.",
    ),
    "html-like-text": IssueKind(
        "information",
        "A text has an angle bracket that a viewer of Markdown would take for HTML. It is escaped there, with the "
        "exact string beside it.",
        "Nothing: the text reads the same.",
    ),
    "location-without-country": IssueKind(
        "warning",
        "A site has no country.",
        "Check the source.",
    ),
    "repeated-arm-label": IssueKind(
        "warning",
        "Two arms have the same label, so that a link by the label could mean either. Links by the interventions' "
        "names are used.",
        "Check the source.",
    ),
    "criteria-partly-split": IssueKind(
        "warning",
        "Parts of the eligibility criteria could not be split for certain. These parts are carried whole.",
        "Read the parts that are named as whole.",
    ),
    "criteria-not-study-wide": IssueKind(
        "information",
        "Some eligibility criteria are said of a cohort, or not said to include or exclude. They are not among "
        "those that hold for everybody.",
        "Read the tree of the criteria, or the whole text.",
    ),
    "unknown-arm": IssueKind(
        "warning",
        "An intervention names an arm that the study does not list.",
        "Check the source.",
        left_out=True,
    ),
    "unknown-intervention": IssueKind(
        "warning",
        "An arm names an intervention that the study does not list.",
        "Check the source.",
        left_out=True,
    ),
    "character-replaced": IssueKind(
        "warning",
        "A character that the target cannot hold was replaced by U+FFFD.",
        "Check the source.",
    ),
    "transliterated": IssueKind(
        "information",
        "Texts with characters beyond ASCII were spelled in ASCII, the only characters of a SAS transport file.",
        "Use the Dataset-JSON for the exact words.",
    ),
    "text-shortened": IssueKind(
        "information",
        "A criterion is longer than its variable can be, or is like another one. The Define-XML has it whole.",
        "Read the codelist of IETESTCD in define.xml.",
    ),
    "duplicate-criterion": IssueKind(
        "information",
        "The same words are a criterion twice. Within one category one row stands for both.",
        "Check the source.",
    ),
    "dataset-left-out": IssueKind(
        "warning",
        "A dataset could not be made, because the record does not say for certain what its rows would be.",
        "Read the record's own text.",
        left_out=True,
    ),
    "date-not-actual": IssueKind(
        "information",
        "A date is an estimate, or not known to have passed; the target's parameter is of what took place.",
        "Convert the record again when it has the actual date.",
        left_out=True,
    ),
    "broader-term": IssueKind(
        "information",
        "The codelist's term says less than the registry's word, and the target has no place for the word.",
        "Read the word in the message.",
    ),
    "not-placed": IssueKind(
        "information",
        "The target has several places for a value, and the record does not say which one it belongs to.",
        "Check the source.",
        left_out=True,
    ),
    "field-not-mapped": IssueKind(
        "information",
        "A field of the record has no place in this document.",
        "See the field table in the documentation.",
        left_out=True,
    ),
    "withheld-contact": IssueKind(
        "information",
        "Contact details were left out because --no-contacts asked for it.",
        "Convert without --no-contacts to keep them.",
        left_out=True,
    ),
    "filled-in": IssueKind(
        "information",
        "The target demands a value that the record does not give; the message tells what was filled in.",
        "Do not read it as the registry's.",
    ),
    # writing to a warehouse
    "duplicate-study": IssueKind(
        "warning",
        "The input has a study more than once. The newest version is the one that the warehouse has.",
        "Nothing, if the versions differ; else check why the input has it twice.",
    ),
    "older-version": IssueKind(
        "warning",
        "The warehouse has a newer version of the study, so that this one was not written.",
        "Give --allow-older if the older version is the right one.",
    ),
    # judging a document
    "invalid-document": IssueKind(
        "error",
        "The file is not a document that trialconv can validate.",
        "Give JSON of FHIR, USDM, ODM 2.0 or Dataset-JSON, XML of ODM or Define-XML 2.1, or a SAS transport file.",
    ),
    "schema": IssueKind("error", "The document breaks the official schema.", "Correct the element."),
    "binding": IssueKind(
        "error",
        "A code is not in the value set that its element requires.",
        "Use one of the value set's codes.",
    ),
    "invariant": IssueKind(
        "error",
        "The document breaks an invariant of the FHIR definitions; the rule is its key there.",
        "Do what the message says; the key is explained on the type's page of the FHIR specification.",
    ),
    "reference-unresolved": IssueKind(
        "error",
        "A reference points to nothing in the document.",
        "Add the target or correct the reference.",
    ),
    "reference-type": IssueKind(
        "error",
        "A reference points to a type that its element does not allow.",
        "Refer to an allowed type.",
    ),
    "conformance": IssueKind(
        "error",
        "The document breaks a conformance rule of its standard, beyond the schema; the brackets name the rule.",
        "Correct the element. It is a warning where the rule expects something and does not demand it.",
    ),
    "duplicate-id": IssueKind("error", "Two things have the same identity.", "Make the ids unique."),
    "odm-rule": IssueKind(
        "error",
        "The document breaks a rule of ODM, or of the terminology it uses, that no schema states.",
        "Correct the element; docs/odm-rules.md lists the rules.",
    ),
    "extension-misused": IssueKind(
        "error",
        "An extension stands where it does not belong, or does not hold what its definition says.",
        "See the extension in docs/extensions.md.",
    ),
    "extension-unknown": IssueKind(
        "information",
        "An extension is not one of those that trialconv knows, so that it was not judged.",
        "Judge it with a validator that has its definition.",
    ),
    "fhir-version-assumed": IssueKind(
        "information",
        "No FHIR version was given; the message tells which one was assumed and why.",
        "Give --fhir-version.",
    ),
    # a FHIR server
    "not-to-push": IssueKind(
        "error",
        "The input is FHIR, and nothing that can be pushed to this server.",
        "Give a transaction, a batch or a collection for the server's version, or the record.",
    ),
    "server-refused": IssueKind(
        "error",
        "The server does not take a resource, or does not let us see what it has. The message is the server's.",
        "Correct what the server names, or ask those who run it.",
    ),
    "server-warned": IssueKind(
        "warning",
        "The server took a resource and has something to say about it.",
        "Read what it says.",
    ),
    "server-unfit": IssueKind(
        "error",
        "The server says itself that it cannot do what is needed, so that nothing was sent.",
        "See docs/fhir-servers.md for what a server needs; another --request may need less.",
    ),
    "server-unreachable": IssueKind(
        "error",
        "The server was lost while a study was sent. What came of it is not known.",
        "Push again: what has arrived is not sent twice.",
    ),
    "server-conflict": IssueKind(
        "error",
        "Somebody else changed a resource between our look and our writing. It was not overwritten.",
        "Look at the resource; push again, or with --force.",
    ),
    "server-overwritten": IssueKind(
        "warning",
        "What the server had was not what an earlier push sent. It was replaced by what the study says now.",
        "Look at the resource's history on the server, if it keeps one.",
    ),
    "server-ambiguous": IssueKind(
        "error",
        "The server has several resources for one identifier, so that it is not known which one to change.",
        "Remove those that are too many.",
    ),
    "server-keeps-less": IssueKind(
        "information",
        "The server does not keep everything that it is sent.",
        "Nothing; or ask those who run the server.",
    ),
    "server-revived": IssueKind(
        "information",
        "The study was withdrawn before, and is published again.",
        "Nothing.",
    ),
    "left-on-server": IssueKind(
        "warning",
        "The server has resources that an earlier version of the study brought and the present one has not.",
        "Push with --left retire or --left delete, or remove them by hand.",
    ),
    "not-on-server": IssueKind(
        "error",
        "The server has no such study.",
        "Check the number and the server's address.",
    ),
    "hl7-validator": IssueKind(
        "error",
        "HL7's own validator has something to say; the message is its own, and the rule its name for the message.",
        "Do what the message says; docs/deep-validation.md tells what to think of some messages.",
    ),
    "internal-error": IssueKind(
        "error",
        "trialconv failed on this record. The other records are not affected.",
        "Report it with the record.",
    ),
    "superseded-record": IssueKind(
        "error",
        "The input has several versions of a study. The one with the latest update is converted, of equal ones "
        "the last; this one is not.",
        "Nothing, if the newest version is the one you want; otherwise give the inputs apart.",
    ),
    "worker-died": IssueKind(
        "error",
        "A worker process died on this record, twice, so that it was left out. The others are not affected.",
        "Look whether the machine ran out of memory; report it with the record.",
    ),
}


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding.

    `record` is the study's id or, where there is none, the name of the input. `source_path` is a path in the
    registry's own terms (`protocolSection.statusModule.overallStatus`) or a place in the input
    (`line 3, column 7`); `target_path` is an element path of the document.
    """

    code: str
    severity: Severity
    message: str
    record: str = ""
    source_path: str = ""
    target_path: str = ""
    rule: str = ""

    def __str__(self) -> str:
        places = " -> ".join(place for place in (self.source_path, self.target_path) if place)
        head = f"{self.record}: " if self.record else ""
        rule = f" [{self.rule}]" if self.rule else ""
        return f"{self.severity}: {head}{places + ': ' if places else ''}{self.message} ({self.code}){rule}"


def issue(
    code: str,
    message: str,
    *,
    record: str = "",
    source_path: str = "",
    target_path: str = "",
    rule: str = "",
    severity: Severity | None = None,
) -> Issue:
    """Make an Issue with the severity of the catalogue, or the given one.

    Raises KeyError for a code that is not in the catalogue: a new code needs a line there first.
    """
    default = CATALOGUE[code].severity
    return Issue(code, severity or default, message, record, source_path, target_path, rule)


def at_or_above(issues: list[Issue], level: Severity) -> list[Issue]:
    """Return the issues as grave as `level` or graver."""
    bar = SEVERITIES.index(level)
    return [found for found in issues if SEVERITIES.index(found.severity) <= bar]


class TrialconvError(Exception):
    """The base of all exceptions that trialconv raises on purpose.

    TrialconvError
      UsageError        a wrong option or a wrong combination; exit code 2
      SourceError       an input or a record in it cannot be read; exit code 4
      OutputError       an output exists already or cannot be written; exit code 5
      SinkError         nothing more can be written to what all records go to; exit code 5
    """

    exit_code = 1


class UsageError(TrialconvError):
    """A wrong option or a wrong combination of options."""

    exit_code = 2


class SourceError(TrialconvError):
    """An input, or a record in it, cannot be read. `issue` tells what, where and what was expected."""

    exit_code = 4

    def __init__(self, found: Issue) -> None:
        super().__init__(str(found))
        self.issue = found


class OutputError(TrialconvError):
    """An output exists already or cannot be written."""

    exit_code = 5


class SinkError(TrialconvError):
    """Nothing more can be written to what all records go to, so that going on with others is of no use."""

    exit_code = 5
