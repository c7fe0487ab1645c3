"""What Binder would build, as far as it can be known without Docker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from course_tests.repository import PYTHONS, ROOT, command, pyproject, readme, tool

BINDER = ROOT / "binder"


@pytest.fixture(scope="module")
def dockerfile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Dockerfile that repo2docker makes of the repository."""
    copy = tmp_path_factory.mktemp("binder")
    shutil.copytree(BINDER, copy / "binder")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy)
    options = ["--no-build", "--debug", "--user-id", "1000", "--user-name", "jovyan"]
    done = tool("jupyter-repo2docker", *options, str(copy))
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_image_has_our_python_requirements_and_post_build(dockerfile: str) -> None:
    python = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip()
    assert python.removeprefix("python-") in PYTHONS
    assert "Building conda environment for " + python.replace("-", "=") in dockerfile
    assert 'pip install --no-cache-dir -r "binder/requirements.txt"' in dockerfile
    assert "RUN ./binder/postBuild" in dockerfile
    # The requirements name another file: they must be installed where the repository is complete.
    copied = dockerfile.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    assert copied < dockerfile.index('-r "binder/requirements.txt"')


def test_the_requirements_are_the_packages_own() -> None:
    """The names of pyproject.toml, at the constraints' versions, torch as a CPU build."""
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    options = [line for line in lines if line.startswith("-")]
    needed = [Requirement(line) for line in lines if not line.startswith("-")]
    ours = [Requirement(text).name for text in pyproject()["project"]["dependencies"]]
    assert sorted(r.name for r in needed) == sorted(ours)
    assert "-c constraints.txt" in options
    (torch,) = [str(r) for r in needed if r.specifier]
    exact = re.search(r"^torch==(.+)$", (BINDER / "constraints.txt").read_text(), re.MULTILINE)
    assert exact and torch == f"torch=={exact[1]}+cpu"
    index = re.search(r"--extra-index-url \S+", command("start"))
    assert index and index[0] in options


def test_post_build_installs_and_survives_without_a_network(tmp_path: Path) -> None:
    """It runs through though nothing can be fetched or compiled, and says what is missing."""
    log = tmp_path / "log"
    fake = f'#!/bin/sh\necho "$@" >> {log}\ncase "$1" in -c) exit 1;; esac\n'
    (tmp_path / "python").write_text(fake)
    (tmp_path / "python").chmod(0o755)
    done = subprocess.run(
        [str(BINDER / "postBuild")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    missing = ["mnist: not fetched", "fashion-mnist: not fetched", "kernels: not compiled"]
    assert done.stderr.splitlines() == missing
    assert log.read_text().startswith("-m pip install --no-cache-dir --no-deps -e .\n")
    assert os.access(BINDER / "postBuild", os.X_OK)


def launch(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command by way of binder/start."""
    run = [str(BINDER / "start"), *command]
    return subprocess.run(
        run, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )


def test_every_launch_computes_with_one_thread_and_has_a_copy(
    dockerfile: str, tmp_path: Path
) -> None:
    """The copy lies in the home folder, which Binder shows, under the README's address."""
    assert "binder/start" in dockerfile
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = launch("sh", "-c", "echo $OMP_NUM_THREADS", HOME=str(tmp_path), PATH=programs)
    assert done.stdout == "1\n"
    (address,) = re.findall(r"`lab/tree/([^`]*)`", readme())
    assert (tmp_path / address).is_file()


def test_a_launch_survives_without_a_copy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = launch("echo", "open", HOME=str(tmp_path / "file"))
    assert done.stdout == "open\n" and "no working copy" in done.stderr
