"""`trialconv fetch` and ids as sources, against a stand-in for the registry that fails on demand."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import trialconv
from command_runner import Ran, run
from made_up import Tree, encoded, study
from registry_server import Fault, StandIn
from trialconv.http_client import Limits, Retry, Timing
from trialconv.issues import SourceError, UsageError
from trialconv.registry.client import Registry
from trialconv.registry.ids import listed_ids, nct_number
from trialconv.registry.listing import Position, Query, checked_query, pages

FAST = Timing(sleep=lambda _: None)


def made_up(number: int, day: str = "2025-06-01", **modules: Tree) -> Tree:
    """Return a made-up study of some number that was updated on some day."""
    status = {"statusModule": {"lastUpdatePostDateStruct": {"date": day, "type": "ACTUAL"}}}
    return study(f"NCT{99000000 + number}", **status, **modules)


def numbers(first: int, last: int) -> list[str]:
    """Return the ids of made-up studies."""
    return [f"NCT{99000000 + number}" for number in range(first, last + 1)]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Return a stand-in with 25 records, updated on 25 days, at the address that commands ask by default."""
    with StandIn() as stand_in:
        stand_in.put(*(made_up(number, f"2025-06-{number:02}") for number in range(1, 26)))
        monkeypatch.setenv("TRIALCONV_REGISTRY_URL", stand_in.url)
        monkeypatch.setattr("trialconv.http_client.SYSTEM", FAST)
        yield stand_in


def fetch(*arguments: str | Path, stdin: bytes = b"") -> Ran:
    """Run the command without its pace."""
    return run("fetch", "--per-minute", "1000000", *arguments, stdin=stdin)


def ids_of(data: bytes) -> list[str]:
    """Return the ids of records, one a line."""
    return [json.loads(line)["protocolSection"]["identificationModule"]["nctId"] for line in data.splitlines()]


def left(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


# -- ids ---------------------------------------------------------------------------------------------------------


def test_a_record_is_written_as_the_registry_gives_it(registry: StandIn) -> None:
    """One id gives one line, byte by byte the registry's."""
    done = fetch("nct99000003")
    assert (done.code, done.out) == (0, registry.studies["NCT99000003"] + b"\n")
    assert registry.paths() == ["/studies/NCT99000003"]
    assert re.fullmatch(r"trialconv/[\d.]+", registry.asked[0].headers["user-agent"])


def test_a_record_of_several_lines_is_put_on_one(registry: StandIn) -> None:
    """Line ends between the tokens of the JSON are not kept, so that a line stays a record."""
    tree = made_up(77)
    registry.put(json.dumps(tree, indent=2).encode())
    done = fetch("NCT99000077")
    assert done.out.count(b"\n") == 1
    assert json.loads(done.out) == tree


def test_many_ids_are_asked_for_in_few_calls(registry: StandIn, tmp_path: Path) -> None:
    """Ids come from arguments, files and standard input, each once, and several go into a call."""
    listed = tmp_path / "ids.txt"
    listed.write_text(
        "# made up\nNCT99000001, NCT99000002\n\nnct99000001;NCT99000003 # a third one\n", encoding="utf-8"
    )
    done = fetch("NCT99000004", listed, "-", stdin=b"NCT99000005\n")
    assert (done.code, sorted(ids_of(done.out))) == (0, numbers(1, 5))
    assert registry.paths() == ["/studies"]


def test_ids_that_are_not_there_are_named_and_the_others_fetched(registry: StandIn, tmp_path: Path) -> None:
    """An unknown id, and a line that is none, are issues with exit code 4; the others go on."""
    listed = tmp_path / "ids.txt"
    listed.write_text("NCT99000001\nNCT99000999\nNCT123\nEUCTR2020-1\n", encoding="utf-8")
    issues = tmp_path / "issues.ndjson"
    done = fetch(listed, "--issues", issues)
    assert (done.code, ids_of(done.out)) == (4, ["NCT99000001"])
    found = [json.loads(line) for line in issues.read_bytes().splitlines()]
    assert [(one["code"], one["record"], one.get("source_path")) for one in found] == [
        ("invalid-id", str(listed), "line 3"),
        ("invalid-id", str(listed), "line 4"),
        ("not-in-registry", "NCT99000999", None),
    ]
    assert "3 failed, 1 fetched" in done.err
    alone = fetch("NCT99000999")
    assert (alone.code, alone.out) == (4, b"")
    assert fetch("NCT99000999", "--out", tmp_path / "none").code == 4
    assert left(tmp_path) == ["ids.txt", "issues.ndjson"]
    assert "NCT99000999: the registry has no record of this id" in alone.err


def test_an_older_id_leads_to_the_record(registry: StandIn) -> None:
    """The registry knows ids that a record had before, one by one and among others."""
    registry.put(made_up(40, identificationModule={"nctIdAliases": ["NCT99000041"]}))
    assert ids_of(fetch("NCT99000041").out) == ["NCT99000040"]
    done = fetch("NCT99000041", "NCT99000001", "-v")
    assert (done.code, sorted(ids_of(done.out))) == (0, ["NCT99000001", "NCT99000040"])
    assert "NCT99000041: the record is NCT99000040 now (older-id)" in done.err


@pytest.mark.parametrize(
    "text", ["NCT0000001", "NCT00000000", "NCT999999990", "nct", "../NCT99000001", "NCT\u096f\u096f000001"]
)
def test_what_is_no_id_is_asked_for_nowhere(registry: StandIn, text: str) -> None:
    """An argument that is neither an id nor a file is a wrong use, and no call is made."""
    done = fetch(text)
    assert (done.code, done.out, registry.asked) == (2, b"", [])
    assert "is neither an NCT number" in done.err
    assert nct_number(text) is None


def test_lists_of_ids_have_any_separator() -> None:
    """Words are cut at spaces, commas, semicolons and bars; lines are counted; comments are left out."""
    assert list(listed_ids(["a,b", "", "c | d;e # f", "#"])) == [(1, "a"), (1, "b"), (3, "c"), (3, "d"), (3, "e")]


# -- queries -----------------------------------------------------------------------------------------------------


def test_a_query_is_passed_on_with_a_stable_order(registry: StandIn) -> None:
    """Search words, parameters and the first day reach the registry; all pages are taken."""
    registry.put(made_up(50, "2025-06-20", conditionsModule={"conditions": ["Imaginary Cough"]}))
    done = fetch("--query", "imaginary", "--param", "query.cond=cough", "--since", "2025-06-15")
    assert (done.code, ids_of(done.out)) == (0, ["NCT99000050"])
    asked = registry.asked[0].parameters
    assert asked == {
        "query.term": "imaginary",
        "query.cond": "cough",
        "filter.advanced": "AREA[LastUpdatePostDate]RANGE[2025-06-15,MAX]",
        "sort": "LastUpdatePostDate:asc",
        "pageSize": "1000",
        "format": "json",
        "countTotal": "true",
    }


def test_since_goes_together_with_a_filter_of_the_users() -> None:
    """Both conditions hold."""
    query = checked_query({"filter.advanced": "AREA[StartDate]2022 OR x"}, "2025-01-31")
    wanted = "(AREA[StartDate]2022 OR x) AND AREA[LastUpdatePostDate]RANGE[2025-01-31,MAX]"
    assert query.sent("", 5)["filter.advanced"] == wanted
    assert query.sent("2025-02-01", 5)["filter.advanced"].endswith("RANGE[2025-02-01,MAX]")
    assert query.sent("2025-01-01", 5)["filter.advanced"] == wanted


def test_all_pages_are_fetched_in_order(registry: StandIn) -> None:
    """Pages follow one another by their tokens, with the same parameters, in the order of the last update."""
    done = fetch("--all", "--page-size", "10")
    assert (done.code, ids_of(done.out)) == (0, numbers(1, 25))
    assert (
        len(
            {
                json.dumps({**one.parameters, "pageToken": "", "countTotal": ""}, sort_keys=True)
                for one in registry.asked
            }
        )
        == 1
    )
    assert [one.parameters.get("pageToken") is None for one in registry.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to fetch"),
        (["NCT99000001", "--all"], "ids do not go with"),
        (["--since", "2025-02-30"], "is no day such as"),
        (["--since", "yesterday"], "is no day such as"),
        (["--param", "pageSize=3"], "no parameter to pass on"),
        (["--param", "fields=NCTId"], "no parameter to pass on"),
        (["--param", "query.cond"], "is not NAME=VALUE"),
        (["--param", "query.cond= "], "is empty"),
        (["--param", "query.term=a", "--query", "b"], "is what --query sets"),
        (["--query", "NCT99000001, NCT99000002", "--since", "2025-01-01"], "the registry ignores --since"),
        (["--all", "--registry-url", "http://registry.example.org"], "is not encrypted"),
        (["--all", "--registry-url", "https://me:hush@example.org"], "holds a name or a password"),
        (["--all", "--out", "all.json"], "holds one record"),
        (["--all", "--per-minute", "0"], "--per-minute"),
    ],
)
def test_wrong_uses_are_refused_before_any_call(registry: StandIn, arguments: list[str], message: str) -> None:
    """Exit code 2, a sentence that says what is wrong, and no call."""
    done = fetch(*arguments)
    assert (done.code, done.out, registry.asked) == (2, b"", [])
    assert message in done.err
    assert "hush" not in done.err


def test_a_parameter_that_the_registry_refuses_is_reported_in_its_words(registry: StandIn) -> None:
    """A bad request is not tried again; what the registry says about it is told."""
    done = fetch("--param", "filter.overallStatus=SLEEPING")
    assert (done.code, len(registry.asked)) == (4, 1)
    assert "refuses the request: Parameter `filter.overallStatus` has incorrect value: 'SLEEPING'" in done.err


# -- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=429, retry_after="0"),
        Fault("status", status=500),
        Fault("status", status=503, retry_after="Mon, 05 Jan 2026 12:00:00 GMT"),
        Fault("cut"),
        Fault("hang-up"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_what_passes_is_waited_for(registry: StandIn, fault: Fault) -> None:
    """Errors that pass, and broken connections, cost a second call and nothing else."""
    registry.faults = [fault, fault, fault._replace(where="pageToken")]
    done = fetch("--all", "--page-size", "10")
    assert (done.code, ids_of(done.out)) == (0, numbers(1, 25))
    assert len(registry.asked) == 6
    assert "trying again in" in done.err


def test_a_slow_answer_is_given_up_and_asked_for_again(registry: StandIn) -> None:
    """An answer that does not come in time is asked for again."""
    registry.faults = [Fault("slow", seconds=0.6)]
    with Registry(registry.url, per_minute=None, limits=Limits(silence=0.2), timing=FAST) as asked:
        study, _ = asked.study("NCT99000001")
    assert study is not None
    assert len(registry.asked) == 2


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ([Fault("html")], "the answer is a web page and not JSON; does a proxy stand in between?"),
        ([Fault("broken")], "is no page of studies"),
        ([Fault("status", status=403)], "the registry answers 403: Fault on demand"),
        (
            [Fault("status", status=429, retry_after="7200")],
            "asks for fewer requests; it says to try again after 7200",
        ),
        ([Fault("status", status=502)] * 6, "is not able to answer (502); try again later"),
        ([Fault("hang-up")] * 6, "broke off"),
    ],
    ids=["html", "broken", "forbidden", "busy", "down", "cut"],
)
def test_what_does_not_pass_is_told(registry: StandIn, faults: list[Fault], message: str) -> None:
    """Exit code 4, one error that says what happened and where, and nothing on standard output."""
    registry.faults = list(faults)
    done = fetch("--all")
    assert (done.code, done.out) == (4, b"")
    assert len(done.errors) == 1
    assert message in done.errors[0]
    assert registry.url in done.errors[0]
    assert len(registry.asked) == len(faults)


def test_no_registry_is_told(tmp_path: Path) -> None:
    """An address at which nobody listens is an error with exit code 4."""
    with StandIn() as gone:
        url = gone.url
    with (
        Registry(url, retry=Retry(tries=2), timing=FAST) as asked,
        pytest.raises(SourceError, match="no connection to"),
    ):
        asked.version()


def test_a_record_beyond_the_limit_is_told(registry: StandIn) -> None:
    """A single answer that is too large is an error of the registry, and no crash."""
    asked = Registry(registry.url, per_minute=None, limits=Limits(size=50))
    with asked, pytest.raises(SourceError, match="more than the limit of 50 bytes"):
        asked.study("NCT99000001")


def test_an_answer_about_another_record_is_refused(registry: StandIn) -> None:
    """Whoever asks for one record never gets another one."""
    registry.studies["NCT99000001"] = registry.studies["NCT99000002"]
    done = fetch("NCT99000001")
    assert (done.code, done.out) == (4, b"")
    assert "the answer is the record of NCT99000002" in done.err


def test_an_element_that_is_no_study_costs_only_itself(registry: StandIn) -> None:
    """A page with something else among its studies gives the others, and an issue for each that is none."""
    registry.studies["NCT99000002"] = b'{"protocolSection": {"identificationModule": {}}}'
    done = fetch("--all")
    assert (done.code, ids_of(done.out)) == (4, [one for one in numbers(1, 25) if one != "NCT99000002"])
    assert "study 2: an element of the registry's answer is no study with an NCT number" in done.err


def test_pages_beyond_the_limit_are_made_smaller(registry: StandIn) -> None:
    """A page too large for the limit is asked for again with fewer records; the token stays good."""
    size = len(registry.studies["NCT99000001"])
    limits = Limits(size=size * 6)
    with Registry(registry.url, per_minute=None, limits=limits) as asked:
        found = [study.nct_id for page, _ in pages(asked, Query({}), size=20) for study in page.studies]
    assert found == numbers(1, 25)
    asked = Registry(registry.url, per_minute=None, limits=Limits(size=50))
    with asked, pytest.raises(SourceError, match="more than the limit of 50 bytes"):
        list(pages(asked, Query({})))


def test_a_token_that_expires_costs_nothing(registry: StandIn) -> None:
    """The listing goes on from the day it has reached, and ends; the parameters of a token stay the same."""
    with Registry(registry.url, per_minute=None) as asked:
        found: list[str] = []
        for page, position in pages(asked, Query({}), size=10):
            found += [study.nct_id for study in page.studies]
            if position.pages == 1:
                registry.forget_tokens()
    assert list(dict.fromkeys(found)) == numbers(1, 25)
    assert found[10] == "NCT99000010"
    assert [one.parameters.get("filter.advanced") for one in registry.asked] == [
        None,
        None,
        *["AREA[LastUpdatePostDate]RANGE[2025-06-10,MAX]"] * 2,
    ]


def test_a_registry_that_forgets_every_token_comes_to_an_end(registry: StandIn) -> None:
    """A token refused a second time on the same day is an error and no endless loop; so is a circle of tokens."""
    registry.put(*(made_up(number, "2025-06-01") for number in range(1, 26)))
    with Registry(registry.url, per_minute=None) as asked:
        listing = pages(asked, Query({}), size=10)
        with pytest.raises(SourceError, match="not the token"):
            [registry.forget_tokens() for _ in listing]
        registry.answer = lambda *_: (200, {}, b'{"studies":[],"nextPageToken":"same"}')  # type: ignore[method-assign]
        with pytest.raises(SourceError, match="the token of a page again"):
            list(pages(asked, Query({}), Position("same", pages=1)))


def test_a_record_that_changes_meanwhile_comes_once_more(registry: StandIn, tmp_path: Path) -> None:
    """A record updated while it is listed moves to the end; the newer one is what is kept."""
    answer = registry.answer

    def answer_and_update(path: str, parameters: list[tuple[str, str]]) -> tuple[int, dict[str, str], bytes]:
        made = answer(path, parameters)
        registry.put(made_up(3, "2025-06-30"))
        return made

    registry.answer = answer_and_update  # type: ignore[method-assign]
    out = tmp_path / "all.ndjson"
    assert fetch("--all", "--page-size", "10", "--out", out).code == 0
    lines = out.read_bytes().splitlines()
    assert ids_of(out.read_bytes()) == [one for one in numbers(1, 25) if one != "NCT99000003"] + ["NCT99000003"]
    assert json.loads(lines[-1]) == made_up(3, "2025-06-30")


# -- outputs -----------------------------------------------------------------------------------------------------


def test_the_present_folder_can_be_the_output(
    registry: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that exists, by whatever name, gets the files and nothing else."""
    monkeypatch.chdir(tmp_path)
    registry.faults = [Fault("html")]
    assert fetch("--all", "--out", "new").code == 4
    assert left(tmp_path) == []
    assert fetch("NCT99000001", "NCT99000002", "--out", ".").code == 0
    assert left(tmp_path) == ["NCT99000001.json", "NCT99000002.json"]


@pytest.mark.parametrize("name", ["all.ndjson", "all.jsonl", "all.zip", "all"])
def test_what_is_fetched_can_be_converted(registry: StandIn, tmp_path: Path, name: str) -> None:
    """Every form of output is a source of the other commands, and no other file is left beside it."""
    out = tmp_path / name
    done = fetch("--all", "--page-size", "10", "--out", out)
    assert (done.code, done.out) == (0, b"")
    assert "25 fetched" in done.err
    assert left(tmp_path) == [name]
    assert sorted(record.nct_id for record in trialconv.read(out)) == numbers(1, 25)


def test_equal_fetches_give_equal_archives(registry: StandIn, tmp_path: Path) -> None:
    """A ZIP has no time of the day in it, and a file per study, as the registry's own download."""
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    fetch("--all", "--out", first)
    fetch("--all", "--out", second)
    assert first.read_bytes() == second.read_bytes()
    assert zipfile.ZipFile(first).namelist() == [f"{name}.json" for name in numbers(1, 25)]


def test_nothing_is_overwritten_without_force(registry: StandIn, tmp_path: Path) -> None:
    """A file that exists ends the call before it asks; in a folder only the files that differ are left alone."""
    out = tmp_path / "one.json"
    out.write_bytes(b"mine")
    done = fetch("NCT99000001", "--out", out)
    assert (done.code, registry.asked, out.read_bytes()) == (5, [], b"mine")
    assert fetch("NCT99000001", "--out", out, "--force").code == 0
    assert ids_of(out.read_bytes()) == ["NCT99000001"]

    folder = tmp_path / "folder"
    fetch("--all", "--out", folder)
    (folder / "NCT99000002.json").write_bytes(b"mine")
    registry.put(made_up(26))
    done = fetch("--all", "--out", folder)
    assert (done.code, (folder / "NCT99000002.json").read_bytes()) == (5, b"mine")
    assert "NCT99000002.json exists and differs; --force overwrites it" in done.err
    assert "24 of the files were the same already" in done.err
    assert (folder / "NCT99000026.json").exists()
    before = len(registry.asked)
    assert fetch("--all", "--out", folder, "--force").code == 0
    assert ids_of((folder / "NCT99000002.json").read_bytes()) == ["NCT99000002"]
    # What had been fetched waited for its place.
    assert len(registry.asked) == before
    assert left(tmp_path) == ["folder", "one.json"]


def test_an_interrupted_fetch_goes_on_where_it_stopped(registry: StandIn, tmp_path: Path) -> None:
    """The pages that are there are not asked for again, and the result is as if nothing had happened."""
    whole, out = tmp_path / "whole.ndjson", tmp_path / "all.ndjson"
    fetch("--all", "--page-size", "10", "--out", whole)
    registry.asked.clear()
    registry.faults = [Fault("status", status=403, where="pageToken")]
    done = fetch("--all", "--page-size", "10", "--out", out)
    assert (done.code, out.exists()) == (4, False)
    assert "the same command goes on from there" in done.err
    other = fetch("--query", "imaginary", "--out", out)
    assert (other.code, "holds the beginning of another task" in other.err) == (5, True)

    # A page that was cut in the middle of writing is of no account.
    with (tmp_path / ".all.ndjson.part").open("ab") as part:
        part.write(b'{"protocolSection":{"identif')
    registry.forget_tokens()
    done = fetch("--all", "--page-size", "10", "--out", out)
    assert done.code == 0
    assert f"going on with {out} after 10 records" in done.err
    assert "25 fetched" in done.err
    assert out.read_bytes() == whole.read_bytes()
    assert left(tmp_path) == ["all.ndjson", "whole.ndjson"]
    assert sum("pageToken" not in one.parameters for one in registry.asked) == 2


def test_an_interrupted_fetch_of_ids_remembers_which_are_missing(
    registry: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches that are through are not asked for again, and what they lacked is told at the end."""
    monkeypatch.setattr("trialconv.registry.fetching.BATCH", 5)
    wanted = ["NCT99000999", *numbers(1, 12)]
    out = tmp_path / "some.ndjson"
    registry.faults = [Fault("slow"), Fault("html")]
    assert fetch(*wanted, "--out", out).code == 4
    assert len(registry.asked) == 2
    done = fetch(*wanted, "--out", out)
    assert (done.code, sorted(ids_of(out.read_bytes()))) == (4, numbers(1, 12))
    assert "NCT99000999: the registry has no record of this id" in done.err
    assert len(registry.asked) == 4


def test_a_damaged_state_is_not_gone_on_with(registry: StandIn, tmp_path: Path) -> None:
    """A state that cannot be read, or of more than there is, is told; --force begins anew."""
    out = tmp_path / "all.ndjson"
    for damage in (b"{", b'{"key":"x","bytes":10,"progress":{}}'):
        (tmp_path / ".all.ndjson.state").write_bytes(damage)
        (tmp_path / ".all.ndjson.part").write_bytes(b"")
        assert fetch("--all", "--out", out).code == 5
        assert fetch("--all", "--out", out, "--force").code == 0
        assert left(tmp_path) == ["all.ndjson"]


def test_two_fetches_do_not_write_the_same_output(registry: StandIn, tmp_path: Path) -> None:
    """The second one is refused while the first one is at work."""
    pytest.importorskip("fcntl")
    from trialconv.sinks.collected import CollectedRecords

    out = tmp_path / "all.ndjson"
    with CollectedRecords(out, "key", bytes.decode, force=False):
        done = fetch("--all", "--out", out)
    assert (done.code, registry.asked) == (5, [])
    assert "another process is collecting" in done.err


def test_answers_that_are_known_are_not_sent_again(registry: StandIn, tmp_path: Path) -> None:
    """With a registry that identifies its answers, unchanged records in a folder cost an empty answer."""
    registry.etags = True
    folder = tmp_path / "some"
    assert fetch("NCT99000001", "NCT99000002", "--out", folder).code == 0
    assert fetch("NCT99000003", "--out", folder).code == 0
    for ids in (["NCT99000001", "NCT99000002"], ["NCT99000003"]):
        done = fetch(*ids, "--out", folder)
        assert (done.code, f"{len(ids)} unchanged" in done.err) == (0, True)
        assert "if-none-match" in registry.asked[-1].headers
    registry.put(made_up(1, "2025-07-01"))
    done = fetch("NCT99000001", "NCT99000002", "--out", folder, "--force")
    assert "2 fetched" in done.err
    # What was not there is asked for each time, so that it is told each time.
    for _ in range(2):
        done = fetch("NCT99000004", "NCT99000999", "--out", folder)
        assert (done.code, "NCT99000999: the registry has no record" in done.err) == (4, True)
        assert "if-none-match" not in registry.asked[-1].headers
    # A file that somebody changed is asked for in full.
    (folder / "NCT99000003.json").write_bytes(b"mine")
    fetch("NCT99000003", "--out", folder, "--force")
    assert "if-none-match" not in registry.asked[-1].headers
    assert ids_of((folder / "NCT99000003.json").read_bytes()) == ["NCT99000003"]


def test_a_killed_fetch_goes_on(registry: StandIn, tmp_path: Path) -> None:
    """A process that is killed between two pages leaves nothing half-written, and another one ends its work."""
    out = tmp_path / "all.ndjson"
    program = Path(sys.executable).parent / "trialconv"
    command = [program, "fetch", "--all", "--page-size", "3", "--out", out, "--per-minute", "600"]
    for calls in (2, 3, 2):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own command
            before = len(registry.asked)
            while len(registry.asked) < before + calls and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        assert not out.exists()
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0  # noqa: S603
    assert ids_of(out.read_bytes()) == numbers(1, 25)
    assert left(tmp_path) == ["all.ndjson"]
    # Pages that were there are not asked for again, but for those that a kill took.
    assert 9 <= len(registry.asked) <= 9 + 6


# -- ids as sources ----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_registry() -> Iterator[None]:
    """Forget the connection of the test before."""
    from trialconv.readers.ctgov_api import _registry

    _registry.cache_clear()
    yield
    _registry.cache_clear()


def test_an_id_is_a_source_of_every_command(registry: StandIn, tmp_path: Path) -> None:
    """Where a source is an id and no file, the record is fetched."""
    path = tmp_path / "one.json"
    path.write_bytes(encoded(made_up(1, "2025-06-01")))
    for command in ("to-fhir", "to-odm", "to-usdm"):
        fetched, of_file = run(command, "NCT99000001"), run(command, path)
        assert (fetched.code, fetched.out) == (0, of_file.out)
    assert run("coverage", "nct99000001", "--target", "fhir-r5").code == 0
    (record,) = trialconv.read("NCT99000002")
    assert (record.nct_id, record.source.name) == ("NCT99000002", "NCT99000002")


def test_a_file_comes_before_an_id(registry: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or folder whose name is an id is what is read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "NCT99000001").write_bytes(encoded(study("NCT99000055")))
    assert run("to-fhir", "NCT99000001").document["entry"][0]["resource"]["id"] == "NCT99000055"
    assert registry.asked == []


def test_an_id_that_cannot_be_fetched_is_an_issue(registry: StandIn) -> None:
    """One id that the registry does not know does not stop the others."""
    done = run("to-fhir", "NCT99000999", "NCT99000001")
    assert (done.code, len(done.documents)) == (4, 1)
    assert "not-in-registry" in done.err


def test_a_wrong_address_is_a_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable is checked as the option is."""
    monkeypatch.setenv("TRIALCONV_REGISTRY_URL", "http://registry.example.org")
    done = run("to-fhir", "NCT99000001")
    assert (done.code, "is not encrypted" in done.err) == (2, True)
    with pytest.raises(UsageError):
        Registry()
