"""Save the truth of a session beside it, and read it back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from pydantic import ValidationError

from lightframe.errors import UnreadableFileError
from lightframe.simulation._session import Session
from lightframe.simulation._shots import Shot
from lightframe.simulation._sky import Scene
from lightframe.simulation._truth import Truth

__all__ = ["TRUTH_FOLDER", "load_truth", "save_truth"]

TRUTH_FOLDER = "truth"
"""Folder of the truth beside the session's frames."""

_VERSION = 1


def save_truth(truth: Truth, directory: Path) -> None:
    """Write ``truth/truth.json`` (settings, frames) and ``truth/truth.fits`` (images, lists).

    The primary image holds the ideal sky in electrons per second on the reference grid, one plane
    a channel, filter after filter; extensions hold the flats, the maps of the sensor, the scene,
    and the pixels that cosmic rays hit.
    """
    folder = directory / TRUTH_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    session = truth.session
    text = {
        "version": _VERSION,
        "session": session.model_dump(mode="json"),
        "e_per_dn": truth.e_per_dn,
        "bias_level_dn": truth.bias_level_dn,
        "frames": [
            shot.model_dump(mode="json")
            | {"transform": shot.pointing.matrix(*session.sensor.shape).tolist()}
            for shot in truth.frames
        ],
    }
    (folder / "truth.json").write_text(json.dumps(text, indent=1), encoding="utf-8")
    primary = fits.PrimaryHDU(
        np.concatenate([truth.image(filter_.name) for filter_ in session.filters])
    )
    channels = [name for filter_ in session.filters for name in truth.channels(filter_.name)]
    for number, name in enumerate(channels, start=1):
        primary.header[f"CHAN{number}"] = (name, "channel of this plane")
    primary.header["BUNIT"] = "electron/s"
    maps = _lists(truth) | {
        f"ILLUMINATION{index}": shadow for index, shadow in enumerate(truth.illumination)
    }
    extensions = [fits.ImageHDU(array, name=name) for name, array in maps.items()]
    fits.HDUList([primary, *extensions]).writeto(folder / "truth.fits", overwrite=True)


def load_truth(directory: Path) -> Truth:
    """Read what `save_truth` wrote.

    Parameters
    ----------
    directory : Path
        The session's folder, or its folder ``truth``.

    Raises
    ------
    UnreadableFileError
        If there is no truth, or it was written by another version.
    """
    folder = directory / TRUTH_FOLDER
    if not folder.is_dir():
        folder = directory
    session, frames = _load_session(folder / "truth.json")
    with _open_images(folder / "truth.fits") as units:
        return Truth(
            session=session,
            frames=frames,
            scene=Scene(
                positions=_array(units["POSITIONS"], np.float64),
                flux=_array(units["FLUX"], np.float64),
                diffuse=_array(units["DIFFUSE"], np.float32),
                grid=_array(units["GRID"], np.float64),
                sky=np.array(session.sky.brightness_e_s),
            ),
            illumination=tuple(
                _array(units[f"ILLUMINATION{index}"], np.float32)
                for index in range(len(session.filters))
            ),
            response=_array(units["RESPONSE"], np.float32),
            dark_e_s=_array(units["DARK"], np.float32),
            hot=_array(units["HOT"], np.int64),
            cold=_array(units["COLD"], np.int64),
            struck=_unpack(frames, _array(units["STRUCK"], np.int64)),
        )


def _load_session(path: Path) -> tuple[Session, tuple[Shot, ...]]:
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        if text["version"] != _VERSION:
            raise UnreadableFileError(f"has version {text['version']}, not {_VERSION}", where=path)
        session = Session.model_validate(text["session"])
        return session, tuple(
            Shot.model_validate(_without_transform(frame)) for frame in text["frames"]
        )
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise UnreadableFileError(
            f"holds no truth of a simulated session ({error})",
            where=path,
            remedy="name a folder that `lightframe simulate` has written",
        ) from error


def _open_images(path: Path) -> fits.HDUList:
    try:
        return fits.open(path, memmap=False)
    except OSError as error:
        raise UnreadableFileError(
            f"the images of the truth cannot be read ({error.strerror or error})",
            where=path,
            cause="the simulation was broken off, or the file was removed",
            remedy="simulate the session again",
        ) from error


def _lists(truth: Truth) -> dict[str, npt.NDArray[Any]]:
    scene = truth.scene
    numbers = {shot.path: number for number, shot in enumerate(truth.frames)}
    struck = [
        np.column_stack([np.full(pixels.size, numbers[path]), pixels])
        for path, pixels in truth.struck.items()
    ]
    return {
        "RESPONSE": truth.response,
        "DARK": truth.dark_e_s,
        "HOT": truth.hot,
        "COLD": truth.cold,
        "POSITIONS": scene.positions,
        "FLUX": scene.flux,
        "DIFFUSE": scene.diffuse,
        "GRID": scene.grid,
        "STRUCK": np.concatenate([np.empty((0, 2), np.int64), *struck]).astype(np.int64),
    }


def _unpack(
    frames: tuple[Shot, ...], struck: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.int64]]:
    pairs = struck.reshape(-1, 2)
    return {
        shot.path: np.ascontiguousarray(pairs[pairs[:, 0] == number, 1])
        for number, shot in enumerate(frames)
    }


def _without_transform(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in frame.items() if name != "transform"}


def _array(unit: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:  # noqa: ANN401 - astropy is untyped
    """Return the pixels of a FITS unit in native order; an empty list comes back as None."""
    return np.empty(0, dtype) if unit.data is None else np.ascontiguousarray(unit.data, dtype)
