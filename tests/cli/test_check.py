"""The commands check and explain."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from check_sessions import osc, written
from lightframe.checks import RULES, PlanRecord, SessionEvidence, rule_pages
from lightframe.checks._shown import SHOWN
from lightframe.cli import main
from lightframe.frames import Card, FrameKind, Header, write_fits
from lightframe.simulation import FlatLevel, Unshifted

DOCUMENTED = Path(__file__).resolve().parents[2] / "docs" / "checks"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Return a session with unshifted darks and dim flats."""
    faults = Unshifted(kinds=(FrameKind.DARK,)), FlatLevel(level=0.03)
    return written(tmp_path_factory.mktemp("check") / "session", osc(*faults))


def test_json_holds_the_findings_alone(faulty, capsys):
    """Exit code 1 where an error stands; thresholds are among the evidence."""
    assert main(["check", str(faulty), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)

    assert list(document) == ["findings"]
    found = {finding["rule"]: finding for finding in document["findings"]}
    assert {"mixed-scaling", "flat-underexposed"} <= set(found)
    assert found["flat-underexposed"]["evidence"]["needed_snr"] == 200.0
    assert all(Path(path).is_file() for path in found["mixed-scaling"]["frames"])


def test_the_table_goes_by_group_the_worst_first(faulty, capsys):
    """People read what was found, why, and what to do; each finding names its threshold."""
    assert main(["check", str(faulty)]) == 1
    text = " ".join(capsys.readouterr().out.split())

    assert text.index("error mixed-scaling") < text.index("warning flat-underexposed")
    assert "Acquisition: how frames were taken" in text
    assert "needed: 10 % of the range or 200" in text
    assert "1 error, 1 warning" in text


def test_a_page_shows_the_evidence(faulty, tmp_path, capsys):
    """One file that needs no other, with a chart for each picture of --json, and all sets."""
    page = tmp_path / "new" / "check.html"
    assert main(["check", str(faulty), "--json", "--report", str(page)]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    kinds = {f["rule"]: f["evidence"]["picture"]["kind"] for f in findings if f["rule"] in SHOWN}
    text = page.read_text(encoding="utf-8")

    assert kinds == {"mixed-scaling": "histogram", "flat-underexposed": "histogram"}
    assert text.count("<svg") == 2
    assert not re.search(r"""(src|href)=["']?(https?:|//|[^#"'])""", text)
    assert all(f["message"].split(":")[0] in html.unescape(text) for f in findings)
    assert ">4 lights" in text
    assert "lightframe explain" in text


def test_the_page_is_named_to_people(faulty, tmp_path, capsys):
    """With the rules that were selected alone."""
    page = tmp_path / "check.html"
    main(["check", str(faulty), "--select", "flat-underexposed", "--report", str(page)])

    assert str(page) in capsys.readouterr().out
    assert "flat-underexposed" in page.read_text(encoding="utf-8")
    assert "mixed-scaling" not in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_an_error(faulty, tmp_path, capsys):
    """What, where and why; the findings are told all the same."""
    (tmp_path / "file").write_text("")
    page = tmp_path / "file" / "check.html"

    assert main(["check", str(faulty), "--report", str(page)]) == 2
    output = capsys.readouterr()
    assert "check.html" in output.err
    assert "flat-underexposed" in output.out


@pytest.mark.parametrize(
    ("arguments", "code", "rules"),
    [
        (["--select", "flat-underexposed"], 0, {"flat-underexposed"}),
        (["--ignore", "mixed-scaling,too-few-frames"], 0, {"flat-underexposed"}),
        (["--set", "check.flat_lowest=0.001", "--ignore", "too-few-frames"], 1, {"mixed-scaling"}),
    ],
)
def test_rules_and_thresholds_can_be_chosen(arguments, code, rules, faulty, capsys):
    """Selected, ignored, and judged by other thresholds."""
    extra = ["--set", "check.flat_single_snr=1"] if "--set" in arguments else []
    assert main(["check", str(faulty), "--json", *arguments, *extra]) == code

    assert {f["rule"] for f in json.loads(capsys.readouterr().out)["findings"]} == rules


def test_thresholds_come_from_the_settings_of_a_run(faulty, tmp_path, capsys):
    """The table [check] of a TOML file that serves `run`, too."""
    config = tmp_path / "settings.toml"
    config.write_text("[check]\nflat_lowest = 0.001\nflat_single_snr = 1\n[lights]\n")
    main(["check", str(faulty), "--json", "--config", str(config)])

    assert "flat-underexposed" not in capsys.readouterr().out


@pytest.mark.parametrize("command", [["check", ".", "--select", "flat"], ["explain", "flat"]])
def test_a_wrong_name_of_a_rule_is_an_error(command, capsys):
    """The message lists the rules."""
    assert main(command) == 2
    assert "unknown rule 'flat'" in capsys.readouterr().err


def test_a_missing_folder_is_an_error(tmp_path, capsys):
    """Exit code 3, and the folder is named."""
    assert main(["check", str(tmp_path / "nowhere")]) == 3
    assert "nowhere" in capsys.readouterr().err


def nameless(folder, **cards):
    """Write two frames of which nothing but some cards is known, under names that say nothing."""
    folder.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).normal(900, 20, (1, 64, 80)).astype(np.float32)
        header = Header([Card(keyword, value) for keyword, value in cards.items()])
        write_fits(folder / f"{number:04}.fits", pixels, header, sample_format="uint16")
    return folder


@pytest.mark.parametrize(
    ("cards", "cause"),
    [
        ({"EXPTIME": 60.0}, "no header has IMAGETYP"),
        ({"IMAGETYP": "Foo"}, "0000.fits: IMAGETYP = 'Foo' is not a kind of frame that is known"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_frames_of_unknown_kind_alone_are_unusable_input(command, cards, cause, tmp_path, capsys):
    """Exit code 3: which header is missing or not understood, and how to help it."""
    folder = nameless(tmp_path / "session", **cards)
    extra = ["-o", str(tmp_path / "out")] if command == "run" else []

    assert main([command, str(folder), *extra]) == 3
    output = capsys.readouterr()
    told = " ".join(output.err.split())
    assert "the kind of 2 frames is not known" in told
    assert cause in told
    assert "folders named lights, flats, darks, flat-darks and bias" in told
    assert command == "run" or "0 frames looked at" in output.out


def test_what_could_be_told_without_frames_to_check_is_told(tmp_path, capsys):
    """A folder of broken files: the finding stands, as JSON too, and the exit code is 3."""
    folder = nameless(tmp_path / "session", IMAGETYP="Dark")
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:1000])

    assert main(["check", str(folder), "--json"]) == 3
    output = capsys.readouterr()
    (finding,) = json.loads(output.out)["findings"][:1]
    assert finding["rule"] == "unreadable-file"
    assert "no frame could be checked" in output.err


def test_one_frame_that_is_known_is_enough(tmp_path, capsys):
    """What cannot be looked at is named beside what was."""
    folder = nameless(tmp_path / "session", EXPTIME=60.0)
    (folder / "0000.fits").rename(folder / "dark_0000.fits")

    assert main(["check", str(folder)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "1 frame looked at" in text
    assert "not looked at: 1 frame: cannot tell what for" in text


def test_measurements_are_kept_where_asked(faulty, tmp_path, capsys):
    """One file a frame, and the second time the same findings."""
    cache = tmp_path / "cache"
    main(["check", str(faulty), "--json", "--cache", str(cache)])
    first = capsys.readouterr().out
    frames = sum(path.suffix == ".fits" for path in faulty.rglob("*"))
    assert len(list(cache.iterdir())) == frames
    main(["check", str(faulty), "--json", "--cache", str(cache)])

    assert capsys.readouterr().out == first


def test_explain_lists_all_rules(capsys):
    """Without a name: a table."""
    assert main(["explain", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["rules"]

    assert [fact["name"] for fact in facts] == list(RULES)
    assert main(["explain"]) == 0
    assert "mixed-scaling" in capsys.readouterr().out


BEFORE_WORK = [
    name
    for name in RULES
    if {item.judges for item in RULES[name].witnesses} & {PlanRecord, SessionEvidence}
]


@pytest.mark.parametrize("rule", BEFORE_WORK)
def test_every_rule_explains_itself(rule, capsys):
    """Meaning, how it is found, an example, what to do, thresholds where there are any."""
    assert main(["explain", rule]) == 0
    text = " ".join(capsys.readouterr().out.split())

    assert rule in text
    assert "Severity" in text
    assert "Example" in text
    assert "What to do" in text
    assert all(name in text.replace(" ", "") for name in RULES[rule].thresholds)


def test_the_committed_pages_are_those_of_the_rules():
    """Run `lightframe explain --write docs/checks` after a change of a rule."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTED.glob("*.md")}

    assert committed == rule_pages()
