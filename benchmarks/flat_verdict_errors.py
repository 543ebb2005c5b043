"""Whether the verdict on flat fielding is as good as it says: found less true, over stated errors.

Runs simulated sessions that are clean, and others whose darks are 100 DN too low, with thresholds
so low that what follows the flat is always told, and prints a table in Markdown::

    python -m benchmarks.flat_verdict_errors --seeds 8
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from lightframe.figures import percent
from lightframe.frames import FrameKind
from lightframe.session import RunSettings, run
from lightframe.simulation import Session, WrongSetting, preset, simulate_session

PRESETS = ("osc-cmos", "mono-cmos", "mono-ccd", "dslr")
SETTINGS = RunSettings.parse(
    {
        "check": {
            "flat_residual_sigma": 1e-6,
            "flat_residual_effect": 1e-9,
            "flat_colour_error": 0.0,
        },
        "check_pixels": False,
    }
)
FRAMES = 8


def drawn(name: str, seed: int, missing_dn: float) -> tuple[Session, float]:
    """Return a session of 480 x 640 pixels and 8 frames, and what its lights hold too much, DN."""
    session = preset(name).resized(480, 640, FRAMES)
    session = session.changed(
        seed=seed,
        sensor=session.sensor.model_copy(update={"serial": 100 + seed}),
        filters=session.filters[:1],
    )
    if not missing_dn:
        return session, 0.0
    step = session.sensor.bias_level_dn(session.offset) - session.sensor.bias_level_dn(
        session.offset - 1
    )
    fault = WrongSetting(kinds=(FrameKind.DARK,), offset=session.offset - missing_dn / step)
    return session.changed(faults=(fault,)), missing_dn


def measured(session: Session) -> tuple[float, float, float] | None:
    """Return what follows the flat, its stated error, and the sky, DN."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        simulate_session(raw, session, threads=2)
        folders = [path for path in raw.iterdir() if path.name != "truth"]
        document = run(sorted(folders), Path(folder) / "out", SETTINGS).document
    for finding in document["findings"]:
        if finding["rule"] in {"over-correction", "under-correction"}:
            e = finding["evidence"]
            found = e["follows_flat_dn"], e["follows_flat_error_dn"]
            return *found, e["background_dn"] - e["follows_flat_dn"]
    return None


def main() -> None:
    """Run the sessions and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = range(1, 1 + parser.parse_args().seeds)
    print(
        "| camera | true, DN | sessions | found less true, DN | stated error, DN | of the sky"
        " | rms of the pulls |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in PRESETS:
        for missing in (0.0, 100.0):
            if missing and name in {"mono-ccd", "dslr"}:
                continue  # scaled darks: their bias is that of the bias frames
            pairs = [drawn(name, seed, missing) for seed in seeds]
            results = [(measured(session), truth) for session, truth in pairs]
            known = np.array([(*m, truth) for m, truth in results if m is not None])
            off = known[:, 0] - known[:, 3]
            pulls = off / known[:, 1]
            print(
                f"| {name} | {missing:.0f} | {len(known)} | {off.mean():.1f} ± {off.std():.1f}"
                f" | {known[:, 1].mean():.1f} | {percent(np.mean(known[:, 1] / known[:, 2]), 2)}"
                f" | {np.sqrt(np.mean(pulls**2)):.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
