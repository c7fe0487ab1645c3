"""Addresses at which a notebook opens without installing: Binder, Colab, a hub with nbgitpuller.

Each names a public repository on GitHub, "owner/name", which must hold what it opens: this course's
or a fork, or a students' repository (`course assign tree`), which has no solutions.

Sources: the documentation of mybinder.org ("Create a link"), of nbgitpuller ("URL options"), and
Colab's notebook "colab-github-demo".
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

from course.arguments import reject

BINDER = "https://mybinder.org"
COLAB = "https://colab.research.google.com"
GITHUB = "https://github.com"
COPY = "lab/tree/my-very-deep-networks"
"""The folder of the copy with empty outputs, which `binder/start` makes at each launch."""


def on_binder(repository: str, notebook: str, branch: str = "HEAD") -> str:
    """The address of a student's own copy of that notebook on Binder.

    notebook: its file's name, without the folder. Raises ValueError for what is no repository.
    """
    place = quote(f"{COPY}/{notebook}", safe="")
    return f"{BINDER}/v2/gh/{_known(repository)}/{quote(branch, safe='')}?urlpath={place}"


def on_colab(repository: str, notebook: str, branch: str = "main") -> str:
    """The address of that notebook on Colab, with the outputs that are stored in it.

    There the course has to be installed first: ``%pip install git+https://github.com/OWNER/NAME``.
    Raises ValueError for what is no repository.
    """
    return f"{COLAB}/github/{_known(repository)}/blob/{quote(branch)}/notebooks/{quote(notebook)}"


def by_nbgitpuller(hub: str, repository: str, path: str, branch: str = "main") -> str:
    """The address that brings a repository into a student's home on a hub, and opens a file of it.

    hub: the hub's own address. path: of the file within the repository. Whoever follows it again
    gets what is new, and keeps what was changed. Raises ValueError for what is no repository or no
    address of a hub.
    """
    _, name = _known(repository).split("/")
    if urlsplit(hub).scheme not in ("http", "https") or not urlsplit(hub).netloc:
        raise reject("hub", hub, "the address of a hub, such as https://hub.example.org")
    query = {
        "repo": f"{GITHUB}/{repository}",
        "branch": branch,
        "urlpath": f"lab/tree/{name}/{path}",
    }
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(query, quote_via=quote)}"


def _known(repository: str) -> str:
    """The repository; ValueError if it is not written as "owner/name"."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise reject("repository", repository, "OWNER/NAME, as on GitHub")
    return repository
