"""Rules on the gain: measured by photon transfer and by noise, against the label."""

from collections.abc import Iterator, Sequence
from math import hypot, log
from pathlib import Path

import numpy as np

from lightframe.checks._evidence_ledger import hot_ratios
from lightframe.checks._evidence_levels_of_bias import (
    bias_levels,
    deviants,
    setups,
    transfers_of,
)
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_transfer import Transfer
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._frame_chart import frame_chart
from lightframe.checks._numbers import number
from lightframe.checks._pictures import Axis, Comparison, Mark, Panels, Row, numbers
from lightframe.checks._rules import found, rule
from lightframe.frames import FrameKind

__all__ = ["gain_outliers"]

_ERROR = Severity.ERROR
_FAINT_STARS = 2.0
"""Factor by which faint stars and nebulae may lower the gain that the sky seems to have."""


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
        wrong = list(gain_outliers(evidence, transfers))
        yield from wrong
        yield from _claimed_gain(evidence, [t for t in transfers if not _named(t[0], wrong)])
        yield from _noise_outliers(evidence, group)
    for frames in evidence.of(FrameKind.DARK):
        yield from _frames_of_other_gain(evidence, frames)


def _named(frames: SetEvidence, findings: Sequence[Finding]) -> bool:
    return any(set(frames.paths) & set(finding.frames) for finding in findings)


def gain_outliers(
    evidence: SessionEvidence, transfers: Sequence[tuple[SetEvidence, Transfer]]
) -> Iterator[Finding]:
    """Compare gains of sets with each other; lights are believed, else the most frames."""
    if len(transfers) < 2:  # noqa: PLR2004 - two make a comparison
        return
    votes = [
        sum(not _apart(evidence, (frames, t), other) for other in transfers)
        + 1.5 * _agrees_with_label(evidence, frames, t)
        + 0.1 * (frames.kind is FrameKind.LIGHT)
        for frames, t in transfers
    ]
    reference = transfers[int(np.argmax(votes))]
    for frames, transfer in transfers:
        if not _apart(evidence, (frames, transfer), reference):
            continue
        yield found(
            "gain-label-wrong",
            frames=frames.paths,
            message=f"{frames.label}: {number(transfer.e_per_dn)} e-/DN measured, but"
            f" {number(reference[1].e_per_dn)} e-/DN in {reference[0].label}, {_claim(frames)}"
            f" (allowed: a factor of {evidence.settings.gain_ratio:g})",
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
            picture=Comparison(
                title="Measured gain of the sets that claim one gain",
                caption="From noise against level, which needs no header. Bars are 5 errors.",
                axis=Axis("gain", "e-/DN"),
                rows=tuple(_gain_row(s, t, wrong=s is frames) for s, t in transfers),
            ),
        )


def _gain_row(frames: SetEvidence, transfer: Transfer, *, wrong: bool) -> Row:
    gain, reach = transfer.e_per_dn, 5.0 * transfer.error
    value, low, high = numbers((gain, gain - reach, gain + reach))
    return Row(frames.label, value, low, high, wrong=wrong)


def _claim(frames: SetEvidence) -> str:
    """Return what headers say of the gain that measured ones contradict."""
    if frames.gain is None:
        return "and no header tells of another gain"
    return f"of the same claimed gain {frames.gain:g}"


def _apart(
    evidence: SessionEvidence, a: tuple[SetEvidence, Transfer], b: tuple[SetEvidence, Transfer]
) -> bool:
    """Whether two gains differ by more than is allowed, and more than their errors explain."""
    low, high = sorted((a, b), key=lambda item: item[1].e_per_dn)
    errors = [transfer.error / transfer.e_per_dn for _, transfer in (a, b)]
    allowed = evidence.settings.gain_ratio
    if low[0].kind is FrameKind.LIGHT:
        allowed = max(allowed, _FAINT_STARS)
    ratio = log(high[1].e_per_dn / low[1].e_per_dn)
    return ratio > log(allowed) + 5.0 * hypot(*errors)


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
        if ledger.lights is frames and ledger.slope is not None and ledger.slope > 0:
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
            message=f"{frames.label}: {number(transfer.e_per_dn)} e-/DN measured, but EGAIN claims"
            f" {number(claimed)} (allowed: a factor of {evidence.settings.gain_ratio:g}, and"
            " scaling by 4 or 16)",
            cause="the gain was not the one in the header when the flats were taken",
            remedy="take the flats, and their flat-darks, again with the gain of the lights; or"
            " correct the header",
            evidence={
                "e_per_dn": round(transfer.e_per_dn, 4),
                "error": round(transfer.error, 4),
                "egain_claimed": claimed,
                "factor_allowed": evidence.settings.gain_ratio,
            },
            picture=Comparison(
                title="Gain of the flats, measured and claimed",
                caption="From noise against level. The bar is 5 errors.",
                axis=Axis("gain", "e-/DN"),
                rows=(
                    _gain_row(frames, transfer, wrong=True),
                    Row("EGAIN in the headers", claimed),
                ),
            ),
        )


def _noise_outliers(evidence: SessionEvidence, group: Sequence[SetEvidence]) -> Iterator[Finding]:
    """Compare read noises: darks may be noisier than bias frames, but not quieter."""
    quiet = [s for s in group if s.is_dark and np.all(np.isfinite(s.temporal)) and s.read_noise > 0]
    ratio = evidence.settings.gain_ratio
    for frames in quiet:
        shorter = [
            s for s in quiet if s is not frames and s.step == frames.step and _is_shorter(s, frames)
        ]
        clear = [s for s in shorter if s.read_noise > ratio * frames.read_noise]
        if not clear:
            continue
        other = max(clear, key=lambda s: len(s.frames))
        yield found(
            "gain-label-wrong",
            frames=frames.paths,
            message=f"{frames.label}: noise of {number(frames.read_noise)} DN, but"
            f" {number(other.read_noise)} DN in {other.label}, which are shorter, {_claim(frames)}",
            cause="one of the two sets was taken with another gain than its header says",
            remedy="take both sets again with the gain of the lights",
            evidence={
                "noise_dn": round(frames.read_noise, 3),
                "noise_of_shorter_frames_dn": round(other.read_noise, 3),
                "shorter_frames": other.label,
                "factor_allowed": ratio,
            },
            picture=Comparison(
                title="Noise of the frames without light",
                caption="Noise grows with the exposure; at one gain longer frames are not quieter.",
                axis=Axis("noise", "DN"),
                rows=tuple(Row(s.label, round(s.read_noise, 3), wrong=s is frames) for s in quiet),
                from_zero=True,
            ),
        )


def _is_shorter(a: SetEvidence, b: SetEvidence) -> bool:
    """Whether frames are shorter than others for certain; a bias is the shortest of all."""
    first, second = (
        0.0 if s.kind is FrameKind.BIAS and s.exposure_s is None else s.exposure_s for s in (a, b)
    )
    return first is not None and second is not None and first < second


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
            picture=_gain_by_frame(evidence, darks, [item[0].path for item in wrong]),
        )


def _gain_by_frame(evidence: SessionEvidence, darks: SetEvidence, wrong: Sequence[Path]) -> Panels:
    usual = float(darks.noise.mean())
    least = Mark("allowed", 1.0 / evidence.settings.gain_ratio)
    noise = frame_chart(
        darks.paths,
        [float(frame.noise.mean()) / usual for frame in darks.frames],
        wrong,
        title="Noise, relative to the set",
        axis=Axis("factor"),
        marks=(least,),
    )
    hot = frame_chart(
        darks.paths,
        hot_ratios(darks),
        wrong,
        title="Hot pixels, relative to the set",
        caption="Noise and hot pixels that are smaller by one factor are a lower gain.",
        axis=Axis("factor"),
        marks=(least,),
    )
    return Panels(pictures=(noise, hot))
