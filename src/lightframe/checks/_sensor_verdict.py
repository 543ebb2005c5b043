"""What is known of a camera, held against what was measured; what is measured wins."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import hypot
from typing import Any

import numpy as np

from lightframe.checks._anomalies import ANOMALIES
from lightframe.checks._cameras import GainPoint, KnownCamera
from lightframe.checks._evidence_tools import spike_at_minimum
from lightframe.checks._sensor_bias import BiasSteadiness, steadiness
from lightframe.checks._sensor_dark import against_bias
from lightframe.checks._sensor_figure import Figure
from lightframe.checks._sensor_setup import Setup
from lightframe.checks._settings import CheckSettings
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__ = [
    "Remark",
    "State",
    "Typical",
    "between_steps",
    "dark_subtracted",
    "remarks_on",
    "typical_of",
    "unstable_bias",
]

_DOUBLING_C = 6.0
_FULL_BITS = 16
_APART = {"e_per_dn": 1.3, "read_noise_e": 1.6, "full_well_e": 1.5, "dark_current_e_s": 4.0}
"""Factors by which units of a camera, and how they were measured, differ."""
_UNSTABLE_BELOW_S = 0.2
_ENOUGH = 5
"""Frames that must agree before something known of the camera is said not to be there."""
_PLANES_APART = 1.02
_CERTAIN = 5.0
_GAPS = 0.015
_DARK_SHARE = 0.3
_COARSE = 0.6


class State(StrEnum):
    """What frames say of an anomaly."""

    SEEN = "seen"
    """They show it."""
    NOT_SEEN = "not seen"
    """They would show it, and do not."""
    KNOWN = "known"
    """The camera is known for it; these frames do not tell."""


@dataclass(frozen=True, slots=True)
class Remark:
    """An anomaly, and whether it is there.

    Attributes
    ----------
    name : str
        A row of `ANOMALIES`.
    state : State
        What the frames say.
    text : str
        The numbers behind it; empty where these frames do not tell.
    """

    name: str
    state: State
    text: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return JSON values, with what it means and what to do."""
        return {
            "name": self.name,
            "state": self.state.value,
            "text": self.text,
            "meaning": ANOMALIES.meaning(self.name),
            "advice": ANOMALIES[self.name].advice,
        }


@dataclass(frozen=True, slots=True)
class Typical:
    """What is typical of the camera at these settings, on the scale of these files.

    Attributes
    ----------
    e_per_dn, read_noise_e, full_well_e, dark_current_e_s : float or None
        As the figures of the same names; None where it is not known.
    bias_level_dn, saturation_dn, adc_bits : float or None
        The same.
    """

    e_per_dn: float | None = None
    read_noise_e: float | None = None
    full_well_e: float | None = None
    dark_current_e_s: float | None = None
    bias_level_dn: float | None = None
    saturation_dn: float | None = None
    adc_bits: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            name: None if value is None else float(f"{value:.4g}")
            for name, value in asdict(self).items()
        }

    def differing(self, figures: Mapping[str, Figure]) -> list[str]:
        """Return the figures that differ by more than units of a camera do."""
        found = []
        for name, factor in _APART.items():
            typical, figure = getattr(self, name), figures[name]
            if typical is None or not figure.known or figure.number <= 0:
                continue
            ratio = figure.number / typical
            slack = 1.0 + _CERTAIN * (figure.error or 0.0) / figure.number
            if not 1.0 / (factor * slack) <= ratio <= factor * slack:
                found.append(name)
        return found


def typical_of(
    setup: Setup, known: KnownCamera | None, temperature_c: float | None
) -> tuple[Typical, list[str]]:
    """Return what the table of cameras holds for these settings, and why figures were left out."""
    if known is None:
        return Typical(), []
    notes = []
    binned = setup.fact("binning") not in {None, (1, 1)}
    point: GainPoint | None = None
    if binned:
        notes.append("typical figures are those of unbinned pixels, and are left out")
    else:
        point = known.at_gain(setup.fact("camera"), setup.fact("gain"))
        if point is None and known.modes:
            notes.append("typical figures are known for other gain settings only")
    bits = _file_bits(setup, known)
    gain = None if point is None or bits is None else known.e_per_dn(point, bits)
    dark = None
    if known.dark_e_s is not None and known.dark_c is not None and temperature_c is not None:
        dark = known.dark_e_s * 2.0 ** ((temperature_c - known.dark_c) / _DOUBLING_C)
    return Typical(
        e_per_dn=gain,
        read_noise_e=None if point is None else point.read_noise_e,
        full_well_e=None if point is None else point.full_well_e,
        dark_current_e_s=None if binned else dark,
        bias_level_dn=_bias_level(setup, known),
        saturation_dn=known.white_dn(setup.step),
        adc_bits=None if known.adc_bits is None else float(known.adc_bits),
    ), notes


def _file_bits(setup: Setup, known: KnownCamera) -> int | None:
    """Return the bits that the values of the file fill: the ADC's where they are not shifted."""
    highest = max(float(frame.levels.maximum.max()) for frame in setup.frames)
    bits = known.adc_bits
    if setup.step > 1 or bits is None or bits == _FULL_BITS or highest >= 2**bits:
        return _FULL_BITS
    return bits if setup.step == 1 else None


def _bias_level(setup: Setup, known: KnownCamera) -> float | None:
    offset, step = setup.fact("offset"), max(setup.step, 1)
    if known.offset_adu_per_unit is not None and offset is not None:
        return float(offset * known.offset_adu_per_unit * step)
    return None if known.black_adu is None else known.black_adu * step


def remarks_on(
    setup: Setup,
    figures: Mapping[str, Figure],
    planes: Mapping[str, Figure],
    known: KnownCamera | None,
    settings: CheckSettings,
) -> list[Remark]:
    """Return the anomalies that frames show, and what became of those the camera is known for."""
    seen: dict[str, Remark | None] = {
        "amplifier-glow": _glow(figures),
        "unstable-bias": unstable_bias(setup, figures, settings),
        "bias-drift": _drift(setup, figures, settings),
        "dark-suppression": _verdict("dark-suppression", figures["dark_suppression"]),
        "black-clipping": _clipping(setup, settings),
        "coarse-steps": _coarse(figures),
        "white-balance": _white_balance(setup),
        "colour-gains": _colour_gains(setup, planes),
        "dark-subtracted": dark_subtracted(setup, known),
        "star-eater": _filtered(setup, settings),
    }
    famous = () if known is None else known.anomalies
    remarks = []
    for name in ANOMALIES:
        remark = seen.get(name)
        if remark is not None and (remark.state is State.SEEN or name in famous):
            remarks.append(remark)
        elif name in famous:
            remarks.append(Remark(name, State.KNOWN))
    return sorted(remarks, key=lambda remark: list(State).index(remark.state))


def _glow(figures: Mapping[str, Figure]) -> Remark | None:
    glow = figures["glow_dn"]
    if not glow.known:
        return None
    if glow.number > 0:
        return Remark("amplifier-glow", State.SEEN, f"{glow.number:.3g} DN in {glow.how}")
    return Remark("amplifier-glow", State.NOT_SEEN, glow.how)


def unstable_bias(
    setup: Setup, figures: Mapping[str, Figure], settings: CheckSettings
) -> Remark | None:
    """Tell whether very short bias frames are steady and agree with darks; None if that is open."""
    bias = next((group for group in setup.dark_groups() if group.is_bias), None)
    noise = figures["frame_noise_dn"]
    if bias is None or bias.exposure_s >= _UNSTABLE_BELOW_S or not noise.known:
        return None
    found = steadiness(bias, noise.number, setup.step, settings)
    against = against_bias(setup)
    if found is not None and not found.steady:
        return Remark("unstable-bias", State.SEEN, f"{bias.label}: {_told(found)}")
    allowed = max(settings.offset_sigma * noise.number, settings.offset_steps * setup.step)
    if not against.known:
        return None
    text = f"{against.number:+.3g} DN against darks (allowed: {allowed:.3g} DN)"
    if abs(against.number) > allowed + _CERTAIN * (against.error or 0.0):
        return Remark("unstable-bias", State.SEEN, f"{bias.label}: {text}")
    if found is None or len(bias.frames) < _ENOUGH:
        return None
    return Remark("unstable-bias", State.NOT_SEEN, f"{bias.label}: {_told(found)}; {text}")


def _told(found: BiasSteadiness) -> str:
    return (
        f"levels within {found.levels_dn:.3g} DN, gradients within {found.gradient_dn:.3g} DN"
        f" (allowed: {found.levels_allowed_dn:.3g} and {found.gradient_allowed_dn:.3g} DN)"
    )


def _drift(setup: Setup, figures: Mapping[str, Figure], settings: CheckSettings) -> Remark | None:
    noise, level = figures["frame_noise_dn"], figures["bias_level_dn"]
    if not noise.known or not level.known:
        return None
    for group in setup.dark_groups():
        found = steadiness(group, noise.number, setup.step, settings)
        # A few degrees change the dark current by a third.
        signal = max(float(group.levels().mean()) - level.number, 0.0)
        if found is not None and found.levels_dn > found.levels_allowed_dn + _DARK_SHARE * signal:
            return Remark(
                "bias-drift",
                State.SEEN,
                f"{group.label}: levels within {found.levels_dn:.3g} DN (allowed:"
                f" {found.levels_allowed_dn:.3g} DN)",
            )
    return None


def _verdict(name: str, figure: Figure) -> Remark | None:
    if not figure.known:
        return None
    return Remark(name, State.SEEN if figure.value else State.NOT_SEEN, figure.how)


def _clipping(setup: Setup, settings: CheckSettings) -> Remark | None:
    frames = setup.of(FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT_DARK)
    if not frames:
        return None
    shares = [max(float(frame.levels.zeros.max()), spike_at_minimum(frame)) for frame in frames]
    share = float(np.median(shares))
    text = f"{percent(share, 2)} of the pixels of darks lie at the lowest value"
    clipped = share > settings.clipped_fraction
    return Remark("black-clipping", State.SEEN if clipped else State.NOT_SEEN, text)


def _coarse(figures: Mapping[str, Figure]) -> Remark | None:
    noise, step = figures["frame_noise_dn"], figures["step_dn"]
    if not noise.known or not step.known or step.number <= 0:
        return None
    ratio = noise.number / step.number
    text = f"noise of {ratio:.2g} steps"
    return Remark("coarse-steps", State.SEEN if ratio < _COARSE else State.NOT_SEEN, text)


def _colours_apart(planes: Mapping[str, Figure]) -> str | None:
    """Return which colours have fewer electrons per DN than the others, in words."""
    known = {name: figure for name, figure in planes.items() if figure.known}
    if len(known) < 2:  # noqa: PLR2004 - two make a comparison
        return None
    most = max(known.values(), key=lambda figure: figure.number)
    apart = []
    for name, figure in known.items():
        ratio = most.number / figure.number
        errors = [(f.error or 0.0) / f.number for f in (most, figure)]
        if ratio > _PLANES_APART + _CERTAIN * hypot(*errors):
            apart.append(f"{name} has {ratio:.3g} times the gain")
    return ", ".join(apart)


def _colour_gains(setup: Setup, planes: Mapping[str, Figure]) -> Remark | None:
    """Tell apart gains of colours that the sensor has, and those that the driver multiplied."""
    apart = _colours_apart(planes)
    if not apart or _gaps(setup) is not False:
        return None
    return Remark("colour-gains", State.SEEN, f"{apart}; no values are left out")


def _white_balance(setup: Setup) -> Remark | None:
    """Integers that were multiplied have gaps: some values do not occur."""
    gaps = _gaps(setup)
    if gaps is None:
        return None
    if gaps:
        return Remark("white-balance", State.SEEN, "values are left out in some colours")
    return Remark("white-balance", State.NOT_SEEN, "no values are left out in any colour")


def _gaps(setup: Setup) -> bool | None:
    """Return whether values are left out in some colours, but not in all; None if unknown."""
    if not setup.planes():
        return None
    spacing = np.array([frame.levels.spacing for frame in setup.frames])
    known = np.any(np.isfinite(spacing), axis=0)
    if not known.all():
        return None
    typical = np.nanmedian(spacing, axis=0)
    return bool(typical.max() > (1.0 + _GAPS) * typical.min())


def dark_subtracted(setup: Setup, known: KnownCamera | None) -> Remark | None:
    """Tell whether a camera that is known to subtract a dark has done so.

    None for other cameras, and where the frames do not tell: of few values, or binned.
    """
    if known is None or "dark-subtracted" not in known.anomalies:
        return None
    found = between_steps(setup, known)
    if found is None:
        return None
    text, computed = found
    if computed:
        return Remark("dark-subtracted", State.SEEN, f"{text}: they were computed")
    return Remark("dark-subtracted", State.NOT_SEEN, text)


def between_steps(setup: Setup, known: KnownCamera | None) -> tuple[str, bool] | None:
    """Return how far values reach, and whether they lie between the steps of the camera's ADC.

    Values that do were computed before they were written. None where frames do not tell.
    """
    bits = None if known is None else known.adc_bits
    if bits is None or bits == _FULL_BITS or setup.fact("binning") not in {None, (1, 1)}:
        return None
    highest = max(float(frame.levels.maximum.max()) for frame in setup.frames)
    if setup.step == 0 or highest < 2**bits:
        return None
    text = f"values up to {highest:.0f} DN in steps of {setup.step} by an ADC of {bits} bits"
    return text, setup.step < 1 << (_FULL_BITS - bits)


def _filtered(setup: Setup, settings: CheckSettings) -> Remark | None:
    frames = setup.of(FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT_DARK, FrameKind.LIGHT)
    maxima = np.array([f.lone_maxima for f in frames if np.all(np.isfinite(f.lone_maxima))])
    if not maxima.size:
        return None
    share = float(np.median(maxima, axis=0).min())
    text = f"{percent(share, 1)} of the pixels exceed all their neighbours; in noise it is 11 %"
    seen = share < settings.filtered_maxima
    return Remark("star-eater", State.SEEN if seen else State.NOT_SEEN, text)
