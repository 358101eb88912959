"""What the tests of `push` and `withdraw` share: made-up studies in files, calls, and what a server has then."""

from __future__ import annotations

from pathlib import Path

from command_runner import Ran, run
from fhir_http import FhirHttp
from made_up import NCT, Tree, encoded, full_study, study

REQUESTS = ["put", "conditional-update"]


def locations(count: int) -> list[Tree]:
    """Return made-up sites."""
    return [
        {"facility": f"Made-up hospital {number}", "city": "Oslo", "country": "Norway"} for number in range(count)
    ]


def with_sites(count: int, nct_id: str = NCT) -> Tree:
    """Return a study that has everything, with so many sites."""
    tree = full_study()
    tree["protocolSection"]["identificationModule"]["nctId"] = nct_id
    tree["protocolSection"]["contactsLocationsModule"]["locations"] = locations(count)
    return tree


def written(folder: Path, *trees: Tree) -> Path:
    """Return a folder with a file per study."""
    folder.mkdir(exist_ok=True)
    for tree in trees:
        name = tree["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{name}.json").write_bytes(encoded(tree))
    return folder


def push(server: FhirHttp, *arguments: str | Path) -> Ran:
    """Push to a server."""
    return run("push", *arguments, "--server", server.base)


def withdraw(server: FhirHttp, *arguments: str | Path) -> Ran:
    """Withdraw from a server."""
    return run("withdraw", *arguments, "--server", server.base)


def fates(server: FhirHttp, *arguments: str | Path) -> list[Tree]:
    """Push and return the report."""
    return push(server, *arguments, "--report", "-").documents


def resources(server: FhirHttp, kind: str) -> list[Tree]:
    """Return the resources of a type that a server has."""
    return [each for address, each in server.store.resources.items() if address.startswith(kind + "/")]


def many(folder: Path, count: int, *, first: int = 0) -> Path:
    """Return a folder with small studies that differ, numbered from NCT99000000 and `first` on."""
    return written(
        folder,
        *(
            study(
                f"NCT{99000000 + number}",
                identificationModule={"briefTitle": f"Made-up study {number}"},
                contactsLocationsModule={"locations": locations(1 + number % 3)},
            )
            for number in range(first, first + count)
        ),
    )


def content(found: dict[str, Tree]) -> dict[str, Tree]:
    """Return resources without what a server knows of them."""
    return {address: {key: each for key, each in one.items() if key != "meta"} for address, one in found.items()}
