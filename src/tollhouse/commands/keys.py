"""``tollhouse keys``: virtual keys, principals and teams."""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import UNSET, UnsetType

from tollhouse.errors import SpoolError, StorageError
from tollhouse.settings import load_settings

if TYPE_CHECKING:
    from tollhouse.gateway.identity.keys import FreshKey
    from tollhouse.gateway.identity.states import PrincipalType
    from tollhouse.gateway.identity.store import IdentityStore
    from tollhouse.settings import Settings

_SPAN = re.compile(r"(\d{1,9})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_json = click.option("--json", "is_json", is_flag=True, help="One JSON object a line.")
_quiet = click.option("--quiet", is_flag=True, help="Print nothing but the key.")


class Span(click.ParamType[timedelta]):
    """A duration such as 90d; seconds, minutes, hours, days or weeks."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _SPAN.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not a duration such as 30m, 1h or 90d", param, ctx)
        try:
            return timedelta(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            self.fail(f"{value!r} is too long a duration", param, ctx)


class Moment(click.ParamType[datetime]):
    """A duration from now, or an ISO 8601 date or time, in UTC unless it says."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            if _SPAN.fullmatch(value):
                return datetime.now(UTC) + Span().convert(value, param, ctx)
            moment = datetime.fromisoformat(value)
        except OverflowError:
            self.fail(f"{value!r} is after the year 9999", param, ctx)
        except ValueError:
            self.fail(f"{value!r} is neither a duration such as 90d nor a date such as 2027-01-01", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_expires = click.option("--expires", type=Moment(), metavar="TIME", help="90d, 12h, 2027-01-01; by default never.")
_cost_center = click.option("--cost-center", metavar="NAME", help="What its calls are paid from; '' takes it away.")
_project = click.option("--project", metavar="NAME", help="The project of its calls; '' takes it away.")


@click.group("keys")
def keys() -> None:
    """Make, rotate and revoke virtual keys; change principals and teams.

    A key is shown once; the store in the state folder holds its hash alone. A running gateway follows each change
    within a second, and the change is written to the spool, from which silver.principals comes.
    """


@keys.command("create")
@click.argument("principal")
@click.option("--team", metavar="NAME", help="Team that owns its calls; by default the principal's first.")
@click.option("--cost-center", metavar="NAME", help="By default the team's, else the principal's.")
@click.option("--project", metavar="NAME", help="By default the team's, else the principal's.")
@_expires
@click.option("--description", default="", help="What it is for.")
@_quiet
@click.pass_obj
def create(config: str | None, principal: str, quiet: bool, expires: datetime | None, **wish: Any) -> None:
    """Make a key for PRINCIPAL and print it, this once."""
    with _opened(config) as store:
        fresh = store.create_key(principal, expires_at=expires, **wish)
        _show_key(fresh, f"A key for {principal}", is_quiet=quiet)


@keys.command("list")
@click.option("--principal", metavar="NAME", help="Only this principal's keys.")
@_json
@click.pass_obj
def list_keys(config: str | None, principal: str | None, is_json: bool) -> None:
    """Show all keys, ended ones too, without their secrets."""
    now = datetime.now(UTC)
    with _opened(config) as store:
        found = store.keys(principal)
    shown = [_of(key) | {"status": key.status(now)} for key in found]
    _print_rows(_KEY_COLUMNS, shown, is_json=is_json)


@keys.command("rotate")
@click.argument("key_id")
@click.option("--grace", type=Span(), default="0s", show_default=True, help="How long the old key lives on.")
@click.option("--expires", type=Moment(), metavar="TIME", help="By default as long as the old key was made for.")
@_quiet
@click.pass_obj
def rotate(config: str | None, key_id: str, grace: timedelta, expires: datetime | None, quiet: bool) -> None:
    """Make a key for the same grants as KEY_ID, which ends, and print it, this once."""
    with _opened(config) as store:
        fresh = store.rotate_key(key_id, grace=grace, expires_at=expires)
        ends = f"ends in {grace}" if grace else "has ended"
        _show_key(fresh, f"A key in the place of {key_id}, which {ends}", is_quiet=quiet)


@keys.command("revoke")
@click.argument("key_id")
@click.pass_obj
def revoke(config: str | None, key_id: str) -> None:
    """End the key KEY_ID at once, in every worker within a second."""
    with _opened(config) as store:
        is_new = store.revoke_key(key_id)
    click.echo(f"The key {key_id} {'is' if is_new else 'was already'} revoked.")


@keys.command("principal")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice(["user", "service_principal"], case_sensitive=False))
@click.option("--team", "teams", multiple=True, metavar="NAME", help="Its teams, the owner of its calls first.")
@click.option("--group", "groups", multiple=True, metavar="NAME", help="Groups, which permissions name.")
@_cost_center
@_project
@click.option("--delete", "is_deleting", is_flag=True, help="Delete it and revoke its keys.")
@click.pass_obj
def principal(config: str | None, name: str, is_deleting: bool, **given: Any) -> None:
    """Make the principal NAME, or change what is given of it; '' for a team or group takes all of them away."""
    if is_deleting and any(given.values()):
        raise click.UsageError("--delete goes with no other option")
    with _opened(config) as store:
        if is_deleting:
            ended = store.delete_principal(name)
            click.echo(f"The principal {name} is deleted; keys revoked: {ended}.")
            return
        kind: PrincipalType | UnsetType = given["kind"].upper() if given["kind"] else UNSET
        is_new = store.set_principal(
            name,
            principal_type=kind,
            teams=_several(given["teams"]),
            groups=_several(given["groups"]),
            cost_center=_one(given["cost_center"]),
            project=_one(given["project"]),
        )
    click.echo(f"The principal {name} {_stands(is_new)}.")


@keys.command("principals")
@_json
@click.pass_obj
def principals(config: str | None, is_json: bool) -> None:
    """Show all principals, deleted ones too."""
    with _opened(config) as store:
        found = store.principals()
    _print_rows(_PRINCIPAL_COLUMNS, [_of(one) for one in found], is_json=is_json)


@keys.command("team")
@click.argument("name")
@_cost_center
@_project
@click.pass_obj
def team(config: str | None, name: str, cost_center: str | None, project: str | None) -> None:
    """Make the team NAME, or change what is given of it."""
    with _opened(config) as store:
        is_new = store.set_team(name, cost_center=_one(cost_center), project=_one(project))
    click.echo(f"The team {name} {_stands(is_new)}.")


@keys.command("teams")
@_json
@click.pass_obj
def teams(config: str | None, is_json: bool) -> None:
    """Show all teams."""
    with _opened(config) as store:
        found = store.teams()
    _print_rows(_TEAM_COLUMNS, [_of(one) for one in found], is_json=is_json)


@contextmanager
def _opened(config: str | None) -> "Generator[IdentityStore]":
    """The store; what has been changed in it is then delivered to the spool, with what was left from before."""
    from tollhouse.gateway.identity.pepper import configured_pepper, load_pepper
    from tollhouse.gateway.identity.schema import store_path
    from tollhouse.gateway.identity.store import IdentityStore

    settings = load_settings(config)
    pepper = load_pepper(settings.state_dir, configured_pepper(settings))
    with IdentityStore(store_path(settings.state_dir), pepper) as store:
        yield store
        _deliver(store, settings)


def _deliver(store: "IdentityStore", settings: "Settings") -> None:
    from tollhouse.gateway.identity.delivery import deliver

    try:
        deliver(store, settings.spool_dir)
    except (StorageError, SpoolError) as error:
        click.echo(f"Warning: the change is in force, but is not in the spool yet: {error}", err=True)
        click.echo("  It waits in the state folder; the next `tollhouse keys` or gateway start writes it.", err=True)


def _show_key(fresh: "FreshKey", said: str, *, is_quiet: bool) -> None:
    if is_quiet:
        click.echo(fresh.text)
        return
    ends = f"expires {_text(fresh.expires_at)}" if fresh.expires_at else "never expires"
    click.echo(f"{said}; it {ends}:\n")
    click.echo(f"  {fresh.text}\n")
    click.echo("It is shown this once. Give it as x-tollhouse-key, or where the client puts the provider's key.")


def _one(given: str | None) -> str | UnsetType | None:
    return UNSET if given is None else given or None


def _several(given: Sequence[str]) -> Sequence[str] | UnsetType:
    """No option leaves as it is; one that is empty takes all away."""
    if not given:
        return UNSET
    return () if list(given) == [""] else given


def _stands(is_new: bool) -> str:
    return "is saved" if is_new else "was like that already"


Row = dict[str, Any]
Column = tuple[str, Callable[[Row], str]]


def _of(struct: msgspec.Struct) -> Row:
    return msgspec.structs.asdict(struct)


def _column(heading: str, name: str) -> Column:
    return heading, lambda row: _text(row[name])


_KEY_COLUMNS: list[Column] = [
    _column("KEY ID", "key_id"),
    _column("PRINCIPAL", "principal"),
    _column("STATUS", "status"),
    _column("EXPIRES", "expires_at"),
    _column("REVOKED", "revoked_at"),
    _column("CREATED", "created_at"),
    _column("TEAM", "team"),
    _column("COST CENTER", "cost_center"),
    _column("PROJECT", "project"),
    _column("DESCRIPTION", "description"),
]
_TEAM_COLUMNS = [_column("TEAM", "name"), _column("COST CENTER", "cost_center"), _column("PROJECT", "project")]
_PRINCIPAL_COLUMNS: list[Column] = [
    _column("PRINCIPAL", "name"),
    _column("TYPE", "principal_type"),
    _column("TEAMS", "teams"),
    _column("GROUPS", "groups"),
    _column("COST CENTER", "cost_center"),
    _column("PROJECT", "project"),
    ("STATUS", lambda row: "deleted" if row["is_deleted"] else "active"),
]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%SZ}"
    if isinstance(value, tuple):
        value = ", ".join(value)
    return str(value) if value else "-"


def _print_rows(columns: Sequence[Column], rows: Sequence[Row], *, is_json: bool) -> None:
    if is_json:
        for row in rows:
            click.echo(msgspec.json.encode(row))
        return
    table = [[heading for heading, _ in columns], *([text(row) for _, text in columns] for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if not rows:
        click.echo("(none)")
