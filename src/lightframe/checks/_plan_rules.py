"""Rules that headers alone decide: files left out, and calibration frames that do not match."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._numbers import counted
from lightframe.checks._plan_records import Comparison, Pairing, PlanRecord, SetRecord
from lightframe.checks._refusal import Refusal
from lightframe.checks._rules import found, rule

__all__ = ["unreadable"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_MOST_LABELS = 3


@rule(
    "unreadable-file",
    "a file is truncated, corrupt, or not an image",
    severity=_ERROR,
    group=Group.ACQUISITION,
    judges=PlanRecord,
)
def unreadable_file(plan: PlanRecord) -> Iterator[Finding]:
    """Report what the reader of the file says of it.

    The file is left out and the run goes on with the others. Copy the file again from the camera
    or capture computer; if it is broken there as well, delete it.

    Example: light_0007.fits: the file ends after 1 209 600 of 2 018 880 bytes.
    """
    for refusal in plan.refused:
        yield unreadable(
            refusal,
            f"{refusal.path.name} cannot be read",
            "an interrupted transfer or download, a full disk, or a file of another kind",
        )


def unreadable(refusal: Refusal, message: str, cause: str) -> Finding:
    """Return the finding on a file, with the cause where its reader does not know a better one."""
    return found(
        "unreadable-file",
        frames=[refusal.path],
        message=f"{message}: {refusal.reason}",
        cause=refusal.cause or cause,
        remedy=refusal.remedy or "copy the file again from the capture computer, or delete it",
        evidence={"reader": refusal.reason},
    )


@rule(
    "already-calibrated",
    "a frame among the raw frames has been calibrated or integrated before",
    severity=_ERROR,
    group=Group.MASTERS,
    judges=PlanRecord,
)
def already_calibrated(plan: PlanRecord) -> Iterator[Finding]:
    """Headers of processed frames say so: CALSTAT, HISTORY, number of combined frames.

    Calibrating a frame twice subtracts the bias twice and divides by the flat twice. Such frames
    are left out, unless the setting `calibrated_frames` is ``use``. Integrated frames are usually
    the telescope's own stack lying beside its raw frames; leaving them out is only mentioned.

    Example: 12 lights whose CALSTAT is BDF: bias, dark and flat are done already.
    """
    for aside in plan.set_aside:
        one, several = f"{aside.kind} frame is", f"{aside.kind} frames are"
        yield found(
            "already-calibrated",
            frames=aside.paths,
            severity=_INFO if aside.stacked else _ERROR,
            message=f"{counted(len(aside.paths), one, several)} left out: {aside.reason}",
            cause="results of an earlier processing lie among the raw frames",
            remedy="give the raw frames instead; or, if there are no others, set"
            ' match.calibrated_frames = "use"',
            evidence={"reason": aside.reason, "frames": len(aside.paths)},
        )


@dataclass(frozen=True, slots=True)
class _Mismatch:
    """One quantity in which calibration frames must not differ."""

    rule: str
    quantity: str
    meaning: str
    explanation: str
    cause: str
    remedy: str
    example: str


_MISMATCHES = (
    _Mismatch(
        "camera-mismatch",
        "camera",
        "calibration frames come from another camera",
        "Fixed pattern, bias and dark current belong to one sensor. Names are compared without"
        " case, punctuation and the maker's additions; names such as 'ASCOM Camera' say nothing.",
        "frames of another camera lie in these folders, or the driver names the camera otherwise",
        "take calibration frames with the camera of the lights; if it is the same camera under"
        ' another name, set match.ignored_quantities = "camera"',
        "darks by an ASI294MC Pro for lights by an ASI2600MC Pro.",
    ),
    _Mismatch(
        "format-mismatch",
        "format",
        "camera raw files are mixed with FITS of the same camera",
        "Programs that convert camera raw files to FITS often rescale 12 or 14 bits to 16, crop the"
        " masked borders, or subtract the black level. Calibration needs both sides untouched.",
        "one kind of frame was saved by the camera, the other by a capture program",
        "save all frames in one format, best all by the capture program",
        "lights as CR2 with values up to 16383, darks as FITS with values up to 65532.",
    ),
    _Mismatch(
        "binning-mismatch",
        "binning",
        "calibration frames have another binning than the lights",
        "Binned pixels have another bias, noise and size; frames cannot be binned later to fit.",
        "the binning was changed between lights and calibration frames",
        "take calibration frames with the binning of the lights",
        "darks binned 1 x 1 for lights binned 2 x 2.",
    ),
    _Mismatch(
        "geometry-mismatch",
        "geometry",
        "calibration frames have another size than the lights",
        "Pixels are matched one by one; frames of another size are never resized or cropped.",
        "a sub-frame or crop, another driver, or frames that have been processed already",
        "take calibration frames of the full size of the lights",
        "flats of 6248 x 4176 pixels for lights of 6244 x 4168.",
    ),
    _Mismatch(
        "readout-mode-mismatch",
        "readout_mode",
        "calibration frames were read out in another mode",
        "Readout modes differ in conversion gain, bias level and noise (guide 5.2).",
        "the readout mode was changed between lights and calibration frames",
        "take calibration frames in the readout mode of the lights",
        "darks in the mode High Gain for lights in the mode Photographic.",
    ),
    _Mismatch(
        "gain-mismatch",
        "gain",
        "calibration frames have another gain or ISO",
        "Bias level, noise and dark current in DN all depend on the gain; all frames of a session"
        " need the same (guide 5.2). Flats of another gain are used where there are no others,"
        " since their shape survives once they are calibrated with frames of their own gain.",
        "the gain was changed between lights and calibration frames",
        "take calibration frames with the gain of the lights; if a header is wrong, set"
        ' match.ignored_quantities = "gain"',
        "darks of gain 0 for lights of gain 100.",
    ),
    _Mismatch(
        "offset-mismatch",
        "offset",
        "calibration frames have another offset",
        "The offset is a constant in every pixel: if it differs, that constant is left in or taken"
        " too much, and the flat over- or under-corrects (guide 5.2, 8.4).",
        "the offset was changed, or another program or driver with its own default was used",
        "take calibration frames with the offset of the lights; if a header is wrong, set"
        ' match.ignored_quantities = "offset"',
        "darks of offset 10 for lights of offset 50.",
    ),
    _Mismatch(
        "cfa-pattern-wrong",
        "colours",
        "the colour pattern in the header cannot be right",
        "Frames of one camera and size have one pattern. If headers claim two, one of them is"
        " wrong, or the frames are stored upside down or cropped by an odd number of pixels.",
        "the row order or crop differs between programs, or a header is wrong",
        "take all frames with one program; if only a header is wrong, set"
        ' match.ignored_quantities = "colours"',
        "BAYERPAT is RGGB in the lights and GBRG in the flats of the same camera and size.",
    ),
    _Mismatch(
        "frame-flipped",
        "row_order",
        "calibration frames are mirrored against the lights",
        "ROWORDER says whether the first stored row is the top of the picture. If it differs"
        " between frames of one camera, they are stored upside down against each other.",
        "two programs, or two versions of one, store rows in opposite order",
        "take all frames with one program; if only a header is wrong, set"
        ' match.ignored_quantities = "row-order"',
        "ROWORDER is TOP-DOWN in the lights and BOTTOM-UP in the darks.",
    ),
)
_COVERS = {
    "camera": "*",
    "format": "*",
    "filter": "*",
    "binning": "geometry",
    "row_order": "colours",
}
"""A difference in one quantity explains those in others; ``*`` in all."""


def _own_causes(pairing: Pairing) -> list[Comparison]:
    """Return the differences that are not explained by another one."""
    differences = list(pairing.differences())
    covers = [_COVERS[d.quantity] for d in differences if d.quantity in _COVERS]
    if "*" in covers:
        return [d for d in differences if _COVERS.get(d.quantity) == "*"][:1]
    return [d for d in differences if d.quantity not in covers]


def _mismatch_check(mismatch: _Mismatch) -> Callable[[PlanRecord], Iterator[Finding]]:
    """Return the function that reports one quantity."""

    def check(plan: PlanRecord) -> Iterator[Finding]:
        cases: dict[tuple[str | None, str | None], list[Pairing]] = defaultdict(list)
        for pairing in plan.pairings:
            for difference in _own_causes(pairing):
                if difference.quantity == mismatch.quantity:
                    cases[difference.wanted, difference.found].append(pairing)
        for (wanted, have), pairings in cases.items():
            yield _mismatch_finding(mismatch, wanted, have, pairings)

    return check


def _mismatch_severity(mismatch: _Mismatch, pairing: Pairing) -> Severity:
    harmless = pairing.used and pairing.own_calibration
    # The row order is a claim that only the pixels can confirm.
    unsure = pairing.used and mismatch.quantity == "row_order"
    return _WARNING if harmless or unsure or pairing.replaced else _ERROR


def _mismatch_finding(
    mismatch: _Mismatch, wanted: str | None, have: str | None, pairings: Sequence[Pairing]
) -> Finding:
    name = mismatch.quantity.replace("_", " ")
    refused = [pairing.role.value for pairing in pairings if not pairing.used]
    used = [pairing.role.value for pairing in pairings if pairing.used]
    ends = [f"not used as {' and '.join(dict.fromkeys(refused))}"] if refused else []
    ends += [f"used as {' and '.join(dict.fromkeys(used))} all the same"] if used else []
    severities = {_mismatch_severity(mismatch, pairing) for pairing in pairings}
    return found(
        mismatch.rule,
        frames=[path for pairing in pairings for path in pairing.source.paths],
        severity=min(severities, key=lambda severity: severity.rank),
        message=f"{name} {have} of {_labels(pairing.source for pairing in pairings)}, but {wanted}"
        f" of {_labels(pairing.target for pairing in pairings)}: {', '.join(ends)}",
        cause=mismatch.cause,
        remedy=mismatch.remedy,
        evidence={
            mismatch.quantity: {"calibration_frames": have, "frames_in_need": wanted},
            "not_used_as": list(dict.fromkeys(refused)),
            "used_as": list(dict.fromkeys(used)),
        },
    )


for _mismatch in _MISMATCHES:
    _check = _mismatch_check(_mismatch)
    _check.__doc__ = f"{_mismatch.explanation}\n\nExample: {_mismatch.example}"
    rule(
        _mismatch.rule,
        _mismatch.meaning,
        severity=_ERROR,
        group=Group.ACQUISITION,
        judges=PlanRecord,
    )(_check)


def _labels(sets: Iterable[SetRecord]) -> str:
    """Return the labels of some sets, each once, the tail counted only."""
    labels = [f"[{label}]" for label in dict.fromkeys(record.label for record in sets)]
    more = len(labels) - _MOST_LABELS
    rest = f" and {counted(more, 'more set', 'more sets')}" if more > 0 else ""
    return ", ".join(labels[:_MOST_LABELS]) + rest
