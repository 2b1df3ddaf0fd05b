"""``python -m pixmill`` is the command ``pixmill``."""

import sys

from pixmill.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
