"""Build the site: Sphinx reads the stored notebooks and writes pages; or an error, and nothing."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from course.arguments import reject
from course.live import bundle
from course.site import exact, moving, sources
from course.site.page import playground_page

THEME = Path(__file__).parent / "theme"
MARK = ".buildinfo"  # Sphinx leaves it in what it has built
NEEDED = {"sphinx": "sphinx", "myst_nb": "myst-nb", "pydata_sphinx_theme": "pydata-sphinx-theme",
          "latex2mathml": "latex2mathml"}  # fmt: skip

SCRIPTS = ("recorded.js", "predictions.js", "links.js")

SETTINGS: dict[str, Any] = {
    "project": "Very deep networks",
    "html_title": "Very deep networks",
    "author": "",
    "copyright": "",
    "extensions": ["myst_nb", "course.site.formulas", "course.site.named"],
    "html_math_renderer": "mathml",
    "html_theme": "pydata_sphinx_theme",
    "html_static_path": [str(THEME / "static"), "../static"],  # "../": made with the pages
    "templates_path": [str(THEME / "templates")],
    "html_css_files": ["recorded.css", "site.css", "predictions.css"],
    "html_js_files": [(name, {"defer": "defer"}) for name in SCRIPTS],
    "html_favicon": str(THEME / "static" / "icon.svg"),
    "html_show_search_summary": False,  # it fetches pages, which a browser forbids on a disk
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_permalinks_icon": "#",
    "html_use_index": False,
    "html_context": {"default_mode": "auto"},  # light or dark, as the reader's machine is set
    "html_theme_options": {
        "navbar_center": [],
        "navbar_end": ["theme-switcher"],
        "footer_start": [],
        "footer_end": [],
        "show_toc_level": 2,
        "use_edit_page_button": False,
    },
    "html_sidebars": {"**": ["contents.html"], "index": []},
    "nb_execution_mode": "off",
    "nb_code_prompt_show": "Show the code",
    "nb_code_prompt_hide": "Hide the code",
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 4,
    "highlight_language": "python",
}


def build(out: Path, notebooks: Path, record: Callable[[], Mapping[str, Path]] = dict) -> Path:
    """Build the site into the folder `out`, and return its front page.

    notebooks: a folder of stored notebooks. record: gives recordings of their explorers, as
    `record_all` does; the others stand still. It is called when nothing speaks against building,
    for it may take long. A folder `out` that is there is replaced if it is empty or holds a site.
    The site is built beside it and then put in its place, so that nothing half-built stays. Nothing
    else is run; nothing is asked of a network.

    Raises ValueError for a folder with something else in it, where Sphinx or its parts are not
    installed, and for what Sphinx warns of: a broken link, say.
    """
    if missing := [name for module, name in NEEDED.items() if find_spec(module) is None]:
        raise ValueError(
            f"{', '.join(missing)} not found: install the course with its extra, "
            "very-deep-networks-course[site]"
        )
    out = Path(out).resolve()
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or (out / MARK).is_file())):
        raise reject("out", str(out), "a folder that is empty, holds a site, or is not there")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        pages, site = Path(scratch) / "pages", Path(scratch) / "site"
        pages.mkdir()
        static = pages.parent / "static"
        moving.write_static(static)
        write_links(static)
        recordings = record()
        sources.write(pages, notebooks, recordings)
        _sphinx(pages, site)
        moving.copy(recordings, site)
        addresses = {
            path.stem.partition("_")[2]: f"{path.stem}.html"
            for path in notebooks.glob(sources.NUMBERED)
        }
        (site / "playground.html").write_text(playground_page(addresses), encoding="utf-8")
        exact.write(site)
        shutil.rmtree(site / "_sources", ignore_errors=True)  # the notebooks once more
        shutil.rmtree(out, ignore_errors=True)
        os.replace(site, out)
    return out / "index.html"


def write_links(folder: Path) -> None:
    """Write the script by which explorers keep their states in the page's address."""
    text = f"(() => {{\n{bundle(THEME / 'links.js')}}})();\n"
    (folder / "links.js").write_text(text, encoding="utf-8")


def _sphinx(pages: Path, site: Path) -> None:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(
            pages, None, site, site.parent / "trees", "html",
            confoverrides=SETTINGS, status=None, warning=warnings, parallel=os.cpu_count() or 1,
        )  # fmt: skip
        app.build()
    text = re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue()).replace(f"{pages}{os.sep}", "")
    if text.strip():
        raise ValueError(f"the site was not built: {text.strip()}")
