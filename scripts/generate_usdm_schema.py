"""Make the compact JSON Schema of USDM v4, and the facts for the rules beside it, from the official files.

    python scripts/generate_usdm_schema.py [--sources DIR] [--check]

DIR holds `schemas/usdm-4.0` (USDM_API.json, dataStructure.yml and USDM_CORE_Rules.xlsx of
https://github.com/cdisc-org/DDF-RA) and `terminology/registry_codelists.tsv` (the CDISC codelists that NCI EVS
publishes). Writes `usdm-4.0.schema.json` and `usdm-4.0.rules.json` into converter/trialconv/validators/_generated.
`--check` writes nothing; it exits with 1 when that folder holds anything else than what it would write, and with 2
when the official files are not there.

The schema is that of the OpenAPI, without titles and defaults, and stricter in what the OpenAPI leaves to words:
no attribute that the class does not have (DDF00125), and at least one item where the model's cardinality is `1..*`
(DDF00126). Where an element may be of several classes, `instanceType` decides, so that an error names one class.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

from usdm_sources import Model, core_rules, model

Schema = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "converter" / "trialconv" / "validators" / "_generated"
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_KEPT: Final = ("type", "format", "const", "minLength", "maxItems")
_CODELIST: Final = re.compile(r"\((C\d+)\)")

#: Attributes whose codelist the model's dictionary names, and no rule does.
_WITHOUT_RULE: Final = (("StudyArm", "type", "C174222"), ("StudyEpoch", "type", "C99079"))


def make_schema(api: Schema, classes: Model) -> Schema:
    """Return the schema of a USDM document: the `Wrapper` of the API."""
    definitions = {
        name.removesuffix("-Input"): body
        for name, body in api["components"]["schemas"].items()
        if not name.endswith("-Output")
    }
    reached: dict[str, Schema] = {}
    waiting = ["Wrapper"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached[name] = _definition(name, definitions[name], classes)
            waiting += sorted(set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(reached[name]))))
    return {
        "$schema": _DRAFT,
        "$ref": "#/$defs/Wrapper",
        "$defs": dict(sorted(reached.items())),
    }


def schema_text(schema: Schema) -> str:
    """Return a schema as JSON with one definition on each line, so that a difference can be read."""

    def compact(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    lines = ",\n".join(f"{compact(name)}:{compact(body)}" for name, body in schema["$defs"].items())
    head = ",\n".join(f"{compact(key)}:{compact(value)}" for key, value in schema.items() if key != "$defs")
    return f'{{\n{head},\n"$defs":{{\n{lines}\n}}\n}}\n'


def _definition(name: str, body: Schema, classes: Model) -> Schema:
    properties = {}
    for key, value in body["properties"].items():
        properties[key] = _compact(value)
        attribute = classes.get(name, {}).get(key)
        if attribute and attribute.cardinality == "1..*" and key in body.get("required", ()):
            properties[key]["minItems"] = 1
    return {
        "type": "object",
        "properties": properties,
        "required": body.get("required", []),
        "additionalProperties": False,
    }


def _compact(value: Schema) -> Schema:
    if "$ref" in value:
        return {"$ref": _reference(value)}
    if "anyOf" in value:
        return _one_of([_compact(one) for one in value["anyOf"]])
    made = {key: value[key] for key in _KEPT if key in value}
    if "items" in value:
        made["items"] = _compact(value["items"])
    return made


def _reference(value: Schema) -> str:
    return "#/$defs/" + value["$ref"].rpartition("/")[2].removesuffix("-Input")


def _one_of(choices: list[Schema]) -> Schema:
    """Return a choice of types; one of several classes is told by `instanceType`."""
    names = [one["$ref"].rpartition("/")[2] for one in choices if "$ref" in one]
    others = [one for one in choices if "$ref" not in one]
    if len(names) < 2:
        if names and others == [{"type": "null"}]:
            return {"if": {"not": {"type": "null"}}, "then": {"$ref": f"#/$defs/{names[0]}"}}
        if all(set(one) <= {"type", "format"} for one in choices):
            # A format says something of texts only.
            return {**dict(*[one for one in choices if "format" in one]), "type": [one["type"] for one in choices]}
        return {"anyOf": choices}
    cases = [
        {
            "if": {"properties": {"instanceType": {"const": name}}, "required": ["instanceType"]},
            "then": {"$ref": f"#/$defs/{name}"},
        }
        for name in names
    ]
    made: Schema = {
        "type": "object",
        "properties": {"instanceType": {"enum": names}},
        "required": ["instanceType"],
        "allOf": cases,
    }
    return {"if": {"not": {"type": "null"}}, "then": made} if others else made


def make_rules(classes: Model, schema: Schema, rules: list[dict[str, str]], terminology: Path) -> dict[str, Any]:
    """Return what references refer to, and which codelist an attribute takes its codes from by which rule."""
    defined = schema["$defs"]
    references: dict[str, dict[str, list[str]]] = {}
    for name in sorted(defined):
        for key, attribute in sorted(classes.get(name, {}).items()):
            if attribute.is_reference and key in defined[name]["properties"]:
                kinds = {kind for each in attribute.types for kind in _concrete(each, classes, defined)}
                references.setdefault(name, {})[key] = sorted(kinds)
    codelists = _codelists(terminology)
    bound: dict[str, dict[str, list[str]]] = {}
    for rule in rules:
        found = _CODELIST.search(rule["text"])
        if found is None or found[1] not in codelists:
            continue
        for name in rule["entities"].split(","):
            properties = defined.get(name.strip(), {}).get("properties", {})
            for key in rule["attributes"].split(","):
                if key.strip() in properties and key.strip() != "plannedAge":
                    bound.setdefault(name.strip(), {})[key.strip()] = [found[1], rule["id"]]
    for name, key, codelist in _WITHOUT_RULE:
        bound.setdefault(name, {})[key] = [codelist, f"codelist:{codelist}"]
    used = {codelist for attributes in bound.values() for codelist, _ in attributes.values()} | {"C66781"}
    return {
        "references": references,
        "codes": {name: dict(sorted(bound[name].items())) for name in sorted(bound)},
        "codelists": {code: codelists[code] for code in sorted(used)},
    }


def _concrete(name: str, classes: Model, defined: Schema) -> set[str]:
    """Return the classes of documents that a class of the model stands for."""
    below = {each for each, attributes in classes.items() if name in classes.parents.get(each, ()) and attributes}
    return {each for each in {name, *below} if each in defined}


def _codelists(path: Path) -> dict[str, Any]:
    """Return every codelist with its version, whether it may be extended, and its preferred terms by code."""
    found: dict[str, Any] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            made = found.setdefault(
                row["codelist"],
                {"version": row["effective_date"], "extensible": row["extensible"] == "true", "terms": {}},
            )
            made["terms"][row["term"]] = row["preferred_term"]
    return found


def generate(sources: Path) -> dict[str, str]:
    """Return the texts of the generated files by file name. Raises OSError when an official file is missing."""
    folder = sources / "schemas" / "usdm-4.0"
    classes = model(folder / "dataStructure.yml")
    schema = make_schema(json.loads((folder / "USDM_API.json").read_text(encoding="utf-8")), classes)
    terminology = sources / "terminology" / "registry_codelists.tsv"
    rules = make_rules(classes, schema, core_rules(folder / "USDM_CORE_Rules.xlsx"), terminology)
    return {
        "usdm-4.0.schema.json": schema_text(schema),
        "usdm-4.0.rules.json": json.dumps(rules, indent=1) + "\n",
    }


def main() -> int:
    """Write or check the generated files. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the JSON Schema of USDM v4 from the official files.")
    default = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--sources", type=Path, default=default, help="the folder with the official files")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a file would change")
    given = parser.parse_args()
    try:
        made = generate(given.sources)
    except OSError as error:
        sys.stderr.write(f"the official files are not there: {error}\n")
        return 2
    changed = [
        name
        for name, text in made.items()
        if not (TARGET / name).is_file() or (TARGET / name).read_text(encoding="utf-8") != text
    ]
    for name in () if given.check else changed:
        (TARGET / name).write_text(made[name], encoding="utf-8", newline="\n")
    sys.stdout.write(f"{'differs' if given.check else 'written'}: {', '.join(changed) or 'nothing'}\n")
    return 1 if changed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
