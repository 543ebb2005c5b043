"""Given masters, ready to calibrate any frame they fit; and what does not fit (guide, 8)."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from lightframe.arrays import Float32, UInt16
from lightframe.errors import InputError, SettingsError
from lightframe.frames import FrameInfo, FrameKind, read_image
from lightframe.processes import (
    CalibratedFrame,
    CalibrationSettings,
    Masters,
    PreparedCalibration,
    calibrate_frame,
    frame_pedestal,
    overscan_from_sections,
    prepare_calibration,
)
from lightframe.session._given_master import SERVES, differences, refuse_exchanged
from lightframe.session._hashes import hashes
from lightframe.session._master_fit import (
    MasterLevels,
    refuse_colour_image,
    refuse_other_scale,
)
from lightframe.session._match_settings import MatchSettings
from lightframe.session._steps import Bench

__all__ = ["Calibrator", "MasterFiles"]

_Raw = UInt16 | Float32


@dataclass(frozen=True, slots=True)
class MasterFiles:
    """The master frames to calibrate with.

    Attributes
    ----------
    bias, dark, flat : Path or None
        Their files; None leaves one out.
    """

    bias: Path | None = None
    dark: Path | None = None
    flat: Path | None = None

    def items(self) -> Iterator[tuple[FrameKind, Path]]:
        """Yield kind and file of each that is given."""
        for kind in (FrameKind.BIAS, FrameKind.DARK, FrameKind.FLAT):
            path = getattr(self, kind.value)
            if path is not None:
                yield kind, path


@dataclass(frozen=True, slots=True)
class _LoadedMaster:
    """A master in memory; its levels where it is subtracted with its bias."""

    info: FrameInfo
    pixels: Float32
    levels: MasterLevels | None

    @classmethod
    def read(cls, path: Path, kind: FrameKind) -> Self:
        """Read a master that is given as one of a kind, whatever its header says."""
        info, pixels = read_image(path)
        return cls(info, pixels, MasterLevels.of(replace(info, kind=kind), pixels))


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Masters and settings, ready to calibrate frames of any geometry they fit.

    Attributes
    ----------
    settings : CalibrationSettings
        How to calibrate.
    match : MatchSettings
        What is remarked of masters and frames, and whether darks may be scaled up.
    again : bool
        Calibrate frames that say that they have been calibrated.
    overscan_from_header : bool
        Take overscan and image area from BIASSEC and TRIMSEC of each frame.
    digests : mapping of str to str
        SHA-256 of each master's file, by role.
    """

    settings: CalibrationSettings
    match: MatchSettings
    again: bool
    overscan_from_header: bool
    digests: Mapping[str, str]
    _loaded: Mapping[FrameKind, _LoadedMaster] = field(repr=False)
    _prepared: dict[object, PreparedCalibration] = field(
        init=False, repr=False, default_factory=dict
    )
    _lock: threading.Lock = field(init=False, repr=False, default_factory=threading.Lock)

    @classmethod
    def load(
        cls,
        masters: MasterFiles,
        bench: Bench,
        *,
        again: bool = False,
        overscan_from_header: bool = False,
    ) -> Self:
        """Read the masters.

        Raises
        ------
        SettingsError
            If there is nothing to calibrate with, no dark that could be scaled, or a flat is given
            as a dark, or the reverse.
        UnreadableFileError
            If a master cannot be read.
        """
        settings = bench.settings.calibration
        if settings.dark_scaling != "none" and masters.dark is None:
            raise SettingsError(
                "there is no dark to be scaled",
                remedy="give a master dark, or leave out the scaling",
            )
        files = dict(masters.items())
        if not files and not overscan_from_header and settings.overscan is None:
            raise SettingsError(
                "nothing to calibrate with: no bias, no dark, no flat, no overscan",
                remedy="give at least one master frame, e.g. --dark FILE",
            )
        loaded = {kind: _LoadedMaster.read(path, kind) for kind, path in files.items()}
        for kind, master in loaded.items():
            refuse_exchanged(master.info, kind)
        if settings.dark_scaling != "none":
            _require_bias(loaded, settings)
        digests = hashes(files.values(), bench.threads)
        return cls(
            settings=settings,
            match=bench.settings.match,
            again=again,
            overscan_from_header=overscan_from_header,
            digests={kind.value: digests[path] for kind, path in files.items()},
            _loaded=loaded,
        )

    @property
    def dark_contains_bias(self) -> bool:
        """Whether the dark does not say that its bias has been subtracted."""
        dark = self._loaded.get(FrameKind.DARK)
        return dark is None or FrameKind.BIAS not in dark.info.calibration

    def with_scaling(self, name: str) -> Self:
        """Return a calibrator of the same masters that scales the dark in another way, up, too.

        Raises
        ------
        SettingsError
            If the dark contains its bias and there is no bias.
        """
        settings = self.settings.model_copy(update={"dark_scaling": name})
        if name != "none":
            _require_bias(self._loaded, settings)
        match = self.match.model_copy(update={"allow_dark_scale_up": True})
        return replace(self, settings=settings, match=match)

    def master(self, kind: FrameKind) -> Float32 | None:
        """Return a master's pixels, its pedestal taken off; None if it was not given."""
        loaded = self._loaded.get(kind)
        if loaded is None:
            return None
        return loaded.pixels - np.float32(loaded.info.pedestal_dn or 0.0)

    def calibrate(self, info: FrameInfo, raw: _Raw) -> CalibratedFrame:
        """Calibrate one frame.

        Parameters
        ----------
        info : FrameInfo
            What its header says.
        raw : ndarray of uint16 or float32, shape (channels, height, width)
            Its pixels.

        Raises
        ------
        InputError
            If it has been calibrated before, is exposed for longer than a dark that would be scaled
            up, or does not fit the masters.
        """
        self._refuse(info)
        refuse_other_scale(info, raw, list(self._levels()))
        return calibrate_frame(
            raw,
            self.prepared(info),
            name=info.path.name,
            exposure_s=info.exposure_s,
            white_dn=info.white_dn,
            pedestal=frame_pedestal(info, self.settings),
        )

    def _levels(self) -> Iterator[MasterLevels]:
        """Yield the levels of what is subtracted as it is: a dark to be scaled may be brighter."""
        for kind, master in self._loaded.items():
            scaled = kind is FrameKind.DARK and self.settings.dark_scaling != "none"
            if master.levels is not None and not scaled:
                yield master.levels

    def _refuse(self, info: FrameInfo) -> None:
        if info.calibration and not self.again:
            raise InputError(
                f"has been calibrated before ({', '.join(sorted(info.calibration))})",
                where=info.path,
                cause="its header says so",
                remedy="give the raw frame, or calibrate it again with --again",
            )
        refuse_colour_image(info, [master.info for master in self._loaded.values()])
        dark = self._loaded.get(FrameKind.DARK)
        allowed = self.match.allow_dark_scale_up or self.settings.dark_scaling == "none"
        if dark is None or allowed or not self._longer(info, dark.info):
            return
        raise InputError(
            f"is exposed for {info.exposure_s:g} s, {dark.info.path.name} only for"
            f" {dark.info.exposure_s:g} s: the dark would have to be scaled up",
            where=info.path,
            cause="scaling a dark up multiplies its noise",
            remedy="take darks at least as long as the lights, do not scale, or say"
            " --allow-dark-scale-up",
        )

    def _longer(self, light: FrameInfo, dark: FrameInfo) -> bool:
        if light.exposure_s is None or dark.exposure_s is None:
            return False
        match = self.match
        tolerance = max(
            match.exposure_tolerance_s, match.exposure_tolerance_fraction * dark.exposure_s
        )
        return light.exposure_s > dark.exposure_s + tolerance

    def prepared(self, info: FrameInfo) -> PreparedCalibration:
        """Return what frames of this geometry and pattern are calibrated with."""
        settings = self._settings_for(info)
        overscan = None if settings.overscan is None else settings.overscan.model_dump_json()
        key = (info.height, info.width, info.channels, info.cfa, overscan)
        with self._lock:
            if key not in self._prepared:
                self._prepared[key] = prepare_calibration(
                    self._masters(),
                    settings,
                    height=info.height,
                    width=info.width,
                    channels=info.channels,
                    cfa=info.cfa,
                )
            return self._prepared[key]

    def _masters(self) -> Masters:
        given: dict[str, Any] = {}
        for kind, master in self._loaded.items():
            info = master.info
            given[kind.value] = master.pixels
            given[f"{kind.value}_name"] = info.path.name
            given[f"{kind.value}_pedestal_dn"] = info.pedestal_dn or 0.0
            if kind is not FrameKind.BIAS:
                given[f"{kind.value}_cfa"] = info.cfa
                given[f"{kind.value}_exposure_s"] = info.exposure_s
        return Masters(dark_contains_bias=self.dark_contains_bias, **given)

    def _settings_for(self, info: FrameInfo) -> CalibrationSettings:
        if not self.overscan_from_header:
            return self.settings
        sections = [info.header.get(keyword) for keyword in ("BIASSEC", "TRIMSEC")]
        if not all(isinstance(section, str) for section in sections):
            raise InputError(
                "BIASSEC or TRIMSEC is not in the header",
                where=info.path,
                remedy="give the overscan regions, or leave out the overscan",
            )
        overscan = overscan_from_sections(*map(str, sections))
        return self.settings.model_copy(update={"overscan": overscan})

    def remarks(self, info: FrameInfo) -> tuple[str, ...]:
        """Return in what the masters do not fit a frame, in the user's words."""
        return tuple(self._remarks(info))

    def _remarks(self, info: FrameInfo) -> Iterator[str]:
        scaling = self.settings.dark_scaling
        for kind, master in self._loaded.items():
            name, role = master.info.path.name, kind.value
            said = master.info.kind
            if said is not None and said not in SERVES[kind]:
                yield f"{name}, given as {role}, says of itself that it is a {said}"
            if not master.info.is_master and (master.info.frames_combined or 1) == 1:
                yield f"{name} is a single frame: its noise goes into every light"
            if kind is FrameKind.FLAT and _is_own_and_uncalibrated(master.info):
                yield (
                    f"{name} was integrated from flats that were not calibrated: their bias stays"
                    " in, the light is undercorrected"
                )
            if kind is FrameKind.FLAT and _is_raw(master.info) and not self.settings.calibrate_flat:
                yield f"{name} is a raw flat: its bias is not subtracted, the light undercorrected"
            ignored = _SCALED if kind is FrameKind.DARK and scaling != "none" else frozenset()
            yield from differences(master.info, kind, info, self.match, ignored)


def _require_bias(loaded: Mapping[FrameKind, _LoadedMaster], settings: CalibrationSettings) -> None:
    """Raise if a dark that contains its bias is to be scaled and there is no bias."""
    dark = loaded[FrameKind.DARK].info
    contains = settings.calibrate_dark
    if contains is None:
        contains = FrameKind.BIAS not in dark.calibration
    if contains and FrameKind.BIAS not in loaded:
        raise SettingsError(
            f"{dark.path.name} contains its bias and cannot be scaled without a master bias",
            cause="the bias must not be multiplied by the dark scaling factor",
            remedy="give --bias, or do not scale the dark",
        )


_SCALED = frozenset({"exposure", "temperature"})


def _is_own_and_uncalibrated(info: FrameInfo) -> bool:
    """Whether a master that Lightframe made does not say that it was calibrated."""
    own = (info.software or "").startswith("Lightframe")
    return own and info.is_master and not info.calibration


def _is_raw(info: FrameInfo) -> bool:
    return not info.is_master and not info.calibration
