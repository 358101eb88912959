"""`trialconv serve`."""

from __future__ import annotations

import click

from trialconv.cli.options import Size
from trialconv.issues import OutputError, UsageError
from trialconv.web.settings import LOOPBACK, Settings

_DEFAULT = Settings()


@click.command("serve")
@click.option("--host", default=_DEFAULT.host, show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=_DEFAULT.port, show_default=True, help="The port.")
@click.option(
    "--public",
    is_flag=True,
    help="Allow an address that other machines reach. There is no log-in: put a proxy that has one in front.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which the server may be called, beside localhost; may be given several times.",
)
@click.option(
    "--max-body", type=Size(), default=_DEFAULT.max_body, show_default="16M", help="The largest body of a request."
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0.1),
    default=_DEFAULT.work_time,
    show_default=True,
    help="How many seconds a conversion may take.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=_DEFAULT.workers,
    show_default=True,
    help="How many conversions run at a time, each in a process of its own.",
)
def command(
    host: str, port: int, public: bool, hosts: tuple[str, ...], max_body: int, time_limit: float, workers: int
) -> None:
    """Serve the page and the HTTP interface, on this machine alone unless told otherwise.

    Nothing that is sent is kept. A line about each request goes to standard error, as JSON. Needs the extra
    trialconv[web].

    \b
    Examples:
      trialconv serve
      trialconv serve --port 8080 --max-body 64M
    """
    if host not in LOOPBACK and not public:
        raise UsageError(f"{host} can be reached by other machines, and there is no log-in; --public allows it")
    settings = Settings(
        host=host,
        port=port,
        hosts=(*LOOPBACK, *hosts),
        max_body=max_body,
        work_time=time_limit,
        workers=workers,
    )
    try:
        from trialconv.web.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'trialconv[web]'") from None
    try:
        serve(settings)
    except OSError as error:
        raise OutputError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
