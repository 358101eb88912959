"""The command reference, made from the commands themselves."""

from __future__ import annotations

from pathlib import Path

import click

from trialconv.cli.main import COMMANDS, cli

_WIDTH = 100


def commands(_: Path) -> str:
    """Return the help of every command, each under a heading of its name."""
    top = click.Context(cli, info_name="trialconv", max_content_width=_WIDTH, terminal_width=_WIDTH)
    parts = [_help(cli, top)]
    for name in COMMANDS:
        command = cli.get_command(top, name)
        if command is None:
            raise ValueError(f"the command {name} is not there")
        below = click.Context(command, info_name=name, parent=top, max_content_width=_WIDTH, terminal_width=_WIDTH)
        parts += [f"## trialconv {name}", _help(command, below)]
    return "\n\n".join(parts)


def _help(command: click.Command, context: click.Context) -> str:
    lines = (line.rstrip() for line in command.get_help(context).splitlines())
    return "```text\n{}\n```".format("\n".join(lines))
