"""A session: from folders of frames to a plan, and from the plan to the results."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
