"""The login page in a real browser."""

import os
import shutil

from harness import HERE, apt, run


def check(tally, path):
    chromium = os.environ.get("CHROMIUM", "chromium")
    if not shutil.which(chromium):
        apt("chromium")
    if not shutil.which(chromium):
        tally.skip("the login page in a browser", f"there is no {chromium}")
        return
    tally.check("the login page in a browser", lambda: run(["node", HERE / "login_page.mjs", path]))
