"""Rules on flats: exposed well, of one shape, without bands and stars."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lightframe.checks._evidence_file_rules import drifting_stars
from lightframe.checks._evidence_flat_pictures import (
    bands_of_flats,
    level_of_flat,
    odd_flats,
    shutter_pattern,
    stars_of_flats,
)
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_sets import SessionEvidence, SetEvidence
from lightframe.checks._evidence_tools import (
    dark_reference,
    flat_signal,
    full_scale,
    names_of,
    rounded,
    saturation,
)
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._rules import Stage, found, rule
from lightframe.checks._sensor_priors import linear_limit
from lightframe.frames import FrameKind

__all__: list[str] = []

Float64 = npt.NDArray[np.float64]

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_FEWEST = 3


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
            message=f"{len(high)} of {flats.label}: {evidence.settings.flat_saturated_fraction:.1%}"
            f" of the pixels of a colour exceed {upper.max():.0f} DN (allowed: {limit:.0f} DN,"
            f" {allowed.why})",
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
        share = "" if scale is None else f", {signal[strongest] / scale:.1%} of the range"
        yield found(
            "flat-underexposed",
            frames=flats.paths,
            message=f"{flats.label}: {signal[strongest]:.0f} DN above bias{share}; a pixel has a"
            f" signal-to-noise ratio of {single[strongest]:.0f}, in the master"
            f" {master[strongest]:.0f}, adding {1 / max(master[strongest], 1e-9):.1%} of the sky"
            f" as noise (needed: {settings.flat_lowest:.0%} of the range or {settings.flat_snr:g})",
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


@rule(
    "flat-banding",
    "flicker: bands that move from flat to flat",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_banding",),
)
def flat_banding(evidence: SessionEvidence) -> Iterator[Finding]:
    """Divide the row profile of each flat by that of the set, and look for bands.

    Dimmed panels flicker, and a rolling shutter turns the flicker into bands, elsewhere in each
    frame (guide 5.5). What does not average out stays in the master flat. Expose for a second
    and more, dim with paper instead of electronics, or use direct current.

    Example: bands of 1.4 % (rms) with a period of 90 rows; noise alone would give 0.02 %.
    """
    limit = evidence.settings.flat_banding
    for flats in evidence.of(FrameKind.FLAT):
        if len(flats.frames) < _FEWEST or flats.frames[0].info.channels != 1:
            continue
        signal = flat_signal(evidence, flats)
        offset = float((flats.level - signal).mean())
        profiles = _relative_profiles([f.rows - offset for f in flats.frames])
        bands = [_bands(profile) for profile in profiles]
        height, width = flats.shape
        noise = np.where(np.isfinite(flats.temporal), flats.temporal, flats.noise)
        expected = float(np.mean(noise / np.maximum(signal, 1.0)) / np.sqrt(width))
        strong = [b for b in bands if b[0] > limit and b[0] > 4.0 * expected]
        if len(strong) < 2 or height < 64:  # noqa: PLR2004 - bands in a single frame are a trail
            continue
        rms = float(np.median([b[0] for b in strong]))
        period = float(np.median([b[1] for b in strong]))
        yield found(
            "flat-banding",
            frames=flats.paths,
            message=f"{flats.label}: bands of {rms:.2%} (rms), about {period:.0f} rows apart, which"
            f" move from frame to frame (allowed: {limit:.2%})",
            cause="the light flickers (dimmer, mains), and the shutter is fast",
            remedy="expose flats for a second and more, and dim with paper instead of electronics",
            evidence={
                "rms": round(rms, 6),
                "period_rows": round(period, 1),
                "expected_from_noise": round(expected, 6),
                "allowed": limit,
                "frames_with_bands": len(strong),
            },
            picture=bands_of_flats(flats.frames, profiles, [b[0] for b in bands]),
        )


def _relative_profiles(profiles: Sequence[Float64]) -> list[Float64]:
    """Return each profile over the median of all, about 0, without its slow part."""
    stack = np.array(profiles)
    stack /= np.median(stack, axis=1, keepdims=True)
    usual = np.median(stack, axis=0)
    along = np.linspace(-1.0, 1.0, stack.shape[1])
    result = []
    for row in stack:
        ratio = row / np.maximum(usual, 1e-6) - 1.0
        result.append(ratio - np.polynomial.Polynomial.fit(along, ratio, 3)(along))
    return result


def _bands(profile: Float64) -> tuple[float, float]:
    """Return the rms of a profile and the period of its strongest wave in rows."""
    power = np.abs(np.fft.rfft(profile)) ** 2
    strongest = 1 + int(np.argmax(power[1:]))
    return float(np.std(profile)), profile.size / strongest


def _shapes(flats: SetEvidence, offset: Float64) -> Float64:
    """Return the tile maps of the frames about their own mean, shape (frames, 4, rows, columns)."""
    maps = np.array([f.tiles - offset[:, np.newaxis, np.newaxis] for f in flats.frames])
    return np.asarray(maps / np.median(maps, axis=(2, 3), keepdims=True))


@rule(
    "flat-inconsistent",
    "a flat's shape differs from that of its set",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_shape",),
)
def flat_inconsistent(evidence: SessionEvidence) -> Iterator[Finding]:
    """Divide the tile map of each flat by the median of the set: only its level may differ.

    A flat through a light path that had changed, with a cloud, a bird or a hand in it, has another
    shape, and rejection does not remove what is wide. Leave it out.

    Example: flat_0004 deviates by 1.8 % peak to peak, the others by 0.2 %.
    """
    limit = evidence.settings.flat_shape
    for flats in evidence.of(FrameKind.FLAT):
        if len(flats.frames) < _FEWEST or len({f.tiles.shape for f in flats.frames}) > 1:
            continue
        offset = flats.level - flat_signal(evidence, flats)
        shapes = _shapes(flats, offset)
        ratio = (shapes / np.median(shapes, axis=0)).mean(axis=1) - 1.0
        low, high = np.quantile(ratio, [0.02, 0.98], axis=(1, 2))
        deviation = high - low
        signal = np.maximum(flats.level - offset, 1.0)
        error = float(np.mean([f.tile_error / signal for f in flats.frames])) / 2.0
        wrong = [
            (frame, float(d))
            for frame, d in zip(flats.frames, deviation, strict=True)
            if d > limit and d > 3.0 * float(np.median(deviation)) and d > 8.0 * error
        ]
        if not wrong:
            continue
        worst = max(wrong, key=lambda item: item[1])
        yield found(
            "flat-inconsistent",
            frames=[frame.path for frame, _ in wrong],
            message=f"{names_of([frame for frame, _ in wrong])} of {flats.label}: the shape is off"
            f" by up to {worst[1]:.2%}, usually by {np.median(deviation):.2%} (allowed:"
            f" {limit:.2%})",
            cause="the light path changed, or something stood in it",
            remedy="leave these flats out, or take them again",
            evidence={
                "deviation": {f.path.name: round(d, 5) for f, d in wrong},
                "usual": round(float(np.median(deviation)), 5),
                "allowed": limit,
            },
            picture=odd_flats(flats, ratio, deviation, [frame.path for frame, _ in wrong], limit),
        )


@rule(
    "flat-shutter-pattern",
    "flats of different exposure differ in shape",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("flat_shutter",),
)
def flat_shutter_pattern(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the shapes of flats of one filter that were exposed for different times.

    A mechanical shutter needs time to open: short flats are brighter in the centre. If flats of
    different exposure have different shapes, the short ones are wrong (guide 5.5). Take flats
    of several seconds.

    Example: flats of 0.1 s are 0.9 % brighter in the centre, against the edges, than those of 5 s.
    """
    limit = evidence.settings.flat_shutter
    by_filter: dict[tuple[object, ...], list[FrameEvidence]] = defaultdict(list)
    owner: dict[int, SetEvidence] = {}
    for flats in evidence.of(FrameKind.FLAT):
        for frame in flats.frames:
            by_filter[frame.info.filter, frame.info.shape, frame.info.camera].append(frame)
            owner[id(frame)] = flats
    for frames in by_filter.values():
        by_time: dict[float, list[FrameEvidence]] = defaultdict(list)
        for frame in frames:
            if frame.info.exposure_s:
                by_time[round(frame.info.exposure_s, 4)].append(frame)
        if len(by_time) < 2:  # noqa: PLR2004 - nothing to compare
            continue
        shortest, longest = min(by_time), max(by_time)
        if longest < 1.5 * shortest:
            continue
        short, long = by_time[shortest], by_time[longest]
        light = _centre_to_edge(evidence, owner, short) / _centre_to_edge(evidence, owner, long)
        difference = light - 1.0
        error = _centre_error(evidence, owner, short) + _centre_error(evidence, owner, long)
        if abs(difference) <= max(limit, 5.0 * error):
            continue
        yield found(
            "flat-shutter-pattern",
            frames=[frame.path for frame in short],
            message=f"flats of {number(shortest, 4)} s are {difference:+.2%} brighter in the"
            f" centre, against the edges, than those of {number(longest, 4)} s (allowed:"
            f" {limit:.2%})",
            cause="a mechanical shutter that needs a noticeable part of the exposure to move",
            remedy=f"use only the flats of {number(longest, 4)} s, or take longer ones",
            evidence={
                "centre_to_edge_difference": round(difference, 5),
                "error": round(error, 5),
                "exposures_s": sorted(by_time),
                "allowed": limit,
            },
            picture=shutter_pattern(
                short[0],
                _mean_light(evidence, owner, short) / _mean_light(evidence, owner, long),
                (shortest, longest),
            ),
        )


def _mean_light(
    evidence: SessionEvidence, owner: dict[int, SetEvidence], frames: Sequence[FrameEvidence]
) -> Float64:
    """Return the light by tiles, mean of frames and colours, shape (rows, columns)."""
    maps = []
    for frame in frames:
        flats = owner[id(frame)]
        offset = (flats.level - flat_signal(evidence, flats))[:, np.newaxis, np.newaxis]
        light = frame.tiles - offset
        maps.append((light / light.mean(axis=(1, 2), keepdims=True)).mean(axis=0))
    return np.asarray(np.mean(maps, axis=0))


def _centre_to_edge(
    evidence: SessionEvidence, owner: dict[int, SetEvidence], frames: Sequence[FrameEvidence]
) -> float:
    """Return the light in the centre over that near the corners."""
    ratios = []
    for frame in frames:
        flats = owner[id(frame)]
        offset = (flats.level - flat_signal(evidence, flats))[:, np.newaxis, np.newaxis]
        light = frame.tiles - offset
        rows, columns = light.shape[1:]
        middle = light[:, rows // 3 : rows - rows // 3, columns // 3 : columns - columns // 3]
        corners = np.concatenate(
            [light[:, : rows // 4].reshape(4, -1), light[:, -(rows // 4) :].reshape(4, -1)], axis=1
        )
        ratios.append(float(np.mean(middle.mean(axis=(1, 2)) / corners.mean(axis=1))))
    return float(np.median(ratios))


def _centre_error(
    evidence: SessionEvidence, owner: dict[int, SetEvidence], frames: Sequence[FrameEvidence]
) -> float:
    """Return the statistical error of `_centre_to_edge`."""
    errors = [
        float(np.mean(f.tile_error / np.maximum(flat_signal(evidence, owner[id(f)]), 1.0)))
        for f in frames
    ]
    return float(np.median(errors)) / float(np.sqrt(4.0 * len(frames) * 20.0))


@rule(
    "stars-in-flat",
    "sky flats show stars",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("stars_in_flat",),
)
def stars_in_flat(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for stars in flats at places that change from flat to flat.

    In sky flats stars appear as twilight fades. If they move from frame to frame, rejection
    removes most of their light, but not their wings; if they do not move, they stay. Stop tracking
    between flats, begin earlier, or use a panel.

    Example: 15 stars per megapixel in each of 12 flats, 7 pixels further in each.
    """
    limit = evidence.settings.stars_in_flat
    for flats in evidence.of(FrameKind.FLAT):
        if len(flats.frames) < _FEWEST:
            continue
        counts = [
            drifting_stars(frame, [f for f in flats.frames if f is not frame]) / frame.megapixels
            for frame in flats.frames
        ]
        number = float(np.median(counts))
        # Noise of a flat makes a star now and then; small frames hold few of either.
        if number < limit or number * flats.frames[0].megapixels < 3.0:  # noqa: PLR2004
            continue
        yield found(
            "stars-in-flat",
            frames=flats.paths,
            message=f"{flats.label}: {number:.0f} stars per megapixel, elsewhere in each frame"
            f" (allowed: {limit})",
            cause="the flats were taken of a sky that was too dark already",
            remedy="take sky flats earlier, with the drive stopped in between; or use a panel",
            evidence={"stars_per_megapixel": rounded(counts, 3), "allowed": limit},
            picture=stars_of_flats(flats.frames),
        )
