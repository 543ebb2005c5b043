"""The command line: words in, tables, pictures and exit codes out."""

from lightframe.cli._main import main

__all__ = ["main"]
