"""Frames: what headers say, and the pixels of FITS, XISF and camera-raw files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
