"""All checks, in the order in which a newcomer can put things right."""

from datetime import datetime

from console.client import Client
from console.doctor.boxes import examine_boxes
from console.doctor.database import examine_database
from console.doctor.engine import examine_engine
from console.doctor.evaluation import examine_evaluation
from console.doctor.finding import Finding, Level, good
from console.doctor.people import examine_people
from console.doctor.rights import examine_rights
from console.doctor.state import examine_state
from console.doctor.volumes import examine_volumes
from console.errors import ConsoleError
from runtime.settings import Settings


def examine(settings: Settings, client: Client, *, now: datetime) -> list[Finding]:
    """Look at everything.

    Args:
        settings: what to look at.
        client: calls the control plane, if one runs.
        now: the present moment.
    """
    state = examine_state(settings, now=now)
    unusable = any(finding.level is Level.FAIL for finding in state[:2])
    people = [] if unusable else examine_people(settings, now=now)
    engine = examine_engine(settings.docker_socket)
    volumes = [*examine_volumes(settings.volumes_dir), *examine_evaluation(settings)]
    database = examine_database(settings)
    serve = _serve(client)
    boxes = examine_boxes(settings.docker_socket, settings.state_dir, served=serve.level is Level.OK)
    return [*engine, *examine_rights(), *volumes, *database, *state, *people, *boxes, serve]


def _serve(client: Client) -> Finding:
    try:
        health = client.get("health")
    except ConsoleError as error:
        return Finding("serve", Level.WARN, error.what, error.next_step)
    mode = "single-user mode" if health["single_user"] else f"for {health['user']}"
    return good("serve", f"process {health['pid']}, {mode}, since {health['started_at'][:19]}Z")
