"""The ledger: its data, and its page in a browser, from disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser import Visit, chromium
from command_runner import run
from made_up import NCT, Tree, encoded, full_study, record, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.ledger.build import DocumentPart, Ledger, ledger_of
from trialconv.ledger.lines import NO_LEAF
from trialconv.tracing.model import WAYS

STATUS = "protocolSection.statusModule.overallStatus"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one browser for the tests of this file."""
    with chromium() as made:
        yield made


def made(tree: Tree, *targets: str) -> Ledger:
    """Return the ledger of a study."""
    return ledger_of(record(tree), [TARGETS[name] for name in targets], Options())


def values(part: DocumentPart, label: str) -> list[tuple[str, str, list[int]]]:
    """Return what stands in the lines of this label: each text, how it came, and from which values."""
    return [
        (line.text, WAYS[part.origins[line.leaf][0]], part.origins[line.leaf][1])
        for line in part.lines
        if line.label == label and line.leaf != NO_LEAF
    ]


@pytest.mark.parametrize("target", TARGETS)
def test_every_value_has_a_line_and_an_origin(target: str) -> None:
    """The lines of a document hold its values in the order of their origins; those of the record have numbers."""
    ledger = made(full_study(), target)
    (part,) = ledger.documents
    numbers = [line.leaf for line in part.lines if line.leaf != NO_LEAF]
    assert numbers == list(range(len(part.origins)))
    sources = [line.leaf for line in ledger.source.lines if line.leaf != NO_LEAF]
    assert len(set(sources)) == len(sources)
    linked = {source for _, from_, *_ in part.origins for source in from_}
    assert linked
    assert linked <= set(sources)
    assert set(part.reasons) == set(sources) - linked
    assert [reason for reason in part.reasons.values() if not reason] == []


def test_a_code_names_its_row() -> None:
    """A status is linked to the registry's word, and tells the row of the code table."""
    (part,) = made(study(), "fhir-r4").documents
    text, how, (source,) = values(part, "status")[0]
    assert (text, how) == ("completed", "coded")
    (line,) = [line for line in made(study(), "fhir-r4").source.lines if line.leaf == source]
    assert (line.label, line.text) == ("overallStatus", "COMPLETED")
    assert any(row.startswith("fhir_r4_status") and "COMPLETED" in row for row in part.rows)


def page_of(tree: Tree, folder: Path, *targets: str) -> Path:
    """Write the page of a study's ledger as a user would, and return its path."""
    source = folder / "study.json"
    source.write_bytes(encoded(tree))
    chosen = [word for name in targets for word in ("--target", name)]
    ran = run("coverage", source, "--format", "html", *chosen)
    assert ran.code == 0, ran.err
    page = folder / "ledger.html"
    page.write_bytes(ran.out)
    return page


def opened(browser: Browser, page: Path, width: int = 1300) -> Visit:
    """Open a page from disk."""
    visit = Visit(browser.new_page(viewport={"width": width, "height": 900}), page.as_uri())
    visit.page.goto(page.as_uri())
    visit.page.wait_for_selector("html[data-ready]")
    return visit


def test_links_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    """Pointing at a value marks what it is linked to, and choosing it goes there and tells how it came."""
    visit = opened(browser, page_of(study(), tmp_path, "fhir-r4", "odm-2.0"))
    page = visit.page
    word = page.locator("#source .row", has_text="overallStatus")
    word.hover()
    expect(page.locator("#linked-target")).to_contain_text("linked")
    word.click()
    page.get_by_role("button", name="entry[0].resource.status", exact=True).click()
    page.locator("#target .row.active", has_text="completed").click()
    expect(page.locator("#source .row.marked")).to_contain_text("overallStatus")
    teller = page.locator("#teller")
    expect(teller).to_contain_text("It is coded from a value of the record.")
    expect(teller).to_contain_text("COMPLETED -> completed")
    visit.check_accessible()
    page.get_by_role("button", name=STATUS).click()
    expect(page.locator("#source .row.active")).to_contain_text("overallStatus")
    page.get_by_label("Document", exact=True).select_option(label=TARGETS["odm-2.0"].title)
    expect(page.locator("#target .row").first).to_contain_text("<ODM>")
    page.locator("#source .row", has_text="briefTitle").click()
    expect(page.locator("#target .row.marked").first).to_contain_text("A Made-up Study of Imaginary Fever")
    visit.check()


def test_the_keyboard_does_it_all(browser: Browser, tmp_path: Path) -> None:
    """A tree is walked, closed and chosen from with the keys that trees have."""
    visit = opened(browser, page_of(study(), tmp_path, "fhir-r5"))
    page = visit.page
    tree = page.get_by_role("tree", name="The record")
    tree.focus()
    count = page.locator("#source .row").count()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#source .row")).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#source .row")).to_have_count(count)
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#source .row.active")).to_contain_text(NCT)
    page.keyboard.press("Enter")
    expect(page.locator("#source .row.chosen")).to_contain_text(NCT)
    expect(page.locator("#teller")).to_contain_text("It is in the document")
    page.keyboard.press("End")
    assert tree.get_attribute("aria-activedescendant") == f"source-{count - 1}"
    visit.check()


def test_search_and_losses(browser: Browser, tmp_path: Path) -> None:
    """A search leaves the lines that have its words; what is not in a document is listed with its reason."""
    tree = full_study()
    visit = opened(browser, page_of(tree, tmp_path, "odm-1.3.2-plain"))
    page = visit.page
    page.get_by_label("Find in the document").fill("description")
    expect(page.locator("#count-target")).to_contain_text("lines")
    page.get_by_label("only what is not in the document").check()
    first = page.locator("#source .row.dimmed").first
    first.click()
    expect(page.locator("#teller")).to_contain_text("It is not in the document.")
    expect(page.locator("#teller")).to_contain_text("reason")
    visit.check()


def test_sums_by_field(browser: Browser, tmp_path: Path) -> None:
    """The second view has the sums of `coverage`, as the JSON has them."""
    visit = opened(browser, page_of(study(), tmp_path, "fhir-r4"))
    page = visit.page
    page.get_by_role("tab", name="By field").click()
    (target,) = json.loads(
        run("coverage", tmp_path / "study.json", "--target", "fhir-r4", "--format", "json").out
    )["targets"]
    cells = page.locator("#coverage tbody tr").first.locator("td").all_text_contents()
    total = target["total"]
    assert cells[:4] == [str(total[key]) for key in ("values", "native", "extension", "notPlaced")]
    page.get_by_label("also fields that do not occur").check()
    assert page.locator("#coverage tr.field").count() == len(target["fields"])
    visit.check_accessible()
    visit.check()


def test_what_a_record_says_is_text(browser: Browser, tmp_path: Path) -> None:
    """Script in a title is shown and never run, wherever it stands in the page."""
    evil = '</script><script>document.title="run"</script><img src=x onerror="document.title=1">'
    tree = study(identificationModule={"briefTitle": evil}, eligibilityModule={"eligibilityCriteria": evil})
    visit = opened(browser, page_of(tree, tmp_path, "fhir-r4"))
    expect(visit.page.locator("h1")).to_have_text(f"{NCT}: {evil}")
    visit.page.locator("#source .row", has_text="briefTitle").click()
    assert visit.page.title() == f"{NCT}: {evil}"
    visit.check()


def test_several_records_have_sums_alone(browser: Browser, tmp_path: Path) -> None:
    """A page of several records shows what is known of all of them."""
    paths = [tmp_path / f"{number}.json" for number in (1, 2)]
    for number, path in enumerate(paths):
        path.write_bytes(encoded(study(f"NCT9990000{number}")))
    page = tmp_path / "several.html"
    page.write_bytes(run("coverage", *paths, "--target", "fhir-r4", "--format", "html").out)
    visit = opened(browser, page)
    expect(visit.page.get_by_role("tab", name="Record and documents")).to_be_hidden()
    expect(visit.page.locator("#coverage tbody tr").first).to_contain_text("all")
    visit.check()


def test_a_study_of_a_thousand_sites_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    """A page of a large study stays small, shows only what is in view, and fits a narrow screen."""
    tree = full_study()
    module = tree["protocolSection"]["contactsLocationsModule"]
    module["locations"] = [
        {**module["locations"][0], "facility": f"Made-up Clinic {number}"} for number in range(1000)
    ]
    path = page_of(tree, tmp_path, "fhir-r4", "odm-2.0")
    assert path.stat().st_size < 5_000_000
    visit = opened(browser, path, width=390)
    page = visit.page
    assert page.locator(".row").count() < 300
    page.get_by_label("Find in the record").fill("Made-up Clinic 999")
    page.locator("#source .row", has_text="Made-up Clinic 999").click()
    expect(page.locator("#target .row.marked", has_text="Made-up Clinic 999").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.check_accessible()
    visit.check()
