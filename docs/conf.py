"""How the pages of this folder become a site: `sphinx-build -W docs build/site`."""

import cds


project = html_title = "Cobalamin CDS"
release = cds.__version__
extensions = ["myst_parser"]
nitpicky = True
myst_enable_extensions = ["tasklist"]
myst_heading_anchors = 4
exclude_patterns = ["*.yaml"]

html_theme = "furo"
pygments_style = "friendly"
pygments_dark_style = "monokai"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}

linkcheck_ignore = [r"http://127\.0\.0\.1"]
linkcheck_timeout = 15
linkcheck_workers = 10
linkcheck_anchors = False  # pages that are made by scripts have none to find
