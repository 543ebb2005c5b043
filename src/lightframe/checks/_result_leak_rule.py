"""The rule on light in darks that is the same in all of them: what it takes from the lights."""

from collections.abc import Iterator

from lightframe.checks._finding import Finding
from lightframe.checks._numbers import measured, number
from lightframe.checks._result_evidence import CalibratedSet, ResultEvidence
from lightframe.checks._result_flat_rules import is_certain
from lightframe.checks._result_pictures import against_the_flat
from lightframe.checks._rules import found, witness

__all__: list[str] = []

_AS_MUCH = 0.3
"""Part of the darks' excess by which what the lights lack may differ from it."""
_MORE_NOISE = 1.3
"""Variance of darks over that of frames of no exposure from which on it is electrons."""
_SAME_WARMTH = 0.25
"""Part of the dark's hot pixels that may be left in lights of the same temperature."""


@witness(
    "dark-light-leak",
    judges=ResultEvidence,
    thresholds=("flat_residual_sigma", "flat_residual_effect", "flat_colour_error"),
)
def light_that_only_darks_hold(evidence: ResultEvidence) -> Iterator[Finding]:
    """Find light that leaks into all darks alike, by what it takes from the lights.

    It cannot be told from dark current in the darks alone. But it is not in the lights: where it is
    subtracted from them, they under-correct (guide 5.3, 8.4). A leak is named if the lights lack
    what the darks hold more than frames of no exposure; if noise shows that this is electrons, and
    no other offset; and if hot pixels show that lights and darks were equally warm.

    Example: darks 160 DN above bias frames, with twelve times their variance, and lights that lack
    174 ± 6 DN, though their hot pixels are those of the darks.
    """
    for lights in evidence.sets:
        verdict, excess = lights.verdict, lights.dark_excess_dn
        if verdict is None or excess is None or verdict.q_dn >= 0 or not _is_leak(lights):
            continue
        if not is_certain(verdict, evidence.settings, explained=False):
            continue
        if evidence.known(("dark-light-leak", "dark-exposure-mismatch"), lights.darks):
            continue
        yield found(
            "dark-light-leak",
            frames=lights.darks,
            message=f"{lights.label}: the darks hold {number(excess)} DN more than frames of no"
            f" exposure, with {number(lights.dark_variance_ratio or 0.0, 2)} times their variance,"
            f" and the lights lack {measured(-verdict.q_dn, verdict.sigma_dn)} DN, though their hot"
            " pixels are those of the darks",
            cause="light gets into the darks: through the cap (plastic passes infrared), the"
            " focuser or the filter wheel",
            remedy="take the darks again in a dark place, with a cap of metal or aluminium foil",
            evidence={
                "dark_excess_dn": round(excess, 2),
                "variance_ratio": lights.dark_variance_ratio,
                "lacking_dn": round(-verdict.q_dn, 2),
                "lacking_error_dn": round(verdict.sigma_dn, 2),
            },
            picture=against_the_flat(lights),
        )


def _is_leak(lights: CalibratedSet) -> bool:
    """Whether the darks hold electrons that the lights lack, at equal temperature."""
    verdict, excess, left = lights.verdict, lights.dark_excess_dn, lights.hot_left
    if verdict is None or excess is None or left is None or excess <= 0:
        return False
    allowed = max(_AS_MUCH * excess, 3.0 * verdict.sigma_dn)
    return (
        abs(-verdict.q_dn - excess) < allowed
        and (lights.dark_variance_ratio or 0.0) > _MORE_NOISE
        and abs(left.slope) < _SAME_WARMTH
    )
