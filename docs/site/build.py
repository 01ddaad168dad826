"""Makes the documentation site: `make docs`.

The pages are the Markdown files of the repository, staged with their folders and pictures, and a reference that is
written from the code: every command (typer), every setting (settings-doc), every route (the OpenAPI document), every
public name of the client (mkdocstrings). MkDocs then builds strictly: a link or an anchor that leads nowhere, or a
page that the navigation leaves out, ends it with status 1.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / ".site" / "pages"
SHOWN = ("*.md", "*.png", "*.svg", "clients/typescript/example")
LEFT_OUT = ("tests/", "python/")  # pictures that no page shows

API = """# Every route

The OpenAPI document, as each server gives it at `/openapi.json`; [the HTTP API](../docs/http.md) explains it.

<swagger-ui src="openapi.json"/>
"""
SETTINGS = """# Every setting

In `arthur.toml` without the prefix and in small letters: `max_false_accept = 0.001`. Variables win over the file,
options of a command over both.

"""
SETTINGS_FROM_CODE = (
    *("-c", "import settings_doc.main as main; main.app()"),
    *("generate", "--class", "arthur.config.Settings", "--output-format", "markdown", "--heading-offset", "1"),
)
CLIENT = """# Every name of the client

`arthur.client`; [the Python client](../docs/client.md) shows how it is used.

::: arthur.client
"""


def main() -> None:
    """Stage the pages, write the reference, build the site under `.site/html`."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for name in sources():
        place = PAGES / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, place)
    write_reference(PAGES / "reference")
    python("-m", "mkdocs", "build", "--config-file", "docs/site/mkdocs.yml")
    print("open .site/html/index.html")


def sources() -> list[str]:
    """Return the pages and their pictures, relative to the repository, also those that are not committed yet."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *SHOWN]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in names if not name.startswith(LEFT_OUT) and (ROOT / name).is_file()]


def write_reference(folder: Path) -> None:
    """Write what is read from the code: commands, settings, routes, the client."""
    folder.mkdir()
    commands = python(
        "-m", "typer", "arthur.cli", "utils", "docs", "--name", "arthur", "--title", "Every command and option"
    )
    (folder / "cli.md").write_text(commands)
    (folder / "settings.md").write_text(SETTINGS + python(*SETTINGS_FROM_CODE).replace(", default value: ``", ""))
    (folder / "openapi.json").write_text(python("-m", "arthur", "openapi"))
    (folder / "api.md").write_text(API)
    (folder / "client.md").write_text(CLIENT)


def python(*words: str) -> str:
    """Return what Python prints when it is called with `words`; when it fails we end as it did."""
    done = subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    main()
