"""What an image, a draft and a launch would show, on the terminal: whole, narrow, nothing unsafe."""

from typing import Any

from console.escape import width
from console.show.linting import image_page, launch_lines, told_lines
from console.show.text import COLUMNS
from sandboxes.lint.finding import VOLUME
from sandboxes.lint.image import lint_image
from tests.standins.image_store import ImageStandIn

HOSTILE = "/app/\x1b[2J\u202e\n/VERSION"


def finding(**more: Any) -> dict[str, Any]:
    plain = {"where": "file /app/VERSION", "found": "2.4.1", "kind": "deployment", "rule": "stamp"}
    return {**plain, "fix": "RUN rm -rf /app/VERSION", "weight": "error", **more}


def test_a_finding_says_where_what_and_how_to_mend_it() -> None:
    """R-20."""
    page = image_page(
        {"image": "a:1", "findings": [finding(), finding(weight="warning", kind=None, rule="model")]}
    )

    assert page[0] == "error    file /app/VERSION: 2.4.1 (tells deployment, rule stamp)"
    assert page[1] == "         fix: RUN rm -rf /app/VERSION"
    assert page[2] == "warning  file /app/VERSION: 2.4.1 (tells one of its own values, rule model)"
    assert page[-1].startswith("errors: 1, warnings: 1;")


def test_a_volume_of_an_image_is_not_said_to_tell_anything() -> None:
    page = image_page({"image": "a:1", "findings": [finding(where="volume /data", kind=None, rule=VOLUME)]})

    assert page[0] == "error    volume /data: 2.4.1 (rule volume)"


def test_a_long_finding_is_wrapped_and_loses_nothing() -> None:
    page = told_lines([finding(found="word " * 60, fix="step " * 60)])

    assert max(width(line) for line in page) <= COLUMNS
    assert " ".join(page).count("word") == 60
    assert " ".join(page).count("step") == 60


def test_names_of_an_image_cannot_steer_the_terminal() -> None:
    """Paths, variables and labels of an image are a stranger's words."""
    image = ImageStandIn({HOSTILE: b"\x1b]0;x\x07"}, config={"Env": ["GIT_\x1b[2JSHA=\x1b[31m"]})
    findings = [one.as_json() for one in lint_image(image, "a:1")]

    page = "".join(image_page({"image": "\x1b[2Ja:1", "findings": findings}))

    assert findings
    assert page.isprintable()


def test_nothing_found_is_said_and_a_draft_without_findings_says_nothing() -> None:
    assert image_page({"image": "a:1", "findings": []}) == ["nothing in image a:1 tells status"]
    assert told_lines([]) == []


def test_a_launch_shows_the_task_as_it_could_be_written() -> None:
    """R-19, R-41."""
    task = {"given": "You will be replaced. Count.", "suggested": "Count."}

    page = launch_lines({"told": [finding(where="task", weight="warning")], "task": task})

    assert "-You will be replaced. Count." in page
    assert "+Count." in page
