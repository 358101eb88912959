"""What `trialconv --version --verbose` tells: the definitions behind the schemas."""

from __future__ import annotations

from importlib.metadata import version


def definition_lines() -> list[str]:
    """Return a line per definition package (name, version, hash), and the package that carries the ODM schemas."""
    from trialconv.validators.schema import definition_packages

    lines = [f"{item['name']} {item['version']} sha256:{item['sha256']}" for item in definition_packages()]
    return [*lines, f"odmlib {version('odmlib')} (ODM 1.3.2 and 2.0 schemas)"]
