"""Reading what decides a deployment's reviews: its agent's traits, its profile, and since when."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, select

from profiles.load import parse_profile
from profiles.policy import ReviewRules
from profiles.risk import Cadence
from rollout.reviews.calendar import Terms
from runtime import agents
from runtime.agents import Agent
from runtime.canonical import parse_canonical
from runtime.deployments import DeploymentError
from runtime.tables.agents import DeploymentRow

_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def terms_of(conn: Connection, deployment: str, *, rules: ReviewRules) -> Terms:
    """Return what decides a deployment's reviews.

    Raises:
        DeploymentError: there is no such deployment.
    """
    row = conn.execute(select(_DEPLOYMENT).where(_DEPLOYMENT.c.digest == deployment)).mappings().first()
    if row is None:
        raise DeploymentError(f"deployment {deployment[:12]} does not exist")
    agent = agents.find(conn, row["agent"])
    query = select(_DEPLOYMENT.c.created_at, _DEPLOYMENT.c.parts).where(
        _DEPLOYMENT.c.agent == agent.name, _DEPLOYMENT.c.created_at <= row["created_at"]
    )
    past = conn.execute(query.order_by(_DEPLOYMENT.c.created_at.desc())).all()
    return Terms(
        created_at=row["created_at"],
        present_since=row["restored_at"] or row["created_at"],
        profile_since=_since(past),
        cadence=_cadence(agent, row["profile_text"]),
        rules=rules,
    )


def _since(past: Sequence[Row[Any]]) -> datetime:
    """Return when the run of deployments with the newest one's profile began."""
    profiles = [_profile_of(row.parts) for row in past]
    same = next((i for i, profile in enumerate(profiles) if profile != profiles[0]), len(profiles))
    began: datetime = past[same - 1].created_at
    return began


def _profile_of(parts: bytes) -> object:
    value = parse_canonical(parts)
    return value.get("profile") if isinstance(value, dict) else None


@lru_cache(maxsize=1024)
def _cadence(agent: Agent, profile_text: str) -> Cadence:
    profile = parse_profile(profile_text.encode(), source=agent.name).profile
    return agent.assessment(profile).cadence
