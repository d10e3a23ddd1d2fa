"""Building an image without network: the host downloads, the Dockerfile copies.

    python3 -m scripts.build_image NAME CONTEXT [--base IMAGE]

CONTEXT holds a Dockerfile that begins with `ARG BASE` and `FROM ${BASE}`. If it holds a requirements.txt, the
wheels named there are put into CONTEXT/wheels first, for the Dockerfile to copy. Nothing is done when nothing
has changed.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.shell import SetupError, ask, conclude, must, say
from scripts.wheels import STAMP, download

NOTES = Path("build/images")  # what was built, and from what


@dataclass(frozen=True)
class Recipe:
    """How one image is made.

    Attributes:
        name: `name:tag` of the image.
        context: directory that the Dockerfile copies from.
        base: image given to the Dockerfile as BASE.
        target: stage of the Dockerfile; None for the last.
        wheels: requirements file -> directory for its wheels.
        inputs: files and directories whose change means building again; empty for the whole context.
    """

    name: str
    context: Path
    base: str
    target: str | None
    wheels: dict[Path, Path]
    inputs: tuple[Path, ...]


def build(recipe: Recipe) -> None:
    """Make sure that the engine has the image as its inputs are now.

    Args:
        recipe: how to make it.

    Raises:
        SetupError: no Dockerfile is there, or no base image; a wheel cannot be had, or the build failed.
    """
    _need_dockerfile(recipe.context)
    base_id = image_id(recipe.base)
    if not base_id:
        raise SetupError(f"{recipe.base}: no such image; next step: `make base-image` or `make images`")
    for requirements, destination in recipe.wheels.items():
        download(requirements, destination, recipe.base, base_id)
    inputs = _digest(recipe, base_id)
    note = NOTES / f"{recipe.name.replace('/', '-').replace(':', '-')}.json"
    if note.exists() and json.loads(note.read_text()) == {"inputs": inputs, "image": image_id(recipe.name)}:
        say(f"{recipe.name} is there")
        return
    say(f"building {recipe.name}")
    before = image_id(recipe.name)
    must(build_command(recipe), next_step=f"read {recipe.context}/Dockerfile against the lines above")
    note.parent.mkdir(parents=True, exist_ok=True)
    made = image_id(recipe.name)
    note.write_text(json.dumps({"inputs": inputs, "image": made}))
    if before not in ("", made):
        let_go(before)


def image_id(tag: str) -> str:
    """The id that the engine gives an image, empty when it has none of that name."""
    return ask(["docker", "image", "inspect", "--format", "{{.Id}}", tag]).out


def let_go(image: str) -> None:
    """Remove an image that has lost its name, unless something uses it. That it stays is no failure.

    Nothing is forced: the engine keeps an image that a container or another image is made from. One that has
    a single name left it would not keep, so one with a name or digest is not even tried.

    Args:
        image: its id.
    """
    names = ask(["docker", "image", "inspect", "--format", "{{.RepoTags}}{{.RepoDigests}}", image])
    if names.out == "[][]" and ask(["docker", "image", "rm", image]).ok:
        say(f"removed the image that it replaces, {image[:19]}")


def build_command(recipe: Recipe) -> list[str]:
    """The engine's own builder without network: it is there with every engine, no plug-in needed."""
    stage = [] if recipe.target is None else ["--target", recipe.target]
    return [
        *("env", "DOCKER_BUILDKIT=0", "docker", "build", "--network", "none", "--force-rm"),
        *("--build-arg", f"BASE={recipe.base}", "--tag", recipe.name, *stage, str(recipe.context)),
    ]


def _need_dockerfile(context: Path) -> None:
    if not context.is_dir():
        raise SetupError(f"{context}: no such directory; next step: name the one that holds the Dockerfile")
    if not (context / "Dockerfile").is_file():
        raise SetupError(
            f"{context}/Dockerfile: no such file; next step: write one that begins with `ARG BASE` and "
            "`FROM ${BASE}`, as docs/agents.md shows"
        )


def _digest(recipe: Recipe, base_id: str) -> str:
    told = hashlib.sha256(json.dumps([base_id, recipe.target]).encode())
    for path in _files(recipe.inputs or (recipe.context,)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        told.update(f"{path} {path.stat().st_mode:o} {content}\n".encode())
    return told.hexdigest()


def _files(inputs: Sequence[Path]) -> list[Path]:
    found = {path for root in inputs for path in ([root] if root.is_file() else root.rglob("*"))}
    return sorted(path for path in found if path.is_file() and path.name != STAMP)


def _recipe(chosen: argparse.Namespace) -> Recipe:
    pairs = [pair.split("=", 1) for pair in chosen.wheels]
    wheels = {Path(requirements): Path(destination) for requirements, destination in pairs}
    if not wheels and (chosen.context / "requirements.txt").exists():
        wheels = {chosen.context / "requirements.txt": chosen.context / "wheels"}
    return Recipe(chosen.name, chosen.context, chosen.base, chosen.target, wheels, tuple(chosen.input))


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python3 -m scripts.build_image", description=__doc__)
    parser.add_argument("name", help="name:tag of the image")
    parser.add_argument("context", type=Path, help="directory with the Dockerfile")
    option = parser.add_argument
    option("--base", default="handrail/agent:1", help="image to build on (default: %(default)s)")
    option("--target", help="stage of the Dockerfile (default: the last)")
    option("--wheels", action="append", default=[], metavar="FILE=DIR", help="where wheels go instead")
    option("--input", action="append", default=[], type=Path, help="what to watch instead of CONTEXT")
    build(_recipe(parser.parse_args()))


if __name__ == "__main__":
    conclude(_main)
