"""A session: from folders of frames to a plan, and from the plan to the results."""

from lightframe.session._match_settings import MatchSettings
from lightframe.session._plan import make_plan
from lightframe.session._plan_types import (
    Assignment,
    LightGroup,
    MasterJob,
    Match,
    Plan,
    Unused,
)
from lightframe.session._scan import Refusal, Scan, scan

__all__ = [
    "Assignment",
    "LightGroup",
    "MasterJob",
    "Match",
    "MatchSettings",
    "Plan",
    "Refusal",
    "Scan",
    "Unused",
    "make_plan",
    "scan",
]
