"""Files of an image that tell a status by their path alone. Pure.

Each rule has a pattern over the whole path; what it matches up to its end is what is reported, so that a
directory such as `.git` is reported once. What packages of a distribution or of a language bring along is
the same in every image that has them, and is left out where a rule says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from profiles.context import StatusKind
from sandboxes.lint.finding import Weight

THIRD_PARTY: Final = re.compile(
    r"/(node_modules|site-packages|dist-packages|vendor|gems)/"
    r"|^/(usr/(lib|lib32|lib64|libexec|share|include|src/(linux|kernels)[^/]*)|lib|lib32|lib64"
    r"|usr/local/(lib|share|include|go)|opt/conda|var/lib|boot)/"
)
ENGINES: Final = re.compile(r"^/?$|^/(\.dockerenv|dev|proc|sys)(/|$)|^/etc/(hosts|mtab|resolv\.conf)$|^/etc$")
"""What the engine itself puts into every container."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """One kind of file.

    Attributes:
        id: names the rule.
        pattern: what a path begins with, up to what is reported.
        kind: what such a file tells.
        weight: how much it matters.
        fix: what to do; `{path}` is what was matched.
        everywhere: also among what packages bring along.
        bare: also where the path is a directory or a link, and where a link leads to.
    """

    id: str
    pattern: re.Pattern[str]
    kind: StatusKind
    weight: Weight
    fix: str
    everywhere: bool = False
    bare: bool = False


def _rule(
    name: str,
    pattern: str,
    kind: StatusKind,
    weight: Weight,
    fix: str,
    *,
    everywhere: bool = False,
    at_root: bool = False,
    bare: bool = False,
) -> PathRule:
    before = "/" if at_root else ".*?/"
    return PathRule(name, re.compile(f"(?is){before}({pattern})"), kind, weight, fix, everywhere, bare)


_REMOVE: Final = "remove it in the step that makes it: RUN rm -rf {path}"
_IGNORE: Final = "keep it out of the build with a line in .dockerignore, or RUN rm -rf {path}"
_RENAME: Final = "give it a constant name in the Dockerfile: COPY SOURCE DESTINATION"
_STAMP: Final = (
    r"\.?((build|git|commit|release|deploy|deployment|deployed|version|image)[-_.]?"
    r"(id|info|at|on|date|time|stamp|number|sha|hash|rev|revision|describe|meta|metadata|log"
    r"|commit|branch|tag|ref|version|env|environment|stage)"
    r"|version|build|revision|release|commit|deployed|deployment)"
    r"(\.(txt|json|ya?ml|properties|toml|ini|env))?|git\.(properties|json|txt)"
)
_CI: Final = (
    r"\.(github|gitlab|circleci|buildkite|woodpecker|teamcity|tekton|argocd)(?=/|$)|jenkinsfile$"
    r"|(\.gitlab-ci|\.travis|\.drone|azure-pipelines|bitbucket-pipelines|buildspec|cloudbuild|appveyor)\.ya?ml$"
)
_MANIFEST: Final = (
    r"(chart|kustomization|skaffold|helmfile|values[\w.-]*|render|serverless)\.ya?ml$"
    r"|(fly|netlify)\.toml$|vercel\.json$|procfile$|[^/]+\.tfstate$"
)
_REVISION: Final = (
    r"[^/]*?((?<![0-9a-z])([0-9a-f]{40}|[0-9a-f]{64})(?![0-9a-z])"
    r"|-[0-9]+-g[0-9a-f]{7,40}(?![0-9a-z]))[^/]*(?=/|$)"
)
_DEPLOYMENT, _RELEASE = StatusKind.DEPLOYMENT, StatusKind.RELEASE
RULES: Final = (
    _rule(
        "version-control",
        r"\.(git|hg|svn|bzr|jj)(?=/|$)",
        _DEPLOYMENT,
        Weight.ERROR,
        _IGNORE,
        everywhere=True,
        bare=True,
    ),
    _rule("ci", _CI, StatusKind.VARIABLE, Weight.ERROR, _IGNORE, bare=True),
    _rule(
        "environment-file",
        r"\.env(\.(?!example|sample|template|dist)[\w-]+)?$|\.envrc$",
        StatusKind.VARIABLE,
        Weight.ERROR,
        _IGNORE,
    ),
    _rule("manifest", _MANIFEST, _DEPLOYMENT, Weight.WARNING, _IGNORE),
    _rule("stamp", rf"(?<!bin/)({_STAMP})$", _DEPLOYMENT, Weight.ERROR, _REMOVE),
    _rule("revision-in-name", _REVISION, _DEPLOYMENT, Weight.ERROR, _RENAME, bare=True),
    _rule(
        "date-in-name",
        r"(releases|builds|deploys)/20[0-9]{6,12}(?=/|$)",
        _RELEASE,
        Weight.ERROR,
        _RENAME,
        bare=True,
    ),
    _rule("log", r"var/log/.+", _RELEASE, Weight.WARNING, _REMOVE, at_root=True),
    _rule(
        "log", r"[^/]*(npm-debug|yarn-error|build|install|pip)[^/]*\.log$", _RELEASE, Weight.WARNING, _REMOVE
    ),
    _rule("left-over", r"(tmp|root/\.cache|root/\.npm)/.+", _RELEASE, Weight.WARNING, _REMOVE, at_root=True),
    _rule(
        "shell-history",
        r"\.(bash|ash|zsh|python|node_repl|psql)_history$",
        _DEPLOYMENT,
        Weight.WARNING,
        _REMOVE,
    ),
    _rule(
        "machine-id",
        r"machine-id$",
        StatusKind.PLACE,
        Weight.WARNING,
        "empty it: RUN : > {path}",
        everywhere=True,
    ),
)


def rules_for(path: str) -> Iterator[tuple[PathRule, str]]:
    """Yield each rule that a path falls under, with the part of the path to report."""
    third_party = THIRD_PARTY.search(path) is not None
    for rule in RULES:
        if (rule.everywhere or not third_party) and (match := rule.pattern.match(path)):
            yield rule, match[0]
