"""Rules on the shape of flats: alike in all of a set, without bands and stars."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from lightframe.arrays import Float64
from lightframe.checks._evidence_file_rules import drifting_stars
from lightframe.checks._evidence_flat_pictures import (
    bands_of_flats,
    odd_flats,
    shutter_pattern,
    stars_of_flats,
)
from lightframe.checks._evidence_frame import FrameEvidence
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import (
    flat_signal,
    names_of,
    rounded,
)
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import number
from lightframe.checks._rules import found, rule
from lightframe.figures import percent
from lightframe.frames import FrameKind

__all__: list[str] = []


_WARNING = Severity.WARNING
_FEWEST = 3


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
            message=f"{flats.label}: bands of {percent(rms, 2)} (rms), about {period:.0f} rows"
            f" apart, which move from frame to frame (allowed: {percent(limit, 2)})",
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
            f" by up to {percent(worst[1], 2)}, usually by {percent(np.median(deviation), 2)}"
            f" (allowed: {percent(limit, 2)})",
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
            message=f"flats of {number(shortest, 4)} s are {percent(abs(difference), 2)}"
            f" {'brighter' if difference > 0 else 'darker'} in the centre, against the upper and"
            f" lower edges, than those of {number(longest, 4)} s (allowed: {percent(limit, 2)})",
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
    """Return the light in the centre over that of the upper and lower quarters."""
    ratios = []
    for frame in frames:
        flats = owner[id(frame)]
        offset = (flats.level - flat_signal(evidence, flats))[:, np.newaxis, np.newaxis]
        light = frame.tiles - offset
        rows, columns = light.shape[1:]
        middle = light[:, rows // 3 : rows - rows // 3, columns // 3 : columns - columns // 3]
        edges = np.concatenate(
            [light[:, : rows // 4].reshape(4, -1), light[:, -(rows // 4) :].reshape(4, -1)], axis=1
        )
        ratios.append(float(np.mean(middle.mean(axis=(1, 2)) / edges.mean(axis=1))))
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
        density = float(np.median(counts))
        # Noise of a flat makes a star now and then; small frames hold few of either.
        if density < limit or density * flats.frames[0].megapixels < 3.0:  # noqa: PLR2004
            continue
        yield found(
            "stars-in-flat",
            frames=flats.paths,
            message=f"{flats.label}: {density:.0f} stars per megapixel, elsewhere in each frame"
            f" (allowed: {limit})",
            cause="the flats were taken of a sky that was too dark already",
            remedy="take sky flats earlier, with the drive stopped in between; or use a panel",
            evidence={"stars_per_megapixel": rounded(counts, 3), "allowed": limit},
            picture=stars_of_flats(flats.frames),
        )
