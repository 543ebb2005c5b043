"""Evidence of frames and sets against plain NumPy and against what was simulated."""

import os
import weakref

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from check_sessions import mono, osc, written
from lightframe.checks import measure_frame
from lightframe.checks._evidence_cache import EvidenceCache
from lightframe.checks._evidence_frame import clipped_deviation
from lightframe.checks._evidence_levels import QUANTILES, levels_of_floats, levels_of_integers
from lightframe.checks._evidence_levels_of_bias import setups, transfers_of
from lightframe.errors import UnreadableFileError
from lightframe.frames import read_info
from lightframe.kernels._evidence import clipped_profiles, isolated_pixels, phase_tiles, star_like
from lightframe.processes import SYMMETRIES
from lightframe.session import RunSettings, _check
from lightframe.session._check import check
from lightframe.simulation import preset


def written_frame(path, pixels):
    """Write pixels as FITS and return what the header tells."""
    fits.writeto(path, pixels)
    return read_info(path)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    step=st.sampled_from([1, 4, 16]),
    level=st.integers(0, 900),
)
def test_levels_are_those_of_numpy(seed, height, width, step, level):
    """Extremes and their counts are exact; quantiles are within a step; the step is found."""
    random = np.random.default_rng(seed)
    pixels = (np.clip(random.normal(level, 9.0, (height, width)), 0, None)).astype(np.uint16) * step
    levels = levels_of_integers(pixels)

    for phase in range(4):
        values = pixels[phase // 2 :: 2, phase % 2 :: 2]
        values = values[: height // 2, : width // 2].ravel()
        assert levels.minimum[phase] == values.min()
        assert levels.maximum[phase] == values.max()
        assert levels.at_minimum[phase] == pytest.approx(np.mean(values == values.min()))
        assert levels.at_maximum[phase] == pytest.approx(np.mean(values == values.max()))
        assert levels.zeros[phase] == pytest.approx(np.mean(values == 0))
        expected = np.quantile(values, QUANTILES, method="inverted_cdf")
        assert np.all(np.abs(levels.quantiles[phase] - expected) <= step)
        if levels.step[phase]:
            assert levels.step[phase] % step == 0


def test_levels_of_floats_count_what_raw_frames_never_have():
    """Fractions, negative values, zeros and missing pixels are counted."""
    pixels = np.tile(np.array([[-1.0, 0.5], [0.0, np.nan]], np.float32), (20, 20))
    levels = levels_of_floats(pixels)

    assert levels.negative.tolist() == [1, 0, 0, 0]
    assert levels.fractional.tolist() == [0, 1, 0, 0]
    assert levels.zeros.tolist() == [0, 0, 1, 0]
    assert levels.missing.tolist() == [0, 0, 0, 1]


def test_spacing_is_the_factor_of_a_multiplied_colour():
    """Values of steps of 4, times 1.9, lie 7.6 apart."""
    random = np.random.default_rng(5)
    pixels = np.rint(random.normal(5000, 60, (1500, 1600))).astype(np.uint16) * 4
    pixels[1::2, 1::2] = np.floor(pixels[1::2, 1::2] * 1.9).astype(np.uint16)
    levels = levels_of_integers(pixels)

    assert levels.spacing[:3] == pytest.approx(4.0)
    assert levels.spacing[3] == pytest.approx(7.6, abs=0.01)
    assert levels.frame_step == 4


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_profiles_are_means_of_clipped_rows_and_columns(dtype):
    """The kernel agrees with NumPy to 1e-9."""
    pixels = np.random.default_rng(7).integers(0, 4000, (37, 46)).astype(dtype)
    low, high = np.array([100.0, 200.0, 300.0, 400.0]), np.array([3000.0, 3100.0, 3200.0, 3300.0])
    rows, columns = np.zeros(37), np.zeros(46)
    clipped_profiles(pixels, low, high, 1, rows, columns)

    phase = 2 * (np.arange(37)[:, np.newaxis] % 2) + np.arange(46) % 2
    clipped = np.clip(pixels.astype(np.float64), low[phase], high[phase])
    np.testing.assert_allclose(rows, clipped.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(columns, clipped.mean(axis=0), rtol=1e-9)


@pytest.mark.parametrize("spread", [0.0, 0.3, 25.0])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_tiles_are_clipped_means_of_each_phase(dtype, spread):
    """The kernel agrees with NumPy to 1e-6; frames of one value, of steps, and of noise."""
    random = np.random.default_rng(29)
    pixels = np.rint(1000.0 + spread * random.standard_normal((90, 140))).astype(dtype)
    pixels[::7, ::11] += 3000
    rows, columns = np.arange(4, 84), np.arange(10, 138)
    means, variances = np.empty((4, 5, 8)), np.empty((4, 5, 8))
    phase_tiles(pixels, rows, columns, means, variances)

    cells = pixels[4:84, 10:138].astype(np.float32).reshape(5, 8, 2, 8, 8, 2)
    samples = cells.transpose(2, 5, 0, 3, 1, 4).reshape(4, 5, 8, -1)
    n = samples.shape[-1]
    ordered = np.sort(samples, axis=-1)
    width = (ordered[..., 3 * n // 4] - ordered[..., n // 4])[..., np.newaxis]
    limit = np.where(width > 0, 3.5 / 1.349 * width, np.inf)
    kept = np.where(abs(samples - ordered[..., n // 2, np.newaxis]) <= limit, samples, np.nan)
    np.testing.assert_allclose(means, np.nanmean(kept, axis=-1, dtype=np.float64), rtol=1e-6)
    expected = np.nanvar(kept, axis=-1, dtype=np.float64)
    np.testing.assert_allclose(variances, expected, rtol=1e-6, atol=1e-9)


def test_isolated_pixels_are_found_and_stars_are_not():
    """Every hot pixel away from the border is found; a star is none, and is found as one."""
    random = np.random.default_rng(11)
    pixels = random.normal(1000.0, 10.0, (200, 300)).astype(np.float32)
    hot = [(20, 30), (21, 200), (101, 57), (180, 290)]
    for y, x in hot:
        pixels[y, x] += 500.0
    y, x = np.mgrid[:200, :300]
    pixels += (900.0 * np.exp(-((y - 120.3) ** 2 + (x - 150.6) ** 2) / 4.0)).astype(np.float32)
    background = np.full((4, 12, 16), 1000.0)
    at_y, at_x, excess = np.empty(50, np.int64), np.empty(50, np.int64), np.empty(50)
    n = isolated_pixels(pixels, background, np.full(4, 100.0), at_y, at_x, excess)

    assert sorted(zip(at_y[:n].tolist(), at_x[:n].tolist(), strict=True)) == hot
    assert excess[:n] == pytest.approx(500.0, abs=50.0)
    n = star_like(pixels, 20.0, 10.0, at_y, at_x, excess)
    assert [(int(at_y[i]), int(at_x[i])) for i in range(n)] == [(120, 150)]


def test_noise_leaves_out_stars_and_gradients():
    """A deviation of 10 is measured within 3 % with outliers and steps of integers."""
    values = np.random.default_rng(3).normal(0.0, 10.0, (4, 20000))
    values[:, ::50] += 500.0

    assert clipped_deviation(values) == pytest.approx(10.0, rel=0.03)


def test_symmetries_move_pixels_as_numpy_moves_arrays():
    """A marked pixel of each changed array is where the table says."""
    numpy_moves = {
        "as stored": lambda a: a,
        "upside down": np.flipud,
        "mirrored left to right": np.fliplr,
        "turned by 180°": lambda a: np.rot90(a, 2),
        "transposed": np.transpose,
        "turned by 90°": lambda a: np.rot90(a, -1),
        "turned by 270°": np.rot90,
        "transposed and turned by 180°": lambda a: np.rot90(a.T, 2),
    }
    frame = np.zeros((5, 7))
    frame[1, 2] = 1.0
    for name, move in SYMMETRIES.items():
        y, x = move(np.array([1]), np.array([2]), 5, 7)
        assert numpy_moves[name](frame)[y[0], x[0]] == 1.0, name


def test_gain_and_level_are_measured_from_pixels_alone(tmp_path):
    """Flats give the simulated e-/DN within 3 %; lights, with faint stars, within 25 %."""
    folder = written(tmp_path / "s", mono())
    evidence = check([folder]).evidence
    [group] = setups(evidence)
    transfers = {frames.kind.value: transfer for frames, transfer in transfers_of(evidence, group)}

    assert transfers["flat"].e_per_dn == pytest.approx(0.245, rel=0.03)
    if "light" in transfers:
        assert transfers["light"].e_per_dn == pytest.approx(0.245, rel=0.25)


def test_hot_pixels_tell_the_ratio_of_the_exposures(tmp_path):
    """The slope of the ledger is 1 for equal exposures and temperatures."""
    [ledger] = check([written(tmp_path / "s", osc())]).evidence.ledgers

    assert ledger.found["as stored"] > 0.95
    assert ledger.slope == pytest.approx(1.0, abs=0.05)


def test_evidence_is_kept_until_the_file_changes(tmp_path):
    """The second look reads nothing; after a change the frame is measured again."""
    pixels = np.random.default_rng(2).integers(600, 800, (96, 128)).astype(np.uint16)
    info = written_frame(tmp_path / "dark.fits", pixels)
    calls = []

    def measure():
        calls.append(1)
        return measure_frame(info)

    cache = EvidenceCache(tmp_path / "cache")
    first, second = cache.get(info, measure), cache.get(info, measure)
    assert len(calls) == 1
    assert second.digest == first.digest
    np.testing.assert_array_equal(second.tiles, first.tiles)
    np.testing.assert_array_equal(second.hot.y, first.hot.y)
    assert second.levels.frame_step == first.levels.frame_step

    os.utime(info.path, ns=(1, 1))
    cache.get(info, measure)
    assert len(calls) == 2


def test_damaged_evidence_is_measured_again(tmp_path):
    """A half-written file in the cache is no obstacle."""
    pixels = np.random.default_rng(2).integers(600, 800, (96, 128)).astype(np.uint16)
    info = written_frame(tmp_path / "dark.fits", pixels)
    cache = EvidenceCache(tmp_path / "cache")
    cache.get(info, lambda: measure_frame(info))
    [kept] = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])

    assert cache.get(info, lambda: measure_frame(info)).level == measure_frame(info).level


def test_a_thumbnail_is_no_frame(tmp_path):
    """Fewer than 32 x 32 pixels are refused with a reason."""
    info = written_frame(tmp_path / "frame.fits", np.ones((20, 60), np.uint16))

    with pytest.raises(UnreadableFileError, match="60 x 20 pixels are too few"):
        measure_frame(info)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((40, 60), np.uint16),
        np.full((33, 57), 65535, np.uint16),
        np.zeros((3, 40, 60), np.float32),
    ],
    ids=["black", "white", "colour"],
)
def test_strange_frames_are_measured_without_a_warning(pixels, tmp_path):
    """What holds no information gives evidence without information, not an error."""
    evidence = measure_frame(written_frame(tmp_path / "frame.fits", pixels))

    assert evidence.hot.total == 0
    assert evidence.stars.total == 0


def test_lights_of_one_filter_are_let_go_of_before_those_of_the_next_are_read(
    tmp_path, monkeypatch
):
    """All are compared with the same dark; one set of pixels after the other is in memory."""
    read, held, most = _check._plane, [], []

    def watched(frame):
        plane = read(frame)
        held.append(weakref.ref(plane))
        most.append(sum(reference() is not None for reference in held))
        return plane

    monkeypatch.setattr(_check, "_plane", watched)
    session = preset("mono-cmos").resized(64, 96, frames=2)
    check([written(tmp_path / "raw", session)], RunSettings(workers=1))
    assert len(session.filters) > 1
    assert len(held) == 2 * len(session.filters)
    assert max(most) == 2
