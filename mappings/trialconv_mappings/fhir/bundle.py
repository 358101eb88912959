"""The Bundle: every resource of a study, the study first."""

from __future__ import annotations

from trialconv.context import Context
from trialconv.lineage import checked_date
from trialconv_mappings.fhir.activities import activities
from trialconv_mappings.fhir.group import eligible_population
from trialconv_mappings.fhir.parties import Parties
from trialconv_mappings.fhir.parts import Element, Ids
from trialconv_mappings.fhir.plan import arms, plan_definition
from trialconv_mappings.fhir.research_study import research_study
from trialconv_mappings.fhir.sites import sites
from trialconv_mappings.fhir.study_common import Neighbours
from trialconv_mappings.fhir.terms import DATA_VERSION


def build_bundle(ctx: Context) -> Element:
    """Return the Bundle of a record's resources for the FHIR version, and of the kind that the options say.

    By default an entry's fullUrl is base/Type/id and its request a PUT to Type/id, so that sending the bundle
    twice makes nothing twice. `requests` has the other ways, `split` cuts a bundle that is too large.
    """
    ids = Ids(ctx.record.nct_id)
    parties = Parties(ctx, ids)
    study_sites = sites(ctx, ids)
    study_activities = activities(ctx, ids)
    study_arms = arms(ctx)
    population = eligible_population(ctx, ctx.record.nct_id + "-eligibility")
    plan = plan_definition(ctx, ctx.record.nct_id + "-protocol", population[0]["id"], study_arms, study_activities)
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
    # What only an option asks for is imported only then: a command for one study would wait for it.
    options = ctx.options
    if options.shared_organizations:
        from trialconv_mappings.fhir.sharing import with_shared_organizations

        resources = with_shared_organizations(resources)
    if options.narrative:
        from trialconv_mappings.fhir.narrative import with_narratives

        resources = with_narratives(ctx, resources)
    if options.provenance:
        from trialconv_mappings.fhir.provenance import provenance

        resources = [*resources, provenance(ctx, resources)]
    made: Element = {"resourceType": "Bundle"}
    if data_version := _data_version(ctx):
        made["meta"] = data_version
    made["type"] = options.bundle
    made["entry"] = _entries(ctx, resources)
    return made


def _data_version(ctx: Context) -> Element | None:
    """Return the day of the registry's data as the Bundle's meta.

    It says nothing of the study, whose resources are the same on any day.
    """
    day = ctx.record.study.derived_section.misc_info_module.version_holder
    if not day:
        return None
    path, target = "derivedSection.miscInfoModule.versionHolder", "Bundle.meta.extension(registry-data-version)"
    if checked_date(ctx, day, path, target) is None:
        return None
    return {"extension": [{"url": ctx.options.base + DATA_VERSION, "valueDate": day}]}


def _entries(ctx: Context, resources: list[Element]) -> list[Element]:
    if ctx.options.request != "put":
        from trialconv_mappings.fhir.requests import conditional_entries

        return conditional_entries(ctx, resources)
    entries = _put_entries(ctx, resources)
    if ctx.options.bundle != "batch":
        return entries
    # The order in a transaction is nothing to a server; a batch it may work off as it stands.
    from trialconv_mappings.fhir.split import in_dependency_order

    return in_dependency_order(entries)


def _put_entries(ctx: Context, resources: list[Element]) -> list[Element]:
    base = ctx.options.base + "/"
    paths = [resource["resourceType"] + "/" + resource["id"] for resource in resources]
    pairs = zip(paths, resources, strict=True)
    if ctx.options.bundle == "collection":
        return [{"fullUrl": base + path, "resource": resource} for path, resource in pairs]
    return [
        {"fullUrl": base + path, "resource": resource, "request": {"method": "PUT", "url": path}}
        for path, resource in pairs
    ]
