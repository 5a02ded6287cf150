"""Groups of commands, with names of two words, and former names that keep working."""

from typing import Any

import typer
from typer.core import TyperGroup

from transfer.cli.terminal import say

# former top-level commands by their present name
MOVED = {
    "prepare": "corpora prepare",
    "planted": "corpora planted",
    "export": "models export",
    "predict": "models predict",
    "convert": "encoders convert",
    "pretrain": "encoders pretrain",
}


class Commands(TyperGroup):
    """A group in which a command may have a name of two words, as ``prepare own``."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        if (name := " ".join(args[:2])) in self.commands:
            args = [name, *args[2:]]
        return super().resolve_command(ctx, args)


class Daily(TyperGroup):
    """The top level. A former name runs the present command and names it on stderr."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        if args[0] in MOVED:
            present = MOVED[args[0]]
            if not ctx.resilient_parsing:  # else the shell asks what to complete
                say(f"note: 'transfer {args[0]}' is now 'transfer {present}'", error=True)
            args = [*present.split(), *args[1:]]
        return super().resolve_command(ctx, args)

    def get_params(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        params = super().get_params(ctx)
        for param in params:
            if param.name == "show_completion":  # --install-completion is the one that people need
                param.hidden = True  # type: ignore[attr-defined]
        return params
