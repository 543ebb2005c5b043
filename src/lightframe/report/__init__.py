"""The reports: self-contained HTML pages, made from run.json, or from what a check has found."""

from lightframe.report._check_page import write_check_report
from lightframe.report._page import write_report

__all__ = ["write_check_report", "write_report"]
