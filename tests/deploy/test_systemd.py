"""Claims of the systemd units: systemd takes them, and they start and stop what Arthur understands."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from arthur.config import Settings
from tests.deploy.commands import check_command
from tests.service_fixtures import deploy_tool

UNITS = sorted((Path(__file__).parents[2] / "deploy" / "systemd").glob("*.service"))
PROGRAM = "/opt/arthur/bin/arthur"


def service(unit: Path) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser["Service"]


@pytest.mark.service("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace(PROGRAM, str(shutil.which("true"))))
    command = [str(deploy_tool("systemd-analyze")), "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_commands_and_settings_are_those_of_arthur(unit: Path) -> None:
    told = service(unit)
    program, *arguments = shlex.split(told["ExecStart"])
    name, _, folder = told["Environment"].partition("=")
    check_command([Path(program).name, *arguments])
    assert (program, name) == (PROGRAM, "ARTHUR_DATA")
    assert folder == told["WorkingDirectory"] == f"/var/lib/{told['StateDirectory']}"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_stop_leaves_time_to_drain(unit: Path) -> None:
    told = service(unit)
    assert (told["KillSignal"], told["KillMode"]) == ("SIGTERM", "mixed")
    assert int(told["TimeoutStopSec"]) > Settings.model_fields["drain_s"].default
