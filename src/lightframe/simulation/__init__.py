"""A camera, a telescope and a sky that are not there: sessions of raw frames with a known truth."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
