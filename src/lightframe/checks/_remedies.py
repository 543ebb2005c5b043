"""What to do about each finding, in general: for its page; a finding itself has its own numbers."""

__all__ = ["REMEDIES"]

_AS_LIGHTS = "Take calibration frames with the {} of the lights"
_WRONG_HEADER = 'If only a header is wrong, set `match.ignored_quantities = "{}"`.'
_NEW_FLATS = "Take flats right after the lights, with nothing touched in between."

REMEDIES: dict[str, str] = {
    "unreadable-file": "Copy the file again from the capture computer, or leave it out.",
    "already-calibrated": "Give the raw frames instead. If there are no others, set"
    ' `match.calibrated_frames = "use"`.',
    "camera-mismatch": f"{_AS_LIGHTS.format('camera')}. If it is the same camera under another"
    ' name, set `match.ignored_quantities = "camera"`.',
    "format-mismatch": "Save all frames in one format, best all by the capture program.",
    "binning-mismatch": f"{_AS_LIGHTS.format('binning')}.",
    "geometry-mismatch": f"{_AS_LIGHTS.format('full size')}.",
    "readout-mode-mismatch": f"{_AS_LIGHTS.format('readout mode')}."
    f" {_WRONG_HEADER.format('readout-mode')}",
    "gain-mismatch": f"{_AS_LIGHTS.format('gain')}. {_WRONG_HEADER.format('gain')}",
    "offset-mismatch": f"{_AS_LIGHTS.format('offset')}, by the same program."
    f" {_WRONG_HEADER.format('offset')}",
    "cfa-pattern-wrong": "Correct BAYERPAT, ROWORDER, XBAYROFF or YBAYROFF in the headers.",
    "frame-flipped": "Take all frames with one program, or turn those of the other one back.",
    "dark-exposure-mismatch": "Take darks of the exposure of the lights; or bias frames, so that"
    " longer darks can be scaled.",
    "dark-shorter-than-light": "Take darks at least as long as the longest light. To accept their"
    " noise, set `match.allow_dark_scale_up = true`.",
    "dark-temperature-mismatch": "Take darks at the temperature of the lights; or bias frames, so"
    " that the dark can be scaled.",
    "flat-dark-exposure-mismatch": "Take flat-darks of the exposure of the flats, or bias frames.",
    "flats-uncalibrated": "Take flat-darks of the exposure of the flats, or bias frames.",
    "flat-filter-missing": "Take flats with this filter. If it is the same filter under another"
    ' name, declare it: `match.filter_aliases = "Lum-2=L"`.',
    "flat-geometry-changed": "Take flats with the light path of the lights: same focus, rotation,"
    " telescope and night.",
    "no-dark": "Take darks with the exposure, temperature, gain and offset of the lights. Cosmetic"
    " correction and dithering help in the meantime.",
    "no-flat": "Take flats with the unchanged light path, one set for each filter.",
    "too-few-frames": "Take at least 10 frames of each kind, better 20 and more, and dither between"
    " the lights.",
    "double-bias-subtraction": "Leave `calibration.calibrate_dark` unset: the bias is then"
    " subtracted exactly once.",
    "bias-never-subtracted": "Give bias frames, or darks that still hold their bias, and set"
    ' `match.use_bias = "auto"`.',
    "bias-not-recommended": "Take flat-darks instead, or bias frames of 0.3 s.",
    "duplicate-frame": "Delete all but one of the copies.",
    "unsigned-offset-wrong": "Take the files as the capture program wrote them, or repair BZERO.",
    "units-mismatch": "Save the master anew as 16-bit integers, or as floats between 0 and 1.",
    "frame-type-mislabelled": "Move the frames to the folder of their kind, or correct IMAGETYP in"
    " their headers.",
    "mixed-scaling": "Take all frames with the same driver, program and format.",
    "software-mismatch": "Take all frames with the same program.",
    "gain-label-wrong": "Take the frames again with the gain of the others; or correct the header.",
    "hot-pixel-mismatch": "Take darks with the exposure and temperature of the lights; or bias"
    " frames, so that the dark can be optimised.",
    "stale-dark": "Take new darks: hot pixels come with the months.",
    "cfa-pattern-missing": "Add BAYERPAT to the headers, and look whether red and blue come out"
    " right.",
    "cfa-on-mono": "Remove BAYERPAT from the headers.",
    "white-balance-scaled": "Set the white balance of the driver to neutral (WB_R and WB_B to 50),"
    " and take all frames again; or use the ASCOM driver.",
    "bias-unstable": "Take flat-darks and darks of the exposures of flats and lights instead of"
    " bias frames, or bias frames of 0.3 s.",
    "black-clipped": "Raise the offset until no pixel of a bias frame lies at the lowest value, and"
    " take lights and calibration frames again.",
    "dark-light-leak": "Take the darks again in a dark place, with a cap of metal or aluminium"
    " foil.",
    "dark-inconsistent": "Leave the frames that are named out, or take them again.",
    "flat-dark-needed": "Take flat-darks of the exposure of the flats.",
    "filtered-raw": "Switch off noise reduction and hot-pixel removal in the camera or driver.",
    "master-dark-precalibrated": "Integrate the raw darks anew, without subtracting anything; or"
    " give the raw darks instead of the master.",
    "master-dark-clipped": "Integrate the raw darks anew, without subtracting anything.",
    "flat-saturated": "Expose flats to about half of the saturation level.",
    "flat-underexposed": "Expose flats to about half of the saturation level.",
    "flat-weak-channel": "Use whiter light, or expose longer, as far as the strongest colour"
    " allows.",
    "flat-banding": "Expose flats for a second and more, and dim with paper instead of"
    " electronics.",
    "flat-inconsistent": "Leave the flats that are named out, or take them again.",
    "flat-shutter-pattern": "Use only the longest flats, or take flats of a second and more.",
    "stars-in-flat": "Take sky flats earlier, with the drive stopped in between; or use a panel.",
    "over-correction": "Remove the cause that the finding names. As a rule: take darks and"
    " flat-darks with the settings of lights and flats, and give flats as they come from the"
    " camera.",
    "under-correction": "Remove the cause that the finding names. As a rule: calibrate flats with"
    " flat-darks of their own exposure, keep stray light away from them, and give raw darks instead"
    " of calibrated masters.",
    "clipped-result": "Compare the levels of lights, darks and bias. Where the noise alone reaches"
    " below zero, nothing is wrong; integer files then need a pedestal.",
    "pedestal-subtracted": 'Set `calibration.input_pedestal = "none"` if the result goes into'
    " integer files.",
    "undithered": "Dither by some 10 pixels every few lights.",
    "no-dark-correlation": "Use raw darks of this camera, taken with the program that took the"
    " lights.",
    "dark-scale-disagrees": "Compare hot pixels of lights and darks, and take darks again.",
    "bad-light": "Look at the frame, and leave it out if it is as bad as that.",
    "residual-pattern": "Take darks and flats again with the camera as it was for the lights.",
    "dust-embossed": f"{_NEW_FLATS} Filter wheels that turn one way only come back to the same"
    " place.",
    "dark-scaling-with-glow": "Take darks of the exposure and temperature of the lights, and set"
    ' `match.dark_scaling = "none"`.',
    "residual-glow": "Take darks of the exposure and temperature of the lights.",
}
"""One sentence or two for each rule."""
