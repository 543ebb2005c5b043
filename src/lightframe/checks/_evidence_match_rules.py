"""Rules on frames that must agree: offset, gain, sensor, orientation, temperature, by pixels."""

from collections.abc import Iterator, Sequence
from math import log, log2

import numpy as np

from lightframe.checks._evidence_ledger import Ledger, hot_pixels_of
from lightframe.checks._evidence_levels_of_bias import (
    BiasLevel,
    bias_levels,
    deviants,
    setups,
    transfers_of,
)
from lightframe.checks._evidence_sets import SessionEvidence, SetEvidence
from lightframe.checks._evidence_tools import rounded
from lightframe.checks._evidence_transfer import Transfer
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._rules import found, rule, witness
from lightframe.frames import FrameKind

__all__: list[str] = []

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_NO_BIAS = 0.05
"""Part of the bias level below which lights have none."""
_DOUBLING_C = 6.0
"""Degrees in which dark current doubles: 5 to 7 for most sensors."""


@witness("offset-mismatch", judges=SessionEvidence, thresholds=("offset_sigma", "offset_steps"))
def offset_by_levels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Measure the level without light of every set, and compare.

    Bias frames show it directly. Darks lie above it by their dark signal, of which their noise
    tells how much it can be. For lights it is where the noise of the sky, which falls with its
    brightness, would reach that of a dark. The sets must agree within 2 times the noise of a pixel
    and 4 steps; what disagrees was taken with another offset, whatever the header says.

    Example: darks at 700 DN, but the noise of the lights' sky, 300 DN at 65 DN², points to 1300 DN
    without light: 600 DN would be left in every pixel.
    """
    yield from _level_findings(evidence, "offset-mismatch", "already-calibrated")


@rule(
    "software-mismatch",
    "frames of one project come from different capture programs, and their levels differ",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("offset_sigma", "offset_steps"),
)
def software_mismatch(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the levels without light of frames from different programs (guide 2.2).

    Programs and drivers come with offsets of their own, which not all write into the header. Where
    levels differ, no header states the offset of both, and SWCREATE differs, the program is the
    likely cause. Take all frames with the same program.

    Example: darks by SharpCap at 400 DN, lights by N.I.N.A. at 700 DN without light.
    """
    yield from _level_findings(evidence, "software-mismatch")


def _level_findings(evidence: SessionEvidence, *names: str) -> Iterator[Finding]:
    for group in setups(evidence):
        agreed, wrong = deviants(bias_levels(evidence, group))
        if not wrong:
            continue
        right = [s for s in group if all(s is not item.frames for item in wrong)]
        for name, items in _by_cause(wrong, agreed, right).items():
            if name in names:
                yield _level_finding(evidence, name, items, agreed, right)


def _by_cause(
    wrong: Sequence[BiasLevel], agreed: float, right: Sequence[SetEvidence]
) -> dict[str, list[BiasLevel]]:
    """Return the sets that are off the agreed level, by the rule that explains them."""
    causes: dict[str, list[BiasLevel]] = {}
    for item in wrong:
        if _without_bias(item, agreed):
            name = "already-calibrated"
        elif _explained_by_program(item.frames, right):
            name = "software-mismatch"
        else:
            name = "offset-mismatch"
        causes.setdefault(name, []).append(item)
    return causes


def _explained_by_program(frames: SetEvidence, others: Sequence[SetEvidence]) -> bool:
    """Whether programs differ and no header states the offset of both sides."""
    own = {f.info.software for f in frames.frames}
    theirs = {f.info.software for s in others for f in s.frames}
    differ = None not in own | theirs and not own & theirs
    stated = all(f.info.offset is not None for s in (frames, *others) for f in s.frames)
    return bool(differ and not stated)


def _without_bias(item: BiasLevel, agreed: float) -> bool:
    """Whether lights have no bias at all: dead pixels, which see no sky, lie at zero."""
    darkest = min(float(frame.levels.minimum.min()) for frame in item.frames.frames)
    low = item.level < 4.0 * _NO_BIAS * agreed and darkest < _NO_BIAS * agreed
    return (low or item.level < 0.0) and not item.frames.is_dark


def _level_finding(
    evidence: SessionEvidence,
    name: str,
    items: Sequence[BiasLevel],
    agreed: float,
    right: Sequence[SetEvidence],
) -> Finding:
    settings = evidence.settings
    item = items[0]
    frames = item.frames
    claimed = sorted({f.info.offset for f in frames.frames if f.info.offset is not None})
    elsewhere = sorted(
        {f.info.offset for s in right for f in s.frames if f.info.offset is not None}
    )
    headers = "headers do not state the offset"
    if claimed and elsewhere:
        same = claimed == elsewhere
        headers = (
            f"the headers claim offset {claimed[0]:g} for both"
            if same
            else f"the headers claim {claimed[0]:g} and {elsewhere[0]:g}"
        )
    programs = sorted({str(f.info.software) for s in (frames, *right) for f in s.frames})
    tolerance = max(
        settings.offset_sigma * frames.read_noise if frames.is_dark else item.high - item.level,
        settings.offset_steps * max(frames.step, 1),
    )
    causes = {
        "software-mismatch": f"programs with offsets of their own: {', '.join(programs)}",
        "offset-mismatch": "the offset was changed, or was not yet in effect when the frames were"
        " taken, or some of the frames were calibrated before",
        "already-calibrated": "the bias has been subtracted from these frames already",
    }
    return found(
        name,
        frames=[path for entry in items for path in entry.frames.paths],
        message=f"{', '.join(dict.fromkeys(i.frames.label for i in items))}: {item.level:.0f} DN"
        f" without light (told by {item.how}), but {agreed:.0f} DN in the other frames (tolerance"
        f" {tolerance:.3g} DN); {headers}",
        cause=causes[name],
        remedy="give the raw frames as the camera delivered them"
        if name == "already-calibrated"
        else "take calibration frames again with the offset (and the program) of the lights",
        evidence={
            "level_without_light_dn": {i.frames.label: round(i.level, 2) for i in items},
            "level_elsewhere_dn": round(agreed, 2),
            "tolerance_dn": round(tolerance, 2),
            "measured_from": item.how,
            "claimed_offsets": claimed,
            "claimed_offsets_elsewhere": elsewhere,
            "programs": programs,
        },
    )


@rule(
    "gain-label-wrong",
    "measured gain disagrees with frames of the same claimed gain",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("gain_ratio",),
)
def gain_label_wrong(evidence: SessionEvidence) -> Iterator[Finding]:
    """Measure the gain by photon transfer, and the read noise, and compare with the label.

    The variance of two flats' difference grows with the light in steps of one electron: its slope
    is the conversion gain in e-/DN, and so is that of the lights' sky. Darks and bias frames show
    the read noise in DN. Sets that claim one gain must agree within a factor of 1.3. Programs have
    been seen to change the gain behind each other's back, or to write a label before the camera
    obeyed. Believe the pixels: take the frames again, or correct the label (guide 5.2).

    Example: flats and lights of gain 100: 0.20 e-/DN; darks of gain 100 with a read noise of 4.0 DN
    where the flat-darks have 7.6 DN: they were taken at a lower gain.
    """
    for group in setups(evidence):
        _, deviating = deviants(bias_levels(evidence, group))
        transfers = transfers_of(evidence, group)
        if any(item.frames.is_dark for item in deviating):
            transfers = []  # without the level of the bias the light is not known
        wrong = list(_gain_outliers(evidence, transfers))
        yield from wrong
        yield from _claimed_gain(evidence, [t for t in transfers if not _named(t[0], wrong)])
        yield from _noise_outliers(evidence, group)
    for frames in evidence.of(FrameKind.DARK):
        yield from _frames_of_other_gain(evidence, frames)


def _named(frames: SetEvidence, findings: Sequence[Finding]) -> bool:
    return any(set(frames.paths) & set(finding.frames) for finding in findings)


def _gain_outliers(
    evidence: SessionEvidence, transfers: Sequence[tuple[SetEvidence, Transfer]]
) -> Iterator[Finding]:
    """Compare gains of sets with each other; lights are believed, else the most frames."""
    if len(transfers) < 2:  # noqa: PLR2004 - two make a comparison
        return
    votes = [
        sum(not _apart(evidence, t, u) for _, u in transfers)
        + 1.5 * _agrees_with_label(evidence, frames, t)
        + 0.1 * (frames.kind is FrameKind.LIGHT)
        for frames, t in transfers
    ]
    reference = transfers[int(np.argmax(votes))]
    for frames, transfer in transfers:
        if not _apart(evidence, transfer, reference[1]):
            continue
        yield found(
            "gain-label-wrong",
            frames=frames.paths,
            message=f"{frames.label}: {transfer.e_per_dn:.3g} e-/DN measured, but"
            f" {reference[1].e_per_dn:.3g} e-/DN in {reference[0].label} of the same claimed gain"
            f" {_gain_text(frames)} (allowed: a factor of {evidence.settings.gain_ratio:g})",
            cause="another program changed the gain, or the label was written before the camera"
            " obeyed",
            remedy="take the frames again with the gain of the others",
            evidence={
                "e_per_dn": round(transfer.e_per_dn, 4),
                "error": round(transfer.error, 4),
                "e_per_dn_elsewhere": round(reference[1].e_per_dn, 4),
                "claimed_gain": frames.gain,
                "factor_allowed": evidence.settings.gain_ratio,
            },
        )


def _gain_text(frames: SetEvidence) -> str:
    return "(not stated)" if frames.gain is None else f"{frames.gain:g}"


def _apart(evidence: SessionEvidence, a: Transfer, b: Transfer) -> bool:
    ratio = abs(log(a.e_per_dn / b.e_per_dn))
    error = 5.0 * float(np.hypot(a.error / a.e_per_dn, b.error / b.e_per_dn))
    return ratio > log(evidence.settings.gain_ratio) + error


def _nearest_claim(frames: SetEvidence, transfer: Transfer) -> float | None:
    """Return EGAIN on the scale that fits best: that of the file, or of an ADC of 14 or 12 bits."""
    claimed = frames.frames[0].info.egain
    if claimed is None or claimed <= 0:
        return None
    scales = [claimed, claimed / max(frames.step, 1), claimed / 4, claimed / 16]
    if frames.step == 1:
        scales += [claimed * 4, claimed * 16]  # stated for data shifted to 16 bits
    return min(scales, key=lambda value: abs(log(transfer.e_per_dn / value)))


def _agrees_with_label(evidence: SessionEvidence, frames: SetEvidence, transfer: Transfer) -> bool:
    """Whether EGAIN, or for lights the hot pixels of their dark, confirm the gain of a set."""
    nearest = _nearest_claim(frames, transfer)
    if nearest is not None and frames.frames[0].info.egain == nearest:
        return abs(log(transfer.e_per_dn / nearest)) < log(evidence.settings.gain_ratio)
    for ledger in evidence.ledgers:
        expected = (ledger.lights.exposure_s or 1.0) / (ledger.dark.exposure_s or 1.0)
        if ledger.lights is frames and ledger.slope:
            return abs(log(ledger.slope / expected)) < log(evidence.settings.gain_ratio)
    return False


def _claimed_gain(
    evidence: SessionEvidence, transfers: Sequence[tuple[SetEvidence, Transfer]]
) -> Iterator[Finding]:
    """Compare the gain of flats with EGAIN, on the scale of the file or of the ADC."""
    for frames, transfer in transfers:
        nearest = _nearest_claim(frames, transfer)
        if nearest is None or frames.kind is not FrameKind.FLAT:
            continue
        claimed = frames.frames[0].info.egain
        if abs(log(transfer.e_per_dn / nearest)) <= log(evidence.settings.gain_ratio) + 5.0 * (
            transfer.error / transfer.e_per_dn
        ):
            continue
        yield found(
            "gain-label-wrong",
            frames=frames.paths,
            message=f"{frames.label}: {transfer.e_per_dn:.3g} e-/DN measured, but EGAIN claims"
            f" {claimed:.3g} (allowed: a factor of {evidence.settings.gain_ratio:g}, and scaling"
            " by 4 or 16)",
            cause="the gain was not the one in the header when the flats were taken",
            remedy="take the flats, and their flat-darks, again with the gain of the lights; or"
            " correct the header",
            evidence={
                "e_per_dn": round(transfer.e_per_dn, 4),
                "error": round(transfer.error, 4),
                "egain_claimed": claimed,
                "factor_allowed": evidence.settings.gain_ratio,
            },
        )


def _noise_outliers(evidence: SessionEvidence, group: Sequence[SetEvidence]) -> Iterator[Finding]:
    """Compare read noises: darks may be noisier than bias frames, but not quieter."""
    quiet = [s for s in group if s.is_dark and np.all(np.isfinite(s.temporal)) and s.read_noise > 0]
    ratio = evidence.settings.gain_ratio
    for frames in quiet:
        shorter = [
            s for s in quiet if s is not frames and (s.exposure_s or 0.0) < (frames.exposure_s or 0)
        ]
        clear = [s for s in shorter if s.read_noise > ratio * frames.read_noise]
        if not clear:
            continue
        other = max(clear, key=lambda s: len(s.frames))
        yield found(
            "gain-label-wrong",
            frames=frames.paths,
            message=f"{frames.label}: noise of {frames.read_noise:.3g} DN, but"
            f" {other.read_noise:.3g} DN in {other.label}, which are shorter and claim the same"
            f" gain {_gain_text(frames)}",
            cause="one of the two sets was taken with another gain than its header says",
            remedy="take both sets again with the gain of the lights",
            evidence={
                "noise_dn": round(frames.read_noise, 3),
                "noise_of_shorter_frames_dn": round(other.read_noise, 3),
                "shorter_frames": other.label,
                "factor_allowed": ratio,
            },
        )


def _frames_of_other_gain(evidence: SessionEvidence, darks: SetEvidence) -> Iterator[Finding]:
    """Find single darks in which noise and hot pixels are smaller by one factor."""
    fewest, ratio = 4, evidence.settings.gain_ratio
    if len(darks.frames) < fewest:
        return
    usual = float(darks.noise.mean())
    wrong = []
    for frame, hot in zip(darks.frames, hot_ratios(darks), strict=True):
        noise = float(frame.noise.mean()) / usual if usual > 0 else 1.0
        if hot is not None and noise < 1.0 / ratio and hot < 1.0 / ratio:
            wrong.append((frame, noise, hot))
    if wrong and 2 * len(wrong) < len(darks.frames):
        frame, noise, hot = wrong[0]
        yield found(
            "gain-label-wrong",
            frames=[item[0].path for item in wrong],
            message=f"{frame.path.name}: noise {noise:.2f} and hot pixels {hot:.2f} times those of"
            " the other darks of its set (allowed: a factor of"
            f" {ratio:g}): it was taken at a lower gain",
            cause="the gain was changed while the darks were taken",
            remedy="delete these frames",
            evidence={"noise_ratio": round(noise, 3), "hot_pixel_ratio": round(hot, 3)},
        )


def hot_ratios(darks: SetEvidence) -> list[float | None]:
    """Return the hot pixels of each frame relative to those of the set; None if too few."""
    fewest, most = 20, 500
    width = darks.shape[1]
    y, x, excess = hot_pixels_of(darks)
    places = (y * width + x)[:most].tolist()
    usual = excess[:most]
    if len(places) < fewest:
        return [None] * len(darks.frames)
    ratios: list[float | None] = []
    for frame in darks.frames:
        flat = (frame.hot.y * width + frame.hot.x).tolist()
        values = dict(zip(flat, frame.hot.excess.tolist(), strict=True))
        own = np.array([values.get(place, 0.0) for place in places])
        ratios.append(float(np.median(own / usual)))
    return ratios


@witness("frame-flipped", judges=SessionEvidence, thresholds=("hot_found",))
def flipped_by_hot_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the hot pixels of the dark in the lights, under the 8 symmetries of a rectangle.

    Hot pixels sit at fixed places. If they are not found as stored, but after a mirroring or a
    turn, darks and lights lie the other way round: a driver or program stores rows in the opposite
    order. Subtracting such a dark doubles every hot pixel instead of removing it.

    Example: of 240 hot pixels 3 % are found as stored, 97 % upside down.
    """
    for ledger in evidence.ledgers:
        share = ledger.found.get("as stored", 0.0)
        best = ledger.best
        if best == "as stored" or ledger.found[best] < evidence.settings.hot_found:
            continue
        if share > 0.5 * ledger.found[best]:
            continue
        yield found(
            "frame-flipped",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: of {ledger.looked_for} hot pixels {share:.0%} are found"
            f" in {ledger.lights.label} as stored, but {ledger.found[best]:.0%} {best} (needed:"
            f" {evidence.settings.hot_found:.0%})",
            cause="two programs or drivers store rows or columns in opposite order, or the files"
            " were turned afterwards",
            remedy="take all frames with one program, or turn the darks back",
            evidence={
                "hot_pixels": ledger.looked_for,
                "found": {name: round(value, 3) for name, value in ledger.found.items()},
            },
        )


@witness("camera-mismatch", judges=SessionEvidence, thresholds=("hot_found",))
def other_sensor(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the hot pixels of the dark in the lights: they are the fingerprint of a sensor.

    If they are found nowhere, in no orientation, while the lights have hot pixels of their own,
    the darks come from another sensor, though perhaps from a camera of the same name.

    Example: of 240 hot pixels of the dark 2 % are found in the lights, which have 190 others.
    """
    for ledger in evidence.ledgers:
        if max(ledger.found.values(), default=1.0) > 0.5 * evidence.settings.hot_found:
            continue
        unknown = ledger.unknown_per_megapixel
        own = 0.0 if unknown is None else unknown * ledger.lights.frames[0].megapixels
        if own < 0.25 * ledger.looked_for:
            continue
        yield found(
            "camera-mismatch",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: of {ledger.looked_for} hot pixels"
            f" {ledger.found.get('as stored', 0.0):.0%} are found in {ledger.lights.label}, which"
            f" have {own:.0f} others (needed: {evidence.settings.hot_found:.0%})",
            cause="the darks come from another camera, perhaps of the same model",
            remedy="take darks with the camera of the lights",
            evidence={
                "hot_pixels": ledger.looked_for,
                "found": {name: round(value, 3) for name, value in ledger.found.items()},
                "others_in_lights": round(own),
            },
        )


def _fits(evidence: SessionEvidence, ledger: Ledger) -> bool:
    """Whether darks and lights come from one sensor, the same way round."""
    share = ledger.found.get("as stored", 0.0)
    return share >= evidence.settings.hot_found and ledger.slope is not None


def _slope_cases(
    evidence: SessionEvidence,
) -> Iterator[tuple[Ledger, float, float, bool]]:
    """Yield ledgers whose slope is off: slope over expected, its error, temperatures known."""
    allowed = evidence.settings.hot_slope
    other_gain = {
        path
        for group in setups(evidence)
        for finding in _gain_outliers(evidence, transfers_of(evidence, group))
        for path in finding.frames
    }
    for use in evidence.uses:
        ledger = next(
            (g for g in evidence.ledgers if g.dark is use.source and g.lights is use.target), None
        )
        if ledger is None or use.scaling == "optimize" or not _fits(evidence, ledger):
            continue
        if other_gain & set(ledger.lights.paths):
            continue  # the gain explains the slope
        lights, dark = ledger.lights, ledger.dark
        expected = 1.0
        if lights.exposure_s and dark.exposure_s:
            expected = lights.exposure_s / dark.exposure_s
        slope = (ledger.slope or 0.0) / expected
        error = (ledger.slope_error or 0.0) / expected
        if slope - 5.0 * error > allowed or slope + 5.0 * error < 1.0 / allowed:
            known = all(
                any(f.info.temperature_c is not None or f.info.set_temperature_c is not None
                    for f in s.frames)
                for s in (lights, dark)
            )  # fmt: skip
            yield ledger, slope, error, known


@witness(
    "dark-temperature-mismatch",
    judges=SessionEvidence,
    thresholds=("hot_slope", "hot_slope_error"),
)
def temperature_by_hot_pixels(evidence: SessionEvidence) -> Iterator[Finding]:
    """Where headers do not state the temperature, ask the hot pixels.

    The dark current doubles every 6 degrees, so the ratio of the hot pixels in lights and dark, at
    equal exposure, tells the difference of temperature. A factor of 1.3 is 2 degrees.

    Example: hot pixels of the lights are 2.1 times those of the dark: the lights were about 6
    degrees warmer.
    """
    for ledger, slope, error, known in _slope_cases(evidence):
        if known or slope <= 0:
            continue
        degrees = _DOUBLING_C * log2(slope)
        off = max(slope, 1.0 / slope)
        yield found(
            "dark-temperature-mismatch",
            frames=ledger.dark.paths,
            severity=_ERROR if off > evidence.settings.hot_slope_error else _WARNING,
            message=f"{ledger.dark.label}: hot pixels of {ledger.lights.label} are {slope:.2f} ±"
            f" {error:.2f} times what the exposures lead to expect: the lights were about"
            f" {abs(degrees):.0f} °C {'warmer' if degrees > 0 else 'colder'} (allowed: a factor of"
            f" {evidence.settings.hot_slope:g})",
            cause="another set point, no cooling, or another season; the headers do not state the"
            " temperature",
            remedy="take darks at the temperature of the lights",
            evidence={
                "slope": round(slope, 3),
                "error": round(error, 3),
                "difference_c": round(degrees, 1),
                "factor_allowed": evidence.settings.hot_slope,
            },
        )


@rule(
    "hot-pixel-mismatch",
    "hot pixels of the lights follow the dark with another factor than it is used with",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("hot_slope", "hot_slope_error"),
)
def hot_pixel_mismatch(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare hot pixels of the lights with those of the dark: their ratio is the true factor.

    It is 1 for darks of the same exposure and temperature. Above 1 the lights were longer or warmer
    than the headers say, and hot pixels stay in; below 1 dark holes are left. Either the
    temperature or the exposure in a header is wrong, or lights were filtered or calibrated before.
    Take darks that match, or let the dark be optimised (guide 8.1).

    Example: slope 0.50 ± 0.01 at equal exposure: the lights were 6 degrees colder than the dark, or
    half as long.
    """
    for ledger, slope, error, known in _slope_cases(evidence):
        if not known and slope > 0:
            continue
        degrees = _DOUBLING_C * log2(max(slope, 1e-3))
        off = max(slope, 1.0 / max(slope, 1e-3))
        yield found(
            "hot-pixel-mismatch",
            frames=ledger.dark.paths,
            severity=_ERROR if off > evidence.settings.hot_slope_error else _WARNING,
            message=f"{ledger.dark.label}: hot pixels of {ledger.lights.label} are {slope:.2f} ±"
            f" {error:.2f} times what exposures in the headers lead to expect (allowed: a factor of"
            f" {evidence.settings.hot_slope:g})",
            cause=f"the sensor was {abs(degrees):.0f} °C"
            f" {'warmer' if degrees > 0 else 'colder'} for the lights than for the darks, or an"
            " exposure in a header is wrong",
            remedy="take darks with exposure and temperature of the lights, or give bias frames and"
            " let the dark be optimised",
            evidence={
                "slope": round(slope, 3),
                "error": round(error, 3),
                "as_temperature_c": round(degrees, 1),
                "hot_pixels": ledger.looked_for,
                "factor_allowed": evidence.settings.hot_slope,
                "points_dn": [rounded(point) for point in ledger.points[:200]],
            },
        )


@rule(
    "stale-dark",
    "lights have many hot pixels that the dark does not know",
    severity=_WARNING,
    group=Group.ACQUISITION,
    judges=SessionEvidence,
    thresholds=("hot_unknown",),
)
def stale_dark(evidence: SessionEvidence) -> Iterator[Finding]:
    """Count pixels that are hot in nearly all lights, at the same place, but not in the dark.

    Sensors age: pixels become hot, and a library of darks grows stale. Such pixels stay in the
    lights; with dithering and rejection most of them go, else they leave trails. Take new darks.

    Example: 410 hot pixels per megapixel in at least 80 % of the lights are not hot in any dark.
    """
    for ledger in evidence.ledgers:
        number = ledger.unknown_per_megapixel
        if number is None or number <= evidence.settings.hot_unknown:
            continue
        if not _fits(evidence, ledger):
            continue
        yield found(
            "stale-dark",
            frames=ledger.dark.paths,
            message=f"{ledger.dark.label}: {number:.0f} hot pixels per megapixel of"
            f" {ledger.lights.label} are not in the dark (allowed:"
            f" {evidence.settings.hot_unknown:g})",
            cause="pixels have become hot since the darks were taken",
            remedy="take new darks",
            evidence={
                "per_megapixel": round(number, 1),
                "allowed": evidence.settings.hot_unknown,
                "examples_row_column": [list(place) for place in ledger.unknown[:20]],
            },
        )
