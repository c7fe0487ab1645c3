"""`course check`: what is here, what is missing, what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from course.cli import check, jupyter, machine, places
from course.cli.check import line
from course.cli.finding import AGAIN, Finding, unwritable
from course.cli.machine import GIB
from course_tests.cli.commands import course


def test_check_says_what_is_here_and_what_to_do() -> None:
    assert line(Finding("torch", "2.13.0")) == "ok      torch          2.13.0"
    assert line(Finding("x", "old", "do this")).splitlines()[1] == "     -> do this"


@pytest.mark.parametrize("problems", [0, 2])
def test_the_status_of_check_tells(problems: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("torch", "2.13.0"), *[Finding("x", "old", "do this")] * problems]
    monkeypatch.setattr("course.cli.check.findings", lambda announce: iter(found))
    done = course("check")
    assert done.exit_code == (1 if problems else 0)
    last = done.stdout.splitlines()[-1]
    assert last == ("Problems: 2." if problems else "Everything is ready.")


def test_check_is_content_here() -> None:
    """This environment was made by the README's line, so nothing but memory may be short."""
    found = list(check.findings())
    assert [f for f in found if f.advice and f.name not in ("memory", "disk", "notebooks")] == []
    names = [f.name for f in found]
    for name in ("Python", "torch", "device", "memory", "disk", "kernel", "notebooks", "digits"):
        assert name in names
    assert sum("enabled" in f.value for f in found) == 2


def test_check_compares_versions_with_ranges() -> None:
    assert machine.package(Requirement("torch>=2")).advice is None
    assert machine.package(Requirement("torch>=99")).advice == AGAIN
    assert machine.package(Requirement("not-a-package-of-ours")).value == "not installed"


def test_check_speaks_before_it_loads_anything_heavy() -> None:
    """The first findings are printed while torch, numpy and JupyterLab are not loaded yet."""
    code = (
        "import sys; from course.cli import check; findings = check.findings(); "
        "first = [next(findings).name for _ in range(3)]; "
        "print(*first, *[m for m in ('torch', 'numpy', 'jupyter_server') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Python", "anywidget", "click"]


def test_check_announces_what_takes_its_time_only_on_a_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "CHECKS", {"course.cli.machine": ("python",)})
    assert "..." not in course("check").stdout
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    list(check.findings(check._announce))
    assert capsys.readouterr().out.startswith("...     python")


def test_check_goes_on_after_something_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> None:
        raise ImportError("libtorch.so:\n cannot open")

    monkeypatch.setattr(machine, "device", device)
    found = {f.name: f for f in check.findings()}
    assert found["device"].value == "ImportError: libtorch.so: cannot open"
    assert found["device"].advice and found["digits"].advice is None


def test_check_knows_the_limits_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_LIMIT", str(GIB // 2))
    limit = machine.memory_limit()
    assert limit is not None and limit <= GIB // 2
    (found,) = machine.memory()
    assert found.advice and "close other notebooks" in found.advice


def test_check_sees_a_disabled_extension(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "labconfig"
    folder.mkdir()
    disabled = {"disabledExtensions": {"anywidget": True}}
    (folder / "page_config.json").write_text(json.dumps(disabled))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    (found,) = [f for f in jupyter.widgets() if f.advice]
    assert found.value == "anywidget is disabled"
    assert "labextension enable anywidget" in str(found.advice)


def test_check_sees_a_kernel_of_another_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["/somewhere/else/python", "-m", "ipykernel"], "display_name": "Python 3"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (found,) = jupyter.kernel()
    assert "/somewhere/else" in found.value and "ipykernel install" in str(found.advice)


def test_check_says_where_data_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = {f.name: f for f in places.data()}
    assert found["digits"].value == "the package"
    assert found["mnist"].value.startswith("not here") and found["mnist"].advice is None
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "not there"))
    found = {f.name: f for f in places.data()}
    assert "COURSE_DATA" in str(found["mnist"].advice)


def test_check_says_what_will_fail_without_a_place_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "data" / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    for variable in ("XDG_CACHE_HOME", "COURSE_RECORDS", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "file" / "inside"))
    advised = {f.name: f for f in check.findings() if f.advice}
    assert "XDG_CACHE_HOME" in str(advised["mnist"].advice)
    assert "cannot be downloaded" in advised["mnist"].value and "digits" not in advised
    assert "COURSE_RECORDS" in str(advised["predictions"].advice)
    assert "JUPYTER_RUNTIME_DIR" in str(advised["jupyter"].advice)
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path))  # a folder
    assert next(places.predictions()).advice
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "new" / "file"))
    assert next(places.predictions()).advice is None and not (tmp_path / "new").exists()


def test_check_says_what_will_fail_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*arguments: object, **options: object) -> str:
        raise RuntimeError("could not determine the home directory")

    for variable in ("COURSE_DATA", "COURSE_RECORDS"):
        monkeypatch.delenv(variable, raising=False)
    for function in ("user_cache_dir", "user_data_dir"):
        monkeypatch.setattr(f"platformdirs.{function}", nowhere)
    monkeypatch.setattr("jupyter_core.paths.jupyter_runtime_dir", nowhere)
    advised = {f.name: f for f in check.findings() if f.advice}
    for name in ("mnist", "predictions"):
        assert "there is no home folder" in advised[name].value
    assert "jupyter" in advised


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="modes bind no administrator")
def test_check_tries_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert unwritable(tmp_path / "inside") == "Permission denied"
    finally:
        tmp_path.chmod(0o700)
    assert not unwritable(tmp_path / "inside")


def test_check_says_where_your_copy_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = {f.name: f for f in places.notebooks()}
    assert found["your copy"].advice is None and str(tmp_path) in found["your copy"].value
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    found = {f.name: f for f in places.notebooks()}
    assert "course lab --copy DIR" in str(found["your copy"].advice)
