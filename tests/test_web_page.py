"""The server's page, end to end in a browser: a record goes in, the study and its documents are shown."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from browser import Visit, chromium
from made_up import NCT, Tree, encoded, full_study, record, study
from registry_server import StandIn
from trialconv.catalog import TARGETS
from trialconv.issues import SourceError, issue
from trialconv.web.settings import Settings
from trialconv.web.view import study_view
from web_server import server

P = "protocolSection"
EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "studies"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Run one server for the tests of this file."""
    with server(Settings(max_body=2_000_000)) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one browser for the tests of this file."""
    with chromium() as made:
        yield made


@pytest.fixture
def visit(browser: Browser, client: httpx.Client) -> Iterator[Visit]:
    """Open the page; when the test is over, it must have had nothing to complain of and asked nobody else."""
    made = Visit(browser.new_page(viewport={"width": 1300, "height": 900}), str(client.base_url))
    made.page.goto(str(client.base_url))
    yield made
    made.check()
    made.page.close()


def give(visit: Visit, tree: Tree) -> None:
    """Paste a record and ask for the study."""
    if not visit.page.get_by_label("Paste a record").is_visible():
        visit.page.get_by_text("Give another record").click()
    visit.page.get_by_label("Paste a record").fill(encoded(tree).decode())
    visit.page.get_by_role("button", name="Show the study").click()
    expect(visit.page.locator("#title")).to_contain_text(tree[P]["identificationModule"]["nctId"])


def small() -> Tree:
    """Return a study with two arms, criteria and sites in two countries."""
    return study(
        armsInterventionsModule={
            "armGroups": [
                {"label": "Inventol", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Inventol"]},
                {"label": "No treatment", "type": "NO_INTERVENTION"},
            ],
            "interventions": [{"type": "DRUG", "name": "Inventol", "description": "A made-up drug"}],
        },
        eligibilityModule={
            "eligibilityCriteria": "Inclusion Criteria:\n\n* Imaginary fever\n\nExclusion Criteria:\n\n* No fever"
        },
        contactsLocationsModule={
            "locations": [
                {"facility": "Made-up Clinic", "city": "Oslo", "country": "Norway"},
                {"facility": "Made-up Hospital", "city": "Lyon", "country": "France"},
                {"facility": "Made-up House", "city": "Nice", "country": "France"},
            ]
        },
    )


def test_the_view_says_what_the_record_says() -> None:
    """The view has the registry's words; what the record does not say is not there."""
    view = study_view(record(small()))
    assert (view.nct_id, view.status, view.summary) == (NCT, "Completed", None)
    assert view.links == [[0], []]
    assert [(country.name, len(country.sites)) for country in view.countries] == [("France", 2), ("Norway", 1)]
    assert [node.kind for node in view.criteria] == ["inclusion", "exclusion"]
    assert ("Participants", "") not in view.facts
    words = dict(study_view(record(full_study())).facts)
    assert (words["Type"], words["Phase"], words["Participants"]) == (
        "Expanded access",
        "Phase 2",
        "1,084 (actual)",
    )
    empty = study_view(record({P: {"identificationModule": {"nctId": NCT}}}))
    assert (empty.title, empty.facts, empty.days, empty.countries) == (NCT, [], [], [])


def test_a_study_in_all_its_views(visit: Visit) -> None:
    """Each view shows its part, is accessible, and is reached with the mouse or the keyboard."""
    page = visit.page
    visit.check_accessible()
    give(visit, small())
    expect(page.locator("#status")).to_have_text("Completed")
    visit.check_accessible()
    page.get_by_role("tab", name="Arms").click()
    label = page.locator("#arms svg").get_attribute("aria-label") or ""
    assert "Inventol: Inventol; No treatment: no intervention" in label
    page.keyboard.press("ArrowRight")
    expect(page.locator("#criteria")).to_contain_text("+ Imaginary fever")
    expect(page.locator("#criteria")).to_contain_text("\N{MINUS SIGN} No fever")
    visit.check_accessible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sites")).to_contain_text("3 sites in 2 countries")
    expect(page.locator("#sites")).to_contain_text("France: 2 sites")
    expect(page.get_by_text("Made-up House — Nice")).to_be_visible()
    visit.check_accessible()


def test_documents_with_links_and_downloads(visit: Visit, tmp_path: Path) -> None:
    """Each document is shown beside the record with its findings, and comes as the library makes it."""
    page = visit.page
    give(visit, small())
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("#valid")).to_contain_text("valid by the official schemas")
    page.locator("#source .row", has_text="overallStatus").click()
    expect(page.locator("#target .row.marked", has_text="completed").first).to_be_visible()
    for name in ("odm-2.0", "sdtm"):
        page.get_by_label("Document", exact=True).select_option(label=TARGETS[name].title)
        expect(page.locator("#valid")).to_contain_text("valid by the official schemas")
        with page.expect_download() as event:
            page.get_by_role("button", name="Download").click()
        assert event.value.suggested_filename.startswith(f"{NCT}-{name}")
        event.value.save_as(tmp_path / name)
    assert (tmp_path / "odm-2.0").read_bytes().startswith(b"<?xml")
    assert zipfile.ZipFile(tmp_path / "sdtm").namelist()
    visit.check_accessible()


@pytest.mark.parametrize("packed", [False, True])
def test_a_file(visit: Visit, example_page: Path, tmp_path: Path, packed: bool) -> None:
    """A file is taken as it is chosen, packed or not; what it is, its content tells."""
    path = example_page
    if packed:
        path = tmp_path / "record.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(example_page, "page.txt")
    visit.page.set_input_files("#file", path)
    expect(visit.page.locator("#title")).to_contain_text("NCT06108596")


def test_a_number(visit: Visit, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number is asked for at the registry; one that it does not have, and what is no number, give a message."""
    with StandIn() as registry:
        monkeypatch.setenv("TRIALCONV_REGISTRY_URL", registry.url)
        registry.put(small())
        visit.page.get_by_label("or its number").fill(f" {NCT.lower()} ")
        visit.page.get_by_role("button", name="Show the study").click()
        expect(visit.page.locator("#title")).to_contain_text(NCT)
        visit.page.get_by_text("Give another record").click()
        visit.page.get_by_label("or its number").fill("NCT99999999")
        visit.page.get_by_role("button", name="Show the study").click()
        expect(visit.page.locator("#trouble")).to_contain_text("the registry has no record of this id")
        visit.complaints.clear()  # the browser itself complains of an answer of 404
        assert client.get("/page/record/NCT99999999").status_code == 404
        assert client.get("/page/record/hello").status_code == 400

    def failing(_: str) -> bytes:
        raise SourceError(issue("registry-failed", "the registry cannot be reached"))

    monkeypatch.setattr("trialconv.web.page.record_from_registry", failing)
    assert client.get(f"/page/record/{NCT}").status_code == 502


def test_an_example(visit: Visit, client: httpx.Client, tmp_path: Path) -> None:
    """Who has no record at hand sees one of the project's made-up studies, and what its documents do not hold."""
    page = visit.page
    assert client.get("/page/example").content == (EXAMPLES / "NCT99999901.json").read_bytes()
    page.get_by_role("button", name="Show an example").click()
    expect(page.locator("#title")).to_contain_text("NCT99999901")
    expect(page.locator("#about")).to_be_hidden()
    page.get_by_role("tab", name="Documents").click()
    page.get_by_label("only what is not in the document").check()
    expect(page.locator("#source")).to_contain_text("Every value of the record is in this document.")
    page.get_by_label("Document", exact=True).select_option(label=TARGETS["odm-1.3.2-plain"].title)
    expect(page.locator("#teller")).to_contain_text("and why:")
    lost = page.locator("#teller dt").all_inner_texts()
    assert f"{sum(map(int, lost))} not in this document" == page.locator("#count-source").inner_text()
    assert all(page.locator("#teller dd").all_inner_texts())
    expect(page.locator("#issues .gravity").first).to_have_text("information")
    visit.check_accessible()
    page.get_by_label("Find in the record").fill("no such words")
    expect(page.locator("#source")).to_contain_text("No line has these words.")


def test_what_is_dropped_or_typed_last(visit: Visit) -> None:
    """A file may be dropped anywhere on the page; what is pasted goes before a number that stood there."""
    page = visit.page
    page.get_by_label("or its number").fill("NCT99999999")
    give(visit, small())
    text = encoded(study("NCT99999902")).decode()
    dropped = page.evaluate_handle(
        "text => { const made = new DataTransfer(); made.items.add(new File([text], 'a.json')); return made; }",
        text,
    )
    page.dispatch_event("#study", "drop", {"dataTransfer": dropped})
    expect(page.locator("#title")).to_contain_text("NCT99999902")


def test_figures_fit(visit: Visit) -> None:
    """The figures take the width that there is, and keep their words within it."""
    tree = full_study()
    tree[P]["armsInterventionsModule"]["armGroups"][0]["label"] = "A made-up arm with a name of many words " * 4
    tree[P]["armsInterventionsModule"]["interventions"][0]["name"] = "Inventolinibumab" * 5
    for width in (1300, 390):
        visit.page.set_viewport_size({"width": width, "height": 800})
        give(visit, tree)
        for name, figure in (("Overview", "#timeline svg"), ("Arms", "#arms svg")):
            visit.page.get_by_role("tab", name=name).click()
            out = visit.page.evaluate(
                "figure => { const svg = document.querySelector(figure);"
                "const { left, right } = svg.getBoundingClientRect();"
                "const parts = [...svg.querySelectorAll('text, rect')].map(each => each.getBoundingClientRect());"
                "const end = Math.min(right, innerWidth) + 1;"
                "return parts.filter(each => each.left < left - 1 || each.right > end).length; }",
                figure,
            )
            assert out == 0, (width, figure)


@pytest.mark.parametrize("text", ["hello", "{}", "<html>Not found</html>", '{"protocolSection"', "[" * 100_000])
def test_what_is_no_record(visit: Visit, text: str) -> None:
    """What cannot be read gives one clear message, and the page goes on with the next."""
    page = visit.page
    page.evaluate("text => { document.getElementById('text').value = text; }", text)
    page.get_by_role("button", name="Show the study").click()
    expect(page.locator("#trouble")).to_be_visible()
    assert "Traceback" not in page.locator("#trouble").inner_text()
    expect(page.locator("#study")).to_be_hidden()
    visit.check_accessible()
    visit.complaints.clear()  # the browser itself complains of an answer of 422
    give(visit, study())


def test_script_in_a_record_is_text(visit: Visit) -> None:
    """Script in a title, a criterion or a file's name is shown, and never run."""
    evil = '<img src=x onerror="window.evil=1"><script>window.evil=1</script>'
    tree = small()
    tree[P]["identificationModule"]["briefTitle"] = evil
    tree[P]["eligibilityModule"]["eligibilityCriteria"] = f"Inclusion Criteria:\n\n* {evil}"
    tree[P]["contactsLocationsModule"]["locations"][0]["country"] = evil
    give(visit, tree)
    expect(visit.page.locator("#title")).to_contain_text("<script>")
    for name in ("Criteria", "Sites", "Documents"):
        visit.page.get_by_role("tab", name=name).click()
    assert visit.page.evaluate("window.evil") is None


def test_a_large_study_on_a_phone(visit: Visit) -> None:
    """A study of many sites is shown on a narrow screen without scrolling sideways."""
    tree = full_study()
    module = tree[P]["contactsLocationsModule"]
    module["locations"] = [
        {**module["locations"][0], "facility": f"Made-up Clinic {number}"} for number in range(500)
    ]
    visit.page.set_viewport_size({"width": 390, "height": 800})
    give(visit, tree)
    for name in ("Overview", "Arms", "Criteria", "Sites", "Documents"):
        visit.page.get_by_role("tab", name=name).click()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390, name
        visit.check_accessible()


def test_the_first_load_is_small(client: httpx.Client) -> None:
    """All that the page needs before a record is given has less than 300 kB."""
    html = client.get("/")
    assert html.headers["content-type"].startswith("text/html")
    names = ("page.js", "figures.js", "linked.js", "views.js", "page.css", "linked.css")
    files = [client.get(f"/page/{name}") for name in names]
    assert [file.status_code for file in files] == [200] * len(names)
    assert len(html.content) + sum(len(file.content) for file in files) < 300_000
