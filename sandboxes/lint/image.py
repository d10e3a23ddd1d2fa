"""The whole of an image, looked through and never started: settings, labels, history, files and their times.

Files can be read in a box, and variables wherever the image is run in another way; so both are errors.
Labels, the history and the image's own command cannot be read there, but tools pass them on: warnings.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from profiles.context import ContextRules
from sandboxes.driver import ImageSource
from sandboxes.lint.finding import VOLUME, Finding, Weight, finding
from sandboxes.lint.image_files import ImageFiles, own_in_paths, wanted
from sandboxes.lint.names import kind_of_name
from sandboxes.lint.texts import OwnText, findings_in_texts
from sandboxes.lint.tree import files_in
from sandboxes.plan import stray_volumes
from sandboxes.scrub.model import OwnValue, Place
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook
from sandboxes.scrub.scrubber import Scrubber

_ASSIGNED: Final = re.compile(r"(?<![\w./-])([A-Za-z_][A-Za-z0-9_]*)=(\S+)")
_ORDINARY: Final = frozenset({"maintainer", "author", "license", "licenses"})
_IN_HISTORY: Final = "pass it as a file of another stage; what a RUN line names stays in the history"


@dataclass(frozen=True)
class ReadImage:
    """What was read of an image, which is the same for every deployment.

    Attributes:
        config: variables, labels and command, as the engine tells them.
        history: the steps that made it.
        files: what its files tell of any deployment.
        paths: of all files, as `ImageFiles.paths` gives them.
        texts: settings and words for its agent.
        unread: how many files of them were not read to their end.
    """

    config: Mapping[str, Any]
    history: tuple[str, ...]
    files: tuple[Finding, ...]
    paths: str
    texts: tuple[OwnText, ...]
    unread: int


def lint_image(source: ImageSource, reference: str, own: Sequence[OwnValue] = ()) -> tuple[Finding, ...]:
    """Look through an image.

    Args:
        source: the engine's images.
        reference: digest or name of the image.
        own: values of the deployment that may stand nowhere in it, such as its real model's name.

    Returns:
        What it would tell, errors first.

    Raises:
        sandboxes.errors.ImageMissingError: the engine lacks it.
        sandboxes.errors.LintError: its files cannot be read to their end.
    """
    return lint_read(read_image(source, reference), own)


def read_image(source: ImageSource, reference: str) -> ReadImage:
    """Read an image to its end, which takes seconds; arguments and errors as of `lint_image`."""
    described = source.inspect(reference)
    files = ImageFiles()
    with source.files(str(described["Id"])) as stream:
        for fact in files_in(stream, wanted):
            files.add(fact)
    config, history = described.get("Config") or {}, tuple(source.history(reference))
    told, texts = tuple(files.findings()), files.texts
    return ReadImage(config, history, told, files.paths, texts.kept, texts.unread)


def lint_read(
    image: ReadImage, own: Sequence[OwnValue] = (), rulebook: Rulebook = SHIPPED_RULES
) -> tuple[Finding, ...]:
    """Say what an image that was read would tell, errors first."""
    scrubber = Scrubber(own, ContextRules(), rulebook.pack)
    found = [
        *_variables(image.config.get("Env") or (), scrubber),
        *image.files,
        *own_in_paths(image.paths, own),
        *findings_in_texts(image.texts, image.unread, scrubber),
        *_labels(image.config.get("Labels") or {}, scrubber),
        *_command(image.config, scrubber),
        *_history(image.history),
        *_volumes(image.config.get("Volumes") or ()),
    ]
    return tuple(sorted(found, key=lambda one: one.weight is Weight.WARNING))


def _variables(pairs: Sequence[str], scrubber: Scrubber) -> Iterator[Finding]:
    for pair in pairs:
        name, _, value = pair.partition("=")
        where, fix = f"variable {name}", f"remove the Dockerfile's line `ENV {name}=...`"
        if value and (kind := kind_of_name(name, value)):
            yield finding(where, value, kind, "variable-name", fix=fix, weight=Weight.ERROR)
        elif name != "PATH":
            yield from _by_text(where, value, fix, scrubber)


def _labels(labels: Mapping[str, str], scrubber: Scrubber) -> Iterator[Finding]:
    for name, value in labels.items():
        where, fix = (
            f"label {name}",
            f"remove the Dockerfile's line `LABEL {name}=...`, or --label of the build",
        )
        if name.lower().rpartition(".")[2] in _ORDINARY:
            continue
        if kind := kind_of_name(name.rpartition(".")[2], value) or kind_of_name(name, value):
            yield finding(where, value, kind, "label-name", fix=fix, weight=Weight.WARNING)
        else:
            yield from _by_text(where, value, fix, scrubber)


def _command(config: Mapping[str, Any], scrubber: Scrubber) -> Iterator[Finding]:
    for member in ("Entrypoint", "Cmd"):
        for word in config.get(member) or ():
            fix = "take it out of the Dockerfile; the profile's `command` is what a box runs"
            yield from _by_text(member.lower(), word, fix, scrubber)


def _history(steps: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for step in steps:
        for name, value in _ASSIGNED.findall(step):
            if name not in seen and (kind := kind_of_name(name, value)):
                seen.add(name)
                yield finding(
                    f"history {name}", value, kind, "history", fix=_IN_HISTORY, weight=Weight.WARNING
                )


def _volumes(volumes: Collection[str]) -> Iterator[Finding]:
    fix = (
        "take `VOLUME` out of the Dockerfile: no agent's box is made of this image; for an upstream's, the "
        "profile can name a volume with this `target` instead"
    )
    for path in stray_volumes(volumes):
        found = f"VOLUME {path}"
        yield finding(f"volume {path}", found, None, VOLUME, fix=fix, weight=Weight.WARNING)


def _by_text(where: str, text: str, fix: str, scrubber: Scrubber) -> Iterator[Finding]:
    for change in scrubber.text(text, Place.RESULT).changes[:1]:
        weight = Weight.ERROR if change.kind is None else Weight.WARNING
        yield finding(where, change.found, change.kind, change.rule, fix=fix, weight=weight)
