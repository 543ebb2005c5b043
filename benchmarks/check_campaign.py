"""How often the checks find a fault, name its cause first, and keep silent where nothing is wrong.

Writes random sessions over cameras, capture programs, sizes, levels and faults, half of them
clean, checks or runs them, and prints a table in Markdown::

    python -m benchmarks.check_campaign --sessions 496 > docs/checks-campaign.md
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.campaign_sessions import CAMERAS, FAULTS, RUN_RULES, Kind, draw

from lightframe.checks import RULES
from lightframe.errors import SettingsError
from lightframe.figures import percent
from lightframe.session import RunSettings, run
from lightframe.session._check import check
from lightframe.simulation import Session, simulate_session

_EXPONENT = re.compile(r"\d[eE][+-]?\d")
_FRACTION = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])")
_MOST_DIGITS = 5
"""Exposures are given with so many."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of one session.

    Attributes
    ----------
    number, rule, camera, program : int, str, str, str
        Which session it was; the rule is empty for a clean one.
    named : tuple of str
        Rules of errors and warnings, the worst first; those that are said to follow from another
        one, or from which another follows, are left out beside it.
    messages : tuple of str
        All that was said.
    whole : bool
        Whether it was run as a whole.
    frames : int
        Frames that were looked at.
    seconds : float
        Processor time.
    """

    number: int
    rule: str
    camera: str
    program: str
    named: tuple[str, ...]
    messages: tuple[str, ...]
    whole: bool
    frames: int
    seconds: float

    @property
    def found(self) -> bool:
        """Whether the fault was found; of a clean session, whether nothing was said."""
        return self.rule in self.named if self.rule else not self.named

    @property
    def first(self) -> bool:
        """Whether the fault was named before anything else."""
        return self.named[:1] == (self.rule,) if self.rule else not self.named

    @property
    def others(self) -> int:
        """Rules that were named beside the fault."""
        return len({*self.named} - {self.rule})

    def __str__(self) -> str:
        said = ", ".join(self.named) or "nothing"
        where = f"session {self.number}, {self.camera}, {self.program}"
        return f"{self.rule or 'clean'} ({where}): {said}"


def judged(seed: int, number: int) -> Verdict:
    """Write, check or run, and judge one session."""
    rule, kind, camera, session = draw(seed, number)
    folder = Path(tempfile.mkdtemp())
    try:
        session = _written(folder / "raw", session)
        whole = number % 4 == 0 if kind is None else kind.runs
        start = time.process_time()
        findings, frames = _findings(folder, kind, whole=whole)
        seconds = time.process_time() - start
    finally:
        shutil.rmtree(folder)
    severity = {"error", "warning"} | ({kind.severity} if kind else set())
    serious = [f for f in findings if f["severity"] in severity]
    if kind and kind.severity == "info":  # other things that are only mentioned do not count
        serious = [f for f in serious if f["severity"] != "info" or f["rule"] == rule]
    return Verdict(
        number,
        rule,
        camera,
        session.capture,
        _causes(serious, rule),
        tuple(f"{f['rule']}: {f['message']}" for f in findings),
        whole,
        frames,
        seconds,
    )


def _written(folder: Path, session: Session) -> Session:
    try:
        simulate_session(folder, session, threads=1)
    except SettingsError:  # names of this program do not tell two frames apart
        shutil.rmtree(folder, ignore_errors=True)
        session = session.changed(capture="nina")
        simulate_session(folder, session, threads=1)
    shutil.rmtree(folder / "truth")
    return session


def _findings(
    folder: Path, kind: Kind | None, *, whole: bool
) -> tuple[list[Mapping[str, Any]], int]:
    """Return all findings, the worst first, and the number of frames."""
    chosen = {"workers": 1, **(kind.settings if kind else {})}
    settings = RunSettings.parse(chosen)
    folders = sorted(path for path in (folder / "raw").iterdir() if any(path.iterdir()))
    frames = sum(1 for path in (folder / "raw").rglob("*.*") if path.suffix != ".txt")
    if whole:
        document = run(folders, folder / "out", settings).document
        order = ("error", "warning", "info")
        return sorted(document["findings"], key=lambda f: order.index(f["severity"])), frames
    return [finding.as_dict() for finding in check(folders, settings).findings], frames


def _causes(findings: Sequence[Mapping[str, Any]], rule: str) -> tuple[str, ...]:
    """Return the rules that were named, without those that refer to the fault that was made."""
    return tuple(
        dict.fromkeys(
            f["rule"]
            for f in findings
            if f["rule"] == rule or f["evidence"].get("consequence_of") != rule or not rule
        )
    )


@dataclass
class Tally:
    """Counts of one rule, or of the clean sessions."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count a session."""
        self.counts["sessions"] += 1
        self.counts["found"] += verdict.found
        self.counts["first"] += verdict.first
        self.counts["others"] += verdict.others


def campaign(
    seed: int, numbers: Sequence[int], processes: int, kept: Path | None = None
) -> list[Verdict]:
    """Judge sessions, several side by side; what is said of them does not depend on that.

    Those that the file `kept` has, one a line, are not judged again; new ones are added to it.
    """
    verdicts = [] if kept is None or not kept.exists() else _read(kept)
    done = {verdict.number for verdict in verdicts}
    numbers = [number for number in numbers if number not in done]
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for verdict in pool.map(partial(judged, seed), numbers):
            verdicts.append(verdict)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(verdict)) + "\n")
            print(f"{len(verdicts)}: {verdict}", file=sys.stderr, flush=True)
            if not verdict.first or verdict.others:
                for message in verdict.messages:
                    print(f"    {message}", file=sys.stderr, flush=True)
    return sorted(verdicts, key=lambda verdict: verdict.number)


def _read(path: Path) -> list[Verdict]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [(line, tuple(line.pop("named")), tuple(line.pop("messages"))) for line in lines]
    return [Verdict(**line, named=named, messages=messages) for line, named, messages in pairs]


def ill_written(messages: Sequence[str]) -> list[str]:
    """Return the messages that hold a number with an exponent, or a fraction of many digits."""
    return [
        message
        for message in messages
        if _EXPONENT.search(message)
        or any(
            len(text.replace(".", "").lstrip("0")) > _MOST_DIGITS
            for text in _FRACTION.findall(message)
        )
    ]


def main() -> None:
    """Run the campaign and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=8 * len(FAULTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of sessions")
    parser.add_argument("--rules", nargs="*", help="only sessions of these rules")
    parser.add_argument("--keep", type=Path, help="file of what was judged, to go on with")
    arguments = parser.parse_args()
    numbers = arguments.only or range(arguments.sessions)
    if arguments.rules:
        wanted = set(arguments.rules)
        numbers = [n for n in numbers if n % 2 and list(FAULTS)[n // 2 % len(FAULTS)] in wanted]
    verdicts = campaign(arguments.seed, list(numbers), arguments.processes, arguments.keep)
    print(table(verdicts, arguments.seed))


def table(verdicts: Sequence[Verdict], seed: int) -> str:
    """Return the outcome in Markdown."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for verdict in verdicts:
        tallies[verdict.rule].add(verdict)
    clean = tallies.pop("", Tally()).counts
    faulty: Counter[str] = sum((t.counts for t in tallies.values()), Counter())
    alarms = clean["sessions"] - clean["found"]
    said = faulty["found"] + faulty["others"] + alarms
    checked = [v for v in verdicts if not v.whole]
    cost = sum(v.seconds for v in checked) / max(1, sum(v.frames for v in checked))
    wrong = ill_written([message for v in verdicts for message in v.messages])
    whole = sum(v.whole for v in verdicts if not v.rule)
    named = (
        faulty["found"] / max(1, faulty["sessions"]),
        faulty["first"] / max(1, faulty["sessions"]),
    )
    programs = len({v.program for v in verdicts})
    text = f"""# The checks on random sessions

{len(verdicts)} simulated sessions (seed {seed}), {clean["sessions"]} of them clean,
over {len(CAMERAS)} cameras, {programs} capture programs, sizes, exposures, skies, seeing and levels
of flats. Faults that show only in calibrated lights, and {whole} of the clean sessions, are run as
a whole; the others are checked. Faults are drawn large enough to do harm that can be seen.
`python -m benchmarks.check_campaign` makes the sessions, `--only NUMBER` one of them again.

- Faults found: {faulty["found"]} of {faulty["sessions"]} ({percent(named[0], 1)})
- Rules with a fault: {len(tallies)} of {len(RULES)}
- First-named cause right: {faulty["first"]} of {faulty["sessions"]} ({percent(named[1], 1)})
- Clean sessions with an error or warning: {alarms} of {clean["sessions"]}
- Precision: {percent(faulty["found"] / max(said, 1), 1)} of what was said was the fault
- Messages with an exponent, or with more digits than mean something: {len(wrong)}
- Cost of a check: {cost:.3f} s of processor time a frame, small frames, compilation included

What a finding names as its cause is not counted beside it.

| fault | sessions | found | named first | something else beside it |
| --- | --- | --- | --- | --- |"""
    lines = [text]
    for rule in FAULTS:
        if rule in tallies:
            c = tallies[rule].counts
            name = f"{rule} (run)" if rule in RUN_RULES else rule
            lines.append(
                f"| {name} | {c['sessions']} | {c['found']} | {c['first']} | {c['others']} |"
            )
    failures = [str(v) for v in verdicts if not v.first or v.others]
    if failures:
        lines += ["", "Sessions in which something else was said, or nothing:", ""]
        lines += [f"- {text}" for text in failures]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
