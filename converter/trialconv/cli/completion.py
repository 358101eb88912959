"""`trialconv completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the script that completes commands and options in a shell.

    \b
    Examples:
      trialconv completion bash > ~/.local/share/bash-completion/completions/trialconv
      trialconv completion zsh > ~/.zfunc/_trialconv
      trialconv completion fish > ~/.config/fish/completions/trialconv.fish
    """
    from trialconv.cli.main import cli

    made = get_completion_class(shell)
    if made is None:  # click knows all three
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(made(cli, {}, "trialconv", "_TRIALCONV_COMPLETE").source())
