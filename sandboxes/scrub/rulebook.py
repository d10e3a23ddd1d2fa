"""The rules that one installation scrubs by: the shipped ones, and an operator's own beside them.

Their digest is over the names and bytes of an operator's files, so that a deployment and a proof can say by
which rules they were made. The shipped rules are part of the code, whose digest a proof names anyway.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandboxes.errors import PackError
from sandboxes.scrub.pack import Pack, load_packs
from sandboxes.scrub.rules import files_of, read_file


@dataclass(frozen=True)
class Rulebook:
    """What scrubbers are made with.

    Attributes:
        pack: the rules; None for the shipped ones alone, which are compiled when they are first needed.
        digest: SHA-256 in hex over an operator's files; empty where there are none.
    """

    pack: Pack | None = None
    digest: str = ""


SHIPPED_RULES = Rulebook()


def open_rulebook(paths: Sequence[Path]) -> Rulebook:
    """Read and compile an operator's own rules beside the shipped ones; it takes seconds.

    Args:
        paths: files, or directories whose `*.yaml` files are read; with none, the shipped rules are all.

    Raises:
        PackError: a path is not absolute, holds no rules, or a rule is wrong; the message names it.
    """
    if not paths:
        return SHIPPED_RULES
    before = digest_of_rules(paths)
    for file in _files(paths):
        read_file(file)  # what is wrong is said at once
    pack = load_packs(paths)
    if digest_of_rules(paths) != before:
        raise PackError(f"{', '.join(map(str, paths))}: changed while it was read; start again")
    return Rulebook(pack, before)


def digest_of_rules(paths: Sequence[Path]) -> str:
    """Return SHA-256 in hex over an operator's files; arguments and errors as of `open_rulebook`."""
    found = hashlib.sha256()
    for file in _files(paths):
        try:
            content = file.read_bytes()
        except OSError as cause:
            raise PackError(f"{file}: cannot be read: {cause}") from cause
        found.update(f"{file.name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return found.hexdigest()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_absolute():
            raise PackError(f"{path}: expected an absolute path of a file or a directory with rules")
        yield from files_of(path)
