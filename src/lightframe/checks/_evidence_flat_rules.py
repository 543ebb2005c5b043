"""Rules on the exposure of flats: neither saturated nor dim, in any colour."""

from collections.abc import Iterator

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_flat_pictures import (
    level_of_flat,
)
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import (
    dark_reference,
    flat_signal,
    full_scale,
    rounded,
    saturation,
)
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._rules import Stage, found, rule
from lightframe.checks._sensor_priors import linear_limit
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


@rule(
    "flat-saturated",
    "a flat reaches the non-linear range or the ceiling",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    stage=Stage.SET,
    thresholds=("flat_limit", "flat_saturated_fraction"),
)
def flat_saturated(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the brightest pixels of each colour with the level at which the sensor saturates.

    Near saturation the response bends, and at the ceiling it ends: the flat is too even there, and
    vignetting stays in the lights (guide 5.6). The level of saturation is measured where pixels
    pile up, else it is known of the camera, or the highest number of the ADC. The response is taken
    to be linear to 90 % of it, or as far as the camera is known to be; flats of several exposures
    by a steady lamp show it, and then that counts. A few hot pixels do not matter, so the level
    exceeded by one pixel in a thousand counts, not the maximum. Shorten the exposure; half of
    the saturation level is right.

    Example: 0.1 % of the pixels of the green phases exceed 64100 DN; the sensor saturates at
    65532 DN, and 90 % of that is 58979 DN.
    """
    for flats in evidence.of(FrameKind.FLAT):
        ceiling = saturation(evidence, flats)
        if ceiling is None:
            continue
        allowed = linear_limit(evidence, flats, ceiling)
        limit = allowed.dn
        high = [
            frame
            for frame in flats.frames
            if float(_upper(frame, evidence.settings.flat_saturated_fraction).max()) > limit
        ]
        if not high:
            continue
        worst = max(high, key=lambda f: float(f.levels.quantile(0.999).max()))
        upper = _upper(worst, evidence.settings.flat_saturated_fraction)
        yield found(
            "flat-saturated",
            frames=[frame.path for frame in high],
            message=f"{len(high)} of {flats.label}:"
            f" {percent(evidence.settings.flat_saturated_fraction, 1)} of the pixels of a colour"
            f" exceed {upper.max():.0f} DN (allowed: {limit:.0f} DN, {allowed.why})",
            cause="the flats were exposed too long, or the light was too bright",
            remedy=f"take flats of about half the saturation level, {0.5 * ceiling:.0f} DN",
            evidence={
                "upper_level_by_phase_dn": rounded(upper, 6),
                "median_by_phase_dn": rounded(worst.levels.median, 6),
                "saturation_dn": ceiling,
                "allowed_dn": round(limit, 1),
                "allowed_because": allowed.why,
                "at_highest_value": round(float(worst.levels.at_maximum.max()), 5),
            },
            picture=level_of_flat(
                worst,
                "beyond the limit light is not measured in proportion; at saturation it ends.",
                {"allowed": limit, "saturation": ceiling},
            ),
        )


def _upper(frame: FrameEvidence, fraction: float) -> Float64:
    """Return the level of each phase that about `fraction` of its pixels exceed."""
    wide = 0.005
    return frame.levels.quantile(0.999 if fraction < wide else 0.99)


def _master_snr(flats: SetEvidence, signal: Float64) -> tuple[Float64, Float64]:
    """Return signal over temporal noise of each phase, of one frame and of the master."""
    noise = np.where(np.isfinite(flats.temporal), flats.temporal, flats.noise)
    single = signal / np.maximum(noise, 1e-9)
    return single, single * np.sqrt(len(flats.frames))


@rule(
    "flat-underexposed",
    "a flat has too little signal",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_lowest", "flat_snr", "flat_single_snr"),
)
def flat_underexposed(evidence: SessionEvidence) -> Iterator[Finding]:
    """Measure the signal of flats above the bias, and the noise that the master flat would add.

    The relative noise of the master flat is added to every light, the same in all of them, so it
    does not average out. Below 10 % of the range it is looked at: a signal-to-noise ratio of 200
    per pixel of the master adds 0.5 % of the sky's brightness. The histogram on the back of a
    camera is stretched and leads to flats far too dark (guide 5.6). Expose longer, to half of
    the saturation level, or take more flats.

    Example: 12 flats with 1190 DN above the bias, 1.8 % of the range: a signal-to-noise ratio of
    114, which adds 0.9 % of the sky.
    """
    settings = evidence.settings
    for flats in evidence.of(FrameKind.FLAT):
        scale = full_scale(evidence, flats)
        if dark_reference(evidence, flats) is None and (
            scale is None or flats.level.max() > 0.2 * scale
        ):
            continue
        signal = flat_signal(evidence, flats)
        single, master = _master_snr(flats, signal)
        strongest = int(np.argmax(signal))
        dim = scale is not None and float(signal[strongest]) < settings.flat_lowest * scale
        noisy = float(master[strongest]) < settings.flat_snr
        starved = scale is None and float(single[strongest]) < settings.flat_single_snr
        if not (dim and noisy) and not starved:
            continue
        share = "" if scale is None else f", {percent(signal[strongest] / scale, 1)} of the range"
        noise = (
            f"a pixel has a signal-to-noise ratio of {single[strongest]:.0f}, in the master"
            f" {master[strongest]:.0f}, adding {percent(1 / master[strongest], 1)} of the sky as"
            " noise"
            if signal[strongest] > 0
            else "there is no light in them"
        )
        yield found(
            "flat-underexposed",
            frames=flats.paths,
            message=f"{flats.label}: {signal[strongest]:.0f} DN above bias{share}; {noise}"
            f" (needed: {percent(settings.flat_lowest, 0)} of the range or {settings.flat_snr:g})",
            cause="flats were exposed too short, e.g. by the histogram on the back of the camera",
            remedy="expose flats to about half of the saturation level",
            evidence={
                "light_by_phase_dn": rounded(signal, 6),
                "snr_single": rounded(single),
                "snr_master": rounded(master),
                "range_dn": scale,
                "needed_snr": settings.flat_snr,
                "needed_share_of_range": settings.flat_lowest,
            },
            picture=level_of_flat(
                flats.frames[0],
                "all of the light lies at the lower end of the range.",
                {"without light": float((flats.level - signal).mean())}
                | ({} if scale is None else {"half of the range": 0.5 * scale}),
            ),
        )


@rule(
    "flat-weak-channel",
    "one colour of a flat starves",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_colour_ratio", "flat_lowest", "flat_snr", "flat_single_snr"),
)
def flat_weak_channel(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the colours of a flat of a colour camera.

    With coloured light one colour may be well exposed and another have hardly any signal: its
    noise then goes into that colour of all lights (guide 5.6). Reported where the colours
    differ by more than a factor of 2 and the weakest has less than 5 % of the range with a
    signal-to-noise ratio below 200 in the master. Use whiter light, or expose so that the
    strongest colour stays just below saturation.

    Example: green 25000 DN, blue 900 DN: a ratio of 28, and blue has a signal-to-noise ratio of 90.
    """
    settings = evidence.settings
    for flats in evidence.of(FrameKind.FLAT):
        if flats.frames[0].info.cfa is None or flats.frames[0].info.channels != 1:
            continue
        signal = flat_signal(evidence, flats)
        single, master = _master_snr(flats, signal)
        weakest = int(np.argmin(signal))
        ratio = float(signal.max() / max(signal[weakest], 1e-9))
        scale = full_scale(evidence, flats)
        low = scale is None or float(signal[weakest]) < 0.5 * settings.flat_lowest * scale
        noisy = (
            float(master[weakest]) < settings.flat_snr
            or float(single[weakest]) < settings.flat_single_snr
        )
        if ratio <= settings.flat_colour_ratio or not low or not noisy:
            continue
        yield found(
            "flat-weak-channel",
            frames=flats.paths,
            message=f"{flats.label}: the weakest colour has {signal[weakest]:.0f} DN, the strongest"
            f" {signal.max():.0f} DN, a ratio of {ratio:.1f} (allowed:"
            f" {settings.flat_colour_ratio:g}); its signal-to-noise ratio in the master is"
            f" {master[weakest]:.0f} (needed: {settings.flat_snr:g})",
            cause="the light of the flats is coloured, or a narrow-band filter is in the way",
            remedy="use whiter light, or expose longer, as far as the strongest colour allows",
            evidence={
                "light_by_phase_dn": rounded(signal, 6),
                "snr_single": rounded(single),
                "snr_master": rounded(master),
                "ratio": round(ratio, 3),
                "ratio_allowed": settings.flat_colour_ratio,
            },
            picture=level_of_flat(
                flats.frames[0],
                "one colour has much less light than the others.",
                {"without light": float((flats.level - signal).mean())},
            ),
        )
