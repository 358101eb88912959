"""The rules for the contents of TS and TI that a dataset by itself can keep or break.

They are rules of CDISC Open Rules (https://github.com/cdisc-org/cdisc-open-rules) for SDTMIG 3.4, by their ids,
and the limits of SDTMIG 3.4 itself, whose ids begin with `SDTMIG`. A broken rule is an error; one that speaks of
what should be is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

from trialconv.issues import Issue, Severity, issue

Record = dict[str, Any]


class Rule(NamedTuple):
    """A rule: its id, how grave a breach is, what it demands, and how to find the records that break it.

    `check` gets all records of the dataset and yields the position of each that breaks the rule, and why.
    """

    id: str
    severity: Severity
    title: str
    check: Callable[[list[Record]], Iterator[tuple[int, str]]]


class Demand(NamedTuple):
    """What a rule demands, for people to read."""

    id: str
    severity: Severity
    title: str


_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?|P\d+W")
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T.+)?)?)?")
_SHORT_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_TITLE_CASE = re.compile(
    r"\s*[A-Z]\S*(?:\s+(?:(?:a|an|the|as|and|per|to|but|or|for|in|is|of|on|with|within|from)"
    r"|[A-Z]\S*|[^A-Za-z\s]+))*\s*"
)
#: The null flavors of ISO 21090 (SDTMIG 3.4, section 7.4.2.1).
NULL_FLAVORS: Final = frozenset(
    {
        *("NI", "INV", "DER", "OTH", "NINF", "PINF", "UNC", "MSK"),
        *("NA", "UNK", "ASKU", "NAV", "NASK", "QS", "TRC"),
    }
)
_NULL_WORDS: Final = NULL_FLAVORS - {"DER", "INV", "QS"} | {"N/A", "NULL", "UNKNOWN", "NOT APPLICABLE"}
_CATEGORIES: Final = ("INCLUSION", "EXCLUSION")
_MAX_TEXT: Final = 200
_TSVAL = re.compile(r"TSVAL[1-9][0-9]*")

#: Variables that must be there and filled, that are expected, and that may be, in the order of SDTMIG 3.4.
_REQUIRED: Final = {
    "TS": ("STUDYID", "DOMAIN", "TSSEQ", "TSPARMCD", "TSPARM"),
    "TI": ("STUDYID", "DOMAIN", "IETESTCD", "IETEST", "IECAT"),
}
_EXPECTED: Final = {"TS": ("TSVAL", "TSVALCD", "TSVCDREF", "TSVCDVER"), "TI": ()}
_ORDER: Final = {
    "TS": (
        *("STUDYID", "DOMAIN", "TSSEQ", "TSGRPID", "TSPARMCD", "TSPARM", "TSVAL"),
        *("TSVALNF", "TSVALCD", "TSVCDREF", "TSVCDVER"),
    ),
    "TI": ("STUDYID", "DOMAIN", "IETESTCD", "IETEST", "IECAT", "IESCAT", "TIRL", "TIVERS"),
}
_OF_VARIABLES: Final = (
    Demand("CORE-000182", "error", "a variable name has at most 8 characters"),
    Demand("CORE-000334", "warning", "expected variables are there"),
    Demand("CORE-000355", "error", "required variables are there"),
    Demand("CORE-000579", "warning", "a dataset without records is left out"),
    Demand("CORE-000594", "warning", "labels are in title case"),
    Demand("CORE-000852", "warning", "variables are in the order of the guide"),
    Demand("SDTMIG-2.6", "error", "a label has at most 40 characters"),
)
_SIMPLIFIED: Final = frozenset({"STUDYID", "TSPARMCD", "TSVAL", "TSVALNF"})


def demands(name: str) -> list[Demand]:
    """Return what is demanded of a dataset: by the rules for its records, its texts and its variables."""
    of_records = [Demand(rule.id, rule.severity, rule.title) for rule in RULES[name]]
    of_texts = [Demand(rule, "error", title) for (rule, title), _ in _TEXT_RULES]
    return [*of_records, *of_texts, *_OF_VARIABLES]


def check_rules(dataset: dict[str, Any]) -> list[Issue]:
    """Return which rules a TS or TI breaks, and where; nothing for other datasets.

    The dataset has the structure of Dataset-JSON, and that structure is right.
    """
    name = dataset["name"]
    if name not in _REQUIRED:
        return []
    names = [column["name"] for column in dataset["columns"]]
    records = [dict(zip(names, row, strict=True)) for row in dataset.get("rows") or ()]
    # FDA's simplified TS has neither the other variables nor their values.
    simplified = name == "TS" and set(names) <= _SIMPLIFIED
    found = list(_check_variables(dataset, names, simplified=simplified))
    rules = SIMPLIFIED_RULES if simplified else RULES[name]
    for rule in rules:
        for number, why in rule.check(records):
            found.append(_finding(rule, f"{rule.title}: {why}", _place(name, number, records[number])))
    found += _check_texts(dataset, names)
    if not records:
        message = "a dataset without records should be left out"
        found.append(issue("conformance", message, target_path=name, rule="CORE-000579", severity="warning"))
    return found


def _finding(rule: Rule, message: str, place: str) -> Issue:
    return issue("conformance", message, target_path=place, rule=rule.id, severity=rule.severity)


def _place(name: str, number: int, record: Record) -> str:
    """Return the place of a record: its number, and the name that a person knows it by."""
    topic = record.get("TSPARMCD") or record.get("IETESTCD") or ""
    sequence = record.get("TSSEQ")
    key = f"{topic}.{sequence:g}" if isinstance(sequence, int | float) else str(topic)
    return f"{name} row {number + 1} ({key})" if key else f"{name} row {number + 1}"


def _check_variables(dataset: dict[str, Any], names: list[str], *, simplified: bool) -> Iterator[Issue]:
    """Yield what is wrong with the variables: names, labels, which there are and their order."""
    name = dataset["name"]

    def found(rule: str, message: str, severity: Severity = "error") -> Issue:
        return issue("conformance", message, target_path=name, rule=rule, severity=severity)

    for column in dataset["columns"]:
        if len(column["name"]) > 8:
            yield found("CORE-000182", f"the variable name {column['name']} has more than 8 characters")
        if len(column["label"]) > 40:
            yield found("SDTMIG-2.6", f"the label of {column['name']} has more than 40 characters")
        elif not _TITLE_CASE.fullmatch(column["label"]):
            yield found("CORE-000594", f"the label of {column['name']} is not in title case", "warning")
    if simplified:
        return
    for variable in _REQUIRED[name]:
        if variable not in names:
            yield found("CORE-000355", f"the required variable {variable} is missing")
    for variable in _EXPECTED[name]:
        if variable not in names:
            yield found("CORE-000334", f"the expected variable {variable} is missing", "warning")
    known = [variable for variable in names if variable in _ORDER[name]]
    if known != [variable for variable in _ORDER[name] if variable in known]:
        yield found("CORE-000852", "the variables are not in the order of the guide", "warning")


def _required(*names: str) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    def check(records: list[Record]) -> Iterator[tuple[int, str]]:
        for number, record in enumerate(records):
            for name in names:
                if name in record and record[name] in (None, ""):
                    yield number, f"{name} is empty"

    return check


def _domain(name: str) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    return _each("DOMAIN", lambda value: value == name, f"expected {name}")


def _each(
    name: str, is_right: Callable[[str], bool], why: str
) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    """Return a check of the values of a variable, where there are any."""

    def check(records: list[Record]) -> Iterator[tuple[int, str]]:
        for number, record in enumerate(records):
            value = record.get(name)
            if value is not None and value != "" and not is_right(str(value)):
                yield number, f"{name} is {str(value)[:60]!r}; {why}"

    return check


def _unique(*names: str) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    """Return a check that no two records have the same values of these variables."""

    def check(records: list[Record]) -> Iterator[tuple[int, str]]:
        seen: dict[tuple[Any, ...], int] = {}
        for number, record in enumerate(records):
            first = seen.setdefault(tuple(record.get(name) for name in names), number)
            if first != number:
                yield number, f"row {first + 1} has the same {' and '.join(names)}"

    return check


def _paired(one: str, other: str) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    """Return a check that each value of a variable goes with one value of another, and the other way round."""

    def check(records: list[Record]) -> Iterator[tuple[int, str]]:
        partners: dict[tuple[str, Any], Any] = {}
        for number, record in enumerate(records):
            left, right = record.get(one), record.get(other)
            if left in (None, "") or right in (None, ""):
                continue
            for name, key, partner in ((one, left, right), (other, right, left)):
                known = partners.setdefault((name, key), partner)
                if known != partner:
                    yield (
                        number,
                        f"{name} {str(key)[:40]!r} goes with {str(known)[:40]!r} and {str(partner)[:40]!r}",
                    )

    return check


def _without_value(records: list[Record]) -> Iterator[tuple[int, str]]:
    for number, record in enumerate(records):
        if not record.get("TSVAL") and not record.get("TSVALNF"):
            yield number, "both are empty"


def _with_both(records: list[Record]) -> Iterator[tuple[int, str]]:
    for number, record in enumerate(records):
        if record.get("TSVAL") and record.get("TSVALNF"):
            yield number, f"TSVALNF is {record['TSVALNF']!r}"


def _gaps(records: list[Record]) -> Iterator[tuple[int, str]]:
    if not records:
        return
    names = [
        "TSVAL",
        *sorted((name for name in records[0] if _TSVAL.fullmatch(name)), key=lambda name: int(name[5:])),
    ]
    if len(names) == 1:
        return
    for number, record in enumerate(records):
        for before, after in pairwise(names):
            if record[after] and not record.get(before):
                yield number, f"{after} has a text and {before} has none"


def _version_alone(records: list[Record]) -> Iterator[tuple[int, str]]:
    for number, record in enumerate(records):
        if record.get("TSVCDVER") and not record.get("TSVCDREF"):
            yield number, f"TSVCDVER is {record['TSVCDVER']!r}"


def _parameter(
    names: tuple[str, ...], is_right: Callable[[str], bool], why: str
) -> Callable[[list[Record]], Iterator[tuple[int, str]]]:
    """Return a check of the values of some parameters, where there are any."""

    def check(records: list[Record]) -> Iterator[tuple[int, str]]:
        for number, record in enumerate(records):
            if record.get("TSPARMCD") in names and record.get("TSVAL") and not is_right(str(record["TSVAL"])):
                yield number, f"TSVAL is {str(record['TSVAL'])[:60]!r}; {why}"

    return check


def _null_words(records: list[Record]) -> Iterator[tuple[int, str]]:
    for number, record in enumerate(records):
        value = record.get("TSVAL")
        # A term of a codelist may be such a word (SDTMIG 3.4, section 7.4.2, assumption 11).
        if value and not record.get("TSVALCD") and str(value).upper() in _NULL_WORDS:
            yield number, f"TSVAL is {value!r}"


def _check_texts(dataset: dict[str, Any], names: list[str]) -> Iterator[Issue]:
    """Yield the texts that are too long, begin with a space or are nothing but a full stop."""
    for number, row in enumerate(dataset.get("rows") or ()):
        for position, value in enumerate(row):
            # One look at most cells; their number makes all the difference here.
            if value.__class__ is not str or (
                len(value) <= _MAX_TEXT and value.isascii() and value[:1] not in " ."
            ):
                continue
            for rule, is_broken in _TEXT_RULES:
                if is_broken(value):
                    record = dict(zip(names, row, strict=True))
                    place = f"{_place(dataset['name'], number, record)}: {names[position]}"
                    yield issue("conformance", rule[1], target_path=place, rule=rule[0])


_TEXT_RULES: Final[tuple[tuple[tuple[str, str], Callable[[str], bool]], ...]] = (
    (
        ("SDTMIG-4.5.3", "a text has at most 200 bytes"),
        lambda text: len(text.encode("utf-8", "surrogatepass")) > _MAX_TEXT,
    ),
    (("CORE-000867", "a text does not begin with a space"), lambda text: text.startswith(" ")),
    (("CORE-000890", "a text is not a full stop"), lambda text: text == "."),
)


def _start_date(records: list[Record]) -> Iterator[tuple[int, str]]:
    if records and not any(record.get("TSPARMCD") == "SSTDTC" for record in records):
        yield 0, "no record has TSPARMCD SSTDTC"


_VALUE_RULES: Final = (
    Rule(
        "CORE-000147",
        "error",
        "TSPARMCD has at most 8 characters",
        _each("TSPARMCD", lambda t: len(t) <= 8, "longer"),
    ),
    Rule("CORE-000149", "error", "TSVAL or TSVALNF is populated", _without_value),
    Rule("CORE-000150", "error", "TSVALNF is empty where TSVAL is populated", _with_both),
    Rule(
        "SDTMIG-7.4.2.1",
        "error",
        "TSVALNF is a null flavor of ISO 21090",
        _each("TSVALNF", lambda text: text in NULL_FLAVORS, "unknown"),
    ),
    Rule(
        "CORE-000505",
        "error",
        "SSTDTC is an ISO 8601 date",
        _parameter(("SSTDTC",), lambda text: bool(_DATE.fullmatch(text)), "no date"),
    ),
)

#: The rules of each dataset.
RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "TS": (
        Rule("CORE-000356", "error", "required variables are populated", _required(*_REQUIRED["TS"])),
        Rule("SDTMIG-7.4.2", "error", "DOMAIN is TS", _domain("TS")),
        *_VALUE_RULES,
        Rule(
            "CORE-000148",
            "error",
            "TSPARM has at most 40 characters",
            _each("TSPARM", lambda t: len(t) <= 40, "longer"),
        ),
        Rule("CORE-000582", "error", "a text goes on only where the variable before is populated", _gaps),
        Rule("CORE-000152", "error", "TSVAL and TSVALCD go together one to one", _paired("TSVALCD", "TSVAL")),
        Rule("CORE-000153", "error", "TSVCDVER needs TSVCDREF", _version_alone),
        Rule("CORE-000154", "error", "TSSEQ is unique within TSPARMCD", _unique("TSPARMCD", "TSSEQ")),
        Rule("CORE-000179", "error", "TSPARMCD and TSPARM go together one to one", _paired("TSPARMCD", "TSPARM")),
        Rule(
            "CORE-000294",
            "error",
            "AGEMAX is an ISO 8601 duration",
            _parameter(("AGEMAX",), lambda text: bool(_DURATION.fullmatch(text)), "no duration"),
        ),
        Rule(
            "SDTMIG-4.4.3",
            "error",
            "AGEMIN and TRGFUDUR are ISO 8601 durations",
            _parameter(("AGEMIN", "TRGFUDUR"), lambda text: bool(_DURATION.fullmatch(text)), "no duration"),
        ),
        Rule(
            "SDTMIG-4.4.1",
            "error",
            "SENDTC is an ISO 8601 date",
            _parameter(("SENDTC",), lambda text: bool(_DATE.fullmatch(text)), "no date"),
        ),
        Rule("CORE-000787", "warning", "a value that is not known belongs into TSVALNF", _null_words),
        Rule("TRC1734", "warning", "TS has the start date of the study", _start_date),
    ),
    "TI": (
        Rule("CORE-000356", "error", "required variables are populated", _required(*_REQUIRED["TI"])),
        Rule("SDTMIG-7.4.1", "error", "DOMAIN is TI", _domain("TI")),
        Rule(
            "CORE-000541",
            "error",
            "IETESTCD is a name of at most 8 characters",
            _each("IETESTCD", lambda text: bool(_SHORT_NAME.fullmatch(text)), "no such name"),
        ),
        Rule(
            "CORE-000146",
            "error",
            "IETESTCD is unique within the version of the criteria",
            _unique("IETESTCD", "TIVERS"),
        ),
        Rule("CORE-000743", "error", "IETESTCD and IETEST go together one to one", _paired("IETESTCD", "IETEST")),
        Rule(
            "SDTMIG-7.4.1-IECAT",
            "error",
            "IECAT is a term of C66797",
            _each("IECAT", lambda text: text in _CATEGORIES, "neither INCLUSION nor EXCLUSION"),
        ),
    ),
}

#: The rules of FDA's simplified TS.
SIMPLIFIED_RULES: Final = (
    Rule("CORE-000356", "error", "required variables are populated", _required("STUDYID", "TSPARMCD")),
    *_VALUE_RULES,
    Rule("TRC1734", "error", "TS has the start date of the study", _start_date),
)
