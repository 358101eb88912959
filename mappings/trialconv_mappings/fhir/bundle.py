"""The Bundle: every resource of a study, the study first."""

from __future__ import annotations

from trialconv.context import Context
from trialconv_mappings.fhir.activities import activities
from trialconv_mappings.fhir.group import eligible_population
from trialconv_mappings.fhir.parties import Parties
from trialconv_mappings.fhir.parts import Element, Ids
from trialconv_mappings.fhir.plan import arms, plan_definition
from trialconv_mappings.fhir.research_study import research_study
from trialconv_mappings.fhir.sites import sites
from trialconv_mappings.fhir.study_common import Neighbours


def build_bundle(ctx: Context) -> Element:
    """Return the Bundle of a record's resources for the FHIR version and the bundle type of the options.

    An entry's fullUrl is base/Type/id and its request a PUT to Type/id, so that sending the bundle twice makes
    nothing twice.
    """
    ids = Ids(ctx.record.nct_id)
    parties = Parties(ctx, ids)
    study_sites = sites(ctx, ids)
    study_activities = activities(ctx, ids)
    study_arms = arms(ctx)
    population = eligible_population(ctx, f"{ctx.record.nct_id}-eligibility")
    plan = plan_definition(ctx, f"{ctx.record.nct_id}-protocol", population[0]["id"], study_arms, study_activities)
    neighbours = Neighbours(
        plan_id=plan["id"],
        group_id=population[0]["id"],
        arms=study_arms,
        parties=parties,
        site_ids=[site["id"] for site in study_sites],
    )
    study = research_study(ctx, neighbours)
    resources = [
        study,
        plan,
        *population,
        *(activity.resource for activity in study_activities),
        *parties.resources,
        *study_sites,
    ]
    return _bundle(ctx, resources)


def _bundle(ctx: Context, resources: list[Element]) -> Element:
    base = ctx.options.base + "/"
    paths = [resource["resourceType"] + "/" + resource["id"] for resource in resources]
    pairs = zip(paths, resources, strict=True)
    if ctx.options.bundle == "transaction":
        entries = [
            {"fullUrl": base + path, "resource": resource, "request": {"method": "PUT", "url": path}}
            for path, resource in pairs
        ]
    else:
        entries = [{"fullUrl": base + path, "resource": resource} for path, resource in pairs]
    return {"resourceType": "Bundle", "type": ctx.options.bundle, "entry": entries}
