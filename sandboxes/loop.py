"""Loop devices: a file as a block device, by the kernel's own calls (loop(4), linux/loop.h).

Every device is attached with autoclear: the kernel detaches it when nobody has it open or mounted any more.
So a crash leaves no device behind, and there is nothing to clean up at start.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

from sandboxes.errors import VolumeError

CONTROL: Final = Path("/dev/loop-control")
_GET_FREE: Final = 0x4C82
_CONFIGURE: Final = 0x4C0A
_GET_STATUS64: Final = 0x4C05
_READ_ONLY: Final = 1
_AUTOCLEAR: Final = 4
_INFO: Final = struct.Struct("=5Q4I64s64s32s2Q")
"""struct loop_info64: device, inode, rdevice, offset, sizelimit; number, two of encryption, flags; names."""
_CONFIG: Final = struct.Struct(f"=2I{_INFO.size}s64x")
"""struct loop_config: descriptor of the file, block size (0: the kernel's), the info, 64 reserved bytes."""
_NAME_BYTES: Final = 63
_TRIES: Final = 8


class LoopDevice:
    """An attached device, kept as long as this holds it open or somebody has mounted it."""

    def __init__(self, path: str, descriptor: int) -> None:
        """Take over an open descriptor of the device."""
        self.path = path
        self._descriptor = descriptor

    def close(self) -> None:
        """Let go. Twice does no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def attach(image: Path) -> LoopDevice:
    """Show a file as a block device: the one that shows it already, if there is one, else a new one.

    Two devices over one file would be two file systems that know nothing of each other, which destroys it. So
    the caller keeps others from attaching the same file meanwhile.

    Args:
        image: a regular file.

    Raises:
        VolumeError: the file cannot be opened, a foreign device shows it in another way, or this process may
            have no loop device.
    """
    try:
        return _attached_already(image) or _attach_new(image)
    except OSError as cause:
        raise VolumeError(
            f"volume {image}: no loop device for it: {cause}; expected {CONTROL} and /dev/loop* to be usable "
            f"here: load the kernel's module `loop`, and in a container show it the host's /dev"
        ) from cause


def _attached_already(image: Path) -> LoopDevice | None:
    for entry in sorted(Path("/sys/block").glob("loop*/loop/backing_file")):
        path = f"/dev/{entry.parents[1].name}"
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            found = _shows(descriptor, entry, image)
            if found:
                return LoopDevice(path, os.dup(descriptor))
        finally:
            os.close(descriptor)
    return None


def _shows(descriptor: int, entry: Path, image: Path) -> bool:
    """Tell whether an open device shows this file. Holding it open keeps the kernel from detaching it."""
    answer = bytearray(_INFO.size)
    try:
        fcntl.ioctl(descriptor, _GET_STATUS64, answer)
        named = entry.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.ENOENT}:  # detached since it was listed
            return False
        raise
    device, inode, _, offset, limit, _, _, _, flags, *_ = _INFO.unpack(answer)
    real = image.stat()
    if (device, inode) != (real.st_dev, real.st_ino) and named != str(image.resolve()):
        return False
    if offset or limit or flags & _READ_ONLY:
        raise VolumeError(
            f"volume {image}: somebody has attached it, in part or read-only; expected nobody, or the whole "
            f"for writing; `losetup --associated {image}` shows the device; detach it"
        )
    return True


def _attach_new(image: Path) -> LoopDevice:
    file = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_TRIES):
            if (device := _configured(file, image)) is not None:
                return device
    finally:
        os.close(file)
    raise VolumeError(f"volume {image}: each of {_TRIES} free loop devices was taken by others; try again")


def _configured(file: int, image: Path) -> LoopDevice | None:
    """Attach to a free device; None when another program was faster."""
    path = f"/dev/loop{_free_number()}"
    writable = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        name = os.fsencode(image)[:_NAME_BYTES]
        info = _INFO.pack(0, 0, 0, 0, 0, 0, 0, 0, _AUTOCLEAR, name, b"", b"", 0, 0)
        fcntl.ioctl(writable, _CONFIGURE, _CONFIG.pack(file, 0, info))
        # A kernel may refuse to mount what somebody has open for writing.
        return LoopDevice(path, os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return None
        raise
    finally:
        os.close(writable)


def _free_number() -> int:
    control = os.open(CONTROL, os.O_RDWR | os.O_CLOEXEC)
    try:
        return fcntl.ioctl(control, _GET_FREE)
    finally:
        os.close(control)
