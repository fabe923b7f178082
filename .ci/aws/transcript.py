"""Runs transcripts of a shell again, and compares what it said.

A transcript has commands, lines that begin with "$ " and go on after a backslash,
and under each what it wrote, to standard error after standard output, and if it
failed [exit CODE]. In a command, `config` means `aws configservice` with the address of the daemon.
A command that begins with "eventually" is given some time to say what it should.

What differs from run to run stands as a word in capitals: moments of today, ids
that were made up, tokens of pages.
"""

import datetime
import re
import subprocess
import sys
import time

PATIENCE = 20  # seconds

SHELL = 'config() { aws --endpoint-url "$ENDPOINT" configservice "$@"; }\n'


def parse(text):
    """Yields what precedes the first command, and then each with its output."""
    command, output = [], []
    for line in text.splitlines():
        more = command and command[-1].endswith("\\") and not output
        if line.startswith("$ ") and not more:
            yield command, output
            command, output = [line[2:]], []
        elif more:
            command.append(line)
        else:
            output.append(line)
    yield command, output


def run(command):
    shell = subprocess.run(
        ["bash", "-c", SHELL + command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    lines = (shell.stdout + shell.stderr).splitlines()
    if shell.returncode:
        lines.append("[exit %d]" % shell.returncode)
    return [normal(line) for line in lines if line.strip()]


NOW = datetime.datetime.now(datetime.timezone.utc)
DAYS = "|".join((NOW + datetime.timedelta(days=n)).strftime("%Y-%m-%d") for n in (0, 1))
SECONDS = "|".join(str(int(NOW.timestamp()) // 10000 + n) for n in (0, 1))

VARYING = [
    (r"\b(%s)T\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)" % DAYS, "NOW"),
    (r"\b(%s)\d{7}\b" % SECONDS, "MILLISECONDS"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID"),
    (r'("[nN]extToken": )"[^"]+"', r'\1"TOKEN"'),
    (r'("[rR]esultToken": )"[^"]+"', r'\1"TOKEN"'),
    (r"\bconfig-rule-[0-9a-z]{6}\b", "config-rule-ID"),
    (r"\bconformance-pack-[0-9a-z]{9}\b", "conformance-pack-ID"),
    (r"\bquery-[0-9A-Za-z]{16}\b", "query-ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
]


def normal(line):
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line


def replay(name, update):
    """Runs a transcript, and returns the number of its commands and of failures."""
    with open(name, encoding="utf-8") as file:
        steps = list(parse(file.read()))
    written, failures = steps[0][1][:], 0
    for command, want in steps[1:]:
        tail = []  # comments and blank lines that lead to the next command
        while want and (not want[-1] or want[-1].startswith("#")):
            tail.insert(0, want.pop())
        text = "\n".join(command)
        patient = text.startswith("eventually ")
        until = time.monotonic() + (PATIENCE if patient else 0)
        while True:
            got = run(text.removeprefix("eventually "))
            if got == want or time.monotonic() >= until:
                break
            time.sleep(0.1)
        if got != want and not update:
            failures += 1
            print("%s: %s" % (name, text))
            print("\n".join("  want  " + line for line in want))
            print("\n".join("  got   " + line for line in got))
        written += ["$ " + text] + got + tail
    if update:
        with open(name, "w", encoding="utf-8") as file:
            file.write("\n".join(written) + "\n")
    return len(steps) - 1, failures


def main(arguments):
    update = arguments[:1] == ["--update"]
    commands = failures = 0
    for name in arguments[update:]:
        ran, failed = replay(name, update)
        commands += ran
        failures += failed
    print("%d commands, %d failures" % (commands, failures))
    return failures > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
