"""Lightframe: raw frames of the night sky to a calibrated, registered, integrated image.

The names below are the ones most programs need. All others are in the sub-packages:
`lightframe.frames`, `lightframe.processes`, `lightframe.checks`, `lightframe.session`,
`lightframe.simulation`. A name is imported when it is first used: which names there are, and where
they come from, is in the stub ``__init__.pyi`` beside each ``__init__.py``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
