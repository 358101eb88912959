"""Where the HL7 validator, Java and the official packages are.

scripts/hl7_validator.py puts the validator and the packages into the cache folder; a user can name a jar instead.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from trialconv.formats import FhirVersion
from trialconv.issues import UsageError

#: The version of the published artifacts that the script resolves; scripts/hl7_validator/pom.xml names it, too.
VERSION: Final = "6.10.4"
#: The official packages that a FHIR version is judged by, as `id#version`: the core, then what is loaded after it.
PACKAGES: Final[dict[FhirVersion, tuple[str, ...]]] = {
    "R4": ("hl7.fhir.r4.core#4.0.1", "hl7.terminology.r4#7.0.1", "hl7.fhir.uv.extensions.r4#5.3.0-ballot-tc1"),
    "R4B": ("hl7.fhir.r4b.core#4.3.0", "hl7.terminology.r4#7.0.1", "hl7.fhir.uv.extensions.r4#5.3.0-ballot-tc1"),
    "R5": ("hl7.fhir.r5.core#5.0.0", "hl7.terminology.r5#7.0.1", "hl7.fhir.uv.extensions.r5#5.3.0-ballot-tc1"),
}
JAR_VARIABLE: Final = "TRIALCONV_HL7_VALIDATOR"
JAVA_OPTIONS_VARIABLE: Final = "TRIALCONV_HL7_JAVA_OPTIONS"
#: Two FHIR versions and a bundle of a thousand sites fit into this.
_JAVA_OPTIONS: Final = "-Xmx4g"
#: The validator is built for Java 17.
_OLDEST_JAVA: Final = 17
_GET: Final = "in a checkout of trialconv, `make validator` fetches it (docs/deep-validation.md)"


class Installation(NamedTuple):
    """What it takes to run the validator: Java and its options, the class path, the home with the packages."""

    java: tuple[str, ...]
    class_path: str
    home: Path

    @property
    def settings(self) -> Path:
        """The file of the validator's own settings."""
        return self.home / ".fhir" / "fhir-settings.json"

    @property
    def packages(self) -> Path:
        """The folder of the unpacked packages."""
        return packages_folder(self.home)


def cache_folder() -> Path:
    """Return the folder where the script keeps the validator and the packages."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "trialconv"


def jars_folder() -> Path:
    """Return the folder of the resolved artifacts."""
    return cache_folder() / f"hl7-validator-{VERSION}"


def home_folder() -> Path:
    """Return the validator's private home, so that it never touches the user's own."""
    return cache_folder() / "hl7-home"


def packages_folder(home: Path) -> Path:
    """Return where, in a home, the validator looks for packages."""
    return home / ".fhir" / "packages"


def find_installation(jar: Path | None = None) -> Installation:
    """Return the installation: the jar that is named (here or in the environment), else the resolved artifacts.

    Raises UsageError, which tells what to do, for anything that is missing.
    """
    named = jar or _from_environment()
    if named is not None and not named.is_file():
        raise UsageError(f"there is no HL7 validator at {named}")
    if named is None and not any(jars_folder().glob("*.jar")):
        raise UsageError(
            f"the HL7 validator is not at {jars_folder()}: {_GET}; or name a validator_cli.jar of HL7 with "
            f"--hl7-jar or {JAR_VARIABLE}"
        )
    home = home_folder()
    if not packages_folder(home).is_dir():
        raise UsageError(f"the FHIR packages for the HL7 validator are not at {packages_folder(home)}: {_GET}")
    class_path = str(named) if named else str(jars_folder() / "*")
    return Installation((_java(), *_java_options()), class_path, home)


def _from_environment() -> Path | None:
    named = os.environ.get(JAR_VARIABLE)
    return Path(named) if named else None


def _java_options() -> list[str]:
    return os.environ.get(JAVA_OPTIONS_VARIABLE, _JAVA_OPTIONS).split()


def _java() -> str:
    """Return the path of a Java with a compiler, which starts our part of the program from its source."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    wanted = f"the HL7 validator needs a Java development kit, version {_OLDEST_JAVA} or newer"
    if java is None:
        raise UsageError(f"{wanted}, and there is no java {'in JAVA_HOME' if home else 'on the PATH'}")
    ran = subprocess.run([java, "--list-modules"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    version = re.search(r"^java\.base@(\d+)", ran.stdout, re.MULTILINE)
    if version is None or int(version[1]) < _OLDEST_JAVA or "jdk.compiler" not in ran.stdout:
        raise UsageError(f"{wanted}; {java} is {version[1] if version else 'older'}, or has no compiler")
    return java
