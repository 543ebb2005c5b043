"""How often the checks find a fault, name its cause first, and keep silent where nothing is wrong.

Writes random sessions over cameras, capture programs, sizes, levels and faults, half of them clean,
checks them, and prints a table in Markdown::

    python benchmarks/check_campaign.py --sessions 200 > docs/checks-campaign.md
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lightframe.errors import SettingsError
from lightframe.frames import FrameKind
from lightframe.session._check import check
from lightframe.simulation import (
    CAPTURE_PROGRAMS,
    AlreadyCalibrated,
    BiasDrift,
    BzeroLost,
    Duplicate,
    Fault,
    FlatLevel,
    FlatSet,
    Flicker,
    Flipped,
    HeaderValue,
    HotPixelFilter,
    LightLeak,
    Mislabelled,
    NewHotPixels,
    OtherCamera,
    Session,
    ShadowShift,
    StarsInFlat,
    TruncatedFile,
    Unshifted,
    WhiteBalance,
    WrongSetting,
    preset,
    simulate_session,
)

BIAS, DARK, FLAT, LIGHT = FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT, FrameKind.LIGHT
ALL = ("osc-cmos", "mono-cmos", "mono-ccd", "dslr")
COOLED = ("osc-cmos", "mono-cmos")
SHIFTED = ("osc-cmos",)
COLOUR = ("osc-cmos", "dslr")
WITH_BIAS = ("mono-cmos", "mono-ccd", "dslr")

Draw = np.random.Generator
Make = Callable[[Draw], tuple[Fault, ...]]

FAULTS: dict[str, list[tuple[tuple[str, ...], Make]]] = {
    "unreadable-file": [
        (ALL, lambda r: (TruncatedFile(kinds=(DARK,), numbers=(1,), fraction=r.uniform(0.3, 0.9)),))
    ],
    "duplicate-frame": [
        (ALL, lambda r: (Duplicate(kinds=(LIGHT,), numbers=(int(r.integers(3)),)),))
    ],
    "frame-type-mislabelled": [
        (ALL, lambda _: (Mislabelled(kinds=(FLAT,), numbers=(1,), claimed=DARK),)),
        (ALL, lambda _: (Mislabelled(kinds=(LIGHT,), numbers=(2,), claimed=DARK),)),
        (ALL, lambda _: (Mislabelled(kinds=(DARK,), numbers=(2,), claimed=FLAT),)),
    ],
    "already-calibrated": [
        (("osc-cmos", "mono-cmos"), lambda _: (AlreadyCalibrated(kinds=(DARK,)),))
    ],
    "unsigned-offset-wrong": [(ALL, lambda _: (BzeroLost(kinds=(DARK,)),))],
    "mixed-scaling": [
        (SHIFTED, lambda _: (Unshifted(kinds=(DARK,)),)),
        (SHIFTED, lambda _: (Unshifted(kinds=(FLAT,)),)),
    ],
    "offset-mismatch": [
        (COOLED, lambda r: (WrongSetting(kinds=(DARK,), offset=r.uniform(5.0, 35.0)),)),
        (WITH_BIAS, lambda r: (WrongSetting(kinds=(BIAS,), offset=r.uniform(100.0, 800.0)),)),
    ],
    "gain-label-wrong": [
        (("osc-cmos",), lambda _: (WrongSetting(kinds=(DARK,), gain=0),)),
        (COOLED, lambda _: (WrongSetting(kinds=(FLAT,), gain=0),)),
    ],
    "camera-mismatch": [(ALL, lambda r: (OtherCamera(serial=int(r.integers(2000, 9000))),))],
    "frame-flipped": [(ALL, lambda _: (Flipped(kinds=(DARK,)),))],
    "hot-pixel-mismatch": [
        (COOLED, lambda r: (WrongSetting(kinds=(DARK,), temperature_c=r.uniform(-6.0, 5.0)),)),
        (COOLED, lambda r: (WrongSetting(kinds=(DARK,), exposure_s=r.uniform(20.0, 60.0)),)),
    ],
    "stale-dark": [(COOLED, lambda r: (NewHotPixels(per_megapixel=r.uniform(300.0, 900.0)),))],
    "cfa-pattern-missing": [
        (COLOUR, lambda _: (HeaderValue(keyword="BAYERPAT"), HeaderValue(keyword="COLORTYP")))
    ],
    "cfa-pattern-wrong": [(COLOUR, lambda _: (HeaderValue(keyword="BAYERPAT", value="GBRG"),))],
    "cfa-on-mono": [(("mono-cmos",), lambda _: (HeaderValue(keyword="BAYERPAT", value="RGGB"),))],
    "white-balance-scaled": [(COLOUR, lambda _: (WhiteBalance(),))],
    "bias-unstable": [
        (
            WITH_BIAS,
            lambda r: (BiasDrift(level_dn=r.uniform(60, 150), gradient_dn=r.uniform(0, 80)),),
        )
    ],
    "dark-light-leak": [
        (ALL, lambda r: (LightLeak(e_s=r.uniform(0.7, 3.0), angle_deg=r.uniform(0, 360)),))
    ],
    "dark-inconsistent": [
        (
            COOLED,
            lambda r: (WrongSetting(kinds=(DARK,), numbers=(0,), temperature_c=r.uniform(-5, 3)),),
        )
    ],
    "filtered-raw": [(ALL, lambda _: (HotPixelFilter(),))],
    "flat-saturated": [(ALL, lambda r: (FlatLevel(level=r.uniform(1.05, 1.5)),))],
    "flat-underexposed": [
        (("osc-cmos", "mono-cmos"), lambda r: (FlatLevel(level=r.uniform(0.02, 0.035)),))
    ],
    "flat-banding": [
        (
            ALL,
            lambda r: (Flicker(amplitude=r.uniform(0.005, 0.05), period_rows=r.uniform(30, 140)),),
        )
    ],
    "flat-inconsistent": [
        (ALL, lambda r: (ShadowShift(numbers=(2,), dx_px=r.uniform(20, 40), dy_px=20.0),))
    ],
    "stars-in-flat": [(ALL, lambda r: (StarsInFlat(per_megapixel=r.uniform(40, 120)),))],
}
"""By the rule that must be named first: presets, and what goes wrong."""


def base_session(name: str, random: Draw, programs: tuple[str, ...]) -> Session:
    """Return a clean session that differs from others in all that need not be alike."""
    frames = int(random.integers(4, 8))
    height = int(random.integers(150, 240)) * 2
    session = preset(name).resized(height, int(height * 1.4) // 2 * 2, frames)
    dark = session.sensor.dark.model_copy(
        update={"hot_fraction": float(random.uniform(0.001, 0.003))}
    )
    sensor = session.sensor.model_copy(
        update={"serial": int(random.integers(1, 1000)), "dark": dark}
    )
    sky = session.sky.model_copy(
        update={
            "brightness_e_s": tuple(
                float(v * random.uniform(0.6, 2.5)) for v in session.sky.brightness_e_s
            )
        }
    )
    flats = session.flats.model_copy(update={"level": float(random.uniform(0.35, 0.6))})
    return session.changed(
        seed=int(random.integers(1, 10**6)),
        sensor=sensor,
        sky=sky,
        flats=FlatSet.model_validate(dict(flats)),
        filters=session.filters[:2],
        capture=str(random.choice(programs)),
    )


def draw(
    random: Draw, names: list[str], number: int, programs: tuple[str, ...]
) -> tuple[str, Session]:
    """Return the rule that must be found (empty for a clean session) and a session."""
    if number % 2 == 0:
        return "", base_session(str(random.choice(ALL)), random, programs)
    rule = names[(number // 2) % len(names)]
    variants = FAULTS[rule]
    presets, make = variants[int(random.integers(len(variants)))]
    session = base_session(str(random.choice(presets)), random, programs)
    return rule, session.changed(faults=make(random))


def main() -> None:
    """Run the campaign and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    programs = tuple(CAPTURE_PROGRAMS)
    random = np.random.default_rng(arguments.seed)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    wrong: list[str] = []
    seconds = frames = 0.0
    for number in range(arguments.sessions):
        rule, session = draw(random, list(FAULTS), number, programs)
        folder = Path(tempfile.mkdtemp())
        try:
            simulate_session(folder / "s", session, threads=arguments.threads)
        except SettingsError:  # names of this program do not tell two frames apart
            session = session.changed(capture="nina")
            simulate_session(folder / "s", session, threads=arguments.threads)
        shutil.rmtree(folder / "s" / "truth")
        start = time.process_time()
        result = check([folder / "s"])
        seconds += time.process_time() - start
        frames += sum(len(s.frames) for s in result.evidence.sets)
        shutil.rmtree(folder)
        named = [f.rule for f in result.findings if f.severity != "info"]
        count = outcomes[rule]
        count["sessions"] += 1
        count["found"] += rule in named if rule else not named
        count["first"] += named[:1] == [rule] if rule else not named
        count["others"] += any(name != rule for name in named)
        if set(named) != ({rule} if rule else set()):
            facts = f"{session.sensor.camera}, {session.capture}"
            wrong.append(f"{rule or 'clean'} ({facts}): {', '.join(named) or 'nothing'}")
            for finding in result.findings:
                print(f"    {finding.rule}: {finding.message}", file=sys.stderr)
        print(f"{number + 1}/{arguments.sessions} {rule or 'clean'}: {named}", file=sys.stderr)
    print_table(outcomes, wrong, arguments, seconds / max(frames, 1))


def print_table(
    outcomes: dict[str, Counter[str]], wrong: list[str], arguments: argparse.Namespace, cost: float
) -> None:
    """Print what was found, and every session in which something else was said."""
    faulty = Counter[str]()
    for rule, count in outcomes.items():
        if rule:
            faulty.update(count)
    clean = outcomes[""]
    alarms = clean["sessions"] - clean["found"]
    total = max(faulty["sessions"], 1)
    said = faulty["found"] + faulty["others"] + alarms
    print("# The checks on random sessions\n")
    print(
        f"{arguments.sessions} simulated sessions (seed {arguments.seed}), half of them clean, over"
        " four cameras, capture programs, sizes, sky levels and flat levels;"
        " `benchmarks/check_campaign.py` makes them.\n"
    )
    print(
        f"- Recall: {faulty['found']} of {faulty['sessions']} faults"
        f" ({faulty['found'] / total:.1%})"
    )
    print(f"- First-named cause right: {faulty['first']} of {faulty['sessions']}")
    print(f"- Clean sessions with an error or warning: {alarms} of {clean['sessions']}")
    print(f"- Precision: {faulty['found'] / max(said, 1):.1%} of what was said was the fault")
    print(f"- Cost: {cost:.3f} s of processor time a frame, small frames, compilation included\n")
    print("| fault | sessions | found | named first | something else beside it |")
    print("| --- | --- | --- | --- | --- |")
    for rule in FAULTS:
        c = outcomes[rule]
        print(f"| {rule} | {c['sessions']} | {c['found']} | {c['first']} | {c['others']} |")
    if wrong:
        print("\nSessions in which something else was said, or nothing:\n")
        for line in wrong:
            print(f"- {line}")


if __name__ == "__main__":
    main()
