"""What the commands share: how they speak and how they end."""

import sys

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def say(text: str, *, error: bool = False) -> None:
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""
