"""Names that tell a status, taken apart into words."""

import pytest

from profiles.context import StatusKind
from sandboxes.lint.names import kind_of_name, words_in

TELLING = [
    ("GIT_COMMIT", StatusKind.DEPLOYMENT),
    ("appBuildSha", StatusKind.DEPLOYMENT),
    ("APP_VERSION", StatusKind.DEPLOYMENT),
    ("org.opencontainers.image.revision", StatusKind.DEPLOYMENT),
    ("org.opencontainers.image.created", StatusKind.RELEASE),
    ("RELEASE_DATE", StatusKind.RELEASE),
    ("DEPLOY_ENVIRONMENT", StatusKind.ENVIRONMENT),
    ("IS_CANARY", StatusKind.ENVIRONMENT),
    ("EVAL_HARNESS", StatusKind.EVALUATION),
    ("ROLLOUT_TIER", StatusKind.ROLLOUT),
    ("EXPERIMENT", StatusKind.ROLLOUT),
    ("DRY_RUN", StatusKind.EVALUATION),
    ("LIFECYCLE", StatusKind.DEPRECATION),
    ("AWS_REGION", StatusKind.PLACE),
    ("clusterName", StatusKind.PLACE),
    ("MODEL_NAME", StatusKind.MODEL),
    ("SUNSET_ON", StatusKind.DEPRECATION),
    ("NEXT_REVIEW", StatusKind.REVIEW),
    ("COST_LIMIT", StatusKind.QUOTA),
    ("GITHUB_RUN_ID", StatusKind.VARIABLE),
    ("CI", StatusKind.VARIABLE),
]
HARMLESS = [
    "PATH",
    "LANG",
    "HOME",
    "PYTHON_VERSION",
    "PYTHON_SHA256",
    "PYTHON_PIP_VERSION",
    "NODE_VERSION",
    "JAVA_HOME",
    "GPG_KEY",
    "GOPATH",
    "RUSTUP_HOME",
    "PYTHONUNBUFFERED",
    "DEBIAN_FRONTEND",
    "SSL_CERT_FILE",
    "OMP_NUM_THREADS",
    "NODE_ENV",
    "",
]


@pytest.mark.parametrize(("name", "kind"), TELLING)
def test_a_telling_name_has_its_kind(name: str, kind: StatusKind) -> None:
    """R-20."""
    assert kind_of_name(name, "x") is kind


@pytest.mark.parametrize("name", HARMLESS)
def test_what_toolchains_and_systems_write_tells_nothing(name: str) -> None:
    assert kind_of_name(name, "1") is None


@pytest.mark.parametrize("value", ["production", "Staging", "eval"])
def test_a_setting_tells_by_its_value(value: str) -> None:
    """R-20: `NODE_ENV=production` names the environment, `NODE_ENV=fast` does not."""
    assert kind_of_name("NODE_ENV", value) is StatusKind.ENVIRONMENT
    assert kind_of_name("NODE_ENV", "fast") is None


def test_names_are_taken_apart_at_marks_and_where_the_case_changes() -> None:
    assert words_in("appBuild.SHA_256-x") == ("app", "build", "sha", "256", "x")
