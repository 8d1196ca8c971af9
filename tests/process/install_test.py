#!/usr/bin/env python3
"""`cmake --install` into a prefix: all of the product is there, and the unit's ExecStart serves with what is there."""
import pathlib, re, shutil, socket, subprocess, tempfile, unittest
import os

from daemon import BIN, PATIENCE, SOURCE, free_port, run

BUILD = BIN.parent
PAGES = ["man1/signpost.1", "man3/libsignpost.3", "man5/signpost-corefile.5", "man8/signpostd.8"]
FILES = ["bin/signpost", "sbin/signpostd", "include/signpost/signpost.h", "include/signpost/signpost.hpp",
         "etc/signpost/Corefile", "lib/systemd/system/signpostd.service", "lib/sysusers.d/signpost.conf",
         "lib/tmpfiles.d/signpost.conf", "share/bash-completion/completions/signpost",
         "share/zsh/site-functions/_signpost", "share/fish/vendor_completions.d/signpost.fish",
         "share/doc/signpost/LICENSE", "share/doc/signpost/README.md", "share/doc/signpost/hosts.md",
         "share/doc/signpost/CHANGELOG.md", "share/doc/signpost/examples/Corefile",
         "share/doc/signpost/examples/web.yaml", *(f"share/man/{page}" for page in PAGES)]


def install(prefix, destdir=None):
    done = run("cmake", "--install", str(BUILD), "--prefix", str(prefix), env={"DESTDIR": str(destdir)} if destdir else None)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def words(page):
    """A manual page as text without roff's escapes."""
    text = re.sub(r"\\f[BIR]", "", page.read_text()).replace("\\-", "-").replace("\\(aq", "'")
    return re.sub(r"\\\(..", "?", text)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="signpost-test."))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.prefix = cls.work / "prefix"
        install(cls.prefix)
        cls.unit = (cls.prefix / "lib/systemd/system/signpostd.service").read_text()

    def lines_of(self, name):
        return re.findall(rf"^{name}=(.*)$", self.unit, re.M)

    def test_everything_is_there(self):
        for file in FILES:
            self.assertTrue((self.prefix / file).is_file(), file)
        self.assertEqual(len(list(self.prefix.rglob("libsignpost.so*"))), 3)
        self.assertEqual(run(str(self.prefix / "bin/signpost"), "version").returncode, 0)
        for file in self.prefix.rglob("*"):  # nothing was left to be filled in, nothing names the build
            if file.is_file() and file.suffix not in (".so", ".0") and file.parent.name not in ("bin", "sbin"):
                text = file.read_bytes().decode(errors="replace")
                self.assertNotRegex(text, r"@(config|state|doc|sbindir|state_directory)@", file)
                self.assertNotIn(str(BUILD), text, file)

    def test_pages_say_what_the_programs_say(self):
        pages = {page: words(self.prefix / "share/man" / page) for page in PAGES}
        flags = set(re.findall(r"^  (--[a-z-]+)", run(str(self.prefix / "sbin/signpostd"), "--help").stdout, re.M))
        self.assertGreater(len(flags), 8)
        for flag in flags:
            self.assertIn(flag, pages["man8/signpostd.8"])
        help_ = run(str(self.prefix / "bin/signpost"), "--help").stdout.split("Subcommands:")[1]
        for command in re.findall(r"^  ([a-z-]+)  ", help_, re.M):
            self.assertRegex(pages["man1/signpost.1"], rf'\.SS "{command}\b')
        for function in re.findall(r"\b(signpost_[a-z_]+)\(", (self.prefix / "include/signpost/signpost.h").read_text()):
            self.assertIn(function, pages["man3/libsignpost.3"])
        for directive in ("registry", "vip", "reserve", "forward", "cache", "bind"):
            self.assertRegex(pages["man5/signpost-corefile.5"], rf"(?m)^{directive}\b")
        for page in ("man8/signpostd.8", "man5/signpost-corefile.5"):
            self.assertIn(f"{self.prefix}/etc/signpost/Corefile", pages[page])

    @unittest.skipUnless(shutil.which("mandoc"), "no mandoc here")
    def test_pages_are_well_formed(self):
        for page in PAGES:
            done = run("mandoc", "-T", "lint", "-W", "warning", str(self.prefix / "share/man" / page))
            self.assertEqual(done.stdout, "", page)

    def test_the_unit_serves(self):
        corefile = self.prefix / "etc/signpost/Corefile"
        kept = corefile.read_text()
        dns, api = free_port(), free_port()
        corefile.write_text(kept.replace(":5300", f":{dns}").replace("127.0.0.1:8080", f"127.0.0.1:{api}"))
        self.addCleanup(corefile.write_text, kept)
        (start,) = self.lines_of("ExecStart")
        check, reload_ = self.lines_of("ExecReload")
        self.assertEqual(run(*check.split()).returncode, 0)
        self.assertEqual(reload_, "/bin/sh -c 'kill -HUP $MAINPID'")
        state = self.prefix / "var/lib/signpost"
        state.mkdir(parents=True, exist_ok=True)  # tmpfiles.d does this
        self.assertIn(f"d {state} 0750 signpost signpost", (self.prefix / "lib/tmpfiles.d/signpost.conf").read_text())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.work / "notify"))
            manager.settimeout(PATIENCE)
            daemon = subprocess.Popen(start.split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      env={**os.environ, "NOTIFY_SOCKET": str(self.work / "notify")})
            try:
                self.assertIn(b"READY=1", manager.recv(4096))
                client = [str(self.prefix / "bin/signpost"), "--server", f"http://127.0.0.1:{api}", "--dns", f"127.0.0.1:{dns}"]
                example = self.prefix / "share/doc/signpost/examples/web.yaml"
                self.assertEqual(run(*client, "apply", "-f", str(example)).returncode, 0)
                self.assertRegex(run(*client, "resolve", "web").stdout, r"10\.\d+\.\d+\.\d+")
                self.assertTrue(any(state.iterdir()), "the registry is where the Corefile says")
            finally:
                daemon.terminate()
                _, said = daemon.communicate(timeout=PATIENCE)
            self.assertEqual(daemon.returncode, 0, said.decode())
            self.assertNotRegex(said.decode(), r"(?m)^\S+ (warning|error) ")

    def test_a_changed_corefile_is_kept(self):
        corefile = self.prefix / "etc/signpost/Corefile"
        kept = corefile.read_text()
        self.addCleanup(corefile.write_text, kept)
        corefile.write_text("# mine\n" + kept)
        self.assertIn("Kept: ", install(self.prefix))
        self.assertEqual(corefile.read_text(), "# mine\n" + kept)
        self.assertEqual((self.prefix / "share/doc/signpost/examples/Corefile").read_text(), kept)

    def test_usr(self):
        """/usr has its configuration in /etc and its state in /var, all below DESTDIR while it is staged."""
        stage = self.work / "stage"
        install("/usr", stage)
        unit = (stage / "usr/lib/systemd/system/signpostd.service").read_text()
        self.assertIn("\nExecStart=/usr/sbin/signpostd --config /etc/signpost/Corefile\n", unit)
        self.assertIn("\nStateDirectory=signpost\n", unit)
        self.assertNotIn(str(stage), unit)
        self.assertIn("data /var/lib/signpost\n", (stage / "etc/signpost/Corefile").read_text())
        self.assertIn("/etc/signpost/Corefile", words(stage / "usr/share/man/man8/signpostd.8"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
    def test_the_unit_is_sound_and_hardened(self):
        unit = str(self.prefix / "lib/systemd/system/signpostd.service")
        done = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertNotIn("signpostd.service", done.stderr)
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
