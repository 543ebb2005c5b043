"""The trace of one pixel tells what the integration did to it."""

import numpy as np
import pytest
from test_integration import Planes, stack_of
from test_large_scale import trails

from lightframe.processes._integration import integrate
from lightframe.processes._integration_recipe import sample_statistics
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_trace import trace_pixel
from lightframe.processes._rejection import REJECTIONS

NORMALIZATIONS = [
    ("none", "none"),
    ("scale", "additive"),
    ("scale", "additive-scaling"),
    ("scale", "multiplicative-scaling"),
    ("scale", "local"),
    ("equalize-fluxes", "multiplicative"),
    ("local", "additive-scaling"),
    ("local", "local"),
]
SIDES = {
    "low": {"low", "range low", "structure low"},
    "high": {"high", "range high", "structure high"},
}


def assert_told_truly(trace, result):
    """Assert that the trace has the images' value and weight, to the bit, and the maps' counts."""
    c, y, x = trace.channel, trace.y, trace.x
    fates = [sample.fate for sample in trace.samples]
    np.testing.assert_equal(np.float32(trace.result), result.image[c, y, x])
    assert np.float32(trace.weight) == result.weight[c, y, x]
    for side, image in (("low", result.rejected_low), ("high", result.rejected_high)):
        counted = sum(fate in SIDES[side] for fate in fates)
        assert counted == pytest.approx(image[c, y, x] * len(fates), abs=1e-3)
    assert sum(one.low + one.high for one in trace.rounds) == sum(
        f in {"low", "high"} for f in fates
    )


@pytest.mark.parametrize("rejection", list(REJECTIONS))
@pytest.mark.parametrize(("compared", "output"), NORMALIZATIONS)
def test_trace_agrees_with_the_integration(rejection, compared, output):
    """Result, weight and rejected samples are those of the images, with large-scale rejection."""
    sources = stack_of(11, (1, 24, 70), missing=0.05, seed=8)
    for k in (2, 7):
        sources[k].planes[:, 3 * k - 4 : 3 * k + 1, 20:] += 400
        sources[k].planes[:, 3 * k + 1, 20:] += 12
    settings = IntegrationSettings(
        rejection=rejection,
        rejection_normalization=compared,
        normalization=output,
        range_limits={"low": 0},
        large_scale={"low": True, "high": True, "growth": 2},
    )
    statistics = sample_statistics(sources)
    result = integrate(sources, settings, statistics=statistics)
    worst = np.argmax((result.rejected_low + result.rejected_high)[0])
    pixels = [divmod(int(worst), 70), (7, 40), (18, 18), (23, 69)]
    fates = set()
    for y, x in pixels:
        (trace,) = trace_pixel(sources, settings, x, y, statistics=statistics)
        assert_told_truly(trace, result)
        fates |= {sample.fate for sample in trace.samples}
    finds_trails = rejection not in {"none", "min-max", "sigma", "averaged-sigma", "linear-fit"}
    assert ("structure high" in fates) >= finds_trails


@pytest.mark.parametrize("combination", ["average", "median", "minimum", "maximum", "sum"])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_trace_agrees_with_every_combination(combination, dtype):
    """Integer frames and floating-point frames, pixels that lose all their samples among them."""
    sources = stack_of(7, (1, 6, 70), dtype=dtype, seed=3)
    for source in sources:
        source.planes[:, 4, 60:] = 0
    settings = IntegrationSettings(combination=combination, range_limits={"low": 0})
    statistics = sample_statistics(sources)
    result = integrate(sources, settings, statistics=statistics)
    for x in range(50, 70):
        (trace,) = trace_pixel(sources, settings, x, 4, statistics=statistics)
        assert_told_truly(trace, result)
    assert [sample.fate for sample in trace.samples] == ["range low"] * 7


def test_a_wing_of_a_trail_names_its_structure():
    """What large-scale rejection took is told apart from what the algorithm rejected."""
    sources, _ = trails()
    settings = IntegrationSettings.for_darks(
        rejection="winsorized", large_scale={"high": True, "growth": 6}
    )
    result = integrate(sources, settings)
    row = 10 + 6
    (trace,) = trace_pixel(sources, settings, 0, row)
    assert_told_truly(trace, result)
    assert trace.samples[0].fate == "structure high"
    assert trace.samples[0].value == sources[0].planes[0, row, 0]
    assert "structure" in trace.samples[0].reason
    assert trace.rounds[0].samples < len(sources)


def test_trace_names_round_and_limit():
    """A sample beyond the limits names its round; who stays lies within the last limits."""
    values = [100, 101, 99, 100.5, 98.5, 100.2, 99.7, 101.5, 99.1, 140, 5000]
    sources = [Planes(np.full((1, 2, 3), v, np.float32)) for v in values]
    settings = IntegrationSettings.for_darks(rejection="winsorized")
    (trace,) = trace_pixel(sources, settings, 1, 1)
    assert [s.frame for s in trace.samples if s.fate == "high"] == [9, 10]
    for sample in trace.samples:
        if sample.fate == "high":
            one = trace.rounds[sample.round - 1]
            assert sample.compared > one.upper
            assert f"{one.upper:g}" in sample.reason
        else:
            assert trace.rounds[-1].lower <= sample.compared <= trace.rounds[-1].upper
    assert trace.rounds[0].samples == 11
    assert trace.rounds[-1].low == trace.rounds[-1].high == 0


def test_pixel_outside_the_image_is_an_error():
    """The message tells the size."""
    with pytest.raises(ValueError, match="70 x 40"):
        trace_pixel(stack_of(3), IntegrationSettings.for_darks(), 70, 0)
