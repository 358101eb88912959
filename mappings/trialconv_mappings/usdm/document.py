"""The USDM document of a record: the wrapper, the study and its one version."""

from __future__ import annotations

import re
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import trialconv
from trialconv.context import Context
from trialconv.formats import USDM_MODEL_VERSION
from trialconv.lineage import checked_date, derived, filled, plain
from trialconv.record.protocol import IdentificationModule
from trialconv_mappings.usdm.carried import carried
from trialconv_mappings.usdm.design import CLASSES, design
from trialconv_mappings.usdm.draft import Draft, Element, html
from trialconv_mappings.usdm.interventions import interventions
from trialconv_mappings.usdm.organizations import Organizations
from trialconv_mappings.usdm.roles import Roles

_IDS: Final = "protocolSection.identificationModule."
_UPDATED: Final = "protocolSection.statusModule.lastUpdatePostDateStruct.date"
_DOCS: Final = "documentSection.largeDocumentModule.largeDocs[]"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_HASH_LENGTH: Final = 12


def build_usdm(ctx: Context) -> Element:
    """Return the USDM document of a record.

    The content follows the classes of the USDM v4 API (https://github.com/cdisc-org/DDF-RA). What had to be
    filled in, could not be coded or was left out becomes an Issue of the context.
    """
    draft = Draft(ctx)
    study = _study(draft)
    draft.fill.report(ctx)
    return {
        "study": study,
        "usdmVersion": USDM_MODEL_VERSION,
        "systemName": "trialconv",
        "systemVersion": trialconv.__version__,
    }


def _study(draft: Draft) -> Element:
    ctx = draft.ctx
    protocol = ctx.record.study.protocol_section
    summary = protocol.description_module.brief_summary
    study_id = derived(
        str(uuid5(NAMESPACE_URL, f"{ctx.options.base}/usdm/study/{ctx.record.nct_id}")), ctx.record.nct_id
    )
    return draft.make(
        "Study",
        id=study_id,
        name=ctx.record.nct_id,
        description=plain(summary) if summary else None,
        label=protocol.identification_module.brief_title,
        versions=[_version(draft)],
        documentedBy=_documents(draft),
    )


def _version(draft: Draft) -> Element:
    protocol = draft.ctx.record.study.protocol_section
    version_id = draft.id("StudyVersion")
    study_type = protocol.design_module.study_type
    kind = derived(CLASSES.get(study_type or ""), study_type)
    organizations = Organizations(draft)
    identifiers = _identifiers(draft, organizations)
    given = interventions(draft, has_design=kind is not None)
    made = design(draft, kind, given) if kind else None
    roles = Roles(draft, organizations, version_id)
    roles.add_all(organizations.add_sites())
    return draft.make(
        "StudyVersion",
        id=version_id,
        versionIdentifier=_label(draft),
        rationale=draft.fill.text("StudyVersion.rationale"),
        dateValues=_dates(draft),
        studyIdentifiers=identifiers,
        studyDesigns=[made.element] if made else None,
        titles=_titles(draft, protocol.identification_module),
        eligibilityCriterionItems=derived(made.items, study_type) if made else None,
        narrativeContentItems=_narrative(draft, kind),
        roles=roles.elements,
        organizations=organizations.elements,
        studyInterventions=given.elements,
        extensionAttributes=carried(draft, study_type, has_design=made is not None),
    )


def _label(draft: Draft) -> str:
    """Return the version of the record: the day of its last update and the beginning of its content's hash."""
    version = draft.ctx.record.version
    label = (version.date or "undated") + "." + version.content_hash[:_HASH_LENGTH]
    draft.fill.note("StudyVersion.versionIdentifier", f"the version of the record, {label}")
    return label


def _dates(draft: Draft) -> list[Element]:
    """Return the day on which this version of the record was posted, if it is a whole date."""
    day = draft.ctx.record.study.protocol_section.status_module.last_update_post_date_struct.date
    target = "GovernanceDate.dateValue"
    if day is None or checked_date(draft.ctx, day, _UPDATED, target) is None or not _DAY.fullmatch(day):
        return []
    scope = draft.make("GeographicScope", type=draft.fixed("global"))
    return [
        draft.make(
            "GovernanceDate",
            name=draft.name("DATE"),
            label="Last update of the registry record posted",
            type=draft.fixed("issued"),
            dateValue=day,
            geographicScopes=[scope],
        )
    ]


def _identifiers(draft: Draft, organizations: Organizations) -> list[Element]:
    """Return the ids of the study, each with the organisation that gave it, and each once."""
    ids = draft.ctx.record.study.protocol_section.identification_module
    own, path = ids.org_study_id_info, _IDS + "orgStudyIdInfo."
    words = draft.carried(path + "type", own.type) + draft.carried(path + "link", own.link)
    made = [
        _identifier(draft, draft.ctx.record.nct_id, organizations.registry),
        _identifier(
            draft, draft.text_or_placeholder(own.id, "StudyIdentifier.text"), organizations.sponsor, words
        ),
    ]
    said = {(each["scopeId"], each["text"]) for each in made}
    others: list[tuple[str, str, str, str, list[Element]]] = [
        (alias, organizations.registry, _IDS + "nctIdAliases[]", "", []) for alias in ids.nct_id_aliases
    ]
    for other in ids.secondary_id_infos:
        path = _IDS + "secondaryIdInfos[]"
        words = [
            *draft.carried(path + ".type", other.type),
            *draft.carried(path + ".domain", other.domain),
            *draft.carried(path + ".link", other.link),
        ]
        scope = organizations.issuer(other.type, other.domain)
        others.append((other.id or "", scope, path, other.link or "", words))
    for text, scope, source, link, words in others:
        if text and (scope, text) in said:
            known = f"the id {text!r} stands there already" + (f"; its link is {link}" if link else "")
            draft.ctx.note("field-not-mapped", f"not in this document once more: {known}", source)
            continue
        said.add((scope, text))
        made.append(_identifier(draft, draft.text_or_placeholder(text, "StudyIdentifier.text"), scope, words))
    return made


def _identifier(draft: Draft, text: str, scope: str, words: list[Element] | None = None) -> Element:
    return draft.make("StudyIdentifier", extensionAttributes=words, text=text, scopeId=scope)


def _titles(draft: Draft, ids: IdentificationModule) -> list[Element]:
    """Return the titles; USDM demands an official one."""
    official = draft.text_or_placeholder(ids.official_title, "StudyTitle.text")
    titles = (("officialTitle", official), ("briefTitle", ids.brief_title), ("acronym", ids.acronym))
    return [
        draft.make(
            "StudyTitle", text=text, type=draft.required("usdm_title_type", field, _IDS + field, "StudyTitle.type")
        )
        for field, text in titles
        if text
    ]


def _narrative(draft: Draft, design_kind: str | None) -> list[Element]:
    """Return the longer texts of the record that USDM has no attribute for."""
    protocol = draft.ctx.record.study.protocol_section
    texts = [("Detailed description", protocol.description_module.detailed_description)]
    if design_kind is not None:
        # Without a design it is carried with the rest of it.
        model = protocol.design_module.design_info.intervention_model_description
        texts.append(("Intervention model description", derived(model, design_kind)))
    return [draft.make("NarrativeContentItem", name=name, text=html(plain(text))) for name, text in texts if text]


def _documents(draft: Draft) -> list[Element]:
    """Return the documents that belong to the record: protocol, analysis plan, consent form."""
    made = []
    for doc in draft.ctx.record.study.document_section.large_document_module.large_docs:
        word = derived("protocol" if doc.has_protocol else "other", doc.has_protocol)
        target = "StudyDefinitionDocument"
        held = draft.carried(_DOCS.removesuffix("[]"), [doc])
        made.append(
            draft.make(
                target,
                extensionAttributes=held,
                name=draft.name("DOC"),
                label=doc.label,
                language=draft.unknown(target + ".language"),
                type=draft.required("usdm_document_type", word, _DOCS + ".hasProtocol", target + ".type"),
                templateName=draft.fill.text(target + ".templateName"),
            )
        )
    return made
