#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Shows what the product does; tests/demo starts it.

On a throw-away machine: alice is enrolled and logs in through a real sshd. With --dialogue, where
there can be no such machine: the check program is spoken to by hand.
"""

import json
import os
import pathlib
import subprocess
import sys

from machine import SECRETS, SETTINGS, Machine, Sshd, fixture, run

NAME, PASSWORD = "alice", "correct horse"
PORT = 2222
RECIPE = "sshd-password-and-code"
CODE_PROMPT = "Verification code: "


def heading(text):
    print(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}", flush=True)


def say(text):
    print(f"   {text}", flush=True)


def frame(title, text):
    """What stood on a terminal, literally, in a frame that is open on the right."""
    print(f"   ┌─ {title}")
    for line in text.replace("\r", "").splitlines():
        print(f"   │ {line}")
    print("   └─", flush=True)


def api_call(secret_file, path, *fields):
    """The call of the README, with curl; shows it and returns the reply."""
    command = ["curl", "-sS", "-K", str(secret_file), *fields, f"https://verify.twilio.com{path}"]
    shown = " ".join(f"'{word}'" if " " in word else word for word in command)
    say(f"# {shown}")
    return json.loads(run(*command))


def enroll():
    """As the README tells an administrator; returns the secret that alice's app now has."""
    curlrc = pathlib.Path("/run/tmp/curlrc")
    curlrc.touch(0o600)
    curlrc.write_text(f'user = "{fixture.API_KEY_SID}:{fixture.API_KEY_SECRET}"\n')
    identity = pathlib.Path("/proc/sys/kernel/random/uuid").read_text().strip()
    path = f"/v2/Services/{fixture.SERVICE_SID}/Entities/{identity}/Factors"

    factor = api_call(curlrc, path, "--data-urlencode", f"FriendlyName={NAME}", "-d",
                      "FactorType=totp")
    secret, uri = factor["binding"]["secret"], factor["binding"]["uri"]
    say(f'status: {factor["status"]}. To scan with an authenticator app, or to type into one:')
    print(run("qrencode", "-t", "ANSIUTF8", "-m", "2", uri))
    say(" ".join(secret[start:start + 4] for start in range(0, len(secret), 4)))
    say("")

    code = totp(secret)
    say(f"# oathtool --totp --base32 {secret}     (in place of the app: {code})")
    confirmed = api_call(curlrc, f"{path}/{factor['sid']}", "-d", f"AuthPayload={code}")
    say(f'status: {confirmed["status"]}')

    written = fixture.enroll(SECRETS, NAME, identity, factor["sid"])
    frame(written, written.read_text())
    return secret


def totp(secret):
    return run("oathtool", "--totp", "--base32", secret).strip()


def wrong(code):
    """A code that will not be right for a long time."""
    return f"{(int(code) + 123456) % 1000000:06}"


def show_login(machine, sshd, title, *codes):
    """One login at the keyboard; returns the exit status of ssh and the module's line."""
    heading(title)
    say(f'{NAME} types the password "{PASSWORD}", then {", ".join(codes)}: not echoed.')
    already = len(machine.journal.logins(NAME, 0))
    with sshd.login(NAME, "id") as terminal:
        terminal.answer("Password: ", PASSWORD)
        for code in codes:
            terminal.answer(CODE_PROMPT, code)
        status = terminal.finish()
    line = machine.journal.logins(NAME, already + 1)[-1]
    frame(f"{NAME}'s terminal: $ ssh -p {PORT} {NAME}@127.0.0.1 id", terminal.screen)
    frame("the host's log", f"{line.program}: {line.text}")
    say(f"ssh ended with status {status}: {NAME} is {'in' if status == 0 else 'out'}.")
    return status, line.text


def show_installed(machine):
    heading("Installed on a throw-away copy of this machine, in namespaces of its own")
    say(f"module        {machine.module}")
    say(f"check program {machine.check}")
    say("emulator      https://verify.twilio.com, by /etc/hosts and a trusted test certificate")
    frame(SETTINGS, SETTINGS.read_text())
    stack = pathlib.Path("/etc/pam.d/sshd").read_text().splitlines()
    frame("/etc/pam.d/sshd (auth)", "\n".join(
        line for line in stack if line.startswith(("@include common-auth", "auth"))))


def stay(machine, sshd, secret):
    """Leaves everything up until the person at the terminal has seen enough."""
    heading("Now you")
    outside = os.environ["OUTSIDE_PID"]
    say("Everything is still up. From a second terminal, as root, a shell in here is")
    say(f"    nsenter --all --target $(cat /proc/{outside}/task/{outside}/children) --wd=/ bash")
    say(f"and in it: ssh -p {PORT} {NAME}@127.0.0.1 (the password is \"{PASSWORD}\").")
    while True:
        print("\n   Enter: log in here by ssh    c: the code of now    l: the log    q: end > ",
              end="", flush=True)
        word = sys.stdin.readline()
        if word == "" or word.strip() == "q":
            return
        if word.strip() == "c":
            say(totp(secret))
        elif word.strip() == "l":
            for line in machine.journal.logins(NAME):
                say(line.text)
        elif word.strip() == "":
            say(f'password "{PASSWORD}", code {totp(secret)}; leave the session with ^D')
            subprocess.run(sshd.command(NAME), check=False)


def demonstrate():
    with Machine() as machine:
        machine.use_recipe(RECIPE, "sshd")
        machine.add_account(NAME, PASSWORD)
        show_installed(machine)

        heading(f"Enrolling {NAME}")
        secret = enroll()

        with Sshd(PORT, "KbdInteractiveAuthentication yes", "PasswordAuthentication no",
                  "AuthenticationMethods keyboard-interactive") as sshd:
            code = totp(secret)
            right = show_login(machine, sshd, "A login with the right code", code)
            refused = show_login(machine, sshd, "A login with wrong codes", *[wrong(code)] * 3)
            as_it_must = (right[0] == 0 and " outcome=approved " in right[1] and
                          refused[0] == 255 and " outcome=denied " in refused[1])
            if as_it_must and sys.stdin.isatty():
                stay(machine, sshd, secret)

    heading("The right code is in, the wrong one is out; nothing is left behind." if as_it_must
            else "That is not how it must be.")
    return 0 if as_it_must else 1


def show_dialogue(folder, title, *codes):
    """One login as the module would lead it; returns the verdict."""
    heading(title)
    command = [fixture.CHECK, "--settings", folder / "twilio-verify.conf"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    lines = []

    def tell(line):
        lines.append(f"> {line}")
        process.stdin.write(line + "\n")
        process.stdin.flush()

    tell(f"login 2 sshd {NAME}")
    left = list(codes)
    for line in process.stdout:
        lines.append(f"< {line.rstrip()}")
        if line.startswith("ask") and left:
            tell(left.pop(0))
        elif line.startswith("ask"):
            process.stdin.close()
    process.wait()
    frame(" ".join(map(str, command)), "\n".join(lines))
    return lines[-1].removeprefix("< ")


def demonstrate_dialogue():
    with fixture.Emulator() as emulator:
        factor = emulator.factor(friendly_name=NAME)
        fixture.write_settings(emulator.folder, emulator.url)
        fixture.enroll(emulator.folder, NAME, factor.identity, factor.sid)
        code = factor.code()
        say("This is the dialogue between the PAM module (>) and the check program (<), by hand.")
        right = show_dialogue(emulator.folder, "The right code", code)
        refused = show_dialogue(emulator.folder, "Wrong codes", *[wrong(code)] * 3)
    as_it_must = right.startswith("approved") and refused.startswith("denied")
    heading("The right code is approved, the wrong one is denied." if as_it_must
            else "That is not how it must be.")
    return 0 if as_it_must else 1


if __name__ == "__main__":
    try:
        sys.exit(demonstrate_dialogue() if "--dialogue" in sys.argv[1:] else demonstrate())
    except KeyboardInterrupt:
        sys.exit(130)
