"""The configuration of a hub: settings that exist, a server that starts with the student's copy."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import PyFileConfigLoader

from course import classroom

pytest.importorskip("jupyterhub", reason="the extra `hub` is not installed")

from course_tests.benchmarks import hub, hub_student

FILE = Path(classroom.__file__).with_name("jupyterhub_config.py")


@pytest.fixture(scope="module")
def config() -> Any:
    """What JupyterHub reads."""
    return PyFileConfigLoader(FILE.name, str(FILE.parent)).load_config()


def test_every_setting_is_one_of_jupyterhub(config: Any) -> None:
    from jupyterhub.app import JupyterHub
    from jupyterhub.auth import Authenticator
    from jupyterhub.spawner import Spawner

    for kind in (JupyterHub, Authenticator, Spawner):
        names = kind.class_trait_names(config=True)
        assert config[kind.__name__] and set(config[kind.__name__]) <= set(names)
    assert set(config) == {"JupyterHub", "Authenticator", "Spawner"}


def test_every_setting_of_the_students_server_is_one(config: Any) -> None:
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

    for argument in config.Spawner.args:
        name, value = argument.removeprefix("--MappingKernelManager.").split("=")
        assert name in MappingKernelManager.class_trait_names(config=True) and value


def test_the_culler_has_its_options_and_its_rights(config: Any) -> None:
    (service,), (role,) = config.JupyterHub.services, config.JupyterHub.load_roles
    assert role["services"] == [service["name"]]
    python, *module, _, _ = service["command"]
    said = subprocess.run([python, *module, "--help"], capture_output=True, text=True)
    for option in service["command"][3:]:
        assert option.split("=")[0] in said.stdout + said.stderr


@pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")
def test_a_server_starts_with_the_students_copy(config: Any, tmp_path: Path) -> None:
    """Under the address that is opened; where no copy can be made it starts all the same."""
    (tmp_path / "file").touch()
    for home, made in ((tmp_path / "home", True), (tmp_path / "file", False)):
        done = subprocess.run(
            [*config.Spawner.cmd, "--version"],
            env={**os.environ, "HOME": str(home)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 and done.stdout.strip()[0].isdigit(), done.stderr
        address = config.Spawner.default_url.removeprefix("/lab/tree/")
        assert (home / address).is_file() == made


def test_a_class_cannot_write_the_notebooks_of_all(config: Any) -> None:
    """The copy lies in the home, not where the environment is."""
    assert Path(sys.executable).parent == Path(config.Spawner.cmd[2].split('"')[1]).parent
    assert "--copy" not in config.Spawner.cmd[2]


@pytest.mark.parametrize(
    "state",
    [
        {"min": 1, "max": 100, "step": 1},
        {"min": -2.0, "max": 2.0, "step": 0.05},
        {"min": 0, "max": 1, "step": 1},
        {"min": -3.0, "max": 0.0, "step": 0.25, "base": 10.0},
    ],
)
def test_a_student_moves_the_slider_each_time(state: dict[str, Any]) -> None:
    values = list(itertools.islice(hub_student.places(state), 100))
    least, most = (
        state["base"] ** state[end] if "base" in state else state[end] for end in ("min", "max")
    )
    assert all(left != right for left, right in itertools.pairwise(values))
    assert min(values) == least and least < max(values) <= most


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="JupyterHub does not run on Windows")
@pytest.mark.skipif(
    not any(map(shutil.which, (hub.PROXY, "npm"))), reason="the hub's proxy needs Node.js and npm"
)
def test_two_students_have_a_lesson(tmp_path: Path) -> None:
    """Log in, run a notebook, move a slider: as in the benchmark."""
    with hub.running_hub(hub.proxy(tmp_path)) as running:
        numbers = [float(text) for text in hub.lesson(running, 2, "12a_norms.ipynb", 3).split()]
    assert numbers[0] == 2 and all(number > 0 for number in numbers)
    assert not running.process.is_running()
