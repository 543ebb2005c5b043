"""The report: one self-contained HTML page, made from run.json and the previews."""

from lightframe.report._page import write_report

__all__ = ["write_report"]
