"""``python -m lightframe``."""

import sys

from lightframe.cli import main

sys.exit(main())
