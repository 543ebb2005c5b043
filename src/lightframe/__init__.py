"""Lightframe: raw frames of the night sky to a calibrated, registered, integrated image."""

from lightframe._version import __version__

__all__ = ["__version__"]
