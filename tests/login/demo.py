#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""Shows what the product does; tests/demo starts it.

On a throw-away machine: the tool sets up and enrolls alice, who logs in by a real sshd. With
--dialogue, if there can be no such machine: the dialogue with the check program by hand.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

from kit.machine import SECRETS, SETTINGS, Machine, OwnSshd, Terminal, fixture, run

NAME, PASSWORD = "alice", "correct horse"
PORT = 2222
CODE_PROMPT = "Verification code: "
QUESTION = "The code that the app shows: "
UTF8_TERMINAL = {"LANG": "C.UTF-8", "TERM": "xterm"}


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


def set_up():
    """As an administrator does it, with what Twilio's console shows."""
    for path in (SETTINGS, SECRETS / "api-key"):
        path.unlink()
    with Terminal("twilio-verify", "setup", env=os.environ | UTF8_TERMINAL) as terminal:
        for question, answer in (("Account SID .*: $", fixture.ACCOUNT_SID),
                                 ("API key SID .*: $", fixture.API_KEY_SID),
                                 ("Its secret .*: $", fixture.API_KEY_SECRET),
                                 ("A number, or the name .*: $", "")):
            terminal.expect(question)
            terminal.type(answer)
        status = terminal.finish()
    frame("the administrator's terminal: # twilio-verify setup", terminal.screen)
    if status != 0:
        raise RuntimeError(f"twilio-verify setup ended with status {status}")


def enroll():
    """As an administrator does it, with alice and her phone; returns the secret of her app."""
    with Terminal("twilio-verify", "enroll", NAME, env=os.environ | UTF8_TERMINAL) as terminal:
        terminal.expect(QUESTION)
        secret = re.search(r"Without a camera: ([A-Z2-7 ]+)", terminal.screen)[1].replace(" ", "")
        terminal.type(totp(secret))
        status = terminal.finish()
    frame(f"the administrator's terminal: # twilio-verify enroll {NAME}", terminal.screen)
    if status != 0:
        raise RuntimeError(f"twilio-verify enroll ended with status {status}")
    written = SECRETS / "users" / f"{NAME}.conf"
    frame(written, written.read_text())
    return secret


def totp(secret):
    """What alice's app shows."""
    return run("oathtool", "--totp", "--base32", secret).strip()


def wrong_codes(secret):
    """Three that will not be right for a long time."""
    right = {fixture.totp(secret, time.time() + offset * 30) for offset in range(-3, 10)}
    return [str(code) for code in range(123456, 123476) if str(code) not in right][:3]


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


def enable():
    """As an administrator does it, while sshd runs."""
    done = subprocess.run(["twilio-verify", "enable", "sshd", "--first-factor", "password"],
                          capture_output=True, text=True, check=False)
    frame("the administrator's terminal: # twilio-verify enable sshd --first-factor password",
          done.stdout + done.stderr)
    if done.returncode != 0:
        raise RuntimeError(f"twilio-verify enable ended with status {done.returncode}")
    lines = pathlib.Path("/etc/pam.d/sshd").read_text().splitlines()
    frame("/etc/pam.d/sshd (auth)", "\n".join(
        line for line in lines if re.match("@include common-auth|auth|# .*twilio", line)))
    drop_in = OwnSshd.DROP_INS / "00-twilio-verify.conf"
    frame(drop_in, drop_in.read_text())


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
        machine.add_account(NAME, PASSWORD)
        show_installed(machine)

        heading("Setting up: the account, the key and a Verify service")
        set_up()

        heading(f"Enrolling {NAME}")
        secret = enroll()

        with OwnSshd(PORT) as sshd:
            heading("Enabling: sshd asks for the password, then for a code")
            enable()
            right = show_login(machine, sshd, "A login with the right code", totp(secret))
            refused = show_login(machine, sshd, "A login with wrong codes", *wrong_codes(secret))
            as_it_must = (right[0] == 0 and " outcome=approved " in right[1] and
                          refused[0] == 255 and " outcome=denied " in refused[1])
            if as_it_must and sys.stdin.isatty():
                stay(machine, sshd, secret)

    heading("The right code is in, the wrong one is out; nothing is left behind." if as_it_must
            else "That is not how it must be.")
    return 0 if as_it_must else 1


def show_dialogue(directory, title, *codes):
    """One login as the module would lead it; returns the verdict."""
    heading(title)
    command = [fixture.CHECK, "--settings", directory / "twilio-verify.conf"]
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
        fixture.write_settings(emulator.directory, emulator.url)
        fixture.enroll(emulator.directory, NAME, factor.identity, factor.sid)
        say("This is the dialogue between the PAM module (>) and the check program (<), by hand.")
        right = show_dialogue(emulator.directory, "The right code", factor.code())
        refused = show_dialogue(emulator.directory, "Wrong codes", *wrong_codes(factor.secret))
    as_it_must = right.startswith("approved") and refused.startswith("denied")
    heading("The right code is approved, the wrong one is denied." if as_it_must
            else "That is not how it must be.")
    return 0 if as_it_must else 1


if __name__ == "__main__":
    try:
        sys.exit(demonstrate_dialogue() if "--dialogue" in sys.argv[1:] else demonstrate())
    except KeyboardInterrupt:
        sys.exit(130)
