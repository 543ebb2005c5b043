"""Checks: evidence -> findings. Each rule is a function, entered by name into a catalogue."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
