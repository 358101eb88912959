"""What changed between two versions of a record: every field, lists as they are meant, texts, results, formats."""

from __future__ import annotations

import copy
import random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trialconv
from made_up import NCT, Field, Tree, changed, fields, full_study, record, study
from strategies import damaged, studies
from trialconv.differences.lists import listed
from trialconv.differences.results import summarised
from trialconv.differences.texts import pieces
from trialconv.issues import SourceError, UsageError
from trialconv.record import enums
from trialconv.record.leaves import field_paths
from trialconv_mappings.labels import field_labels, word_labels

_DOWNLOADED = "derivedSection.miscInfoModule.versionHolder"
_NUMBER = "protocolSection.identificationModule.nctId"


def differences(before: Tree, after: Tree) -> list[trialconv.Change]:
    """Return what changed between two studies."""
    return trialconv.diff(record(before), record(after)).changes


def said(before: Tree, after: Tree) -> list[tuple[str, str, str]]:
    """Return kind, last part of the path, and item of each change."""
    return [(each.kind, each.field.rpartition(".")[2], each.item) for each in differences(before, after)]


def places(*locations: Tree) -> Tree:
    """Return a study with some sites."""
    return study(contactsLocationsModule={"locations": list(locations)})


OSLO = {"facility": "Clinic", "city": "Oslo", "country": "Norway", "status": "RECRUITING"}
BERGEN = {"facility": "Clinic", "city": "Bergen", "country": "Norway", "status": "RECRUITING"}
TROMSO = {"facility": "Clinic", "city": "Tromso", "country": "Norway"}


# Every field


@pytest.mark.parametrize("field", [each for each in fields() if each.path != _NUMBER], ids=lambda each: each.path)
def test_a_change_of_any_field_is_told(field: Field) -> None:
    """Another value in a field is one change there, or an item exchanged; but for the download date."""
    found = differences(full_study(), changed(full_study(), field))
    if field.path == _DOWNLOADED:
        assert found == []
        return
    kinds = sorted(each.kind for each in found)
    assert kinds in (["changed"], ["added", "removed"])
    for each in found:
        assert field.path.startswith(each.field)
        assert each.label == field_labels()[each.field]
    if kinds == ["changed"]:
        assert (found[0].before, found[0].after) == field.values
        assert (found[0].before_text, found[0].after_text) != ("", "")


def test_equal_records_do_not_differ() -> None:
    """A record is the same as itself, and as one downloaded on another day, with another order of keys."""
    before = full_study()
    after = copy.deepcopy(before)
    after["derivedSection"]["miscInfoModule"]["versionHolder"] = "2031-01-01"
    found = trialconv.diff(record(before), record(dict(reversed(after.items()))))
    assert not found.differ
    assert found.before.content_hash == found.after.content_hash


def test_the_versions_are_told() -> None:
    """Each side has the date of its last posted update, the hash of its content, its source and its title."""
    before, after = study(), study(statusModule={"lastUpdatePostDateStruct": {"date": "2022-01-01"}})
    found = trialconv.diff(record(before), record(after))
    assert (found.before.last_update, found.after.last_update) == ("2021-03-02", "2022-01-01")
    assert found.before.content_hash == record(before).version.content_hash != found.after.content_hash
    assert (found.nct_id, found.before.source, found.before.format) == (NCT, "made-up.json", "ctgov-json")


def test_different_trials_are_refused() -> None:
    """Records of two trials are not compared, and an obsolete number is named as one; nor are unlike things."""
    other = study("NCT99999902", identificationModule={"nctIdAliases": [NCT]})
    with pytest.raises(UsageError, match=f"different trials.*{NCT} is an obsolete number of NCT99999902"):
        trialconv.diff(record(study()), record(other))
    with pytest.raises(UsageError, match="a record and a document"):
        trialconv.diff(record(study()), {"resourceType": "Bundle"})
    with pytest.raises(UsageError, match="expected a FHIR Bundle, found resourceType 'Patient'"):
        trialconv.diff({"resourceType": "Patient"}, {"resourceType": "Bundle"})


@settings(max_examples=40, deadline=None)
@given(studies(), st.integers(0, 10**6))
def test_what_was_added_there_was_removed_here(tree: Tree, seed: int) -> None:
    """The other way round the same changes are found, additions as removals; no record differs from itself."""
    one = record(tree)
    assert trialconv.diff(one, record(tree)).changes == []
    try:
        other = record(damaged(tree, seed))
    except (SourceError, IndexError):  # refused, or too small a study for so much damage
        return
    if one.nct_id != other.nct_id:
        return
    there, back = trialconv.diff(one, other), trialconv.diff(other, one)
    turned = {"added": "removed", "removed": "added", "changed": "changed", "reordered": "reordered"}
    # Within lists the best pairs of similar items may be others in the other direction.
    shown = {(each.kind, each.field) for each in there.changes if "[]" not in each.field}
    shown_back = {(turned[each.kind], each.field) for each in back.changes if "[]" not in each.field}
    assert shown == shown_back
    assert there.differ == back.differ


# The registry's words


def test_every_field_has_a_label() -> None:
    """Each field, each list and each module has a label, and no label is for something that is not there."""
    paths = set(field_paths())
    steps = [path.split(".") for path in paths]
    above = {".".join(parts[:end]) for parts in steps for end in range(1, len(parts))}
    lists = {path for path in above if path.endswith("[]")}
    modules = {path for path in above if path.count(".") == (1 if "." in path else 0)}
    assert set(field_labels()) == paths | lists | modules | {path for path in above if "." not in path}
    assert all(listed(path).title for path in lists)


def test_every_word_has_a_label() -> None:
    """Each word of each enumeration has a label that is no code."""
    wanted = {name: set(get_args(found)) for name, found in vars(enums).items() if get_args(found)}
    assert {name: set(words) for name, words in word_labels().items()} == wanted
    assert not any("_" in label or not label for words in word_labels().values() for label in words.values())


def test_words_are_those_of_the_registry() -> None:
    """Words are said as the registry's pages show them, answers as Yes and No, texts without escapes."""
    before = study(
        statusModule={"overallStatus": "RECRUITING", "whyStopped": "p \\> 1"},
        oversightModule={"oversightHasDmc": True},
    )
    after = study(
        statusModule={"overallStatus": "ACTIVE_NOT_RECRUITING", "whyStopped": "p \\< 1"},
        oversightModule={"oversightHasDmc": False},
    )
    assert [(each.label, each.before_text, each.after_text) for each in differences(before, after)] == [
        ("Overall Recruitment Status", "Recruiting", "Active, not recruiting"),
        ("Why Study Stopped", "p > 1", "p < 1"),
        ("Data Monitoring Committee", "Yes", "No"),
    ]
    (unknown,) = differences(before, study(statusModule={"overallStatus": "NOVEL"}, **_rest(before)))[:1]
    assert unknown.after_text == "NOVEL"


def _rest(tree: Tree) -> Tree:
    return {"oversightModule": tree["protocolSection"]["oversightModule"]}


# Lists


def test_an_item_in_front_is_one_addition() -> None:
    """A site put in front of others is one addition; the others keep their identity."""
    assert said(places(OSLO, BERGEN), places(TROMSO, OSLO, BERGEN)) == [
        ("added", "locations[]", "Clinic, Tromso, Norway")
    ]
    assert said(places(OSLO, BERGEN), places(BERGEN)) == [("removed", "locations[]", "Clinic, Oslo, Norway")]
    (found,) = differences(places(OSLO, BERGEN), places(TROMSO, OSLO, {**BERGEN, "status": "COMPLETED"}))[:1]
    assert found.before_at == "protocolSection.contactsLocationsModule.locations[1].status"
    assert found.after_at == "protocolSection.contactsLocationsModule.locations[2].status"
    assert found.item == "Location “Clinic, Bergen, Norway”"
    assert (found.before_text, found.after_text) == ("Recruiting", "Completed")


def test_order_alone_is_said_as_such() -> None:
    """Items in another order are one change of the order, with the items that moved."""
    (found,) = differences(places(OSLO, BERGEN, TROMSO), places(TROMSO, OSLO, BERGEN))
    assert found.kind == "reordered"
    assert found.note == "the same items in another order; moved: Clinic, Tromso, Norway (3 to 1)"
    before, after = (study(conditionsModule={"conditions": items}) for items in (["A", "B"], ["B", "A"]))
    assert said(before, after) == [("reordered", "conditions[]", "")]


def test_twins_in_a_list_are_paired_in_order() -> None:
    """Of equal items, one more is one addition; a changed twin is one change."""
    assert said(places(OSLO, OSLO), places(OSLO, OSLO, OSLO)) == [("added", "locations[]", "Clinic, Oslo, Norway")]
    changed_twin = places(OSLO, {**OSLO, "status": "COMPLETED"})
    assert [each[:2] for each in said(places(OSLO, OSLO), changed_twin)] == [("changed", "status")]


@pytest.mark.parametrize(
    ("module", "name", "one", "other", "field"),
    [
        (
            "outcomesModule",
            "primaryOutcomes",
            {"measure": "Pain at rest"},
            {"measure": "Pain at rest, mean"},
            "measure",
        ),
        ("armsInterventionsModule", "armGroups", {"label": "Arm A: 5 mg"}, {"label": "Arm A: 10 mg"}, "label"),
        (
            "armsInterventionsModule",
            "interventions",
            {"type": "DRUG", "name": "Inventol 5 mg tablets"},
            {"type": "DRUG", "name": "Inventol 10 mg tablets"},
            "name",
        ),
        (
            "referencesModule",
            "references",
            {"citation": "A B. Title. 2020"},
            {"citation": "A B. Title. 2021"},
            "citation",
        ),
    ],
)
def test_a_rewritten_item_is_found_by_its_words(
    module: str, name: str, one: Tree, other: Tree, field: str
) -> None:
    """An item whose name was rewritten is matched by its words, also behind a new one."""
    strange = {key: "Something quite unlike" for key in one if key != "type"}
    found = said(study(**{module: {name: [one]}}), study(**{module: {name: [strange, other]}}))
    assert [each[:2] for each in found] == [("changed", field), ("added", f"{name}[]")]


def test_sites_and_references_are_known_by_their_keys() -> None:
    """A site in another city is another site; a reference is known by its PubMed number, whatever its words."""
    assert sorted(each[0] for each in said(places(OSLO), places(BERGEN))) == ["added", "removed"]
    before = study(referencesModule={"references": [{"pmid": "1", "citation": "Made up"}]})
    after = study(referencesModule={"references": [{"pmid": "2"}, {"pmid": "1", "citation": "Other words"}]})
    assert said(before, after) == [
        ("changed", "citation", "Citation “1, Made up”"),
        ("added", "references[]", "2"),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=12), st.lists(st.integers(0, 12), max_size=12))
def test_lists_of_values_lose_and_gain_what_they_should(before: list[int], after: list[int]) -> None:
    """Of two lists of words exactly those are removed and added by which they differ as multisets."""
    one, other = (study(conditionsModule={"keywords": [f"word {n}" for n in ns]}) for ns in (before, after))
    found = differences(one, other)
    removed, added = ([each for each in found if each.kind == kind] for kind in ("removed", "added"))
    rest = list(before)
    for each in removed:
        rest.remove(int(each.before.split()[1]))
    assert sorted(rest + [int(each.after.split()[1]) for each in added]) == sorted(after)
    assert len(removed) == len(before) - sum(min(before.count(n), after.count(n)) for n in set(before))


def test_a_thousand_sites_shuffled() -> None:
    """A long list in another order, with one site more and one less, is compared at once and exactly."""
    sites = [
        {"facility": f"Site {number}", "city": f"City {number % 90}", "country": "Norway"}
        for number in range(1500)
    ]
    shuffled = [*sites[1:], {"facility": "New", "city": "Oslo", "country": "Norway"}]
    random.Random(1).shuffle(shuffled)  # noqa: S311 - the same on every run
    assert sorted(each[0] for each in said(places(*sites), places(*shuffled))) == ["added", "removed", "reordered"]


# Texts


@settings(max_examples=100, deadline=None)
@given(st.text("ab \n.", max_size=60), st.text("ab \n.", max_size=60))
def test_pieces_give_both_texts(before: str, after: str) -> None:
    """The pieces without the added ones are the older text, those without the removed ones the newer."""
    found = pieces(before, after)
    if found:
        assert "".join(piece.text for piece in found if piece.op != "added") == before
        assert "".join(piece.text for piece in found if piece.op != "removed") == after


def test_a_word_in_a_long_text() -> None:
    """One word in a long text is one piece, also where the text is too long to be compared word by word."""
    for size in (20, 3000):
        lines = [f"Line {number} of a made-up text." for number in range(size)]
        after = [*lines[:10], "Line 10 of an invented text.", *lines[11:]]
        found = pieces("\n".join(lines), "\n".join(after))
        assert [(each.op, each.text) for each in found if each.op != "same"] == [
            ("removed", "a made-up"),
            ("added", "an invented"),
        ]


CRITERIA = (
    "Inclusion Criteria:\n\n* Fever for 2 days\n* Adults\n\nExclusion Criteria:\n\n* Allergy to made-up pills"
)


def criteria(text: str) -> Tree:
    """Return a study with a text of criteria."""
    return study(eligibilityModule={"eligibilityCriteria": text})


def test_criteria_are_compared_one_by_one() -> None:
    """The added, the removed and the rewritten criterion are told, with the list that they are of."""
    after = CRITERIA.replace("* Adults\n", "").replace("2 days", "3 days") + "\n* Pregnancy"
    (found,) = differences(criteria(CRITERIA), criteria(after))
    assert [(part.kind, part.within, part.before, part.after) for part in found.parts] == [
        ("changed", "Inclusion criterion", "Fever for 2 days", "Fever for 3 days"),
        ("removed", "Inclusion criterion", "Adults", ""),
        ("added", "Exclusion criterion", "", "Pregnancy"),
    ]
    assert [piece.text for piece in found.parts[0].words if piece.op != "same"] == ["2", "3"]


def test_criteria_that_changed_sides_or_places() -> None:
    """A criterion that includes now and excluded before is told as such; so is another order, and mere layout."""
    other_side = CRITERIA.replace("* Adults\n", "") + "\n* Adults"
    (found,) = differences(criteria(CRITERIA), criteria(other_side))
    assert [(part.kind, part.within) for part in found.parts] == [
        ("changed", "Inclusion criterion → Exclusion criterion")
    ]
    (found,) = differences(
        criteria(CRITERIA),
        criteria(CRITERIA.replace("* Fever for 2 days\n* Adults", "* Adults\n* Fever for 2 days")),
    )
    assert [part.kind for part in found.parts] == ["reordered"]
    (found,) = differences(criteria(CRITERIA), criteria(CRITERIA.replace("\n\n*", "\n*")))
    assert (found.parts, found.note) == ([], "only the layout of the text differs; each criterion reads the same")


# Results


def results(*titles: str, shift: int = 0, **values: str) -> Tree:
    """Return a study with an outcome measure of some groups; `values` are their values by title."""
    groups = [{"id": f"OG{number + shift:03}", "title": title} for number, title in enumerate(titles)]
    measurements = [
        {"groupId": group["id"], "value": values.get(group["title"], "1"), "spread": "0.5"} for group in groups
    ]
    measure = {
        "type": "PRIMARY",
        "title": "Pain",
        "groups": groups,
        "denoms": [
            {"units": "Participants", "counts": [{"groupId": each["id"], "value": "9"} for each in groups]}
        ],
        "classes": [{"categories": [{"measurements": measurements}]}],
        "analyses": [
            {"groupIds": [each["id"] for each in groups], "statisticalMethod": "t-test", "pValue": "0.1"}
        ],
    }
    return {**study(), "resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": [measure]}}}


def test_groups_numbered_anew_are_no_change() -> None:
    """Groups of results are known by their titles; their numbers, which the registry gives anew, say nothing."""
    assert differences(results("Pill", "Placebo"), results("Pill", "Placebo", shift=3)) == []
    assert (
        differences(results("Pill", "Placebo", Pill="2"), results("Placebo", "Pill", Pill="2"))[0].kind
        == "reordered"
    )
    (found,) = differences(results("Pill", "Placebo"), results("Pill", "Placebo", shift=1, Pill="2"))
    assert (found.before, found.after) == ("1", "2")
    assert found.item == "Outcome Measure “Pain” / Measurement “Pill”"


def test_a_new_group_is_one_addition_for_each_table() -> None:
    """A group put in front is an addition of the group and of its values, and no change of the others."""
    found = differences(results("Pill", "Placebo"), results("New", "Pill", "Placebo"))
    assert {(each.kind, each.field.rpartition(".")[2]) for each in found} == {
        ("added", "groups[]"),
        ("added", "counts[]"),
        ("added", "measurements[]"),
        ("added", "groupIds[]"),
    }
    assert all(each.after_at for each in found)


def test_results_are_summed_up_by_measure() -> None:
    """The sum has a line for a measure, with the number of changes of each kind and the names of the fields."""
    (found,) = summarised(
        differences(results("Pill", "Placebo"), results("Pill", "Placebo", Pill="2", Placebo="3"))
    )
    assert (found.label, found.item, found.changed, found.added, found.fields) == (
        "Outcome Measure",
        "Pain",
        2,
        0,
        ["Measure Data"],
    )
    posted = summarised(differences(study(), results("Pill")))
    assert [(each.path.rpartition(".")[2], each.added) for each in posted] == [("outcomeMeasures[]", 1)]


# Documents


def test_bundles_are_compared_by_resource() -> None:
    """Two Bundles are compared by the type and id of their resources; the day of the data is no change."""
    before = full_study()
    after = copy.deepcopy(before)
    after["derivedSection"]["miscInfoModule"]["versionHolder"] = "2031-01-01"
    old, new = (trialconv.convert(record(each)) for each in (before, after))
    assert old != new
    assert not trialconv.diff(old, new).differ
    after["protocolSection"]["identificationModule"]["briefTitle"] = "Another title"
    found = trialconv.diff(old, trialconv.convert(record(after)))
    assert ("changed", "ResearchStudy.title", f"ResearchStudy/{NCT}") in [
        (each.kind, each.field, each.item) for each in found.changes
    ]
    assert found.nct_id == NCT


def test_entries_come_and_go() -> None:
    """A resource that only one Bundle has is one change."""
    old, new = (trialconv.convert(record(each)) for each in (places(OSLO), places(OSLO, BERGEN)))
    added = [
        each.item.partition("/")[0]
        for each in trialconv.diff(old, new).changes
        if each.kind == "added" and not each.after_at
    ]
    removed = [each for each in trialconv.diff(new, old).changes if each.kind == "removed" and not each.before_at]
    assert added == ["Location"]
    assert len(removed) == 1
    entry: Any = {"entry": [{"resource": {"resourceType": "Basic"}}], "resourceType": "Bundle"}
    with pytest.raises(UsageError, match=r"Bundle.entry\[0\] has neither an id nor a fullUrl"):
        trialconv.diff(entry, entry)
