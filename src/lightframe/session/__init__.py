"""A session: from folders of frames to a plan, and from the plan to the results."""

from lightframe.session._calibrator import Calibrator, MasterFiles
from lightframe.session._check import Check, check, check_session
from lightframe.session._integrated_file import IntegratedFile
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
from lightframe.session._progress import Progress, Silent
from lightframe.session._records import unknown_light
from lightframe.session._resources import default_memory_bytes, default_threads
from lightframe.session._run import Outcome, plan_run, run
from lightframe.session._scan import OWN_FOLDER, Refusal, Scan, scan
from lightframe.session._sensor import SensorSurvey, survey_sensors
from lightframe.session._settings import RunSettings
from lightframe.session._stack_files import StackOptions
from lightframe.session._steps import Batch, Bench, Failure
from lightframe.session._steps_calibrate import CalibratedFile, calibrate_files
from lightframe.session._steps_cosmetic import (
    CorrectedFile,
    DebayeredFile,
    correct_files,
    debayer_files,
)
from lightframe.session._steps_dark_scaling import (
    DarkComparison,
    DarkTrial,
    compare_dark_scaling,
)
from lightframe.session._steps_integrate import FileTraces, integrate_files, trace_files
from lightframe.session._steps_master import FlatCalibration, MasterFile, make_master
from lightframe.session._steps_measure import MeasuredFile, measure_files
from lightframe.session._steps_output import OUTPUT_FORMATS, OutputSettings, Written
from lightframe.session._steps_register import RegisteredFile, register_files
from lightframe.session._steps_stats import FileStatistics, stats_files, stretch_file

__all__ = [
    "OUTPUT_FORMATS",
    "OWN_FOLDER",
    "Assignment",
    "Batch",
    "Bench",
    "CalibratedFile",
    "Calibrator",
    "Check",
    "CorrectedFile",
    "DarkComparison",
    "DarkTrial",
    "DebayeredFile",
    "Failure",
    "FileStatistics",
    "FileTraces",
    "FlatCalibration",
    "IntegratedFile",
    "LightGroup",
    "MasterFile",
    "MasterFiles",
    "MasterJob",
    "Match",
    "MatchSettings",
    "MeasuredFile",
    "Outcome",
    "OutputSettings",
    "Plan",
    "Progress",
    "Refusal",
    "RegisteredFile",
    "RunSettings",
    "Scan",
    "SensorSurvey",
    "Silent",
    "StackOptions",
    "Unused",
    "Written",
    "calibrate_files",
    "check",
    "check_session",
    "compare_dark_scaling",
    "correct_files",
    "debayer_files",
    "default_memory_bytes",
    "default_threads",
    "integrate_files",
    "make_master",
    "make_plan",
    "measure_files",
    "plan_run",
    "register_files",
    "run",
    "scan",
    "stats_files",
    "stretch_file",
    "survey_sensors",
    "trace_files",
    "unknown_light",
]
