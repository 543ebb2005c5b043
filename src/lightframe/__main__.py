"""``python -m lightframe``."""

from lightframe.cli import program

program()
