"""The file that an integration is written to, and what it says of its making."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lightframe.frames import Card, FrameInfo, FrameKind
from lightframe.processes import (
    Integration,
    IntegrationSettings,
    integration_quality,
    rejection_reach,
)
from lightframe.session._integration_maps import integration_maps
from lightframe.session._json_values import plain
from lightframe.session._noise import colour_noise
from lightframe.session._provenance import (
    cfa_cards,
    combined_header,
    history,
    integration_lines,
    xisf_image_type,
)
from lightframe.session._stack_files import Stack
from lightframe.session._stack_looks import Looks
from lightframe.session._steps_headers import astrometry_of, noise_in_pixel_units
from lightframe.session._steps_output import OutputSettings, Written, write

__all__ = ["IntegratedFile", "write_integrated"]

_REJECTABLE = 4
"""From so many frames on an outlier is found by the algorithms that look for it."""


@dataclass(frozen=True, slots=True)
class IntegratedFile:
    """The result of an integration.

    Attributes
    ----------
    written : Written
        The file.
    integration : Integration
        Image and maps.
    noise_dn, snr : tuple of float
        Noise of the result, and squared ratio of its scale to it, by channel or colour.
    looks : Looks
        The files, and what they have shown.
    remarks : tuple of str
        What the user should know.
    """

    written: Written
    integration: Integration = field(repr=False)
    noise_dn: tuple[float, ...]
    snr: tuple[float, ...]
    looks: Looks = field(repr=False)
    remarks: tuple[str, ...]

    @property
    def infos(self) -> tuple[FrameInfo, ...]:
        """The files that were integrated."""
        return self.looks.stack.infos

    @property
    def reference(self) -> int:
        """Index of the file that the others were normalized to."""
        return self.looks.stack.reference

    @property
    def frames_noise_dn(self) -> tuple[float, ...]:
        """Noise of each file that its weight is made of, mean of its channels."""
        return tuple(float(s.noise.mean()) for s in self.looks.statistics)

    @property
    def gain_over_best(self) -> float:
        """Least noise of a file, brought to the result's scale, over the noise of the result."""
        factors = self.integration.factors.mean(axis=1)
        measured = self.looks.measured_noise_dn
        least = min(sigma * abs(f) for sigma, f in zip(measured, factors, strict=True))
        noise = float(np.mean(self.noise_dn))
        return least / noise if noise > 0 else float("nan")

    @property
    def missing(self) -> int:
        """Samples of the result that no file covers."""
        return int(np.count_nonzero(np.isnan(self.integration.image)))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values: ``result`` as in run.json's results, and ``lights``."""
        result = self.integration
        channels, height, width = result.image.shape
        exposures = [info.exposure_s for info in self.infos]
        total = None if None in exposures else float(sum(e or 0.0 for e in exposures))
        document: dict[str, Any] = plain(
            {
                "result": {
                    "path": str(self.written.path),
                    "frames": len(self.infos),
                    "exposure_s": total,
                    "normalized_to": str(self.infos[self.reference].path),
                    "rejection": result.rejection,
                    "noise_dn": list(self.noise_dn),
                    "snr": list(self.snr),
                    "gain_over_best_frame": self.gain_over_best,
                    "channels": channels,
                    "height": height,
                    "width": width,
                    "rejected_low": result.rejected[0],
                    "rejected_high": result.rejected[1],
                    "missing": self.missing,
                    "truncated": self.written.truncated,
                    "notes": list(self.remarks),
                },
                "lights": [self._light(index) for index in range(len(self.infos))],
            }
        )
        return document

    def _light(self, index: int) -> dict[str, Any]:
        """Return what is to be said of one of the files."""
        info, result = self.infos[index], self.integration
        low, high = result.frames_low[index].mean(), result.frames_high[index].mean()
        return {
            "path": str(info.path),
            "used": True,
            "reason": "",
            "reference": index == self.reference,
            "exposure_s": info.exposure_s,
            "weight": float(result.weights[index].mean()),
            "scale": float(result.factors[index].mean()),
            "noise_dn": self.frames_noise_dn[index],
            "rejected_low": float(low),
            "rejected_high": float(high),
            "rejected_fraction": float(low + high),
        }


def write_integrated(
    out: Path,
    looks: Looks,
    result: Integration,
    settings: IntegrationSettings,
    output: OutputSettings,
    digest: Callable[[Path], str],
) -> IntegratedFile:
    """Write image and maps.

    Parameters
    ----------
    out : Path
        The file.
    looks : Looks
        The files that were integrated.
    result : Integration
        What came out.
    settings : IntegrationSettings
        How.
    output : OutputSettings
        Format, scale and samples.
    digest : callable
        Returns the SHA-256 of a file.
    """
    opened = looks.stack
    infos = opened.infos
    kinds = {info.kind for info in infos}
    kind = (kinds.pop() if len(kinds) == 1 else None) or FrameKind.LIGHT
    cfa = infos[0].cfa if result.image.shape[0] == 1 else None
    noise = colour_noise(result.image, cfa)
    lines = integration_lines(settings, result, infos[opened.reference].path.name)
    header = combined_header(infos, kind).adding(
        *(cfa_cards(infos[0]) if cfa is not None else ()),
        *_shared_astrometry(opened),
        *_calstat(infos),
        *noise_in_pixel_units(noise, output),
        *history(*lines, *_inputs(infos, result, digest)),
    )
    written = write(
        out,
        result.image,
        header,
        output,
        cfa=cfa,
        maps=[(name, pixels) for name, pixels, _ in integration_maps(result)],
        image_type=xisf_image_type(kind),
    )
    snr = tuple(float(value) for value in integration_quality(result).snr)
    remarks = (*_mixed(infos), *_futile(settings, len(infos)), *looks.remarks)
    return IntegratedFile(written, result, noise, snr, looks, remarks)


def _mixed(infos: Sequence[FrameInfo]) -> list[str]:
    """Return remarks where lights and calibration frames, or filters, are mixed."""
    remarks = []
    for what, values in (
        ("kinds", [info.kind.value for info in infos if info.kind is not None]),
        ("filters", [info.filter for info in infos if info.filter]),
    ):
        counts = Counter(values)
        if len(counts) > 1:
            names = ", ".join(f"{count} x {name}" for name, count in counts.most_common())
            remarks.append(f"files of different {what} are integrated together: {names}")
    return remarks


def _futile(settings: IntegrationSettings, frames: int) -> list[str]:
    """Return a remark where the algorithm cannot reject anything from so few files."""
    reason = rejection_reach(settings.rejection, frames, settings.limits)
    if not reason:
        return []
    other = "" if frames < _REJECTABLE else "; winsorized can"
    return [f"{settings.rejection} rejects no single outlier here: {reason}{other}"]


def _shared_astrometry(opened: Stack) -> list[Card]:
    """Return the reference's astrometric solution where the files lie on one grid."""
    registered = all(
        any("StarAlignment" in str(line) for line in info.header.values("HISTORY"))
        for info in opened.infos
    )
    return astrometry_of(opened.infos[opened.reference].header) if registered else []


def _calstat(infos: Sequence[FrameInfo]) -> list[Card]:
    """Return what all files were calibrated with."""
    common = frozenset.intersection(*(info.calibration for info in infos))
    letters = "".join(
        letter
        for letter, kind in (("B", FrameKind.BIAS), ("D", FrameKind.DARK), ("F", FrameKind.FLAT))
        if kind in common
    )
    return [Card("CALSTAT", letters, "calibration applied")] if letters else []


def _inputs(
    infos: Sequence[FrameInfo], result: Integration, digest: Callable[[Path], str]
) -> list[str]:
    return [
        f"Input {info.path.name} weight {float(result.weights[index].mean()):.4f}"
        f" scale {float(result.factors[index].mean()):.4f}"
        f" rejected {float(result.frames_low[index].mean()):.6f} low"
        f" {float(result.frames_high[index].mean()):.6f} high"
        f" SHA-256 {digest(info.path)}"
        for index, info in enumerate(infos)
    ]
