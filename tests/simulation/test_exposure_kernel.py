"""The kernel that turns electrons into raw numbers, against known answers and a NumPy twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightframe.kernels._exposure import philox, poisson, read_out

LOW = np.uint64(0xFFFFFFFF)


def numpy_philox(counter, key):
    """Return the four words of Philox4x32-10 for an array of counters, in plain NumPy."""
    c0, c1, c2, c3 = (np.asarray(word, np.uint64) for word in counter)
    k0, k1 = (np.uint64(word) for word in key)
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (
            (second >> np.uint64(32)) ^ c1 ^ k0,
            second & LOW,
            (first >> np.uint64(32)) ^ c3 ^ k1,
            first & LOW,
        )
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & LOW, (k1 + np.uint64(0xBB67AE85)) & LOW
    return c0, c1, c2, c3


def expose(mean_e, **changes):
    """Read out a frame with simple settings, some of them changed."""
    mean_e = np.asarray(mean_e, np.float32)
    values = {
        "dark_e_s": np.zeros_like(mean_e),
        "dark_time_s": 1.0,
        "bias_e": np.zeros_like(mean_e),
        "row_e": np.zeros(mean_e.shape[0], np.float32),
        "level_adu": 200.0,
        "read_noise_e": 3.0,
        "e_per_adu": 0.5,
        "full_well_e": 1e6,
        "linear_to": 1.0,
        "ceiling": 65535,
        "shift": 0,
        "key0": np.uint64(7),
        "key1": np.uint64(11),
    } | changes
    out = np.empty(mean_e.shape, np.uint16)
    read_out(mean_e, *values.values(), out)
    return out


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((LOW,) * 4, (LOW,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_answers(counter, key, words):
    """The generator agrees with the known-answer tests of Random123."""
    arguments = [np.uint64(word) for word in (*counter, *key)]

    assert tuple(int(word) for word in philox(*arguments)) == words


@pytest.mark.parametrize("mean", [0.02, 0.7, 5.0, 31.9, 32.1, 60.0, 900.0])
def test_poisson_has_the_moments_of_its_distribution(mean):
    """Mean, variance and third central moment are those of the Poisson distribution."""
    random = np.random.default_rng(3)
    count = 200_000
    draws = np.array(
        [
            poisson(mean, u, z)
            for u, z in zip(random.uniform(size=count), random.normal(size=count), strict=True)
        ]
    )
    centred = draws - draws.mean()

    assert draws.mean() == pytest.approx(mean, abs=5.0 * np.sqrt(mean / count))
    tolerance = 5.0 * np.sqrt((mean + 2.0 * mean**2) / count)
    assert draws.var() == pytest.approx(mean, abs=tolerance)
    third = 5.0 * np.sqrt((mean + 25.0 * mean**2 + 15.0 * mean**3) / count)
    assert np.mean(centred**3) == pytest.approx(mean, abs=third)


def test_read_out_agrees_with_numpy_where_light_is_bright():
    """Above 32 electrons every pixel equals the same formula in plain NumPy."""
    mean = np.random.default_rng(5).uniform(40.0, 5000.0, (37, 53)).astype(np.float32)
    index = np.arange(mean.size, dtype=np.uint64)
    zero = np.zeros_like(index)
    w0, w1, _, _ = numpy_philox((index, zero, zero, zero), (7, 11))
    radius = np.sqrt(-2.0 * np.log((w0 + 0.5) * 2.0**-32))
    angle = ((w1 + 0.5) * 2.0**-32 * 2.0 * np.pi).astype(np.float32)
    z, light = radius * np.sin(angle), mean.ravel().astype(np.float64)
    light += np.sqrt(light) * z + (z * z - 1.0) / 6.0 + z * (1.0 - z * z) / (72.0 * np.sqrt(light))
    expected = np.floor((light + 3.0 * radius * np.cos(angle)) / 0.5 + 200.0 + 0.5)

    difference = expose(mean).ravel() - expected

    # float32 sine and cosine may differ in the last bit: at most a rounding to the next number.
    assert np.abs(difference).max() <= 1
    assert np.count_nonzero(difference) <= 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_a_pixel_does_not_depend_on_how_much_of_the_frame_is_made(key0, key1, rows):
    """The first rows come out the same when only they are made."""
    mean = np.full((6, 9), 12.0, np.float32)
    keys = {"key0": np.uint64(key0), "key1": np.uint64(key1)}

    assert np.array_equal(expose(mean, **keys)[:rows], expose(mean[:rows], **keys))


def test_bias_dark_and_rows_add_up():
    """Bias pattern, dark current and row noise are added in electrons."""
    mean = np.zeros((50, 60), np.float32)
    frame = expose(
        mean,
        dark_e_s=np.full_like(mean, 3.0),
        dark_time_s=100.0,
        bias_e=np.full_like(mean, 20.0),
        row_e=np.linspace(-10.0, 10.0, 50, dtype=np.float32),
        read_noise_e=0.0,
    )

    assert frame.mean() == pytest.approx(200.0 + (300.0 + 20.0) / 0.5, abs=2.0)
    assert frame[-5:].mean() - frame[:5].mean() == pytest.approx(36.7, abs=12.0)


def test_values_are_cut_at_zero_and_at_the_ceiling_and_shifted():
    """A 12-bit value stays within 0 and 4095 and is a multiple of 16 after a shift by 4 bits."""
    mean = np.array([[0.0] * 50, [1e5] * 50], np.float32)
    frame = expose(mean, level_adu=-50.0, ceiling=4095, shift=4)

    assert np.all(frame[0] == 0)
    assert np.all(frame[1] == 4095 << 4)
    middle = expose(np.full((9, 9), 700.0), ceiling=4095, shift=4)
    assert np.all(middle % 16 == 0)
    assert np.ptp(middle) > 16


def test_full_well_clips_hard_or_is_approached_softly():
    """With linear_to 1 the response clips at full well, below 1 it bends towards it."""
    mean = np.array([[800.0] * 4000, [3000.0] * 4000], np.float32)
    hard = expose(mean, full_well_e=1000.0, read_noise_e=0.0).mean(axis=1)
    soft = expose(mean, full_well_e=1000.0, linear_to=0.7, read_noise_e=0.0).mean(axis=1)

    assert hard == pytest.approx([1800.0, 2200.0], abs=2.0)
    assert soft[0] == pytest.approx(200.0 + (700.0 + 300.0 * (1 - np.exp(-1 / 3))) / 0.5, abs=3.0)
    assert soft[1] == pytest.approx(2200.0, abs=1.0)
