"""Next steps as a shell and the command line's own parser read them."""

import re
import shlex

import typer

from nba_ml.cli import app

_LAST = re.compile(r"(?:.*?[^`]:\s|^)(nba-ml [^`]+)$", re.DOTALL)


def commands(text: str) -> list[str]:
    """Return the commands of a next step: the line that it ends with, taken apart where a shell does, and what stands in `backticks`."""
    last = _LAST.match(text)
    lines = [*re.findall(r"`(nba-ml [^`]+)`", text), *([last[1]] if last else [])]
    return [command for line in lines for command in line.split(" && ")]


def parse(command: str) -> str:
    """Parse a command as if it were typed; return its name. Raises what the command line does of one that can't be."""
    program, *words = shlex.split(command)
    assert program == "nba-ml"
    parser, name = typer.main.get_command(app), []
    while hasattr(parser, "commands"):
        assert words, f"{command} names no command"
        name.append(words[0])
        parser, words = parser.commands[words[0]], words[1:]
    parser.make_context(name[-1], words)
    return " ".join(name)
