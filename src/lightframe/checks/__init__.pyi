from ._anomalies import ANOMALIES
from ._cameras import KnownCamera, camera_of
from ._catalogue import MODULES
from ._consequences import CONSEQUENCES, without_consequences
from ._evidence_frame import FrameEvidence, measure_frame, read_plane
from ._evidence_ledger import Ledger, make_ledger
from ._evidence_levels import Levels
from ._evidence_session import SessionEvidence, Use
from ._evidence_sets import SetEvidence, describe_set
from ._explain import rule_facts, rule_page, rule_pages
from ._finding import Finding, Group, Severity
from ._judging import judge_session
from ._numbers import counted, number
from ._pictures import (
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
from ._plan_records import PlanRecord
from ._refusal import Refusal
from ._result_consequences import RESULT_CONSEQUENCES
from ._result_evidence import (
    CalibratedSet,
    LightEvidence,
    LightViews,
    ResultEvidence,
)
from ._result_judging import judge_results
from ._rules import RULES, Rule, judge
from ._sensor import FIGURES, SensorReport, characterize
from ._sensor_figure import Figure
from ._sensor_priors import measured_wins
from ._sensor_setup import why_left_out
from ._sensor_verdict import Remark, State
from ._settings import CheckSettings

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
    "Refusal",
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
    "counted",
    "describe_set",
    "judge",
    "judge_results",
    "judge_session",
    "make_ledger",
    "measure_frame",
    "measured_wins",
    "number",
    "picture_as_dict",
    "picture_from_dict",
    "read_plane",
    "rule_facts",
    "rule_page",
    "rule_pages",
    "why_left_out",
    "without_consequences",
]
