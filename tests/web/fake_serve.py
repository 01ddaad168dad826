"""`arthur serve` with workers over fakes: the settings come as JSON on the command line."""

import json
import sys
from pathlib import Path

from arthur.config import load_settings
from arthur.errors import ArthurError
from arthur.web.serve import serve

if __name__ == "__main__":
    worker = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
    try:
        sys.exit(serve(load_settings(**json.loads(sys.argv[1])), command=worker))
    except ArthurError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
