"""``tollhouse serve``: servers that run until they are ended."""

import signal
import sys
from types import FrameType

import click

from tollhouse.errors import SettingsError
from tollhouse.settings import find_settings_file, load_settings


@click.group("serve")
def serve() -> None:
    """Run a server: the gateway, the pipelines (Dagster) or simulated providers."""


@serve.command("pipelines")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of the webserver.")
@click.option("--port", default=3000, show_default=True, help="Its port; 0 takes a free one.")
@click.pass_obj
def pipelines(config: str | None, host: str, port: int) -> None:
    """Keep the lake up to date: Dagster's webserver and daemon, sensor and schedules switched on.

    Ctrl-C or SIGTERM ends both. What was running then is begun again at the next start.
    """
    from tollhouse.orchestration.serving import Server
    from tollhouse.orchestration.serving import serve as start

    def show(server: Server) -> None:
        click.echo(f"Serving pipelines at {server.url}, home {server.home}")
        for name in server.location.running:
            click.echo(f"  on: {name}")
        if server.resumed:
            click.echo(f"  {server.resumed} interrupted runs are begun again")
        sys.stdout.flush()

    signal.signal(signal.SIGTERM, _leave)
    try:
        with start(load_settings(config), host, port) as server:
            show(server)
            server.watch()
    except KeyboardInterrupt:
        click.echo("Ended.")


@serve.command("gateway")
@click.pass_obj
def gateway(config: str | None) -> None:
    """Serve the gateway that the settings' `gateway:` describes: docs/gateway.md.

    Ctrl-C or SIGTERM lets open calls end, for `gateway.drain_seconds` at most. A changed settings file is taken into
    force within a second.
    """
    from tollhouse.gateway.serving import Addresses
    from tollhouse.gateway.serving import serve as start

    path = find_settings_file(config)
    if path is None:
        raise SettingsError(
            "no settings file found",
            hint="write tollhouse.yml with a `gateway:` as docs/gateway.md shows, or name it by --config",
        )

    def show(at: Addresses) -> None:
        print(f"Serving the gateway at {at.gateway}, admin at {at.admin}", flush=True)

    signal.signal(signal.SIGTERM, _leave)
    try:
        start(path, show)
    except KeyboardInterrupt:
        click.echo("Ended.")


@serve.command("simulated")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8090, show_default=True, help="Its port; 0 takes a free one.")
@click.option("--seed", default=1, show_default=True, help="What the answers depend on beside the question.")
@click.option("--key", help="The only credential that is accepted; otherwise any is.")
@click.option("--ledger-detail/--no-ledger-detail", default=True, help="Keep every call, or only the sums.")
def simulated(host: str, port: int, seed: int, key: str | None, ledger_detail: bool) -> None:
    """Simulated model providers, for trying things without a key: docs/simulated.md."""
    from tollhouse.simulated.serving import Options
    from tollhouse.simulated.serving import serve as start

    options = Options(host=host, port=port, seed=seed, key=key, has_ledger_detail=ledger_detail)
    start(options, lambda url: print(f"Serving simulated providers at {url}", flush=True))


def _leave(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
