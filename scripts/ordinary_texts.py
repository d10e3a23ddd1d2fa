"""Running text of many sorts, out of packages of Debian: essays, law, manuals, sayings, dictionaries, a game.

What the scrubber's weights are learned against, beside documentation: an agent reads more than that. The
packages are fetched by `apt-get download` and unpacked under `build/`; nothing is installed.
"""

import gzip
import re
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

UNPACKED: Final = Path(__file__).parents[1] / "build" / "ordinary"
_BLOCKS: Final = frozenset({"p", "div", "li", "td", "dt", "dd", "h1", "h2", "h3", "h4", "blockquote"})
_CODE: Final = frozenset({"pre", "script", "style", "code"})
_WRAPPED: Final = re.compile(r"\s*\n\s*")
_EXAMPLE: Final = re.compile(r'"([^"]+)"')
_SAID: Final = re.compile(r'_\s*\(?\s*"((?:[^"]|"")+)"')


class _Paragraphs(HTMLParser):
    """Collects the paragraphs of a page, without its code."""

    def __init__(self) -> None:
        super().__init__()
        self.found = [""]
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._in_code += tag in _CODE
        if tag in _BLOCKS:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag in _CODE and self._in_code > 0

    def handle_data(self, data: str) -> None:
        self.found[-1] += "" if self._in_code else data


def _pages(text: str) -> Iterator[str]:
    page = _Paragraphs()
    page.feed(text)
    yield from page.found


def _plain(text: str) -> Iterator[str]:
    yield from text.split("\n\n")


def _sayings(text: str) -> Iterator[str]:
    yield from text.split("\n%\n")


def _glosses(text: str) -> Iterator[str]:
    for line in text.splitlines():
        _, _, gloss = line.partition("| ")
        yield from _EXAMPLE.findall(gloss) or [gloss]


def _spoken(text: str) -> Iterator[str]:
    yield from _SAID.findall(text)


_READ: Final[dict[str, tuple[str, Callable[[str], Iterator[str]]]]] = {
    "debian-handbook": ("en-US/*.html", _pages),
    "debian-policy": ("*.txt.gz", _plain),
    "dict-foldoc": ("*.dz", _plain),
    "fortunes": ("games/fortunes/*", _sayings),
    "freeciv-data": ("*.ruleset", _spoken),
    "git-doc": ("*.txt", _plain),
    "jargon-text": ("*.gz", _plain),
    "wesnoth-1.16-data": ("*.cfg", _spoken),
    "wordnet-base": ("data.*", _glosses),
}
_PAGES: Final = (
    "anarchism",
    "apache2-doc",
    "buildbot-doc",
    "developers-reference",
    "haproxy-doc",
    "ironic-doc",
    "maint-guide",
    "nova-doc",
    "octavia-doc",
    "postgresql-doc-15",
    "python-celery-doc",
    "python-django-doc",
    "python-openstackclient-doc",
    "python-pytest-doc",
    "slurm-wlm-doc",
    "tomcat10-docs",
)
PACKAGES: Final = {**_READ, **dict.fromkeys(_PAGES, ("*.html", _pages))}
"""Which files are read, and how; those of Debian 12."""


def fetch() -> None:
    """Fetch and unpack the packages that are not there.

    Raises:
        subprocess.CalledProcessError: this is no Debian, or it has other packages.
    """
    for name in PACKAGES:
        place = UNPACKED / name
        if not place.exists():
            UNPACKED.mkdir(parents=True, exist_ok=True)
            subprocess.run(["apt-get", "download", "--quiet", name], cwd=UNPACKED, check=True)
            archive = next(UNPACKED.glob(f"{name}_*.deb"))
            subprocess.run(["dpkg-deb", "--extract", archive, place], check=True)
            archive.unlink()


def paragraphs(name: str) -> list[str]:
    """Return the paragraphs of a package that was fetched, each in one line."""
    pattern, read = PACKAGES[name]
    files = sorted(
        path for path in (UNPACKED / name).rglob(pattern) if path.is_file() and not path.is_symlink()
    )
    return [_WRAPPED.sub(" ", part) for path in files for part in read(_text_of(path))]


def _text_of(path: Path) -> str:
    data = path.read_bytes()
    plain = gzip.decompress(data) if path.suffix in {".gz", ".dz"} else data
    return plain.decode(errors="ignore")
