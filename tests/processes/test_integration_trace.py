"""The trace of one pixel tells what the integration did to it."""

import numpy as np
import pytest
from test_integration import Planes, stack_of

from lightframe.processes._integration import integrate
from lightframe.processes._integration_recipe import sample_statistics
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._integration_trace import trace_pixel
from lightframe.processes._rejection import REJECTIONS


@pytest.mark.parametrize("rejection", list(REJECTIONS))
@pytest.mark.parametrize("combination", ["average", "median", "maximum"])
def test_trace_agrees_with_the_integration(rejection, combination):
    """Result, weight and numbers of rejected samples are those of the images."""
    sources = stack_of(11, (2, 6, 70), missing=0.05, seed=8)
    settings = IntegrationSettings(
        rejection=rejection, combination=combination, range_limits={"low": 0}
    )
    statistics = sample_statistics(sources)
    result = integrate(sources, settings, statistics=statistics)
    worst = np.argmax((result.rejected_low + result.rejected_high)[0])
    for y, x in (divmod(int(worst), 70), (2, 3), (5, 69)):
        for trace in trace_pixel(sources, settings, x, y, statistics=statistics):
            c = trace.channel
            fates = [s.fate for s in trace.samples]
            assert trace.result == pytest.approx(result.image[c, y, x], rel=1e-6)
            assert trace.weight == pytest.approx(result.weight[c, y, x], rel=1e-6)
            low = sum(f in {"low", "range low"} for f in fates) / 11
            high = sum(f in {"high", "range high"} for f in fates) / 11
            assert low == pytest.approx(result.rejected_low[c, y, x], abs=1e-6)
            assert high == pytest.approx(result.rejected_high[c, y, x], abs=1e-6)
            assert sum(one.low + one.high for one in trace.rounds) == sum(
                f in {"low", "high"} for f in fates
            )


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
