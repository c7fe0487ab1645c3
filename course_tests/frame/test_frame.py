"""The frame: style, types, storeys, metadata, versions, and the lines that the README gives."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import course
from course_tests import once
from course_tests.lock import merge
from course_tests.repository import PYTHONS, ROOT, command, pyproject, readme, tool, tracked

PROJECT = pyproject()["project"]
EXTRAS = PROJECT["optional-dependencies"]
ALL = [Requirement(text) for text in sum(EXTRAS.values(), PROJECT["dependencies"])]
REQUIREMENTS = [needed for needed in ALL if needed.name != PROJECT["name"]]


@pytest.mark.parametrize(
    "arguments",
    [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",), ("lint-imports",)],
    ids=" ".join,
)
def test_linters_are_content(arguments: tuple[str, ...]) -> None:
    done = tool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_breach_of_the_storeys_is_seen(tmp_path: Path) -> None:
    """The contracts can go red: science that draws, and a module without a storey."""
    shutil.copytree(ROOT / "course", tmp_path / "course", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "course" / "nowhere.py").touch()
    with (tmp_path / "course" / "networks" / "layers.py").open("a") as file:
        file.write("\nfrom course.plots import style\n")
    done = tool("lint-imports", "--no-cache", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "course.nowhere" in done.stdout
    assert "course.networks.layers -> course.plots.style" in done.stdout


def test_importing_the_course_is_cheap() -> None:
    code = "import sys, course; print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_modules_are_a_page_or_two() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "course").rglob("*.py")
        if "masters" not in path.parts  # they become notebooks
    }
    assert {path: n for path, n in lengths.items() if n > 300} == {}


def test_the_version_is_the_same_everywhere() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert course.__version__ == PROJECT["version"] == cited["version"]
    assert cited["license"] == PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


def test_every_dependency_has_its_reason() -> None:
    """Each requirement stands on a line of its own with a comment behind it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = text[text.index("\ndependencies") : text.index("[project.scripts]")]
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith('"')]
    assert len(lines) == len(ALL)
    assert [line for line in lines if not re.fullmatch(r'"[^"]+",\s+# \S.{5,}', line)] == []


def pins(python: str) -> dict[str, str]:
    """{package: version} of binder/constraints.txt for that Python."""
    environment = {**default_environment(), "python_version": python}
    found: dict[str, str] = {}
    for line in (ROOT / "binder" / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        (exact,) = pin.specifier
        assert exact.operator == "==", line
        if pin.marker is None or pin.marker.evaluate(environment):
            assert pin.name not in found, f"{pin.name} twice for Python {python}"
            found[canonicalize_name(pin.name)] = exact.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
def test_the_exact_versions_lie_in_the_ranges(python: str) -> None:
    """One pin for every requirement, for each Python, and none that only a GPU needs."""
    pinned = pins(python)
    for needed in REQUIREMENTS:
        if needed.marker and not needed.marker.evaluate({"python_version": python, "extra": ""}):
            continue
        version = pinned[canonicalize_name(needed.name)]
        assert needed.specifier.contains(version), f"{needed} but {version} for Python {python}"
    assert not [name for name in pinned if name.startswith(("nvidia", "cuda", "triton"))]


def test_merged_pins_say_which_python_they_are_for() -> None:
    resolved = {
        "3.10": {"a": "1", "b": "1", "old": "5"},
        "3.11": {"a": "1", "b": "2"},
        "3.12": {"a": "1", "b": "3"},
        "3.13": {"a": "1", "b": "3", "new": "7"},
    }
    assert merge(resolved) == [
        "a==1",
        'b==1 ; python_version < "3.11"',
        'b==2 ; python_version >= "3.11" and python_version < "3.12"',
        'b==3 ; python_version >= "3.12"',
        'new==7 ; python_version >= "3.13"',
        'old==5 ; python_version < "3.11"',
    ]


@pytest.mark.parametrize("name", ["start", "test", "gpu", "slow", "random"])
def test_the_readmes_lines_are_shell(name: str) -> None:
    line = command(name)
    subprocess.run(["bash", "-n", "-c", line], check=True)
    for file in re.findall(r"[\w./-]+/[\w.-]+\.(?:txt|py|toml)\b", line):
        assert (ROOT / file).is_file(), file


@pytest.mark.parametrize("name", ["start", "test"])
def test_the_readmes_lines_pull_no_cuda(name: str) -> None:
    """torch comes first, alone, from the index of CPU builds; then nothing asks for another."""
    steps = command(name).split(" && ")
    assert steps[0] == "python3 -m venv .venv"
    first, second = steps[1:3]
    assert first.endswith(" torch") and "--no-deps" in first and "/whl/cpu" in first
    assert "torch" not in second and "/whl" not in second
    for step in (first, second):
        assert step.startswith(".venv/bin/pip install ") and "-c binder/constraints.txt" in step
    assert "cu1" not in command(name) and "cuda" not in command(name)


def test_the_test_line_is_strict_and_complete() -> None:
    line = command("test")
    for option in (
        "--nbval ",
        "--nbval-current-env",
        "--nbval-cell-timeout=600",
        "--dist loadfile",
    ):
        assert option in line
    assert "-lax" not in line and "--deselect" not in line and "-k " not in line
    settings = pyproject()["tool"]["pytest"]["ini_options"]
    assert settings["testpaths"] == ["course_tests", "notebooks"]


def test_a_clone_has_the_same_bytes_whatever_git_does_to_line_endings(tmp_path: Path) -> None:
    """With core.autocrlf, as on Windows: a script with CRLF would not run."""
    there = tmp_path / "there"
    here = {path.relative_to(ROOT): path.read_bytes() for path in tracked() if path.is_file()}
    for path, content in here.items():
        (there / path).parent.mkdir(parents=True, exist_ok=True)
        (there / path).write_bytes(content)

    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "core.autocrlf=true", *words], cwd=there, check=True)

    git("init", "-q")
    git("add", "-f", ".")
    for path in here:
        (there / path).unlink()
    git("checkout", "-q", "--", ".")
    assert [str(path) for path in here if (there / path).read_bytes() != here[path]] == []


@pytest.mark.parametrize(("status", "name"), [(0, "test"), (3, "test"), (0, "slow"), (1, "none")])
def test_ci_runs_the_readmes_line(tmp_path: Path, status: int, name: str) -> None:
    """With stand-ins for python3 and the browser: what runs, in which environment, its status."""
    clone, bin_ = tmp_path / "clone", tmp_path / "bin"
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (clone / ".ci").mkdir(parents=True)
    bin_.mkdir()
    shutil.copy(ROOT / ".ci" / "run", clone / ".ci" / "run")
    (clone / "README.md").write_text(
        "<!-- command: start -->\n```sh\npython3 wrong\n```\n"
        "<!-- command: test -->\n```sh\npython3 right && echo the end\n```\n"
        "<!-- command: slow -->\n```sh\npython3 slow && echo the end\n```\n"
    )
    script = f'#!/bin/sh\necho "$@ $COURSE_REQUIRE_BROWSER $COURSE_DATA"\nexit {status}\n'
    for program, text in {"python3": script, "chromium": "#!/bin/sh\n"}.items():
        (bin_ / program).write_text(text)
        (bin_ / program).chmod(0o755)
    done = subprocess.run(
        ["bash", str(clone / ".ci" / "run"), *([name] if name != "test" else [])],
        env={"PATH": f"{bin_}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    if name == "none":
        assert done.stderr == "README.md has no none command\n"
        return
    word = {"test": "right", "slow": "slow"}[name]
    assert f"{word} 1 {tmp_path / 'shared' / 'data'}" in done.stdout
    assert ("the end\n" in done.stdout.splitlines(keepends=True)) == (status == 0)


def test_github_runs_the_same_script_on_each_python() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["tests"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    assert tuple(job["strategy"]["matrix"]["python"]) == PYTHONS
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_github_runs_each_week_what_else_the_readme_gives() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/weekly.yml").read_text(encoding="utf-8"))
    steps = [step["run"] for step in workflow["jobs"]["everything"]["steps"] if "run" in step]
    assert steps == [f"bash .ci/run {name}" for name in ("test", "slow", "random")]


def test_the_pages_are_published_with_the_exact_versions() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["publish"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    assert all("-c binder/constraints.txt" in run for run in runs[:2]) and len(runs) == 3
    (out,) = [step["with"]["path"] for step in steps if "upload" in step.get("uses", "")]
    assert runs[-1] == f"course site --out {out}"


def test_hooks_use_what_is_installed() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repo["repo"] for repo in hooks["repos"]} == {"local"}
    for hook in hooks["repos"][0]["hooks"]:
        assert hook["language"] == "system"
        program = Path(sys.executable).parent / hook["entry"].split()[0]
        assert program.is_file(), hook["entry"]


def test_no_package_registry_is_named() -> None:
    """Where packages come from is the reader's own setting, mirror or not."""
    hosts = [
        ".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))
    ]
    guilty = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if any(host.encode() in path.read_bytes() for host in hosts)
    ]
    assert guilty == []


def test_the_readmes_table_lists_the_notebooks() -> None:
    listed = re.findall(r"^\| \[.*?\]\(notebooks/([^)]+)\)", readme(), flags=re.MULTILINE)
    there = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert listed == there


def test_the_readmes_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", readme())
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once.wheel(tmp_path_factory)


def test_the_wheel_holds_the_library_and_the_notebooks(wheel: Path) -> None:
    """All but the masters of the problem sets, which have the solutions in them."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("course/"):
            assert (name in names) == (not name.startswith("course/classroom/masters/")), name
        elif name.startswith("notebooks/"):
            assert f"course/{name}" in names
    assert not [
        name for name in names if name.startswith("course_tests") or ".ipynb_checkpoints" in name
    ]


def test_an_installed_wheel_hands_out_its_notebooks(wheel: Path, tmp_path: Path) -> None:
    """`course lab` without a clone: copies, and never over a file that is there."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "00_start_here.ipynb").write_text("my own")
    code = "from course.cli import main; main(['lab', '--prepare', '--copy', 'mine'])"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    there = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    copied = {path.name for path in mine.glob("*.ipynb")}
    assert copied == there | {"00_start_here_new.ipynb"}
    assert (mine / "00_start_here.ipynb").read_text() == "my own"
