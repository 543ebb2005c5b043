"""Write a session: raw frames as a capture program would, and the truth beside them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from lightframe.errors import SettingsError
from lightframe.frames import SETTINGS_SUFFIX, Header
from lightframe.frames._scratch import storage_error
from lightframe.simulation._camera import Camera, build_camera
from lightframe.simulation._camera_raw_file import write_dng
from lightframe.simulation._capture import frame_header, sidecar_text
from lightframe.simulation._schedule import schedule
from lightframe.simulation._session import Session
from lightframe.simulation._shots import FOLDERS, Shot
from lightframe.simulation._truth import Truth
from lightframe.simulation._truth_files import TRUTH_FOLDER, save_truth

__all__ = ["simulate_session"]


def simulate_session(
    directory: Path,
    session: Session,
    *,
    threads: int = 1,
    advance: Callable[[int], None] | None = None,
) -> Truth:
    """Write all frames of a session, and its truth, into a folder.

    Parameters
    ----------
    directory : Path
        Made if it does not exist. Gets ``lights``, ``darks``, ``flats``, ``flat-darks``, ``bias``
        (those that have frames) and ``truth``.
    session : Session
        What to simulate. The same settings give the same files, whatever the number of threads.
    threads : int
        Frames made at the same time; each takes about 10 bytes a pixel.
    advance : callable, optional
        Called with the number of frames newly finished, from worker threads.

    Raises
    ------
    SettingsError
        If the folder already holds a session or cannot be written to, or two frames would get the
        same name.
    """
    taken = [name for name in (*FOLDERS.values(), TRUTH_FOLDER) if (directory / name).exists()]
    if taken:
        raise SettingsError(
            f"already holds {', '.join(taken)}",
            where=directory,
            remedy="name a new folder: frames of two sessions must not be mixed",
        )
    shots = schedule(session)
    _check_names(shots)
    camera = build_camera(session, shots)
    # The folder of the truth comes first: it tells an unfinished session from anybody's frames.
    for folder in (Path(TRUTH_FOLDER), *{Path(shot.path).parent for shot in shots}):
        try:
            (directory / folder).mkdir(parents=True)
        except OSError as error:
            raise storage_error(error, directory) from error

    def make(shot: Shot) -> npt.NDArray[np.int64]:
        struck = _write_frame(camera, shot, directory / shot.path)
        if advance is not None:
            advance(1)
        return struck

    with ThreadPoolExecutor(threads) as pool:
        struck = list(pool.map(make, shots))
    for place, fault in enumerate(session.faults):
        touched = [shot for shot in shots if place in shot.faults]
        fault.change_folder(directory, touched, session.sensor)
    truth = _truth(camera, shots, struck)
    save_truth(truth, directory)
    return truth


def _check_names(shots: tuple[Shot, ...]) -> None:
    paths = [shot.path for shot in shots]
    if len(set(paths)) != len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise SettingsError(
            f"two frames would be written to {twice}",
            cause="the names of this capture program do not tell them apart",
            remedy="choose another capture program or other exposures",
        )


def _write_frame(camera: Camera, shot: Shot, path: Path) -> npt.NDArray[np.int64]:
    """Make and write one frame; return the pixels that cosmic rays hit."""
    exposed = camera.expose(shot)
    faults = [camera.session.faults[place] for place in shot.faults]
    if shot.container == "dng":
        write_dng(path, exposed.raw, shot, camera.session.sensor)
    else:
        header = frame_header(camera.session, shot)
        for fault in faults:
            header = fault.change_header(header)
        write_raw(path, exposed.raw, header)
    settings = sidecar_text(camera.session, shot)
    if settings is not None:
        path.with_name(path.stem + SETTINGS_SUFFIX).write_text(settings, encoding="utf-8")
    for fault in faults:
        fault.change_file(path)
    return exposed.struck


def write_raw(path: Path, raw: npt.NDArray[np.uint16], header: Header) -> None:
    """Write unsigned 16-bit pixels as FITS with BZERO 32768, with nothing added to the header.

    Capture programs write neither checksums nor long strings nor a DNSCALE, hence not the writer
    of results.
    """
    unit = fits.PrimaryHDU(raw)
    for card in header:
        unit.header.append((card.keyword, card.value, card.comment), end=True)
    unit.writeto(path)


def _truth(camera: Camera, shots: tuple[Shot, ...], struck: list[npt.NDArray[np.int64]]) -> Truth:
    patterns = camera.patterns[camera.session.sensor.serial]
    return Truth(
        session=camera.session,
        frames=shots,
        scene=camera.scene,
        illumination=camera.illumination,
        response=patterns.response,
        dark_e_s=patterns.dark_e_s,
        hot=patterns.hot,
        cold=patterns.cold,
        struck={shot.path: pixels for shot, pixels in zip(shots, struck, strict=True)},
    )
