"""The generated parts of the documentation, by name: Markdown made of the code, the tables and the figures."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import doc_api
import doc_bulk
import doc_commands
import doc_extensions
import doc_losses
import doc_performance
import doc_warehouse

from trialconv import convert, read
from trialconv.catalog import TARGETS
from trialconv.issues import CATALOGUE, SEVERITIES
from trialconv.record.leaves import field_paths
from trialconv.validators.odm_rules import RULES as ODM_RULES
from trialconv.validators.schema import definitions
from trialconv.validators.sdtm_rules import RULES, Demand, demands
from trialconv_mappings import labels
from trialconv_mappings.cdisc.codelists import CODELISTS
from trialconv_mappings.fields import FieldRow, field_row, field_rows
from trialconv_mappings.tables import CodeTable, Row, table, table_names

ROOT: Final = Path(__file__).resolve().parent.parent

#: The elements of the example's ResearchStudy that the README shows.
_SHOWN: Final = ("resourceType", "id", "title", "status", "phase", "condition", "period", "enrollment")

#: What the beginning of a table's name says: the heading, and a line about these tables.
_ROOMS: Final = {
    "fhir_r4_": ("FHIR R4 and R4B only", "Where a code or its system differs between the versions."),
    "fhir_r5_": ("FHIR R5 only", "Where a code or its system differs between the versions."),
    "fhir_": ("FHIR, all versions", "The source is the registry's value or field."),
    "cdisc_": (
        "CDISC controlled terminology, for ODM and SDTM",
        "The code is the NCI code of the term, the display its submission value, which these carry as the value.",
    ),
    "sdtm_": ("SDTM", "What SDTM needs beside the controlled terminology."),
    "ctgov_legacy_": (
        "Legacy registry XML to today's values",
        "What the old XML spells out, and the value that the registry's present data structure has for it.",
    ),
    "usdm_": (
        "CDISC controlled terminology, for USDM",
        (
            "The display is the preferred term, which USDM carries as the decode. Words with a table for ODM "
            "above are coded by that table; `usdm_preferred_term` has the preferred terms of its codes."
        ),
    ),
    "countries": ("Countries", "The registry's names of countries and their ISO 3166-1 codes."),
    "ucum_": ("Units", "Units of age in UCUM."),
}


def _cell(text: str) -> str:
    """Return a text that does not break the table that it stands in."""
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


def markdown_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table. The cells are Markdown already."""
    lines = [f"| {' | '.join(head)} |"]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def demo_study(_: Path) -> str:
    """Return the beginning of what `make demo` makes, as JSON."""
    record = next(read(ROOT / "examples" / "NCT06108596.txt"))
    study = convert(record, "fhir-r4")["entry"][0]["resource"]
    shown = {name: study[name] for name in _SHOWN if name in study}
    return f"```json\n{json.dumps(shown, indent=2, ensure_ascii=False)}\n```"


def odm_rules(_: Path) -> str:
    """Return the rules for ODM that no schema states."""
    rows = [
        (_code(name), _cell(rule.demand), rule.severity, _code(rule.code), _cell(rule.source))
        for name, rule in ODM_RULES.items()
    ]
    return markdown_table(("rule", "what it demands", "severity", "issue", "from"), rows)


def issue_codes(_: Path) -> str:
    """Return the catalogue of issue codes, the gravest first."""
    parts = []
    for severity in SEVERITIES:
        rows = [
            (_code(code), _cell(kind.meaning), _cell(kind.action))
            for code, kind in CATALOGUE.items()
            if kind.severity == severity
        ]
        parts.append(f"### {severity}\n\n" + markdown_table(("code", "what it means", "what to do"), rows))
    return "\n\n".join(parts)


def _target_groups() -> list[tuple[str, str]]:
    """Return the targets' titles and the name of one of them; targets with the same field table share a title."""
    groups: dict[tuple[FieldRow, ...], list[str]] = {}
    first: dict[tuple[FieldRow, ...], str] = {}
    for name, target in TARGETS.items():
        title = target.title.partition(",")[0].removeprefix("CDISC ").replace(" study definition", "")
        first.setdefault(field_rows(name), name)
        groups.setdefault(field_rows(name), []).append(title.removesuffix(" Bundle"))
    return [(", ".join(dict.fromkeys(titles)), first[rows]) for rows, titles in groups.items()]


def field_counts(_: Path) -> str:
    """Return how many fields have a home in each target."""
    paths = field_paths()
    results = sum(path.startswith("resultsSection.") for path in paths)
    rows = []
    for title, target in _target_groups():
        homes = sum(bool(row and row.home) for row in (field_row(target, path) for path in paths))
        rows.append((title, str(homes), str(len(paths) - homes)))
    text = f"A record has {len(paths)} fields, {results} of them in its results section.\n\n"
    return text + markdown_table(("target", "with a home", "without"), rows)


def fields(_: Path) -> str:
    """Return every field with its home in each target, or the reason for having none.

    There is a table per module. Sections for which one row of the field tables speaks come last, as lists.
    """
    groups = _target_groups()
    modules: dict[str, list[tuple[str, ...]]] = {}
    sections: dict[str, dict[str, list[str]]] = {}
    for path in field_paths():
        module, name = _module(path)
        rows = [field_row(target, path) for _, target in groups]
        above = {row.path for row in rows if row is not None and row.path != path}
        if above and len(above) == 1 and all(row is not None and row.path in above for row in rows):
            sections.setdefault(above.pop(), {}).setdefault(module, []).append(_code(name))
        else:
            modules.setdefault(module, []).append((_code(name), *map(_home, rows)))
    head = ("field", *(title for title, _ in groups))
    parts = [f"### {module}\n\n{markdown_table(head, rows)}" for module, rows in modules.items()]
    for section, listed in sections.items():
        homes = (_code(f"{section}.*"), *(_home(field_row(target, section)) for _, target in groups))
        names = [
            f"- {_code(module.removeprefix(section + '.'))}: {', '.join(names)}"
            for module, names in listed.items()
        ]
        count = sum(map(len, listed.values()))
        intro = f"One answer holds for all {count} fields of this section:"
        parts.append("\n\n".join((f"### {section}", intro, markdown_table(head, [homes]), "\n".join(names))))
    return "\n\n".join(parts)


def _module(path: str) -> tuple[str, str]:
    """Split a path into its section and module, and the field below them."""
    steps = path.split(".")
    above = 2 if len(steps) > 2 and steps[1].endswith(("Module", "Annotation")) else 1
    if len(steps) == 1:
        return "the study itself", path
    return ".".join(steps[:above]), ".".join(steps[above:])


def _home(row: FieldRow | None) -> str:
    if row is None:
        return "*missing from the table of fields*"
    if row.home:
        return "; ".join(_code(home) for home in row.home.split("; "))
    return f"*none: {_cell(row.reason)}*"


def code_tables(_: Path) -> str:
    """Return every code table, ordered by what the tables are for."""
    parts = []
    left = table_names()
    for prefix, (heading, about) in _ROOMS.items():
        names = [name for name in left if name.startswith(prefix)]
        left = [name for name in left if name not in names]
        if names:
            contents = ", ".join(f"[{name}](#{name})" for name in names)
            parts.append(f"## {heading}\n\n{about}" + (f"\n\nTables: {contents}" if len(names) > 1 else ""))
            parts += [f"### {name}\n\n{_code_table(table(name))}" for name in names]
    if left:
        raise ValueError(f"no heading for the code tables {', '.join(left)}; add one to _ROOMS")
    return "\n\n".join(parts)


def _code_table(codes: CodeTable) -> str:
    systems = {row.system for row in codes if row.code}
    one_system = len(systems) == 1
    text = f"System: {_code(systems.pop())}\n\n" if one_system else ""
    if codes.name in CODELISTS:
        codelist = CODELISTS[codes.name]
        text += (
            f"Codelist: {codelist.name} ({codelist.code}), {codelist.package} package, {codelist.effective}\n\n"
        )
    head = ("source", *(() if one_system else ("system",)), "code", "display", "relation", "note")
    groups: dict[Row, list[str]] = {}
    for row in codes:
        groups.setdefault(row._replace(source=""), []).append(row.source)
    rows = (_code_row(row, sources, with_system=not one_system) for row, sources in groups.items())
    return text + markdown_table(head, rows)


def _code_row(row: Row, sources: list[str], *, with_system: bool) -> Iterator[str]:
    yield ", ".join(map(_code, sources))
    if with_system:
        yield _code(row.system)
    yield _code(row.code) or "*text only*"
    yield _cell(row.display)
    yield row.relation
    yield _cell(row.note)


def status_r4(_: Path) -> str:
    """Return the statuses of the registry with R4's codes and the reasons."""
    rows = (
        (_code(row.source), _code(row.code) or "*absent*", row.relation, _cell(row.note))
        for row in table("fhir_r4_status")
    )
    return markdown_table(("registry", "R4 `status`", "relation", "why"), rows)


def progress_status(_: Path) -> str:
    """Return the statuses of the registry with the codes of the progress status."""
    in_r4, in_r5 = table("fhir_r4_progress_status"), table("fhir_r5_progress_status")
    sources = dict.fromkeys(row.source for row in in_r5)
    rows = (
        (_code(source), _first(in_r4, source), _first(in_r5, source), _cell(_note(in_r5, source)))
        for source in sources
    )
    return markdown_table(("registry", "code in R4's extension", "code in R5", "note"), rows)


def _first(codes: CodeTable, source: str) -> str:
    rows = codes.get(source)
    return _code(rows[0].code) if rows else "*text only*"


def _note(codes: CodeTable, source: str) -> str:
    return next((row.note for row in codes if row.source == source and row.note), "")


def sdtm_rules(_: Path) -> str:
    """Return the rules for TS and TI."""
    rows = {
        (_code(rule.id), " and ".join(names), rule.severity, _cell(rule.title))
        for rule, names in _rules_by_dataset().items()
    }
    return markdown_table(("rule", "dataset", "severity", "what it demands"), sorted(rows))


def _rules_by_dataset() -> dict[Demand, list[str]]:
    found: dict[Demand, list[str]] = {}
    for name in RULES:
        for demand in demands(name):
            found.setdefault(demand, []).append(name)
    return found


def format_limits(_: Path) -> str:
    """Return what the formats other than API v2 JSON cannot hold, or hold in another form."""
    forms = {
        "absent": "no",
        "part": "in part",
        "coarse": "coarser",
        "other": "in another form",
        "order": "in another order",
    }
    rows = (
        (_code(reader), _code(each.path), forms[each.form], each.reason)
        for reader, limits in labels.format_limits().items()
        for each in limits
    )
    return markdown_table(("format", "field", "held", "why"), rows)


def targets(_: Path) -> str:
    """Return the targets by name."""
    rows = ((_code(target.name), target.title) for target in TARGETS.values())
    return markdown_table(("target", "what it is"), rows)


def schemas(_: Path) -> str:
    """Return what the FHIR schemas were made of, what they cover, and the bindings that they cannot check."""
    packages = ROOT / "converter" / "trialconv" / "validators" / "_generated" / "packages.json"
    rows, left_out = [], []
    for made in json.loads(packages.read_text(encoding="utf-8")):
        version = made["release"]
        sources = ", ".join(_code(f"{one['name']} {one['version']}") for one in made["packages"])
        rows.append((f"{version} ({made['fhirVersion']})", str(len(definitions(version).resource_types)), sources))
        names = (_code(url.rstrip("/").rpartition("/")[2]) for url in made["requiredBindingsNotExpanded"])
        left_out.append(f"- {version}: {', '.join(names)}")
    table_ = markdown_table(("version", "resource types", "made from"), rows)
    about = "Required value sets whose codes cannot be listed; of these only the form of a code is checked:"
    return "\n".join((table_, "", about, "", *left_out))


def usdm_rules(_: Path) -> str:
    """Return the ids of the conformance rules of USDM that the validator names."""
    folder = ROOT / "converter" / "trialconv" / "validators"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("usdm*.py"))]
    texts.append((folder / "_generated" / "usdm-4.0.rules.json").read_text(encoding="utf-8"))
    ids = sorted({rule for text in texts for rule in re.findall(r"DDF(\d{5})", text)})
    return f"The rules, {len(ids)} of them: " + ", ".join(f"DDF{rule}" for rule in ids) + "."


def invariants(_: Path) -> str:
    """Return how many invariants each version has, and what enforces them."""
    path = ROOT / "converter" / "trialconv" / "validators" / "_generated" / "invariants.json"
    rows = []
    for version, listed in json.loads(path.read_text(encoding="utf-8")).items():
        counts = Counter(one["by"] for one in listed)
        rows.append((version, str(len(listed)), *(str(counts[by]) for by in ("schema", "code", "none"))))
    return markdown_table(("version", "invariants", "in the schema", "by functions", "not checked"), rows)


#: Every generated part, by the name in its marks: a function of the folder that holds docs/.
BLOCKS: Final[dict[str, Callable[[Path], str]]] = {
    "api": doc_api.api,
    "code-tables": code_tables,
    "commands": doc_commands.commands,
    "demo-study": demo_study,
    "bulk": doc_bulk.bulk,
    "cluster": doc_bulk.cluster,
    "dependencies": doc_performance.dependencies,
    "eligibility": doc_performance.eligibility,
    "extensions": doc_extensions.extension_tables,
    "field-counts": field_counts,
    "fields": fields,
    "format-limits": format_limits,
    "invariants": invariants,
    "issue-codes": issue_codes,
    "losses": doc_losses.shares,
    "losses-reasons": doc_losses.reasons,
    "losses-results": doc_losses.results,
    "odm-rules": odm_rules,
    "performance": doc_performance.performance,
    "performance-corpus": doc_performance.corpus,
    "performance-ledger": doc_performance.ledger,
    "performance-lineage": doc_performance.lineage,
    "performance-odmlib": doc_performance.odmlib,
    "performance-web": doc_performance.web,
    "progress-status": progress_status,
    "schemas": schemas,
    "sdtm-rules": sdtm_rules,
    "status-r4": status_r4,
    "performance-load": doc_performance.load,
    "warehouse-schema": partial(doc_warehouse.warehouse_schema, markdown_table),
    "targets": targets,
    "usdm-rules": usdm_rules,
    "validation": doc_performance.validation,
}
