"""Names of variables and labels that tell a status: by the words they are made of. Pure.

A name such as `GIT_COMMIT`, `appBuildDate` or `org.opencontainers.image.revision` is taken apart into words.
What toolchains write into every image (`PYTHON_VERSION`, `NODE_SHA256`) tells nothing of one deployment.
"""

import re
from collections.abc import Mapping
from typing import Final

from profiles.context import StatusKind

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(text.split())


_KINDS: Final[Mapping[StatusKind, frozenset[str]]] = {
    StatusKind.EVALUATION: words(
        "eval evals evaluation evaluations harness benchmark simulation simulated test testing dry dryrun"
    ),
    StatusKind.ENVIRONMENT: words("environment staging canary prod production preprod preview stage uat"),
    StatusKind.ROLLOUT: words("tier rollout cohort experiment candidate shadow pilot"),
    StatusKind.DEPRECATION: words(
        "deprecated deprecation sunset eol retired retirement superseded lifecycle"
    ),
    StatusKind.REVIEW: words("review reviewer reviewed"),
    StatusKind.QUOTA: words("quota budget cost"),
    StatusKind.PLACE: words("cluster region zone datacenter pod kubernetes availability hostname"),
    StatusKind.MODEL: words("model llm"),
    StatusKind.VARIABLE: words(
        "ci github gitlab jenkins buildkite circleci travis bamboo teamcity codebuild argo argocd helm otel "
        "heroku dyno vercel netlify railway"
    ),
    StatusKind.RELEASE: words("release released created built timestamp epoch"),
    StatusKind.DEPLOYMENT: words(
        "commit sha revision rev build buildid version vcs git branch tag deployment deploy deployed digest "
        "ref"
    ),
}
_TOOLS: Final = words(
    "python pip setuptools wheel get node npm yarn pnpm go golang java jdk jre ruby gem bundler rust cargo "
    "rustup php perl dotnet aspnet nginx njs pkg dynpkg postgres pg redis erlang elixir otp gcc glibc musl "
    "cuda nv nvidia cudnn nccl libcublas cublas tini gosu uv poetry conda miniconda maven gradle sbt scala "
    "kotlin swift deno bun lua julia openssl playwright chrome chromium firefox gpg debian alpine ubuntu base"
)
_OF_TOOLS: Final = words(
    "version sha sha1 sha256 sha512 checksum hash url release major minor patch full home root path key keys "
    "download package lib dev driver required 1 2 3 5 6 10 12 256 512"
)
_SETTINGS: Final = words("env mode profile")
_ENVIRONMENTS: Final = words(
    "production prod staging stage test testing dev development develop qa uat canary preview preprod "
    "sandbox eval evaluation ci live integration pilot shadow"
)


def words_in(name: str) -> tuple[str, ...]:
    """Take a name apart: at `_`, `-`, `.`, `/`, and where the letter case changes."""
    return tuple(word.lower() for word in _WORD.findall(name))


def kind_of_name(name: str, value: str = "") -> StatusKind | None:
    """Return what a variable or a label tells by its name, None where that is nothing.

    Args:
        name: as it is spelled.
        value: what it holds; names such as `NODE_ENV` tell only with the name of an environment in it.
    """
    found = frozenset(words_in(name))
    if not found or (found & _TOOLS and found <= _TOOLS | _OF_TOOLS):
        return None
    if found & _SETTINGS and value.strip().lower() in _ENVIRONMENTS:
        return StatusKind.ENVIRONMENT
    return next((kind for kind, telling in _KINDS.items() if found & telling), None)
