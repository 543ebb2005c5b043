"""A session: from folders of frames to a plan, and from the plan to the results."""

from lightframe.session._scan import Refusal, Scan, scan

__all__ = ["Refusal", "Scan", "scan"]
