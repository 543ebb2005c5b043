"""Which findings have a picture, and of what: the table of the documentation."""

__all__ = ["SHOWN"]

_LEVEL_WITHOUT_LIGHT = "interval of the level without light that each set implies"
_BY_ORIENTATION = (
    "hot pixels of the dark, or sensitivities of the flats' pixels, found in the lights, by"
    " orientation"
)
_SLOPE = "hot pixels of lights against the dark's, with the slope found and the one expected"
_LIGHT_BY_PHASE = "light of the flats at the places of the 2x2 cell, or of the 6x6 cell of X-Trans"
_COMB = "values that occur around the median, as combs"
_AGAINST_FLAT = (
    "tiles of the background against 1 / flat with the line found, what follows the flat against"
    " the sky of each light, map of the background"
)

SHOWN: dict[str, str] = {
    "already-calibrated": f"histogram at zero, or {_LEVEL_WITHOUT_LIGHT}",
    "camera-mismatch": _BY_ORIENTATION,
    "format-mismatch": _COMB,
    "binning-mismatch": "level and noise of both sets",
    "offset-mismatch": _LEVEL_WITHOUT_LIGHT,
    "software-mismatch": _LEVEL_WITHOUT_LIGHT,
    "cfa-pattern-wrong": _LIGHT_BY_PHASE,
    "cfa-pattern-missing": _LIGHT_BY_PHASE,
    "cfa-on-mono": _LIGHT_BY_PHASE,
    "frame-flipped": _BY_ORIENTATION,
    "dark-temperature-mismatch": _SLOPE,
    "unsigned-offset-wrong": "level as it is and repaired, beside those of all sets",
    "units-mismatch": "values of the master beside the levels of all sets",
    "frame-type-mislabelled": "level of the frame beside those of all sets",
    "mixed-scaling": _COMB,
    "gain-label-wrong": "measured gain, or noise, of the sets; noise and hot pixels by frame",
    "hot-pixel-mismatch": _SLOPE,
    "stale-dark": f"{_SLOPE}, and those that the dark does not know",
    "white-balance-scaled": f"{_COMB}, one for each place of the 2x2 cell",
    "bias-unstable": "level by frame, map of the steepest gradient",
    "black-clipped": "histogram at the lowest value",
    "dark-light-leak": "map of the structure that differs most, its size by frame",
    "dark-inconsistent": "level, noise or hot pixels by frame; rows of a torn frame",
    "flat-dark-needed": "map of the dark signal as a part of the light",
    "filtered-raw": "pixels above all their neighbours, against those in noise",
    "master-dark-precalibrated": "level of the master beside those of all sets",
    "master-dark-clipped": "histogram at the lowest value",
    "flat-saturated": "histogram of the colours with limit and saturation",
    "flat-underexposed": "histogram of the colours in the range",
    "flat-weak-channel": "histogram of the colours in the range",
    "flat-banding": "row profiles of the flats with the strongest bands",
    "flat-inconsistent": "map of the worst flat over the set's, deviation by frame",
    "flat-shutter-pattern": "map of short flats over long ones",
    "stars-in-flat": "places of stars in the first flats",
    "over-correction": _AGAINST_FLAT,
    "under-correction": _AGAINST_FLAT,
    "clipped-result": "histogram of calibrated pixels around zero",
    "pedestal-subtracted": "histogram of calibrated pixels around zero",
    "undithered": "path of the field from light to light",
    "no-dark-correlation": "dark scaling factor by light, with its error",
    "dark-scale-disagrees": "dark scaling factor by light, against the ratio of exposures",
    "bad-light": "what is wrong with the light, beside the others of its group; its level beside"
    " those of all sets",
    "residual-pattern": "pixels of one half of the lights against the other half",
    "dust-embossed": "correlation of dust shadows at each shift",
    "dark-scaling-with-glow": "map of the dark's glow",
    "residual-glow": "map of what is left in the lights, map of the dark's glow",
}
"""What pictures show, by rule; findings of headers and settings alone have none."""
