"""The documentation's site: sphinx-build docs SITE."""

import sys
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "chemomech"
author = "The chemomech authors"
release = metadata.version("chemomech")
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx_copybutton",
    "configuration_reference",
    "verified_figures",
]
exclude_patterns = ["_build", "_extensions", "**/.ipynb_checkpoints"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Links to files of the repository, which are no pages of the site.
suppress_warnings = ["myst.xref_missing"]

# Tutorials are executed at each build, and a failure fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"chemomech {release}"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sourcelink = False


def escape_bars(app, what, name, item, options, lines):
    """Let |grad c| mean a magnitude, not a substitution; what is indented is left as it is."""
    lines[:] = [line if line.startswith("    ") else line.replace("|", "\\|") for line in lines]


def setup(app):
    """Before napoleon, which indents."""
    app.connect("autodoc-process-docstring", escape_bars, priority=100)
