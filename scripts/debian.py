"""A file system made of the host's own Debian or Ubuntu packages, from the mirror its apt uses."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.host import ensure, is_root, suite
from scripts.shell import SetupError, must, say

COMPONENTS = ("main", "universe")  # Ubuntu keeps pip in universe; Debian has only the first
SCHEMES = ("http://", "https://", "file:")  # what debootstrap can fetch from
TARGETS = [
    "apt-get",
    "indextargets",
    "--format",
    "$(RELEASE) $(COMPONENT) $(REPO_URI)",
    "Created-By: Packages",
]


@dataclass(frozen=True)
class Mirror:
    """Where apt gets the packages of this host.

    Attributes:
        address: URL of the archive.
        suite: code name of the host's release, such as `bookworm`.
        components: those of COMPONENTS that apt uses.
    """

    address: str
    suite: str
    components: tuple[str, ...]


def choose_mirror(targets: str, release: str) -> Mirror:
    """Pick the archive of the host's own release out of apt's configuration.

    Args:
        targets: lines `RELEASE COMPONENT ADDRESS`, as `apt-get indextargets` is asked for them.
        release: code name of the host's release.

    Raises:
        SetupError: apt has no such release, or gets it by a way that debootstrap cannot go.
    """
    fields = [line.split() for line in targets.splitlines()]
    ours = [(component, address) for named, component, address in fields if named == release]
    address = next((address for component, address in ours if component == "main"), None)
    if address is None:
        raise SetupError(f"apt has no archive of {release} main, expected one in /etc/apt; next step: add it")
    if not address.startswith(SCHEMES):
        expected = ", ".join(SCHEMES)
        raise SetupError(
            f"apt gets {release} from {address}, expected {expected}; next step: change /etc/apt"
        )
    present = {component for component, found in ours if found == address}
    return Mirror(address, release, tuple(component for component in COMPONENTS if component in present))


def bootstrap(packages: Sequence[str], tag: str, scratch: Path) -> None:
    """Import an image that holds these packages and what they depend on.

    Args:
        packages: names as apt knows them.
        tag: `name:tag` of the image.
        scratch: directory with some 300 MB to spare.

    Raises:
        SetupError: we are not root, the host has no apt, or a step failed.
    """
    if not is_root():
        raise SetupError("only root may build an image from packages; next step: `sudo make base-image`")
    ensure({"debootstrap": "debootstrap"}, purpose="build the base image from packages")
    listed = must(TARGETS, next_step="run this on Debian or Ubuntu, or where a container registry answers")
    mirror = choose_mirror(listed, suite())
    say(f"making a base image of {mirror.suite} packages, which takes about a minute")
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        root = Path(place, "root")
        must(_debootstrap(packages, mirror, root), next_step="check the network, and `apt-get update`")
        _import(root, tag)


def _debootstrap(packages: Sequence[str], mirror: Mirror, root: Path) -> list[str]:
    """The command; in a mount namespace of its own, so that what it mounts inside goes with it."""
    return [
        *("unshare", "--mount", "debootstrap", "--variant=minbase"),
        f"--components={','.join(mirror.components)}",
        f"--include={','.join(packages)}",
        *(mirror.suite, str(root), mirror.address),
    ]


def _import(root: Path, tag: str) -> None:
    excluded = [f"--exclude=./{name}" for name in ("proc/*", "sys/*", "dev/*", "var/cache/apt/*")]
    pack = ["tar", "--directory", str(root), "--numeric-owner", *excluded, "--create", "."]
    take = ["docker", "import", "-", tag]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        done = subprocess.run(take, stdin=tar.stdout, capture_output=True, text=True, check=False)
    if tar.returncode != 0 or done.returncode != 0:
        raise SetupError(f"`docker import` of {root} failed: {done.stderr.strip()}; next step: `make engine`")
