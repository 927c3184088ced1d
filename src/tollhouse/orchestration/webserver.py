"""Asking Dagster's webserver whether it stands and has loaded the code location."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

_QUERY = """{ workspaceOrError { ... on Workspace { locationEntries {
  loadStatus
  locationOrLoadError { __typename
    ... on PythonError { message }
    ... on RepositoryLocation { repositories {
      sensors { name sensorState { status } }
      schedules { name cronSchedule scheduleState { status } } } } } } } } }"""


@dataclass(frozen=True)
class Location:
    """What the webserver says of the code location: an error, or names of what is switched on."""

    error: str | None = None
    running: list[str] = field(default_factory=list[str])


def ask(url: str) -> Location | None:
    """The code location of the webserver at ``url``; None while it is still coming up."""
    body = json.dumps({"query": _QUERY}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310 - http
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - http
            answer: dict[str, Any] = json.load(response)
    except (OSError, urllib.error.URLError):
        return None
    entries = answer["data"]["workspaceOrError"].get("locationEntries", [])
    if not entries or entries[0]["loadStatus"] != "LOADED":
        return None
    return _location(entries[0]["locationOrLoadError"])


def _location(found: dict[str, Any]) -> Location:
    if found["__typename"] == "PythonError":
        return Location(error=found["message"].strip())
    running: list[str] = []
    for repository in found["repositories"]:
        running += [f"sensor {s['name']}" for s in repository["sensors"] if s["sensorState"]["status"] == "RUNNING"]
        running += [
            f"schedule {s['name']} ({s['cronSchedule']})"
            for s in repository["schedules"]
            if s["scheduleState"]["status"] == "RUNNING"
        ]
    return Location(running=running)
