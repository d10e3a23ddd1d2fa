"""Images of an engine that is not there: what `sandboxes.driver.ImageSource` asks for, of plain values."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from sandboxes.driver import Image

CONSTANT_TIME = 315532800


@dataclass
class ImageStandIn:
    """One image, whatever it is asked by.

    Attributes:
        tree: path -> content, or (content, modified) where its time matters.
        config: as the engine's "Config".
        steps: its history.
        mode: of every file.
        links: path -> where a symbolic link leads.
        hard_links: path -> the first name of the file.
        directories: paths of empty ones.
    """

    tree: Mapping[str, bytes | tuple[bytes, int]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    mode: int = 0o644
    links: Mapping[str, str] = field(default_factory=dict)
    hard_links: Mapping[str, str] = field(default_factory=dict)
    directories: Sequence[str] = ()

    @property
    def digest(self) -> str:
        """Another one for every other image."""
        told = repr((sorted(self.tree.items()), sorted(self.config.items()), self.steps, self.mode))
        return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"

    def inspect(self, reference: str) -> Mapping[str, Any]:
        """Describe it."""
        del reference
        return {"Id": self.digest, "Config": dict(self.config)}

    def history(self, reference: str) -> list[str]:
        """Say how it was made."""
        del reference
        return self.steps

    @contextmanager
    def files(self, digest: str) -> Iterator[BinaryIO]:
        """Write its tree."""
        del digest
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path, given in self.tree.items():
                content, modified = given if isinstance(given, tuple) else (given, CONSTANT_TIME)
                member = tarfile.TarInfo(path.lstrip("/"))
                member.size, member.mtime, member.mode = len(content), modified, self.mode
                archive.addfile(member, io.BytesIO(content))
            for path, kind, leads in self._bare():
                member = tarfile.TarInfo(path.lstrip("/"))
                member.type, member.linkname, member.mtime = kind, leads, CONSTANT_TIME
                archive.addfile(member)
        stream.seek(0)
        yield stream

    def _bare(self) -> Iterator[tuple[str, bytes, str]]:
        yield from ((path, tarfile.SYMTYPE, leads) for path, leads in self.links.items())
        yield from ((path, tarfile.LNKTYPE, leads.lstrip("/")) for path, leads in self.hard_links.items())
        yield from ((path, tarfile.DIRTYPE, "") for path in self.directories)


class EngineStandIn:
    """An engine that has one image under every name and can do nothing else."""

    def __init__(self, store: ImageStandIn | None = None) -> None:
        """Give it its image; without one, an image that holds nothing."""
        self.store = store or ImageStandIn()

    def image(self, reference: str) -> Image:
        """Resolve any name."""
        del reference
        volumes = tuple(self.store.config.get("Volumes", ()))
        return Image(digest=self.store.digest, has_shell=True, volumes=volumes)
