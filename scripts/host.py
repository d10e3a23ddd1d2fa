"""Packages of the host: asked of apt, and only by root.

    python3 -m scripts.host PROGRAM=PACKAGE...

installs each PACKAGE whose PROGRAM is not on the PATH.
"""

import argparse
import os
import platform
import shutil
from collections.abc import Sequence

from scripts.shell import SetupError, ask, conclude, must, say

QUIETLY = ["env", "DEBIAN_FRONTEND=noninteractive"]
SYSTEM_PLACES = "/usr/local/sbin:/usr/sbin:/sbin"
APT_INSTALL = [*QUIETLY, "apt-get", "install", "--yes", "--no-install-recommends"]


def is_root() -> bool:
    """Whether we may install packages and start an engine."""
    return os.geteuid() == 0


def suite() -> str:
    """Code name of the host's release, such as `bookworm`; empty where there is none."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        return ""


def offered(package: str) -> bool:
    """Whether apt, as configured, offers this package."""
    return bool(ask(["apt-cache", "madison", package]).out)


def install(packages: Sequence[str], *, purpose: str) -> None:
    """Install Debian packages.

    Args:
        packages: names as apt knows them.
        purpose: completes the sentence "is needed to ...".

    Raises:
        SetupError: we are not root, the host has no apt, or apt failed.
    """
    names = " ".join(packages)
    by_hand = f"install {names} (Debian, Ubuntu: `sudo apt-get install {names}`) and run make again"
    if not is_root() or shutil.which("apt-get") is None:
        raise SetupError(f"{names}: not installed, needed to {purpose}; next step: {by_hand}")
    say(f"installing {names} with apt, to {purpose}")
    refresh_lists(packages)
    must([*APT_INSTALL, *packages], next_step=by_hand)


def refresh_lists(packages: Sequence[str]) -> None:
    """Fetch apt's package lists when one of these packages is not in them."""
    if all(offered(package) for package in packages):
        return
    say("fetching the package lists of apt")
    must(["apt-get", "update"], next_step="check the sources and the network of apt")


def _is_there(program: str) -> bool:
    """Whether a program is found; users other than root often lack the system's own directories."""
    return bool(shutil.which(program) or shutil.which(program, path=SYSTEM_PLACES))


def ensure(wanted: dict[str, str], *, purpose: str) -> None:
    """Install what is missing.

    Args:
        wanted: program on the PATH -> package that brings it.
        purpose: completes the sentence "is needed to ...".
    """
    missing = [package for program, package in wanted.items() if not _is_there(program)]
    if missing:
        install(missing, purpose=purpose)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.host", description=__doc__)
    parser.add_argument("--purpose", default="go on", help='completes the sentence "is needed to ..."')
    parser.add_argument("wanted", nargs="+", metavar="PROGRAM=PACKAGE")
    chosen = parser.parse_args()
    ensure(dict(pair.split("=", 1) for pair in chosen.wanted), purpose=chosen.purpose)


if __name__ == "__main__":
    conclude(_main)
