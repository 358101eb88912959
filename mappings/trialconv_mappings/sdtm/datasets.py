"""TS and TI as datasets: their variables, texts of the length that a variable can have, and either file format.

Variables, labels and keys are those of SDTMIG 3.4, sections 7.4.1 and 7.4.2; the structure of a dataset that of
Dataset-JSON 1.1 (https://wiki.cdisc.org/display/PUB/Dataset-JSON+v1.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import counted
from trialconv_mappings.sdtm.ascii_text import UNKNOWN, ascii_text, widest

#: The most bytes of a text value (SDTMIG 3.4, section 4.5.3).
MAX_TEXT: Final = 200

Cell = str | int | None
Row = list[Cell]
Dataset = dict[str, Any]

_ELLIPSIS: Final = "..."


class Variable(NamedTuple):
    """A variable of a dataset: its name, its label, its place among the keys (0: no key) and its role."""

    name: str
    label: str
    key: int
    role: str


TS_VARIABLES: Final = (
    Variable("STUDYID", "Study Identifier", 1, "Identifier"),
    Variable("DOMAIN", "Domain Abbreviation", 0, "Identifier"),
    Variable("TSSEQ", "Sequence Number", 3, "Identifier"),
    Variable("TSGRPID", "Group ID", 0, "Identifier"),
    Variable("TSPARMCD", "Trial Summary Parameter Short Name", 2, "Topic"),
    Variable("TSPARM", "Trial Summary Parameter", 0, "Synonym Qualifier"),
    Variable("TSVAL", "Parameter Value", 0, "Result Qualifier"),
    Variable("TSVALNF", "Parameter Value Null Flavor", 0, "Result Qualifier"),
    Variable("TSVALCD", "Parameter Value Code", 0, "Result Qualifier"),
    Variable("TSVCDREF", "Name of the Reference Terminology", 0, "Result Qualifier"),
    Variable("TSVCDVER", "Version of the Reference Terminology", 0, "Result Qualifier"),
)
TI_VARIABLES: Final = (
    Variable("STUDYID", "Study Identifier", 1, "Identifier"),
    Variable("DOMAIN", "Domain Abbreviation", 0, "Identifier"),
    Variable("IETESTCD", "Incl/Excl Criterion Short Name", 2, "Topic"),
    Variable("IETEST", "Inclusion/Exclusion Criterion", 0, "Synonym Qualifier"),
    Variable("IECAT", "Inclusion/Exclusion Category", 0, "Grouping Qualifier"),
)
#: The variables of the ts.xpt that FDA asks for where a study has no data in SDTM (Study Data Technical
#: Conformance Guide, appendix on simplified TS files).
MINIMAL_VARIABLES: Final = tuple(
    variable for variable in TS_VARIABLES if variable.name in ("STUDYID", "TSPARMCD", "TSVAL", "TSVALNF")
)

LABELS: Final = {"TS": "Trial Summary", "TI": "Trial Inclusion/Exclusion Criteria"}


class Identity(NamedTuple):
    """What the files of a study have in common: OIDs as in its Define-XML, and the instant that they state."""

    study_oid: str
    version_oid: str
    label: str
    created: str


def more_values(count: int) -> tuple[Variable, ...]:
    """Return the variables that hold what does not fit into TSVAL."""
    return tuple(
        Variable(f"TSVAL{number}", f"Parameter Value {number}", 0, "Result Qualifier")
        for number in range(1, count + 1)
    )


def dataset(name: str, variables: Iterable[Variable], rows: list[Row], identity: Identity) -> Dataset:
    """Return a dataset in the structure of Dataset-JSON 1.1. A text column is as wide as its widest text."""
    columns = [_column(name, variable, number, rows) for number, variable in enumerate(variables)]
    return {
        "datasetJSONCreationDateTime": identity.created,
        "datasetJSONVersion": "1.1.0",
        "fileOID": name + "." + identity.label,
        "studyOID": identity.study_oid,
        "metaDataVersionOID": identity.version_oid,
        "metaDataRef": "define.xml",
        "itemGroupOID": f"IG.{name}",
        "records": counted(len(rows)),
        "name": name,
        "label": LABELS[name],
        "columns": columns,
        "rows": rows,
    }


def _column(dataset_name: str, variable: Variable, number: int, rows: list[Row]) -> dict[str, Any]:
    column: dict[str, Any] = {
        "itemOID": f"IT.{dataset_name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": "integer" if variable.name == "TSSEQ" else "string",
    }
    if variable.name != "TSSEQ":
        widths = (width(str(row[number])) for row in rows if row[number] is not None)
        column["length"] = counted(max(widths, default=1))
    if variable.key:
        column["keySequence"] = variable.key
    return column


def width(text: str) -> int:
    """Return the bytes that a text takes in either format, at most; never less than one."""
    if text.isascii():
        return len(text) or 1
    return max(len(text.encode("utf-8", "surrogatepass")), len(ascii_text(text)), 1)


def pieces(text: str) -> list[str]:
    """Return a text in pieces of 200 bytes at most, in either format.

    It is cut between words, as SDTMIG 3.4 asks in section 4.5.3.2; the white space there is left out. Only a word
    that is longer by itself is cut.
    """
    found: list[str] = []
    while True:
        end = _fitting(text, MAX_TEXT)
        if end == len(text):
            return [*found, text]
        cut = _between_words(text, end)
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()


def shortened(text: str, ending: str = "") -> str:
    """Return a text of 200 bytes at most: the whole, or its beginning and three dots.

    With an `ending` (in ASCII) the text is cut as far as that needs, and ends with it.
    """
    if not ending and _fitting(text, MAX_TEXT) == len(text):
        return text
    ending = ending or _ELLIPSIS
    end = _fitting(text, MAX_TEXT - len(ending))
    if end < len(text):
        end = _between_words(text, end)
    return text[:end].rstrip() + ending


def _fitting(text: str, most: int) -> int:
    """Return how many characters at the beginning of a text fit into that many bytes in either format."""
    if text.isascii():
        return min(len(text), most)
    taken = 0
    for number, char in enumerate(text):
        taken += widest(char)
        if taken > most:
            return number
    return len(text)


def _between_words(text: str, end: int) -> int:
    """Return the last place between words up to `end`, or `end` where the first word reaches beyond it."""
    if text[end].isspace():
        return end
    head = text[:end].rstrip()
    words = head.rsplit(None, 1) if len(head) == end else [head]
    return len(head) - len(words[1]) if len(words) > 1 else len(head)


def ascii_dataset(ctx: Context, source: Dataset) -> Dataset:
    """Return a dataset as a SAS transport file can hold it: ASCII, and a blank for each line break or tab.

    What is spelled differently is counted in an Issue; what could not be spelled is a question mark.
    """
    spelled = unknown = 0
    rows = []
    for row in source["rows"]:
        made: Row = []
        for cell in row:
            text = cell
            if isinstance(cell, str):
                if not cell.isascii():
                    text = ascii_text(cell)
                    spelled += 1
                    unknown += text.count(UNKNOWN) - cell.count(UNKNOWN)
                if not cell.isprintable():
                    text = " ".join(str(text).split())
            made.append(text)
        rows.append(made)
    place = f"{source['name'].lower()}.xpt"
    if spelled:
        message = f"{spelled} values have characters beyond ASCII, which were spelled in ASCII"
        ctx.note("transliterated", message, target_path=place)
    if unknown:
        ctx.note("character-replaced", f"{unknown} characters have no spelling in ASCII", target_path=place)
    return {**source, "rows": rows}
