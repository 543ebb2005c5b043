"""Checks: evidence -> findings. Each rule is a function, entered by name into a catalogue."""

from lightframe.checks._catalogue import MODULES
from lightframe.checks._consequences import CONSEQUENCES, without_consequences
from lightframe.checks._evidence_frame import FrameEvidence, measure_frame, read_plane
from lightframe.checks._evidence_ledger import Ledger, make_ledger
from lightframe.checks._evidence_levels import Levels
from lightframe.checks._evidence_sets import SessionEvidence, SetEvidence, Use, describe_set
from lightframe.checks._finding import Finding, Group, Severity
from lightframe.checks._judging import judge_session
from lightframe.checks._pictures import (
    Axis,
    Comparison,
    Correlation,
    Counts,
    Curve,
    FrameChart,
    Histogram,
    Line,
    Mark,
    Panels,
    Picture,
    Points,
    Profile,
    Row,
    Scatter,
    TileMap,
    picture_as_dict,
    picture_from_dict,
)
from lightframe.checks._plan_records import PlanRecord
from lightframe.checks._result_consequences import RESULT_CONSEQUENCES
from lightframe.checks._result_evidence import CalibratedSet, LightEvidence, ResultEvidence
from lightframe.checks._result_judging import judge_results
from lightframe.checks._rules import RULES, Rule, judge
from lightframe.checks._settings import CheckSettings

__all__ = [
    "CONSEQUENCES",
    "MODULES",
    "RESULT_CONSEQUENCES",
    "RULES",
    "Axis",
    "CalibratedSet",
    "CheckSettings",
    "Comparison",
    "Correlation",
    "Counts",
    "Curve",
    "Finding",
    "FrameChart",
    "FrameEvidence",
    "Group",
    "Histogram",
    "Ledger",
    "Levels",
    "LightEvidence",
    "Line",
    "Mark",
    "Panels",
    "Picture",
    "PlanRecord",
    "Points",
    "Profile",
    "ResultEvidence",
    "Row",
    "Rule",
    "Scatter",
    "SessionEvidence",
    "SetEvidence",
    "Severity",
    "TileMap",
    "Use",
    "describe_set",
    "judge",
    "judge_results",
    "judge_session",
    "make_ledger",
    "measure_frame",
    "picture_as_dict",
    "picture_from_dict",
    "read_plane",
    "without_consequences",
]
