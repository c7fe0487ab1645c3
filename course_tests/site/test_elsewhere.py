"""Links to Binder, Colab and a hub: each is taken apart, and must name a notebook that is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from click.testing import CliRunner

from course.cli import main, working_copy
from course.site import by_nbgitpuller, on_binder, on_colab
from course_tests.repository import ROOT, tracked

NAMES = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
FILES = {path.relative_to(ROOT).as_posix() for path in tracked()}
HUB = "https://hub.example.org"
ADDRESS = re.compile(
    r"https?://[^\s)>\"'`\\]*(?:mybinder\.org/v2|colab\.research\.google\.com/github|/git-pull\?)"
    r"[^\s)>\"'`\\]*"
)


class Target(NamedTuple):
    """What a link opens: path is that of the file in the clone, or in the student's copy."""

    repository: str
    branch: str
    path: str


def target(link: str) -> Target:
    """The parts of a link of the three kinds, by the services' own rules."""
    parts = urlsplit(link)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.netloc == "mybinder.org":
        _, version, host, owner, name, branch = parts.path.split("/")
        assert (version, host) == ("v2", "gh")
        folder, path = query["urlpath"].removeprefix("lab/tree/").split("/", 1)
        if folder == "my-very-deep-networks":
            path = f"notebooks/{path}"
        return Target(f"{owner}/{name}", unquote(branch), path)
    if parts.netloc == "colab.research.google.com":
        _, kind, owner, name, blob, branch, path = parts.path.split("/", 6)
        assert (kind, blob) == ("github", "blob")
        return Target(f"{owner}/{name}", branch, unquote(path))
    assert parts.path.endswith("/hub/user-redirect/git-pull"), link
    _, owner, name = urlsplit(query["repo"]).path.split("/")
    folder, path = query["urlpath"].removeprefix("lab/tree/").split("/", 1)
    assert folder == name, "nbgitpuller names its copy after the repository"
    return Target(f"{owner}/{name}", query["branch"], path)


def links(notebook: str) -> list[str]:
    """Those of one notebook."""
    return [
        on_binder("some.one/deep-course", notebook, "main"),
        on_colab("some.one/deep-course", notebook),
        by_nbgitpuller(f"{HUB}/", "some.one/deep-course", f"notebooks/{notebook}"),
    ]


@pytest.mark.parametrize("notebook", NAMES)
def test_each_link_opens_its_notebook(notebook: str) -> None:
    for link in links(notebook):
        assert target(link) == ("some.one/deep-course", "main", f"notebooks/{notebook}")
        assert f"notebooks/{notebook}" in FILES
        assert re.fullmatch(r"[!-~]+", link) and ADDRESS.fullmatch(link)


def test_the_command_prints_them_all() -> None:
    done = CliRunner().invoke(main, ["links", "some.one/deep-course", "--hub", HUB])
    assert done.exit_code == 0, done.output
    printed = [line.split()[1] for line in done.output.splitlines() if line.startswith(" ")]
    assert printed == [link for notebook in NAMES for link in links(notebook)]
    two = CliRunner().invoke(main, ["links", "some.one/deep-course", "--branch", "a/b"])
    assert {target(line.split()[1]).branch for line in two.output.splitlines()[1:2]} == {"a/b"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["somewhere"], "repository = 'somewhere': it must be OWNER/NAME"),
        (["https://github.com/some/one"], "repository = "),
        (["some/one", "--hub", "hub.example.org"], "hub = 'hub.example.org': it must be"),
    ],
)
def test_what_is_no_address_is_refused(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(main, ["links", *arguments])
    assert done.exit_code == 2 and words in done.stderr


def test_every_link_that_we_print_leads_to_a_file() -> None:
    """In pages, notebooks and code; the repository is the reader's: its place is OWNER/NAME."""
    pages = [ROOT / name for name in FILES if name.endswith((".md", ".ipynb", ".csv", ".html"))]
    printed = {
        link: path.relative_to(ROOT)
        for path in pages
        for link in ADDRESS.findall(path.read_text(encoding="utf-8"))
    }
    assert len({urlsplit(link).netloc for link in printed}) == 3, "README or guide shows each kind"
    for link, page in printed.items():
        repository, branch, path = target(link)
        assert path in FILES or path.startswith("problem-sets/ps01-scalar-chain"), (page, link)
        assert repository == "OWNER/NAME" and branch in ("HEAD", "main"), (page, link)


def test_a_link_to_what_is_not_there_is_seen() -> None:
    assert target(on_colab("some/one", "01_renamed.ipynb")).path not in FILES
    (wrong,) = ADDRESS.findall(f"see [here]({on_binder('some/one', '01_renamed.ipynb')})")
    assert target(wrong).path not in FILES


def test_binders_place_is_that_of_the_copy(tmp_path: Path) -> None:
    """`course lab --prepare` fills the folder from which Binder opens a notebook."""
    working_copy.hand_out(ROOT / "notebooks", tmp_path / "my-very-deep-networks")
    for name in NAMES:
        query = parse_qs(urlsplit(on_binder("some/one", name)).query)
        assert (tmp_path / query["urlpath"][0].removeprefix("lab/tree/")).is_file()


def test_nbgitpuller_brings_the_file_that_the_link_opens(tmp_path: Path) -> None:
    """The program itself, from a repository on the disk."""
    pytest.importorskip("nbgitpuller", reason="the extra `hub` is not installed")
    source, home = tmp_path / "someone" / "deep-course", tmp_path / "home"
    (source / "notebooks").mkdir(parents=True)
    home.mkdir()
    name = NAMES[1]
    (source / "notebooks" / name).write_bytes((ROOT / "notebooks" / name).read_bytes())

    def git(*words: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *author, *words], cwd=source, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    link = by_nbgitpuller(HUB, "someone/deep-course", f"notebooks/{name}")
    query = parse_qs(urlsplit(link).query)
    folder = query["repo"][0].rsplit("/", 1)[1]
    code = "from nbgitpuller.pull import main; main()"
    subprocess.run(
        [sys.executable, "-c", code, source.as_uri(), query["branch"][0], folder],
        cwd=home, check=True, capture_output=True,
    )  # fmt: skip
    assert (home / query["urlpath"][0].removeprefix("lab/tree/")).is_file()
