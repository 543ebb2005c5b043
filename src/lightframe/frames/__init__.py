"""Frames: what headers say, and the pixels of FITS, XISF and camera-raw files."""

from lightframe.frames._fits_write import WriteReport, write_fits

__all__ = ["WriteReport", "write_fits"]
