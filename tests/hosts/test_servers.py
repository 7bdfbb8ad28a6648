#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
# Packages: dovecot-imapd sasl2-bin libnginx-mod-http-auth-pam postgresql-15 apache2 pwauth
# Packages: libapache2-mod-authnz-external libapache2-mod-authnz-pam openvpn
"""Servers: those of root's with one field, and those that call PAM as an account of their own."""

import ftplib
import imaplib
import pathlib
import shutil
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "login"))
from logincase import (CREATED, LOCALHOST, VERIFIED, LoginCase, machine, ports, setUpModule)
from kit.machine import MODULE_LINE, SECRETS, Terminal, eventually, fixture, read_recipe, run
from test_one_field import install
from test_services import Vsftpd


class Server(LoginCase):
    """A server that runs until the tests of the class are over."""

    @classmethod
    def serve(cls, *command, is_ready, **options):
        # Some end their whole process group.
        process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL,
                                   start_new_session=True, **options)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.terminate)
        if not eventually(is_ready, bool):
            raise RuntimeError(f"{command[0]} does not start")
        return process

    def assert_one_field(self, name, log_in):
        """LOG_IN says whether a field lets in; nothing is left of it."""
        person = machine.person(name)
        self.assertTrue(log_in(person, person.password + person.code))
        self.assert_requests(person, CREATED, VERIFIED)
        self.assertFalse(log_in(person, person.password + person.wrong_code))
        self.assertFalse(log_in(person, person.password))
        self.assertFalse(log_in(person, "x" + person.password + "314159"))
        self.assert_requests(person, CREATED, VERIFIED, CREATED, VERIFIED)
        outcomes = [line.text.partition("outcome=")[2].split()[0] for line in person.log(3)]
        self.assertEqual(outcomes, ["approved", "denied", "denied"])
        self.assert_no_secret(person)
        self.assertEqual(eventually(self.check_programs, lambda found: not found), [])


class ServerOfItsOwn(Server):
    """It calls PAM as an account that can't read the settings."""

    def log_of(self, person, count=1):
        """Such servers have what they do in their name, before the module's."""
        return machine.journal.find(rf"pam_twilio_verify\(\S+\): user={person.name} .*outcome=",
                                    count)

    def assert_names_remedy(self, person, account):
        text = self.log_of(person)[0].text
        self.assertIn(' outcome=misconfigured reason="/etc/security/twilio-verify.conf: Permission '
                      f"denied for {account}, ", text)
        self.assertIn("leave the module out of this service, or give it settings of its own with "
                      "conf=", text)


class Ftp(Server):
    """vsftpd."""

    @classmethod
    def setUpClass(cls):
        install("vsftpd-code")
        cls.server = cls.enterClassContext(Vsftpd())

    def test_right_and_wrong(self):
        def log_in(person, field):
            with self.server.connect() as ftp:
                try:
                    return ftp.login(person.name, field).startswith("230")
                except ftplib.error_perm as error:
                    self.assertRegex(str(error), "^530")
                    return False
        self.assert_one_field("ftpfield", log_in)


class Dovecot(Server):
    @classmethod
    def setUpClass(cls):
        install("dovecot-field")
        cls.port = next(ports)
        pathlib.Path("/run/dovecot.conf").write_text(f"""
protocols = imap
listen = {LOCALHOST}
base_dir = /run/dovecot
log_path = /run/dovecot.log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
service imap-login {{
  inet_listener imap {{
    port = {cls.port}
  }}
}}
passdb {{
  driver = pam
  args = dovecot-field
}}
userdb {{
  driver = passwd
}}
""")
        cls.serve("dovecot", "-F", "-c", "/run/dovecot.conf", is_ready=cls.is_ready)

    @classmethod
    def is_ready(cls):
        try:
            imaplib.IMAP4(LOCALHOST, cls.port).shutdown()
            return True
        except OSError:
            return False

    def test_right_and_wrong(self):
        def log_in(person, field):
            client = imaplib.IMAP4(LOCALHOST, self.port)
            try:
                return client.login(person.name, field)[0] == "OK"
            except imaplib.IMAP4.error as error:
                self.assertIn("AUTHENTICATIONFAILED", str(error))
                return False
            finally:
                client.shutdown()
        self.assert_one_field("dovecot", log_in)


class Saslauthd(Server):
    """For Postfix, Exim, Cyrus and OpenLDAP."""

    @classmethod
    def setUpClass(cls):
        install("sasl-field")

    def start(self, name, *options):
        """Returns a function that says whether a field lets in."""
        directory = pathlib.Path("/run") / name
        directory.mkdir()
        self.serve("saslauthd", "-d", "-a", "pam", "-n", "1", "-m", directory, *options,
                   is_ready=(directory / "mux").exists, stderr=subprocess.DEVNULL)

        def log_in(person, field):
            done = subprocess.run(["testsaslauthd", "-f", directory / "mux", "-s", "sasl-field",
                                   "-u", person.name, "-p", field], capture_output=True, text=True,
                                  check=False)
            return done.stdout.startswith("0: OK")
        return log_in

    def test_right_and_wrong(self):
        log_in = self.start("sasl")
        self.assert_one_field("sasl", log_in)
        person = machine.person("saslagain")
        field = person.password + person.code
        self.assertEqual([log_in(person, field) for _ in range(2)], [True, False])

    def test_as_debian_starts_it_a_code_lets_in_again(self):
        """By its cache, of which the recipe warns."""
        log_in = self.start("sasl-cache", "-c")
        person = machine.person("saslcache")
        field = person.password + person.code
        self.assertEqual([log_in(person, field) for _ in range(2)], [True, True])
        self.assert_requests(person, CREATED, VERIFIED)


class Web(ServerOfItsOwn):
    """HTTP Basic."""

    @classmethod
    def is_ready(cls):
        try:
            cls.get("/")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    @classmethod
    def get(cls, path, user="", password=""):
        manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
        url = f"http://{LOCALHOST}:{cls.port}{path}"
        manager.add_password(None, url, user, password, is_authenticated=bool(user))
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        return opener.open(url, timeout=30).read()

    def assert_refused(self, path, person, code):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.get(path, person.name, code)
        self.assertEqual(caught.exception.code, 401)


class Nginx(Web):
    """PAM as www-data."""

    @classmethod
    def setUpClass(cls):
        cls.port = next(ports)
        cls.own = pathlib.Path("/etc/nginx/twilio-verify.conf")
        rest = "\naccount required pam_permit.so\n"
        pathlib.Path("/etc/pam.d/nginx-plain").write_text(MODULE_LINE + rest)
        pathlib.Path("/etc/pam.d/nginx-own").write_text(f"{MODULE_LINE} conf={cls.own}{rest}")
        directory = pathlib.Path("/run/www")
        for name in ("plain", "own"):
            (directory / name).mkdir(parents=True)
            (directory / name / "index.html").write_text("inside\n")
        pathlib.Path("/run/nginx.conf").write_text("""
load_module modules/ngx_http_auth_pam_module.so;
user www-data;
pid /run/nginx.pid;
daemon off;
error_log /run/nginx.log;
events { }
http {
  access_log off;
  server {
    listen %s:%d;
    root /run/www;
    location /plain/ { auth_pam "x"; auth_pam_service_name "nginx-plain"; }
    location /own/ { auth_pam "x"; auth_pam_service_name "nginx-own"; }
  }
}
""" % (LOCALHOST, cls.port))
        cls.serve("nginx", "-c", "/run/nginx.conf", is_ready=cls.is_ready)

    def test_it_is_refused_and_the_log_names_the_account_and_the_remedy(self):
        person = machine.person("nginx")
        self.assert_refused("/plain/", person, person.code)
        self.assert_requests(person)
        self.assert_names_remedy(person, "www-data")

    def test_with_settings_of_its_own_a_code_works_for_one_request(self):
        person = machine.person("nginxown")
        users = pathlib.Path("/etc/nginx/users")
        state = pathlib.Path("/run/nginx-state")
        users.mkdir()
        state.mkdir(mode=0o700)
        shutil.copy(SECRETS / "users" / f"{person.name}.conf", users)
        machine.configure(self.own, service='    api_key_file = "/etc/nginx/api-key";\n')
        text = self.own.read_text()
        text = "".join(line for line in text.splitlines(keepends=True)
                       if "twilio-verify.d" not in line)
        self.own.write_text(text + f'check = {{ run_as = "www-data"; users_dir = "{users}"; '
                                   f'state_dir = "{state}"; }};\n')
        key = pathlib.Path("/etc/nginx/api-key")
        key.touch(0o600)
        key.write_text(fixture.API_KEY_SECRET + "\n")
        for path in (self.own, users, users / f"{person.name}.conf", state, key):
            shutil.chown(path, "www-data", "www-data")

        code = person.code
        page = "/own/index.html"  # For a directory nginx asks twice: for itself, and for its index.
        self.assertEqual(self.get(page, person.name, code), b"inside\n")
        self.assert_requests(person, CREATED, VERIFIED)
        # HTTP Basic sends it again with each request.
        self.assert_refused(page, person, code)
        self.assertIn("used before on this host", self.log_of(person, 2)[1].text)
        self.assert_no_secret(person)


class Apache(Web):
    """PAM as www-data, or by the set-user-ID program pwauth."""

    @classmethod
    def setUpClass(cls):
        cls.port = next(ports)
        install("pwauth")
        pathlib.Path("/etc/pam.d/apache-plain").write_text(f"{MODULE_LINE}\n"
                                                           "account required pam_permit.so\n")
        directory = pathlib.Path("/run/apache")
        for name in ("plain", "pwauth"):
            (directory / name).mkdir(parents=True)
            (directory / name / "index.html").write_text("inside\n")
        modules = ("mpm_event", "authn_core", "authz_core", "authz_user", "auth_basic",
                   "authnz_external", "authnz_pam")
        loads = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                        for name in modules)
        pathlib.Path("/run/apache.conf").write_text(loads + f"""
ServerName localhost
Listen {LOCALHOST}:{cls.port}
User www-data
Group www-data
PidFile /run/apache.pid
ErrorLog /run/apache.log
DocumentRoot {directory}
DefineExternalAuth pwauth pipe /usr/sbin/pwauth
<Directory {directory}>
  AuthType Basic
  AuthName x
  Require valid-user
</Directory>
<Directory {directory}/plain>
  AuthBasicProvider PAM
  AuthPAMService apache-plain
</Directory>
<Directory {directory}/pwauth>
  AuthBasicProvider external
  AuthExternal pwauth
</Directory>
""")
        cls.serve("apache2", "-f", "/run/apache.conf", "-D", "FOREGROUND", is_ready=cls.is_ready)

    def test_it_is_refused_and_the_log_names_the_account_and_the_remedy(self):
        person = machine.person("apache")
        self.assert_refused("/plain/index.html", person, person.code)
        self.assert_requests(person)
        self.assert_names_remedy(person, "www-data")

    def test_pwauth_is_roots_and_takes_one_field(self):
        def log_in(person, field):
            try:
                return self.get("/pwauth/index.html", person.name, field) == b"inside\n"
            except urllib.error.HTTPError as error:
                self.assertEqual(error.code, 401)
                return False
        self.assert_one_field("pwauth", log_in)


class Openvpn(Server):
    """openvpn-plugin-auth-pam, within the bounds of Debian's unit."""

    CAPABILITIES = ("ipc_lock net_admin net_bind_service net_raw setgid setuid setpcap sys_chroot "
                    "dac_override audit_write").split()
    DIRECTORY = pathlib.Path("/run/openvpn-test")

    @classmethod
    def setUpClass(cls):
        cls.port = next(ports)
        cls.DIRECTORY.mkdir()
        pathlib.Path("/dev/net").mkdir(exist_ok=True)
        run("mknod", "/dev/net/tun", "c", "10", "200")
        for name in ("server", "client"):
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                str(cls.DIRECTORY / f"{name}.key"), "-out", str(cls.DIRECTORY / f"{name}.crt"))
        pathlib.Path("/etc/pam.d/openvpn").write_text(read_recipe("openvpn", "/etc/pam.d/openvpn"))
        (cls.DIRECTORY / "server.conf").write_text(read_recipe("openvpn", "server") + f"""
local {LOCALHOST}
port {cls.port}
proto udp4
dev tun
server 10.8.0.0 255.255.255.0
ca {cls.DIRECTORY}/client.crt
cert {cls.DIRECTORY}/server.crt
key {cls.DIRECTORY}/server.key
dh none
""")
        bound = "-all," + ",".join(f"+{name}" for name in cls.CAPABILITIES)
        cls.serve("prlimit", "--nproc=10:10", "setpriv", "--bounding-set", bound, "openvpn",
                  "--config", cls.DIRECTORY / "server.conf", "--log", cls.DIRECTORY / "log",
                  is_ready=cls.is_ready)

    @classmethod
    def is_ready(cls):
        log = cls.DIRECTORY / "log"
        return log.exists() and "Initialization Sequence Completed" in log.read_text()

    def log_in(self, person, field):
        """Whether a client gets in, with a person at its terminal."""
        client = self.enterContext(Terminal(
            "openvpn", "--client", "--dev", "tun", "--ifconfig-noexec", "--route-noexec",
            "--proto", "udp4", "--remote", LOCALHOST, self.port, "--ca", self.DIRECTORY / "server.crt",
            "--cert", self.DIRECTORY / "client.crt", "--key", self.DIRECTORY / "client.key",
            "--auth-user-pass", "--auth-retry", "none"))
        client.expect("Username:")
        client.type(person.name)
        client.expect("Password:")
        client.type(field)
        return client.expect("AUTH_FAILED", "Initialization Sequence Completed") == 1

    def test_right_and_wrong(self):
        self.assert_one_field("openvpn", self.log_in)

    def test_check_pam_knows_it(self):
        shown = run("twilio-verify", "check-pam", "openvpn")
        self.assertRegex(shown, r"(?m)^ok +openvpn: asks for a code in the same field as pam_unix")
        self.assertRegex(shown, r"(?m)^note .*openvpn also lets users in without PAM: see "
                                "/etc/openvpn")

    def test_it_lets_in_after_wrong_codes(self):
        """The plugin answers no question that begins with a notice."""
        person = machine.person("openvpnwrong")
        self.assertFalse(self.log_in(person, person.password + person.wrong_code))
        self.assertTrue(self.log_in(person, person.password + person.code))


class Postgresql(ServerOfItsOwn):
    """PAM as postgres."""

    @classmethod
    def setUpClass(cls):
        cls.port = next(ports)
        pathlib.Path("/etc/pam.d/postgresql").write_text(f"{MODULE_LINE}\n"
                                                         "account required pam_permit.so\n")
        tools = pathlib.Path("/usr/lib/postgresql/15/bin")
        data = pathlib.Path("/run/postgres")
        data.mkdir()
        shutil.chown(data, "postgres")
        run("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
            str(tools / "initdb"), "-D", str(data / "data"), "-A", "peer")
        (data / "data" / "pg_hba.conf").write_text("local all postgres peer\n"
                                                   f"host all all {LOCALHOST}/32 pam\n")
        cls.serve("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
                  tools / "postgres", "-D", data / "data", "-p", cls.port, "-k", data, "-h",
                  LOCALHOST, is_ready=(data / f".s.PGSQL.{cls.port}").exists,
                  stderr=subprocess.DEVNULL)

    def test_it_is_refused_and_the_log_names_the_account_and_the_remedy(self):
        person = machine.person("postgres")

        def connect():
            return subprocess.run(["psql", "-h", LOCALHOST, "-p", str(self.port), "-U", person.name,
                                   "-c", "select 1", "postgres"], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False,
                                  env={"PATH": "/usr/bin:/bin", "PGPASSWORD": person.code}).stderr
        shown = eventually(connect, lambda text: "starting up" not in text)
        self.assertIn("PAM authentication failed", shown)
        self.assert_requests(person)
        self.assert_names_remedy(person, "postgres")


if __name__ == "__main__":
    unittest.main()
