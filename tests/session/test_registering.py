"""Registration of many frames to one: which one, and what if it does not serve."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.io import fits

from lightframe.errors import RegistrationError
from lightframe.processes import RegistrationSettings, StarTable
from lightframe.session import RunSettings, run
from lightframe.session._registering import register_all
from lightframe.simulation import preset, simulate_session

SETTINGS = RegistrationSettings()


def frame(seed, *, fwhm=3.0, shift=0.0, count=40):
    """Return the measurement of a frame of the field `seed`."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(20, 380, (2, count))
    flux = rng.uniform(1e3, 1e5, count)
    ones = np.ones(count)
    stars = StarTable(
        x=x + shift, y=y, flux_dn=flux, peak_dn=flux / 10, background_dn=100 * ones,
        snr=200 * ones, fwhm_px=fwhm * ones, eccentricity=0.3 * ones,
        saturated=np.zeros(count, np.bool_),
    )  # fmt: skip
    return SimpleNamespace(
        stars=stars,
        fwhm_px=fwhm if count else None,
        eccentricity=0.3 if count else None,
        star_count=count,
        background_dn=(100.0,),
        noise_dn=(5.0,),
    )


def registered(frames, **options):
    """Register frames of 400 x 400 pixels."""
    return register_all(frames, [(400, 400)] * len(frames), SETTINGS, **options)


def test_the_best_frame_is_the_reference():
    """The sharpest keeps its grid, the others are found on it."""
    found = registered([frame(1, fwhm=4.0, shift=3.0), frame(1), frame(1, fwhm=5.0, shift=-2.0)])

    assert found.reference == 1
    assert found.failed == {}
    assert found.found[0].transform[0, 2] == pytest.approx(-3.0, abs=0.01)
    assert found.found[2].transform[0, 2] == pytest.approx(2.0, abs=0.01)


def test_the_next_best_is_tried_where_more_than_half_fail():
    """A sharp frame of another field is no reference for the others."""
    found = registered([frame(2, fwhm=2.0), *(frame(1, fwhm=3.0 + i / 10) for i in range(3))])

    assert found.reference == 1
    assert sorted(found.found) == [2, 3]
    assert list(found.failed) == [0]


def test_frames_that_are_registered_side_by_side_keep_their_places():
    """Those that can be registered, and those that cannot."""
    frames = [frame(1 + i % 2, fwhm=3.0 + i / 10, shift=i) for i in range(9)]
    alone, beside = (registered(frames, threads=threads) for threads in (1, 3))

    assert alone.reference == beside.reference == 0
    assert list(beside.failed) == list(alone.failed) == [1, 3, 5, 7]
    assert list(beside.found) == [2, 4, 6, 8]
    for index, found in beside.found.items():
        assert found.transform[0, 2] == pytest.approx(-index, abs=0.01)
        np.testing.assert_array_equal(found.transform, alone.found[index].transform)


def test_a_reference_that_is_given_is_kept_whatever_comes_of_it():
    """The others fail with their reasons."""
    found = registered([frame(2), frame(1), frame(1)], reference=0)

    assert found.reference == 0
    assert sorted(found.failed) == [1, 2]


def test_one_frame_with_stars_among_clouds_stays():
    """Frames without stars cannot be references; that they fail is no reason to give up."""
    found = registered([frame(1, count=0), frame(1), frame(1, count=0), frame(1, count=0)])

    assert found.reference == 1
    assert sorted(found.failed) == [0, 2, 3]


def test_frames_without_stars_have_no_reference():
    """It is said what may be wrong with them."""
    with pytest.raises(RegistrationError, match="none of 2 frames shows enough stars"):
        registered([frame(1, count=0), frame(2, count=0)])


def test_an_object_behind_clouds_does_not_cost_the_other_ones(tmp_path):
    """Its lights are set aside with the reason, the other object gets its result."""
    raw = tmp_path / "raw"
    simulate_session(raw, preset("osc-cmos").resized(200, 300, frames=2), threads=2)
    noise = np.random.default_rng(5)
    for path in (raw / "lights").iterdir():
        with fits.open(path) as units:
            units[0].header["OBJECT"] = "Clouds"
            units[0].data = noise.normal(1500, 30, units[0].data.shape).astype(np.uint16)
            units.writeto(path.with_name(f"clouds_{path.name}"))

    outcome = run([raw], tmp_path / "out", RunSettings(check_pixels=False))

    (result,) = outcome.document["results"]
    assert (result["object"], result["frames"]) == ("NGC 7000", 2)
    aside = [light for light in outcome.document["lights"] if not light["used"]]
    assert len(aside) == 2
    assert all("none of 2 frames shows enough stars" in light["reason"] for light in aside)
