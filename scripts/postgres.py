"""PostgreSQL for the tests: its programs only. No cluster of the host is made or started.

    python3 -m scripts.postgres

Debian's package would begin a cluster of its own; the tests start a server in a scratch directory instead
(`tests.standins.postgres`). Who may not install packages is told, and those tests are then skipped.
"""

import shutil
from pathlib import Path

from scripts.host import install, is_root
from scripts.shell import conclude, say

PACKAGE = "postgresql"
COMMON = "postgresql-common"
SETTINGS = Path("/etc/postgresql-common/createcluster.conf")
NO_CLUSTER = "create_main_cluster = false"
DEBIAN = Path("/usr/lib/postgresql")
BY_HAND = f"sudo apt-get install {PACKAGE}"
_PURPOSE = "run the tests on PostgreSQL too"


def is_there(debian: Path = DEBIAN) -> bool:
    """Whether the server's programs are installed, on the PATH or where Debian puts them."""
    return shutil.which("initdb") is not None or any(debian.glob("*/bin/initdb"))


def forbid_cluster(settings: Path = SETTINGS) -> None:
    """Keep Debian's package from making a cluster, unless the host's settings speak of it already."""
    text = settings.read_text() if settings.exists() else ""
    if any(line.split("=")[0].strip() == "create_main_cluster" for line in text.splitlines()):
        return
    settings.write_text(f"{text.rstrip()}\n{NO_CLUSTER}\n".lstrip())


def _main() -> None:
    if is_there():
        return
    if not is_root():
        say(f"PostgreSQL is not installed, so its tests are skipped; next step: {BY_HAND}")
        return
    install([COMMON], purpose=_PURPOSE)
    forbid_cluster()
    install([PACKAGE], purpose=_PURPOSE)


if __name__ == "__main__":
    conclude(_main)
