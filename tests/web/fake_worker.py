"""A worker process over fakes, for the supervisor to start."""

import sys

from web_fakes import open_fake

from arthur.web.worker import run

if __name__ == "__main__":
    sys.exit(run(open_fake))
