"""From what the plan assigns to a set of frames to a calibration that can be applied to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lightframe.frames import FrameInfo
from lightframe.processes import (
    CalibrationSettings,
    Masters,
    PreparedCalibration,
    prepare_calibration,
)
from lightframe.session._plan_types import Assignment, MasterJob

__all__ = ["Master", "prepare"]


@dataclass(frozen=True, slots=True)
class Master:
    """A master frame: built in this run, or given.

    Attributes
    ----------
    job : MasterJob
        What the plan says of it.
    info : FrameInfo
        Its first frame, or the file that was given: what all of its frames share.
    file : str
        Name of its file.
    pixels : ndarray of float32, shape (channels, height, width)
        DN.
    record : dict
        Its entry in run.json.
    """

    job: MasterJob
    info: FrameInfo
    file: str
    pixels: npt.NDArray[np.float32]
    record: dict[str, Any]

    @property
    def pedestal_dn(self) -> float:
        """Pedestal that a given master still contains."""
        return self.info.pedestal_dn or 0.0 if self.job.given else 0.0


def prepare(
    assignment: Assignment,
    target: FrameInfo,
    masters: Mapping[str, Master],
    settings: CalibrationSettings,
) -> PreparedCalibration:
    """Combine the masters that lights or flats were assigned.

    Parameters
    ----------
    assignment : Assignment
        What the plan says.
    target : FrameInfo
        One of the frames.
    masters : mapping of str to Master
        All masters by name.
    settings : CalibrationSettings
        As given; the dark scaling is the plan's.

    Raises
    ------
    IncompatibleFramesError
        If sizes or colour patterns do not agree.
    InputError
        If the flat is empty.
    """
    given: dict[str, Any] = {}
    for role in ("bias", "dark", "flat"):
        name = getattr(assignment, role)
        if name is None:
            continue
        master = masters[name]
        given[role] = master.pixels
        given[f"{role}_name"] = master.file
        given[f"{role}_pedestal_dn"] = master.pedestal_dn
        if role != "bias":
            given[f"{role}_cfa"] = master.info.cfa
            given[f"{role}_exposure_s"] = master.job.exposure_s
    return prepare_calibration(
        Masters(dark_contains_bias=assignment.dark_holds_bias, **given),
        settings.model_copy(update={"dark_scaling": assignment.dark_scaling}),
        height=target.height,
        width=target.width,
        channels=target.channels,
        cfa=target.cfa,
        allow_nothing=True,
    )
