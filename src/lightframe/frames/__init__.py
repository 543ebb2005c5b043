"""Frames: what headers say, and the pixels of FITS, XISF and camera-raw files."""
