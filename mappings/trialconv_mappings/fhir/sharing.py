"""Organizations that studies share, on request.

By default each study has its own Organizations, since a registry gives organisations no numbers: that two studies
write the same name does not prove that they mean the same one. Persons are never shared.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from trialconv.lineage import derived
from trialconv_mappings.fhir.links import relinked
from trialconv_mappings.fhir.parts import Element


def with_shared_organizations(resources: list[Element]) -> list[Element]:
    """Return the resources with ids of the Organizations that are made of what they say, and not of the study.

    What is equal in two studies, its name and its class, is the same Organization there. One of the same name of
    which another study says more is another, so that loading one study never changes what another one said.
    """
    moved: dict[str, str] = {}
    organizations: dict[str, Element] = {}
    for resource in resources:
        if resource["resourceType"] == "Organization":
            said = {key: value for key, value in resource.items() if key != "id"}
            digest = blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()
            shared = "organization-" + derived(digest, said)
            moved[f"Organization/{resource['id']}"] = "Organization/" + shared
            organizations[resource["id"]] = {**resource, "id": shared}
    made = []
    for resource in resources:
        own = organizations.get(resource["id"]) if resource["resourceType"] == "Organization" else None
        made.append(relinked(resource if own is None else own, moved))
    return list({(one["resourceType"], one["id"]): one for one in made}.values())
