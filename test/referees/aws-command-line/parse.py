"""Parses commands with the AWS command line, up to the request that it would send.

In: JSON, a list of argument lists. Out: JSON, what was wrong with each; null if nothing.
"""
import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver

# Version 2 has these, PyPI's version 1 does not.
ONLY_IN_VERSION_2 = {
    ("sso", "login"): {"--profile"},
    ("logs", "tail"): {"--since", "--follow", "--format", "--filter-pattern"},
}
BINARY_FORMAT = ["--cli-binary-format", "raw-in-base64-out"]


class Reached(BaseException):
    """The request is valid; nothing is sent."""


sent = []


def stop(model, **_):
    sent.append(model.name)
    raise Reached()


driver = create_clidriver()
driver.session.register("before-call", stop)


def problem_of(words):
    command = tuple(words[:2])
    if command in ONLY_IN_VERSION_2:
        options = {word for word in words if word.startswith("--")}
        unknown = options - ONLY_IN_VERSION_2[command]
        return f"unknown options: {sorted(unknown)}" if unknown else None
    if BINARY_FORMAT[0] in words:
        at = words.index(BINARY_FORMAT[0])
        if words[at : at + 2] != BINARY_FORMAT:
            return f"{BINARY_FORMAT[0]} {words[at + 1]}"
        words = words[:at] + words[at + 2 :]
    said = io.StringIO()
    sent.clear()
    status = None
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = driver.main(words)
        except Reached:
            pass
        except SystemExit as ended:
            status = ended.code
    # Some commands ask in a thread of their own, and end with an error.
    if sent or status == 0:
        return None
    problem = said.getvalue().strip()
    # Named in passing, without arguments: there has to be such a command.
    if len(words) == 2 and "nvalid choice" not in problem:
        return None
    return problem[-400:] or f"status {status}"


json.dump([problem_of(words) for words in json.load(sys.stdin)], sys.stdout)
