"""What a base image holds: a file system with everything taken out that tells when or where it was made.

Pure but for the streams it is given. The result is an image archive as `docker load` reads it (Docker Image
Specification v1.2, combined image JSON and layer), with constant metadata: the same files give the same id.
"""

import hashlib
import io
import json
import tarfile
from copy import copy
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import BinaryIO

CONSTANT_TIME = 315532800  # 1980-01-01T00:00:00Z, the earliest time a zip file can hold
CONSTANT_DATE = "1980-01-01T00:00:00Z"
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DROPPED = (
    # names, addresses and times of the host that built it
    ".dockerenv",
    "debootstrap/*",
    "etc/apt/sources.list*",
    "etc/hostname",
    "etc/hosts",
    "etc/machine-id",
    "etc/resolv.conf",
    "run/*",
    "tmp/*",
    "var/cache/*",
    "var/lib/apt/*",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/*-old",
    "var/lib/systemd/*",
    "var/log/*",
    # mounted afresh in each container
    "dev/*",
    "proc/*",
    "sys/*",
    # no program reads them; copyright notices stay, see KEPT
    "usr/share/doc/*/*",
    "usr/share/info/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    # `pip install` into the image is what the image is for
    "usr/lib/python3*/EXTERNALLY-MANAGED",
    "*/__pycache__/*.cpython-*.opt-*.pyc",
)
KEPT = "/usr/share/doc/*/copyright"


def kept(name: str) -> bool:
    """Whether a path (relative, without leading `/`) belongs in a base image."""
    return PurePosixPath("/", name).match(KEPT) or not any(fnmatch(name, pattern) for pattern in DROPPED)


def normalised(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same file with a constant time, numeric owners, and no set-uid, set-gid or file capability."""
    mode = member.mode if member.isdir() else member.mode & 0o1777
    plain = copy(member)
    plain.mtime, plain.mode, plain.uname, plain.gname, plain.pax_headers = CONSTANT_TIME, mode, "", "", {}
    return plain


def write_layer(exported: BinaryIO, layer: BinaryIO) -> None:
    """Copy a tar stream, leaving out what is dropped and normalising the rest.

    Args:
        exported: an uncompressed tar stream, as `docker export` writes it.
        layer: where the layer goes.
    """
    with (
        tarfile.open(fileobj=exported, mode="r|") as source,
        tarfile.open(fileobj=layer, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        for member in source:
            if kept(member.name):
                target.addfile(normalised(member), source.extractfile(member) if member.isreg() else None)


def image_config(layer_digest: str, architecture: str, command: list[str]) -> bytes:
    """The image's JSON: nothing in it but what a container needs.

    Args:
        layer_digest: `sha256:<hex>` of the uncompressed layer.
        architecture: as the engine names it, such as `amd64`.
        command: what a container of this image runs by default.

    Returns:
        Canonical bytes; their SHA-256 is the image id.
    """
    config = {
        "architecture": architecture,
        "config": {"Cmd": command, "Env": [SEARCH_PATH]},
        "created": CONSTANT_DATE,
        "history": [{"created": CONSTANT_DATE}],
        "os": "linux",
        "rootfs": {"diff_ids": [layer_digest], "type": "layers"},
    }
    return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()


def write_image(layer: Path, archive: BinaryIO, *, tag: str, architecture: str, command: list[str]) -> str:
    """Write an image archive around one layer.

    Args:
        layer: the uncompressed layer, a tar file.
        archive: where the archive goes.
        tag: `name:tag` of the image.
        architecture: as the engine names it.
        command: what a container of this image runs by default.

    Returns:
        The image id that the engine will give it, `sha256:<hex>`.
    """
    with layer.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    config = image_config(f"sha256:{digest}", architecture, command)
    image_id = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{image_id}.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as target:
        _add(target, f"{image_id}.json", config)
        _add(target, "manifest.json", json.dumps(manifest).encode())
        with layer.open("rb") as stream:
            target.addfile(_named("layer.tar", layer.stat().st_size), stream)
    return f"sha256:{image_id}"


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_named(name, len(content)), io.BytesIO(content))


def _named(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, CONSTANT_TIME, 0o644
    return member
