"""Checks: evidence -> findings. Each rule is a function, entered by name into a catalogue."""

from lightframe.checks._anomalies import ANOMALIES
from lightframe.checks._cameras import KnownCamera, camera_of
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
from lightframe.checks._result_evidence import (
    CalibratedSet,
    LightEvidence,
    LightViews,
    ResultEvidence,
)
from lightframe.checks._result_judging import judge_results
from lightframe.checks._rules import RULES, Rule, judge
from lightframe.checks._sensor import FIGURES, SensorReport, characterize
from lightframe.checks._sensor_figure import Figure
from lightframe.checks._sensor_priors import measured_wins
from lightframe.checks._sensor_setup import why_left_out
from lightframe.checks._sensor_verdict import Remark, State
from lightframe.checks._settings import CheckSettings

__all__ = [
    "ANOMALIES",
    "CONSEQUENCES",
    "FIGURES",
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
    "Figure",
    "Finding",
    "FrameChart",
    "FrameEvidence",
    "Group",
    "Histogram",
    "KnownCamera",
    "Ledger",
    "Levels",
    "LightEvidence",
    "LightViews",
    "Line",
    "Mark",
    "Panels",
    "Picture",
    "PlanRecord",
    "Points",
    "Profile",
    "Remark",
    "ResultEvidence",
    "Row",
    "Rule",
    "Scatter",
    "SensorReport",
    "SessionEvidence",
    "SetEvidence",
    "Severity",
    "State",
    "TileMap",
    "Use",
    "camera_of",
    "characterize",
    "describe_set",
    "judge",
    "judge_results",
    "judge_session",
    "make_ledger",
    "measure_frame",
    "measured_wins",
    "picture_as_dict",
    "picture_from_dict",
    "read_plane",
    "why_left_out",
    "without_consequences",
]
