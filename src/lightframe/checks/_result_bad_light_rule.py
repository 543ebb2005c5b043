"""The rule on single lights: clouds, trails, focus, twilight, told by the others of the group."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._result_evidence import CalibratedSet, LightEvidence, ResultEvidence
from lightframe.checks._result_pictures import qualities
from lightframe.checks._rules import found, rule
from lightframe.checks._settings import CheckSettings
from lightframe.figures import percent

__all__: list[str] = []

_FEWEST = 3
_ECCENTRICITY_MARGIN = 0.15
_Merits = Mapping[LightEvidence, float]
_Reason = tuple[str, str, dict[str, float]]
"""What is wrong in words, the likely cause, the numbers."""
_Below = dict[LightEvidence, tuple[float, float]]
"""Merit of a light as a part of the usual one, and the usual one."""


@rule(
    "bad-light",
    "a light is clouded, trailed, out of focus, saturated or in twilight",
    severity=Severity.WARNING,
    group=Group.ACQUISITION,
    judges=ResultEvidence,
    thresholds=(
        "set_lights", "bad_brightness", "bad_fwhm", "bad_eccentricity", "bad_star_count",
        "bad_weight",
    ),
)  # fmt: skip
def bad_light(evidence: ResultEvidence) -> Iterator[Finding]:
    """Compare each light with the others of its filter (guide 9.3).

    Never by its sky alone, which the moon may brighten: by the brightness of the same stars in a
    second of exposure (clouds), their width (focus) and roundness (tracking), their number, and by
    the noise that its sky adds (twilight). Lights that cannot be registered at all are reported
    under the same name.

    A light is bad that differs from the median of its group by more than the threshold. Where the
    group is small, and the median is hardly more than another light, it must also stand apart by as
    much from the next one that is good: seeing and extinction that change through the night make no
    bad lights. Of two lights it is not said which is the better one.

    Such a light has little weight in the result; it is not left out for that.

    Example: of four lights through one filter, one shows the stars with 51 % of the brightness they
    usually have, the others with 94 % to 115 %.
    """
    for lights in evidence.sets:
        faults = _faults(lights, evidence.settings)
        for light in lights.lights:
            reasons = faults.get(light, ())
            if reasons:
                measured = {name: value for _, _, part in reasons for name, value in part.items()}
                yield found(
                    "bad-light",
                    frames=[light.path],
                    message=f"{light.path.name}: {'; '.join(text for text, _, _ in reasons)}",
                    cause=reasons[0][1],
                    remedy="look at the frame, and leave it out if it is as bad as that",
                    evidence=measured,
                    picture=qualities(light, lights.lights + lights.peers, measured),
                )


def _faults(
    lights: CalibratedSet, settings: CheckSettings
) -> dict[LightEvidence, tuple[_Reason, ...]]:
    """Return what is wrong with each light of a set."""
    own, group = lights.lights, lights.lights + lights.peers
    dimmed = _below(_brightness(group), settings.bad_brightness, settings)
    sharpness = {light: 1.0 / light.fwhm_px for light in group if light.fwhm_px}
    blurred = _below(sharpness, 1.0 / settings.bad_fwhm, settings)
    trailed = _trailed(group, settings)
    # Noise and number of stars go with exposure and dark: only lights of this set compare.
    noisy = _below(_weights(own), settings.bad_weight, settings)
    few = _below({light: float(light.stars) for light in own}, settings.bad_star_count, settings)
    faults = {}
    for light in own:
        reasons: list[_Reason] = []
        if light in dimmed:
            reasons.append(_clouded(dimmed[light][0], len(group) - 1))
        if light in blurred:
            reasons.append(_wide(light.fwhm_px or 0.0, 1.0 / blurred[light][1]))
        if light in trailed:
            reasons.append(_long(light.eccentricity or 0.0, trailed[light]))
        if light in noisy and light not in dimmed:
            reasons.append(_bright_sky(light, own, noisy[light][0]))
        if light in few and light.brightness is None:
            reasons.append(_starless(light, few[light][1]))
        faults[light] = tuple(reasons)
    return faults


def _below(merits: _Merits, limit: float, settings: CheckSettings) -> _Below:
    """Return the lights far below the others.

    Parameters
    ----------
    merits : mapping of LightEvidence to float
        The larger the better.
    limit : float
        Part of the usual below which a light is bad.
    settings : CheckSettings
        `set_lights` tells which groups are small.
    """
    if len(merits) < _FEWEST:
        return {}
    usual = median(merits.values())
    worst_good = min((m for m in merits.values() if m >= limit * usual), default=usual)
    least = usual if len(merits) >= settings.set_lights else min(usual, worst_good)
    return {
        light: (merit / usual, usual) for light, merit in merits.items() if merit < limit * least
    }


def _trailed(group: Sequence[LightEvidence], settings: CheckSettings) -> dict[LightEvidence, float]:
    """Return the lights with long stars, and the eccentricity that is usual."""
    known = {light: light.eccentricity for light in group if light.eccentricity is not None}
    if len(known) < _FEWEST:
        return {}
    usual = median(known.values())
    limit = max(settings.bad_eccentricity, usual + _ECCENTRICITY_MARGIN)
    if len(known) < settings.set_lights:
        good = max((value for value in known.values() if value <= limit), default=usual)
        limit = max(limit, good + _ECCENTRICITY_MARGIN)
    return {light: usual for light, value in known.items() if value > limit}


def _brightness(group: Sequence[LightEvidence]) -> _Merits:
    """Return the brightness of the stars in a second of exposure, where that is known of all."""
    known = [light for light in group if light.brightness]
    if all(light.exposure_s for light in known):
        return {light: (light.brightness or 0.0) / (light.exposure_s or 1.0) for light in known}
    exposures = {light.exposure_s for light in known}
    return {light: light.brightness or 0.0 for light in known} if len(exposures) == 1 else {}


def _weights(own: Sequence[LightEvidence]) -> _Merits:
    """Return the weight that noise and brightness give: the squared signal-to-noise ratio."""
    return {
        light: (light.brightness / noise) ** 2
        for light in own
        if light.brightness and (noise := _noise(light))
    }


def _noise(light: LightEvidence) -> float | None:
    return median(light.noise_dn) if light.noise_dn else None


def _clouded(share: float, others: int) -> _Reason:
    text = (
        f"its stars have {percent(share, 0)} of the brightness that is usual in the {others} other"
        " lights of its filter"
    )
    return text, "clouds, haze, dew, or an obstacle", {"relative_brightness": round(share, 3)}


def _wide(fwhm_px: float, usual_px: float) -> _Reason:
    text = f"its stars are {number(fwhm_px)} px wide, against {number(usual_px)} px in the others"
    return text, "focus or seeing", {"fwhm_px": round(fwhm_px, 2), "usual_px": round(usual_px, 2)}


def _long(eccentricity: float, usual: float) -> _Reason:
    text = (
        f"its stars have an eccentricity of {eccentricity:.2f}, against {usual:.2f} in the others"
    )
    numbers = {"eccentricity": round(eccentricity, 3), "usual_eccentricity": round(usual, 3)}
    return text, "tracking error, wind, or a knock", numbers


def _bright_sky(light: LightEvidence, own: Sequence[LightEvidence], weight: float) -> _Reason:
    usual = median(max(other.level_dn) for other in own if other.level_dn)
    text = (
        f"its sky of {number(max(light.level_dn), 4)} DN, against {number(usual, 4)} DN in the set,"
        f" leaves it {percent(weight, 0)} of the weight"
    )
    return text, "twilight, the moon, or lit clouds", {"relative_weight": round(weight, 3)}


def _starless(light: LightEvidence, usual: float) -> _Reason:
    text = f"it shows {light.stars} stars, against {usual:.0f} in the set"
    return text, "clouds, focus, or tracking", {"stars": light.stars, "usual_stars": usual}
