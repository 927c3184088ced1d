"""The lake as Dagster's resource ``lake``, opened once a run, with the moment as of which the run works."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from tollhouse.lake.lakehouse import Lakehouse
from tollhouse.settings import Settings


@dataclass(frozen=True)
class OpenLake:
    """An open lake, and ``as_of``, which decides what is overdue."""

    lake: Lakehouse
    as_of: datetime


def lake_of(settings: Settings) -> dg.ResourceDefinition:
    """Run config ``as_of`` is an ISO 8601 time, UTC where it has no offset; by default the run's start."""

    @dg.resource(config_schema={"as_of": dg.Field(str, is_required=False)})
    def lake(context: dg.InitResourceContext) -> Iterator[OpenLake]:
        with Lakehouse(settings) as opened:
            yield OpenLake(opened, parse_as_of(context.resource_config.get("as_of")))

    return lake


def parse_as_of(text: str | None) -> datetime:
    """The moment that run config names."""
    if text is None:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def run_config(as_of: datetime) -> dict[str, object]:
    """Run config that pins the moment."""
    return {"resources": {"lake": {"config": {"as_of": as_of.isoformat()}}}}
