"""Rules on the colours of X-Trans mosaics."""

from collections.abc import Iterator

import numpy as np

from lightframe.checks._evidence_colour_rules import bright_flats
from lightframe.checks._evidence_session import SessionEvidence
from lightframe.checks._evidence_sets import SetEvidence
from lightframe.checks._evidence_tools import dark_reference, rounded
from lightframe.checks._evidence_x_trans import colour_fit, light_by_six, shown_x_trans
from lightframe.checks._finding import Finding
from lightframe.checks._numbers import counted
from lightframe.checks._pictures import Axis, TileMap, table
from lightframe.checks._rules import found, witness
from lightframe.frames import CfaPattern

__all__: list[str] = []

_CROSSTALK = 2.0
"""Phases of one X-Trans colour differ by so many times more than those of a Bayer colour."""
_CLEARLY = 3.0
_SIX = 6


def _shown(
    evidence: SessionEvidence,
) -> Iterator[tuple[SetEvidence, tuple[CfaPattern, ...], list[float]]]:
    """Yield flats that show X-Trans, what they may show, and their light by phases."""
    settings = evidence.settings
    for flats, _ in bright_flats(evidence):
        light = light_by_six(flats, dark_reference(evidence, flats))
        shown = shown_x_trans(
            light, equal=_CROSSTALK * settings.cfa_equal, different=settings.cfa_different
        )
        claimed = flats.frames[0].info.cfa
        if not shown:
            continue
        if claimed is not None:
            fit, best = colour_fit(light, claimed), colour_fit(light, shown[0])
            if fit.within < max(_CLEARLY * best.within, 0.5 * settings.cfa_different):
                continue
        yield flats, shown, rounded(light.ravel())


@witness("cfa-pattern-wrong", judges=SessionEvidence, thresholds=("cfa_equal", "cfa_different"))
def x_trans_contradicts_flats(evidence: SessionEvidence) -> Iterator[Finding]:
    """Compare the pattern of the header with flats of X-Trans mosaics, of 6 x 6 pixels.

    The 36 phases of the cell must fall into three groups of 8, 20 and 8. If they do so with another
    pattern than that of the header - one shifted by a crop, stored upside down, or of 2 x 2 pixels
    - the header is wrong.

    Example: BAYERPAT is RGGB, but of the 36 phases of the flats 8, 20 and 8 are alike.
    """
    for flats, shown, light in _shown(evidence):
        claimed = flats.frames[0].info.cfa
        if claimed is None:
            continue
        alike = [f.path for f in evidence.frames() if f.info.cfa == claimed]
        said = "another shift of it" if claimed.period == _SIX else claimed.name
        yield found(
            "cfa-pattern-wrong",
            frames=alike,
            message=f"{flats.label} show an X-Trans mosaic that begins with"
            f" {' or '.join(pattern.rows[0] for pattern in shown)}, but the headers claim {said}",
            cause="rows are stored in the opposite order, the frame was cropped by a number of"
            " pixels that is no multiple of 6, or the program knows no X-Trans",
            remedy="correct BAYERPAT (36 letters), or use the camera's own raw files",
            evidence=_numbers(shown, light) | {"claimed": claimed.name},
            picture=_cell(light),
        )


@witness("cfa-pattern-missing", judges=SessionEvidence, thresholds=("cfa_equal", "cfa_different"))
def x_trans_missing(evidence: SessionEvidence) -> Iterator[Finding]:
    """Look for the 6 x 6 cell of X-Trans in flats of frames without a pattern.

    Example: no frame carries a pattern, and of the 36 phases of the flats 8, 20 and 8 are alike.
    """
    for flats, shown, light in _shown(evidence):
        if flats.frames[0].info.cfa is not None:
            continue
        bare = [f.path for f in evidence.frames() if f.info.cfa is None]
        yield found(
            "cfa-pattern-missing",
            frames=bare,
            message=f"{counted(len(bare), 'frame carries', 'frames carry')} no colour pattern, but"
            f" {flats.label} show an X-Trans mosaic that begins with"
            f" {' or '.join(pattern.rows[0] for pattern in shown)}",
            cause="the program knows no X-Trans",
            remedy=f"add the keyword BAYERPAT = {shown[0].name} to the headers, look whether red"
            " and blue come out right, else exchange them; or use the camera's own raw files",
            evidence=_numbers(shown, light),
            picture=_cell(light),
        )


def _numbers(
    shown: tuple[CfaPattern, ...], light: list[float]
) -> dict[str, list[str] | list[float]]:
    return {"candidates": [pattern.name for pattern in shown], "light_by_phase": light}


def _cell(light: list[float]) -> TileMap:
    return TileMap(
        title="Light of the flats in the cell of 6 x 6 pixels",
        caption="Three shades: green is the one that 20 of the 36 pixels have.",
        value=Axis("difference from the mean", "%"),
        values=table(100.0 * (np.reshape(light, (_SIX, _SIX)) - 1.0), 3),
    )
