from ._check_page import write_check_report
from ._page import write_report

__all__ = ["write_check_report", "write_report"]
