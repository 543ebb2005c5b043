"""Small simulated sessions for the tests of the rules: four cameras, quick to write."""

import shutil

from lightframe.session._check import check
from lightframe.simulation import preset, simulate_session

HEIGHT, WIDTH, FRAMES = 256, 352, 4


def small(name, **changes):
    """Return a preset with a small sensor, few frames, and enough hot pixels to compare."""
    session = preset(name).resized(HEIGHT, WIDTH, FRAMES)
    dark = session.sensor.dark.model_copy(update={"hot_fraction": 0.003})
    session = session.changed(sensor=session.sensor.model_copy(update={"dark": dark}))
    return session.changed(filters=session.filters[:1], **changes)


def osc(*faults, **changes):
    """Return a session of a colour camera with flat-darks."""
    return small("osc-cmos", faults=faults, **changes)


def mono(*faults, **changes):
    """Return a session of a monochrome camera with bias frames."""
    return small("mono-cmos", faults=faults, **changes)


def ccd(*faults, **changes):
    """Return a session of a CCD with bias frames and long darks."""
    return small("mono-ccd", faults=faults, **changes)


def dslr(*faults, **changes):
    """Return a session of a camera that is not cooled."""
    return small("dslr", faults=faults, **changes)


def written(folder, session):
    """Write a session, without its truth, and return its folder."""
    simulate_session(folder, session, threads=2)
    shutil.rmtree(folder / "truth")
    return folder


def findings_of(folder, session, settings=None):
    """Write a session and check it."""
    arguments = () if settings is None else (settings,)
    return check([written(folder, session)], *arguments).findings


def serious(findings):
    """Return the rules of errors and warnings, in order."""
    return [finding.rule for finding in findings if finding.severity != "info"]
