"""Algorithms that cannot reject anything from so few frames say so, and are right."""

import numpy as np
import pytest
from test_integration import Planes

from lightframe.processes._integration import integrate
from lightframe.processes._integration_settings import IntegrationSettings
from lightframe.processes._rejection import REJECTIONS
from lightframe.processes._rejection_reach import rejection_reach


@pytest.mark.parametrize("rejection", sorted({*REJECTIONS} - {"none", "min-max", "auto"}))
@pytest.mark.parametrize("frames", range(1, 15))
def test_it_is_said_exactly_where_nothing_can_be_rejected(rejection, frames):
    """One sample far off among samples that hardly differ: rejected, or said to be out of reach."""
    rng = np.random.default_rng(frames)
    stack = rng.normal(1000, 1e-3, (frames, 1, 1, 64)).astype(np.float32)
    stack[frames // 2] += 5000
    limits = {"ccd": {"gain": 10.0, "read_noise": 1.0}}
    settings = IntegrationSettings.for_darks(rejection=rejection, limits=limits)
    result = integrate([Planes(planes) for planes in stack], settings)
    reached = result.rejected_high.max() > 0
    reason = rejection_reach(rejection, frames, settings.limits)
    assert not (reached and reason)
    if not reached and frames > 4 and frames not in {8, 9}:  # there it depends on rounding
        assert reason


def test_limits_decide():
    """Closer limits reach with fewer frames; sides that are not rejected do not count."""
    limits = IntegrationSettings.parse({"limits": {"sigma": {"low": 9, "high": 2.5}}}).limits
    assert rejection_reach("sigma", 7, limits) == ""
    assert "2.4 sigma" in rejection_reach("sigma", 6, limits)
    low_only = limits.model_copy(update={"reject_high": False})
    assert "limit is 9" in rejection_reach("sigma", 70, low_only)


@pytest.mark.parametrize("frames", range(1, 40))
def test_the_automatic_choice_always_reaches(frames):
    """It is none where nothing can be told."""
    assert rejection_reach("auto", frames, IntegrationSettings().limits) == ""
