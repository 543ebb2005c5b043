from ._batch import Batch, Failure, read_infos
from ._calibrator import Calibrator, MasterFiles
from ._check import Check, check
from ._defect_list import read_defect_list
from ._hashes import Hashing
from ._integrated_file import IntegratedFile
from ._json_values import plain
from ._match_settings import MatchSettings
from ._outcome import Outcome
from ._plan import make_plan
from ._plan_types import (
    Assignment,
    LightGroup,
    MasterJob,
    Match,
    Plan,
    Unused,
)
from ._progress import Progress, Silent
from ._records import unknown_light
from ._resources import default_memory_bytes, default_threads
from ._run import plan_run, run
from ._scan import OWN_FOLDER, Scan, scan
from ._sensor import SensorSurvey, survey_sensors
from ._settings import RunSettings
from ._stack_files import StackOptions
from ._steps import Bench
from ._steps_calibrate import CalibratedFile, calibrate_files
from ._steps_cosmetic import CorrectedFile, correct_files
from ._steps_dark_scaling import (
    DarkComparison,
    DarkTrial,
    compare_dark_scaling,
)
from ._steps_debayer import DebayeredFile, debayer_files
from ._steps_integrate import FileTraces, integrate_files, trace_files
from ._steps_master import FlatCalibration, MasterFile, make_master
from ._steps_measure import MeasuredFile, measure_files
from ._steps_output import OUTPUT_FORMATS, OutputSettings, Written
from ._steps_register import RegisteredFile, register_files
from ._steps_stats import FileStatistics, stats_files
from ._steps_stretch import stretch_file

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
    "Hashing",
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
    "compare_dark_scaling",
    "correct_files",
    "debayer_files",
    "default_memory_bytes",
    "default_threads",
    "integrate_files",
    "make_master",
    "make_plan",
    "measure_files",
    "plain",
    "plan_run",
    "read_defect_list",
    "read_infos",
    "register_files",
    "run",
    "scan",
    "stats_files",
    "stretch_file",
    "survey_sensors",
    "trace_files",
    "unknown_light",
]
