"""What stands behind the volumes of upstreams: a file system with an end, or a directory of the operator's.

Behind a volume's name NAME, in the directory of volumes, stands either `NAME`, a directory of the host or a
link to one, or `NAME.img`, a file that holds an ext4. Where there is nothing, a writable volume becomes the
second: it is made with the size that the profile gives, so that filling it harms nobody else.

The engine mounts an image, and only as long as a box uses it: an engine in another mount namespace would not
see a mount made here. Mounted twice, it is still one file system, so runs can share it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from profiles.upstreams import DEFAULT_VOLUME_MIB, Volume
from sandboxes.apart import as_it_is, shared_with
from sandboxes.disk_image import MIB, make_image
from sandboxes.errors import VolumeError
from sandboxes.loop import attach
from sandboxes.spec import Disk, Mount


def _unsaid(name: str, path: Path) -> None:
    del name, path


@dataclass(frozen=True)
class OpenVolumes:
    """The volumes of one box, until it is removed.

    Attributes:
        mounts: directories of the host.
        disks: file systems of their own; their devices are kept until `close`.
        images: which file each of the disks is, for messages.
    """

    mounts: tuple[Mount, ...] = ()
    disks: tuple[Disk, ...] = ()
    images: tuple[Path, ...] = ()
    _held: ExitStack = field(default_factory=ExitStack, repr=False)

    def close(self) -> None:
        """Let go of the devices; the kernel detaches each that no box has mounted. Twice does no harm."""
        self._held.close()


@dataclass(frozen=True)
class VolumeStore:
    """The operator's volumes.

    Attributes:
        directory: where they lie.
        ceiling_mib: the most that one may hold by the policy, in MiB.
        apart: where the volumes of the other setting lie; nothing of theirs may stand behind a name here.
        on_unlimited: told the name and the path of each directory that a box may write to: it has no limit.
    """

    directory: Path
    ceiling_mib: int = DEFAULT_VOLUME_MIB
    on_unlimited: Callable[[str, Path], None] = _unsaid
    apart: Path | None = None

    def open(self, entries: Sequence[Volume]) -> OpenVolumes:
        """Find, or make, what stands behind some volumes; blocking.

        Raises:
            VolumeError: one is missing, is not what the profile asks for, or cannot be made or attached.
        """
        mounts, disks, images = [], [], []
        with ExitStack() as held:
            for entry in entries:
                self._need_apart(entry)
                if (mount := self._directory(entry)) is not None:
                    mounts.append(mount)
                else:
                    device = self._device(entry, held)
                    disks.append(Disk(device=device, target=entry.target))
                    images.append(self._image(entry))
            return OpenVolumes(tuple(mounts), tuple(disks), tuple(images), held.pop_all())

    def _directory(self, entry: Volume) -> Mount | None:
        """Return what the operator put there; None where an image is wanted."""
        place = self.directory / entry.source
        if not os.path.lexists(place):
            self._need_writable(entry)
            return None
        if not place.exists():
            raise VolumeError(
                f"volume {entry.source!r}: {place} is a link to {place.readlink()}, which is not there"
            )
        self._need_unsized(entry, place)
        try:
            real, identity = as_it_is(place)
        except OSError as cause:
            raise VolumeError(f"volume {entry.source!r}: {place} cannot be opened: {cause}") from cause
        self._need_apart(entry, real)
        if not entry.read_only and not real.is_mount():
            self.on_unlimited(entry.source, real)
        return Mount(source=str(real), target=entry.target, read_only=entry.read_only, identity=identity)

    def _need_apart(self, entry: Volume, *places: Path) -> None:
        """Refuse what a run of the other setting could reach too (R-21)."""
        if self.apart is None:
            return
        for place in places or (self.directory / entry.source, self._image(entry)):
            if (shared := shared_with(place, self.apart)) is not None:
                raise VolumeError(
                    f"volume {entry.source!r}: {place} leads to {shared}, which belongs to the other "
                    f"setting; production and evaluation share no data; give it a place of its own"
                )

    def _need_writable(self, entry: Volume) -> None:
        if not entry.read_only:
            return
        image = self._image(entry)
        step = f"expected {self.directory / entry.source} to be one, or a link to one"
        if image.exists():
            step += f"; {image} can only be mounted for writing"
        raise VolumeError(f"no directory for volume {entry.source!r}: {step}")

    def _need_unsized(self, entry: Volume, place: Path) -> None:
        if self._image(entry).exists():
            raise VolumeError(
                f"volume {entry.source!r}: got both {place} and {place}.img, expected one; move one away"
            )
        if entry.size_mib is not None:
            raise VolumeError(
                f"volume {entry.source!r}: {place} is on the host's disk and has no limit, expected at most "
                f"{entry.size_mib} MiB; make an image of it (docs/operating.md, Volumes) or take "
                f"`size_mib` out of the profile"
            )

    def _device(self, entry: Volume, held: ExitStack) -> str:
        image, most = self._image(entry), self._most_mib(entry)
        with self._locked():
            if not os.path.lexists(image):
                make_image(image, most)
            image = image.resolve()  # once: what a link leads to is what is checked and attached
            self._need_apart(entry, image)
            _check(image, most)
            device = attach(image)
        held.callback(device.close)
        return device.path

    def _most_mib(self, entry: Volume) -> int:
        return min(entry.size_mib or DEFAULT_VOLUME_MIB, self.ceiling_mib)

    def _image(self, entry: Volume) -> Path:
        return self.directory / f"{entry.source}.img"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other threads and processes from making or attaching the same image."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as cause:
            raise VolumeError(f"volumes: {self.directory} cannot be used: {cause}") from cause
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _check(image: Path, most_mib: int) -> None:
    if not image.is_file():
        raise VolumeError(
            f"volume {image}: got no file, or a link to none, expected an image with an ext4; put it back "
            f"or move this away"
        )
    size = image.stat().st_size
    if size > most_mib * MIB:
        raise VolumeError(
            f"volume {image}: holds {size // MIB} MiB, expected at most {most_mib} by profile and "
            f"policy; raise `size_mib` (and `ceiling.volume_mib`), or make it smaller (docs/operating.md)"
        )
