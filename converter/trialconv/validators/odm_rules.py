"""The rules for ODM documents that no schema states: their catalogue, and what was found against them.

The schemas of ODM have no keys: a reference to nothing passes them, and so does a code that is not what its value
says. CDISC publishes no machine-readable rules either; these are taken from the text of the specifications.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.issues import Issue, Severity, issue
from trialconv.odm_tree import Node
from trialconv.validators.odm_places import place_of

#: How many errors of one sort are listed. The place of each takes time to find, and nobody reads more.
MOST: Final = 100

_REFERENCES: Final = 'ODM 1.3.2, section 2.11 "Element Identifiers and References"; ODM 2.0, section 2.6'
_PARAMETERS: Final = "ODM 2.0, StudyParameter (https://wiki.cdisc.org/display/PUB/StudyParameter)"
_TS: Final = "SDTM Implementation Guide 3.4, appendix C1 (trial summary codes)"
_CT: Final = "CDISC controlled terminology (https://evs.nci.nih.gov/ftp1/CDISC/)"


class Rule(NamedTuple):
    """A rule: the code and the severity of its Issue, what it demands, and where that is from."""

    code: str
    severity: Severity
    demand: str
    source: str


#: Every rule by its id, which no other rule ever gets.
RULES: Final[dict[str, Rule]] = {
    "ODM-001": Rule(
        "reference-unresolved",
        "error",
        "A reference names a definition of the right kind in its scope: the metadata version, the study's own "
        "definitions, or the document's administrative data.",
        _REFERENCES,
    ),
    "ODM-002": Rule(
        "duplicate-id", "error", "Definitions of one kind have different OIDs within their scope.", _REFERENCES
    ),
    "ODM-003": Rule(
        "duplicate-id", "error", "The aliases of one element have different contexts.", "ODM 1.3.2 and 2.0, Alias"
    ),
    "ODM-004": Rule(
        "duplicate-id",
        "error",
        "Siblings of one kind have different order numbers.",
        "ODM 1.3.2, section 3.1.1.3 (OrderNumber); ODM 2.0, ItemRef, ItemGroupRef, StudyEventRef",
    ),
    "ODM-005": Rule(
        "odm-rule",
        "error",
        "Of the siblings of one kind, all have an order number or none.",
        "ODM 1.3.2, section 3.1.1.3 (OrderNumber); SDM-XML 1.0, Epoch",
    ),
    "ODM-006": Rule(
        "odm-rule", "error", "The sequence numbers of siblings run from 1 without a gap.", "ODM 2.0, Epoch"
    ),
    "ODM-007": Rule(
        "duplicate-id",
        "error",
        "The translations of one text differ in language or type.",
        "ODM 1.3.2 and 2.0, TranslatedText",
    ),
    "ODM-008": Rule(
        "odm-rule", "error", "A parameter with a short name of TSPARMCD has its term of TSPARM.", _PARAMETERS
    ),
    "ODM-009": Rule(
        "odm-rule",
        "warning",
        "A short name that looks like one of TSPARMCD (up to 8 capitals and digits) is one of them.",
        _PARAMETERS,
    ),
    "ODM-010": Rule("odm-rule", "error", "A parameter's own CDISC code is that of its short name.", _PARAMETERS),
    "ODM-011": Rule(
        "odm-rule",
        "error",
        "A CDISC code is one of the codelist that its parameter takes, and the value or label beside it is the "
        "submission value of that code.",
        _CT,
    ),
    "ODM-012": Rule(
        "odm-rule",
        "error",
        "The value of a parameter with a codelist is one of its terms; where the codelist may be extended, "
        "another value is a warning.",
        _TS,
    ),
    "ODM-013": Rule(
        "odm-rule",
        "error",
        "The trial phase is a term of its codelist, and the same in TrialPhase and in the parameter TPHASE.",
        "ODM 2.0, TrialPhase",
    ),
    "ODM-014": Rule(
        "odm-rule",
        "error",
        "A CDISC code names the version of its terminology, as a date.",
        "ODM 2.0, Coding",
    ),
    "ODM-015": Rule(
        "odm-rule",
        "error",
        "The code of a criterion agrees with the list it stands in: inclusion or exclusion.",
        "ODM 2.0, Criterion; codelist IECAT (C66797)",
    ),
    "ODM-016": Rule(
        "odm-rule", "error", "A country is a code of ISO 3166-1 alpha-2.", "ODM 1.3.2 and 2.0, Country"
    ),
    "ODM-017": Rule(
        "odm-rule",
        "error",
        "The dates of a study (SSTDTC, SENDTC, ...) are dates of ISO 8601, maybe partial.",
        _TS,
    ),
    "ODM-018": Rule(
        "odm-rule", "error", "Ages and time spans (AGEMIN, AGEMAX, ...) are durations of ISO 8601.", _TS
    ),
    "ODM-019": Rule("odm-rule", "error", "Numbers of subjects, arms and groups are whole numbers from 0 on.", _TS),
    "ODM-020": Rule(
        "odm-rule",
        "error",
        "The number of arms or groups (NARMS, NCOHORT) is that of the arms in the study's structure.",
        _TS,
    ),
}


class Findings:
    """What was found in one document; the places are looked for when everything is known."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._found: list[tuple[str, str, Node, str, Severity | None]] = []
        self._unlisted = 0

    def add(
        self, rule: str, message: str, node: Node, attribute: str = "", severity: Severity | None = None
    ) -> None:
        """Note that an element, or one of its attributes, breaks a rule."""
        if len(self._found) < MOST:
            self._found.append((rule, message, node, attribute, severity))
        else:
            self._unlisted += 1

    def __bool__(self) -> bool:
        return bool(self._found)

    def issues(self) -> list[Issue]:
        """Return the Issues; of many findings the first, and the number of the others."""
        made = [self._issue(*found) for found in self._found]
        if self._unlisted:
            made.append(issue("odm-rule", f"{self._unlisted} more breaches of the rules are not listed."))
        return made

    def _issue(self, rule: str, message: str, node: Node, attribute: str, severity: Severity | None) -> Issue:
        return issue(
            RULES[rule].code,
            message,
            source_path=f"line {node.line}" if node.line else "",
            target_path=place_of(self._root, node) + (f"/@{attribute}" if attribute else ""),
            rule=rule,
            severity=severity or RULES[rule].severity,
        )
