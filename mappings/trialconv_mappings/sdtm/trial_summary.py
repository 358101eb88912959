"""TS: the trial summary parameters of a record as rows."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import (
    at_once,
    checked_date,
    code,
    derived,
    distinct,
    filled,
    looked_up,
    numbered,
    remembered,
)
from trialconv.record.protocol import PartialDateStruct, ProtocolSection
from trialconv_mappings.cdisc.codelists import CODELISTS, Codelist
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.cdisc.trial_summary import TrialSummary
from trialconv_mappings.mesh import condition_headings
from trialconv_mappings.sdtm.datasets import Row, pieces, shortened
from trialconv_mappings.tables import Row as TableRow
from trialconv_mappings.tables import table

_PROTOCOL: Final = "protocolSection."
_ELIGIBILITY: Final = _PROTOCOL + "eligibilityModule."

#: Names of reference terminologies as SDTMIG 3.4 writes them in the examples of section 7.4.2.
_CDISC: Final = "CDISC CT"
_ISO_8601: Final = "ISO 8601"
_COUNTRIES: Final = "ISO 3166-1 Alpha-3"
_MESH: Final = "MeSH"
_DURATIONS: Final = frozenset({"AGEMIN", "AGEMAX", "TRGFUDUR"})

#: The parameters that are tied to others of the same position, and the word before its number in TSGRPID.
_GROUPS: Final = {"PUBMEDID": "REF", "CITNSTDY": "REF", "URLSTDY": "LINK", "URLSTDYD": "LINK"}

#: Parameters for which a word without a code is a value outside of the codelist, and no other answer.
_OPEN: Final = frozenset({"INTTYPE", "TINDTP", "OBSMODEL", "OBSTIMP"})

#: Words of sponsors that say that there is no value, and the null flavor for each (CORE-000787).
_NO_VALUE: Final = {"unknown": "UNK", "n/a": "NA", "not applicable": "NA"}

#: Null flavors of ISO 21090, beside those of `sdtm_null_flavor.csv`.
_OTHER: Final = "OTH"
_NOT_YET: Final = "NAV"
_NO_UPPER_LIMIT: Final = "PINF"
_NO_LOWER_LIMIT: Final = "NINF"


class Entry(NamedTuple):
    """A value of a parameter: the value or its null flavor, and its code with the terminology it is from."""

    value: str | None
    null_flavor: str | None = None
    code: str | None = None
    reference: str | None = None
    version: str | None = None
    group: str | None = None


class Summary(TrialSummary):
    """The entries of every parameter so far, and the codelist of each parameter whose values are coded."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.entries: dict[str, list[Entry]] = {}
        self.codelists: dict[str, Codelist] = {}
        self._headings = condition_headings(ctx.record.study)
        self._coded: dict[str, str] = {}

    def place(self, name: str) -> str:
        """Return the place of a parameter for Issues."""
        return f"TS[{name}]"

    def put(self, name: str, entry: Entry) -> None:
        """Add an entry as it is."""
        self.entries.setdefault(name, []).append(entry)

    def put_once(self, name: str, entry: Entry) -> None:
        """Add an entry, if it is not there already."""
        found = self.entries.setdefault(name, [])
        if entry in found:
            number = found.index(entry)
            found[number] = derived(found[number], entry)
        else:
            found.append(entry)

    def add(self, name: str, value: str | None, source: str, position: int = 0) -> None:
        """Add a value in the registry's words."""
        text = self.text(name, value, source)
        if not text:
            return
        group = f"{_GROUPS[name]}{position}" if name in _GROUPS else None
        if text.casefold() in _NO_VALUE:
            self.put(name, Entry(None, derived(_NO_VALUE[text.casefold()], text), group=group))
        elif name in _DURATIONS:
            self.put(name, Entry(text, reference=derived(_ISO_8601, text)))
        elif name == "INDIC":
            self.put(name, self._condition(text))
        else:
            self.put(name, Entry(text, group=group))

    def add_row(self, name: str, table_name: str, row: TableRow, source: str, position: int = 0) -> None:
        """Add a term of a CDISC codelist, once."""
        codelist = CODELISTS[table_name]
        if row.relation == "source-is-narrower-than-target":
            message = f"{row.source} is more than {row.display}, and there is no place for the registry's word"
            self.ctx.note("broader-term", message, source, self.place(name))
        reference, version = derived((_CDISC, codelist.effective), row.code)
        entry = Entry(row.display, None, row.code, reference, version)
        self.put_once(name, entry)
        self.codelists[name] = codelist

    def add_coded(self, name: str, table_name: str, word: str | None, source: str, position: int = 0) -> None:
        """Add a coded word; one outside of the codelist has the null flavor for that, and no value."""
        super().add_coded(name, table_name, word, source, position)
        if word is None:
            return
        rows = table(table_name).get(word)
        if rows is None or (not rows and name in _OPEN):
            self.put_once(name, Entry(None, filled(_OTHER, word)))

    def add_registration(self, number: str | None, registry: str | None, source: str, position: int) -> None:
        """Add a registry's number, which is its own code in the registry's terminology."""
        text = self.text("REGID", number, source)
        if not text:
            return
        known = shortened(self.text("REGID", registry, source))
        if known and len(pieces(text)) == 1:
            self.put("REGID", Entry(text, code=text, reference=known))
        else:
            self.put("REGID", Entry(text))

    def add_date(self, name: str, date: PartialDateStruct, source: str) -> None:
        """Add a date on which something took place.

        SSTDTC and SENDTC are of what was. An estimate is not carried; a date without a type is, where it had
        passed on the day of the record's last update.
        """
        if date.date is None:
            return
        checked = checked_date(self.ctx, date.date, source, self.place(name))
        if checked is None:
            return
        actual = date.type == "ACTUAL"
        decided: list[str | None] = [date.type]
        if date.type is None:
            last_update = self.ctx.record.last_update or ""
            decided.append(last_update)
            actual = bool(last_update) and checked <= last_update[: len(checked)]
        if actual:
            self.put(name, Entry(derived(checked, *decided), reference=derived(_ISO_8601, checked, *decided)))
            return
        message = f"{checked} is not said to have come, and the parameter is of what took place"
        self.ctx.note("date-not-actual", message, source, self.place(name))
        if name == "SENDTC":
            self.put(name, Entry(None, derived(_NOT_YET, checked, *decided)))

    def text(self, name: str, value: str | None, source: str) -> str:
        """Return a value without space around it and without characters that no format holds."""
        if not value:
            return ""
        if not value.isprintable():
            value = clean(self.ctx, value, source, self.place(name))
        return value.strip()

    def _condition(self, text: str) -> Entry:
        """Return a condition with the MeSH heading that is the same term; one spelling gets the code."""
        heading = self._headings.get(text.casefold())
        if heading is None or self._coded.setdefault(heading[0], text) != text:
            return Entry(text)
        return Entry(text, None, *derived((heading[0], _MESH), heading, text))


def trial_summary(ctx: Context) -> Summary:
    """Return all parameters of a record: what it says, then the null flavors of what it does not say."""
    summary = Summary(ctx)
    summary.collect()
    protocol = ctx.record.study.protocol_section
    if "TITLE" not in summary.entries:
        source = _PROTOCOL + "identificationModule.briefTitle"
        summary.add("TITLE", protocol.identification_module.brief_title, source)
        if "TITLE" not in summary.entries and isinstance(title := ctx.record.extras.get("title"), str):
            summary.add("TITLE", title, "extras.title")
    status = protocol.status_module.overall_status
    summary.add_coded("ONGOSIND", "cdisc_ongoing", status, _PROTOCOL + "statusModule.overallStatus")
    enrollment = protocol.design_module.enrollment_info
    if enrollment.count is not None and enrollment.type not in ("ACTUAL", "ESTIMATED"):
        source = _PROTOCOL + "designModule.enrollmentInfo.count"
        ctx.note("not-placed", f"{enrollment.count} is not said to be planned or actual", source, "TS[PLANSUB]")
    _treatments(summary, protocol)
    _countries(summary, protocol)
    _contacts(summary, protocol)
    _open_ages(summary, protocol)
    _null_flavors(summary, protocol)
    return summary


def start_of_study(ctx: Context) -> Summary:
    """Return what FDA asks for where a study has no data in SDTM: its start, and the sponsor's number."""
    summary = Summary(ctx)
    protocol = ctx.record.study.protocol_section
    start = _PROTOCOL + "statusModule.startDateStruct.date"
    summary.add_date("SSTDTC", protocol.status_module.start_date_struct, start)
    if not summary.entries:
        (row,) = table("sdtm_null_flavor").get("SSTDTC") or ()
        summary.put("SSTDTC", Entry(None, filled(row.code)))
    own = protocol.identification_module.org_study_id_info.id
    summary.add("SPREFID", own, _PROTOCOL + "identificationModule.orgStudyIdInfo.id")
    return summary


def summary_rows(summary: Summary, study_id: str) -> tuple[list[Row], int]:
    """Return the rows of TS, sorted by its keys, and how many variables they need beside TSVAL."""
    cut: list[tuple[TableRow, str, int, Entry, list[str | None]]] = []
    more = 0
    term_of = at_once(parameter_term)
    for name in sorted(summary.entries):
        term = term_of(name)
        for number, entry in numbered(summary.entries[name]):
            parts: list[str | None] = [*pieces(entry.value)] if entry.value else [None]
            more = max(more, len(parts) - 1)
            cut.append((term, name, number, entry, parts))
    rows: list[Row] = [
        [
            study_id,
            "TS",
            number,
            entry.group,
            name,
            term.display,
            *parts,
            *[None] * (more + 1 - len(parts)),
            entry.null_flavor,
            entry.code,
            entry.reference,
            entry.version,
        ]
        for term, name, number, entry, parts in cut
    ]
    return rows, more


@remembered(None)
def parameter_term(name: str) -> TableRow:
    """Return the row of a parameter: its NCI code, and its term as the display."""
    (row,) = table("cdisc_parameter").get(name) or ()
    return derived(row, name)


def _treatments(summary: Summary, protocol: ProtocolSection) -> None:
    """Add interventions by the arms that they are given in.

    What an experimental arm gets is under investigation; what active comparators get and no experimental arm is
    what it is compared with. Of all others the record does not say it.
    """
    module = protocol.arms_interventions_module
    types = {arm.label: arm.type for arm in module.arm_groups if arm.label}
    named = [(arm.label, name) for arm in module.arm_groups if arm.label for name in arm.intervention_names]
    for intervention in module.interventions:
        links = [link for link in named if link[1].partition(": ")[2] == intervention.name]
        labels = [*intervention.arm_group_labels, *(label for label, _ in links)]
        kinds = {types.get(label) for label in labels}
        name = derived(intervention.name, labels, links, kinds)
        source = _PROTOCOL + "armsInterventionsModule.interventions[].name"
        if "EXPERIMENTAL" in kinds:
            summary.add("TRT", name, source)
        elif "ACTIVE_COMPARATOR" in kinds:
            summary.add("COMPTRT", name, source)
        elif intervention.name:
            message = f"{intervention.name!r} belongs to no experimental arm and to no active comparator"
            summary.ctx.note("not-placed", message, source, "TS[TRT]")


def _countries(summary: Summary, protocol: ProtocolSection) -> None:
    source = _PROTOCOL + "contactsLocationsModule.locations[].country"
    places = protocol.contacts_locations_module.locations
    # A page lists countries of which it names no place.
    listed = [*(place.country for place in places), *summary.ctx.record.extras.get("countries", ())]
    for name in filter(None, distinct(listed)):
        rows = looked_up(table("countries"), name)
        if not rows:
            message = f"{name!r} has no code in the table of countries"
            summary.ctx.uncoded.append(("countries", name))
            summary.ctx.note("country-without-code", message, source, "TS[FCNTRY]")
            continue
        for row in code(summary.ctx, table("sdtm_country"), rows[0].code, source, "TS[FCNTRY]"):
            summary.put_once("FCNTRY", Entry(row.code, reference=derived(_COUNTRIES, row.code)))


def _contacts(summary: Summary, protocol: ProtocolSection) -> None:
    contacts = protocol.contacts_locations_module.central_contacts
    if not contacts:
        return
    path = _PROTOCOL + "contactsLocationsModule.centralContacts[]"
    if not summary.ctx.options.contacts:
        summary.ctx.note("withheld-contact", f"{len(contacts)} contacts were left out", path, "TS[CONNAME]")
        return
    for number, contact in enumerate(contacts, 1):
        parts = (("CONNAME", contact.name), ("CONPHONE", contact.phone), ("CONEMAIL", contact.email))
        for name, value in parts:
            text = summary.text(name, value, path)
            if text:
                summary.put(name, Entry(text, group=f"CONTACT{number}"))


def _open_ages(summary: Summary, protocol: ProtocolSection) -> None:
    """Add the null flavor of an age without limit.

    The registry asks for both limits and leaves one out where it is "N/A (No limit)"
    (https://clinicaltrials.gov/policy/protocol-definitions#AgeLimits). Age groups that it derived may say
    otherwise.
    """
    eligibility = protocol.eligibility_module
    if eligibility.sex is None and not (eligibility.minimum_age or eligibility.maximum_age):
        return
    groups = eligibility.std_ages
    if not eligibility.maximum_age and (not groups or "OLDER_ADULT" in groups):
        summary.put("AGEMAX", Entry(None, filled(_NO_UPPER_LIMIT, groups)))
    if not eligibility.minimum_age and (not groups or "CHILD" in groups):
        summary.put("AGEMIN", Entry(None, filled(_NO_LOWER_LIMIT, groups)))


def _null_flavors(summary: Summary, protocol: ProtocolSection) -> None:
    """Add the parameters that every TS should have, without a value, where the record does not give one."""
    flavors = table("sdtm_null_flavor")
    study_type = protocol.design_module.study_type
    for row in flavors:
        if "/" not in row.source and row.source not in summary.entries:
            special = flavors.get(f"{row.source}/{study_type}")
            summary.put(row.source, Entry(None, filled((special or (row,))[0].code, study_type)))
