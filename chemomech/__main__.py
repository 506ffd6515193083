"""``python -m chemomech`` is the command ``chemomech``."""

import sys

from chemomech.cli import main

sys.exit(main())
