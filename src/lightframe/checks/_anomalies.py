"""What is odd about cameras, by name: said of known cameras, and of frames that show it."""

from dataclasses import dataclass

from lightframe.tables import Table

__all__ = ["ANOMALIES", "Anomaly"]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An oddity of a camera.

    Attributes
    ----------
    advice : str
        What to do about it.
    """

    advice: str


ANOMALIES: Table[Anomaly] = Table("anomaly")


def _enter(name: str, meaning: str, advice: str) -> None:
    ANOMALIES.enter(name, meaning, Anomaly(advice))


_enter(
    "amplifier-glow",
    "the sensor's own electronics shine into a corner or along an edge",
    "take darks of the lights' exposure and temperature, and do not scale them",
)
_enter(
    "unstable-bias",
    "level and gradient of bias frames change below 0.2 s",
    "take flat-darks instead of bias frames, or bias frames of 0.3 s",
)
_enter(
    "bias-drift",
    "the level of frames without light changes from frame to frame by more than their noise",
    "take calibration frames in the same night as the lights, with the camera settled",
)
_enter(
    "dark-suppression",
    "the hardware subtracts the mean dark current: darks do not rise, but their noise does",
    "take darks of the lights' exposure; do not tell from their level whether they fit",
)
_enter(
    "dark-subtracted",
    "the camera subtracts a dark before it writes its frames",
    "give no darks and no bias frames for these lights",
)
_enter(
    "black-clipping",
    "the lowest offsets cut off the noise of dark pixels",
    "raise the offset until no pixel of a bias frame lies at the lowest value",
)
_enter(
    "coarse-steps",
    "the steps of the ADC are coarser than the read noise, which they hide",
    "raise the gain",
)
_enter(
    "white-balance",
    "the driver may multiply the raw colours by a white balance",
    "set the white balance of the driver to neutral (ZWO: WB_R and WB_B to 50)",
)
_enter(
    "colour-gains",
    "the colours are amplified differently before the ADC",
    "nothing: flats and lights have it alike; reckon with the e-/DN of each colour",
)
_enter(
    "readout-modes",
    "the sensor has readout modes of different gain and noise",
    "take calibration frames in the readout mode of the lights",
)
_enter(
    "binning-modes",
    "binned and unbinned frames come from what are in effect different sensors",
    "take calibration frames with the binning of the lights",
)
_enter(
    "star-eater",
    "the camera filters hot pixels, and small stars with them, out of its raw frames",
    "use the exposure mode that does not filter",
)
_enter(
    "flat-rings",
    "corrections in the camera leave rings of brightness in flats and lights",
    "switch off lens corrections; expose flats to the level of the lights",
)
_enter(
    "masked-pixels",
    "masked columns and rows show the bias level of each frame",
    "leave the masked borders in when they are to be used",
)
