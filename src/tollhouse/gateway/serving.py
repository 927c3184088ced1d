"""``tollhouse serve gateway``: sockets, workers, signals."""

import logging
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from tollhouse.errors import SettingsError
from tollhouse.gateway.configuration.configuration import Configuration
from tollhouse.gateway.configuration.loading import load_configuration
from tollhouse.gateway.connections import Connection
from tollhouse.gateway.identity.delivery import deliver
from tollhouse.gateway.identity.pepper import load_pepper
from tollhouse.gateway.identity.schema import store_path
from tollhouse.gateway.identity.store import IdentityStore
from tollhouse.gateway.operations.logs import route_logs
from tollhouse.gateway.redaction import Redactor
from tollhouse.gateway.worker import ADMIN_PORT_VARIABLE, METRICS_VARIABLE, SETTINGS_VARIABLE

_logger = logging.getLogger(__name__)
_BACKLOG = 2048
# Longer than providers' SDKs keep an idle connection, so that the client closes it and no request crosses the close.
_KEEP_ALIVE_SECONDS = 75


class _Supervisor(Multiprocess):
    """Workers that die are replaced, for as long as one of them serves; SIGHUP is passed on to them.

    uvicorn ends the gateway where a new worker cannot start, so that one crash while the settings file is invalid
    would end the workers that go on with the settings from before; and at SIGHUP it restarts them.
    """

    def handle_hup(self) -> None:
        """Have the workers read their settings again. One that still starts reads them anyway, and SIGHUP ends it."""
        for process in self.processes:
            if process.is_ready(self.config.timeout_worker_healthcheck):
                os.kill(cast("int", process.pid), signal.SIGHUP)

    def keep_subprocess_alive(self) -> None:
        """Replace the dead; end where none can start."""
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set() or process.is_alive(self.config.timeout_worker_healthcheck):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                _logger.error("a worker cannot start", extra={"worker": process.pid})
                if not any(other.is_ready() for other in self.processes if other is not process):
                    self.should_exit.set()
                    return
            else:
                _logger.error("a worker has died", extra={"worker": process.pid, "exit_code": process.exitcode})
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()


class Addresses(NamedTuple):
    """Where a gateway is reached."""

    gateway: str
    admin: str


def serve(settings_file: Path, show: Callable[[Addresses], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``show`` is called once the sockets are bound.

    Raises SettingsError for a configuration that cannot be used or an address that is taken.
    """
    signal.signal(
        signal.SIGHUP, signal.SIG_IGN
    )  # inherited by workers: it ends none that cannot handle it yet, or still
    configuration = load_configuration(settings_file)
    document = configuration.document
    route_logs(document.log_level, Redactor(configuration.secrets).redact_line)
    _prepare(configuration)
    main = _bind(document.listen.host, document.listen.port, "gateway.listen")
    admin = _bind(document.admin.host, document.admin.port, "gateway.admin")
    metrics = Path(tempfile.mkdtemp(prefix="tollhouse-metrics-"))
    os.environ[SETTINGS_VARIABLE] = str(settings_file)
    os.environ[ADMIN_PORT_VARIABLE] = str(admin.getsockname()[1])
    os.environ[METRICS_VARIABLE] = str(metrics)
    config = uvicorn.Config(
        "tollhouse.gateway.worker:application",
        factory=True,
        workers=document.workers,
        http=Connection,
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=cast("int", document.drain_seconds),  # which asyncio waits for, fractions too
    )
    show(Addresses(_url(main), _url(admin)))
    try:
        if document.workers == 1:
            uvicorn.Server(config).run([main, admin])
        else:
            _Supervisor(config, [main, admin]).run()
    finally:
        main.close()
        admin.close()
        shutil.rmtree(metrics, ignore_errors=True)


def _prepare(configuration: Configuration) -> None:
    """Make the stores once, before the workers all want to, and send off what an earlier command could not."""
    pepper = load_pepper(configuration.state_dir, configuration.pepper)
    with IdentityStore(store_path(configuration.state_dir), pepper) as store:
        deliver(store, configuration.spool_dir)


def _bind(host: str, port: int, place: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"{place}: cannot listen on {host}:{port}: {error.strerror or error}",
            hint="end what listens there, or name another port",
        ) from error
    bound.set_inheritable(True)
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
