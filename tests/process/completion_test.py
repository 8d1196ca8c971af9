#!/usr/bin/env python3
"""Completion asks the server that the line names: kinds, then names of that kind, and namespaces."""
import os, shutil, unittest

from daemon import BIN, SIGNPOST, Daemon, run

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
WEB = "apiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: %s}\nspec: {ports: [{port: 80}]}\n"


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.daemon.apply("---\n".join([NAMESPACE, WEB % ("web", "default"), WEB % ("cart", "shop")]))
        cls.environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "SIGNPOST_SERVER": cls.daemon.url}
        cls.scripts = {}
        for shell in ("bash", "zsh", "fish"):
            cls.scripts[shell] = cls.daemon.work / f"completion.{shell}"
            cls.scripts[shell].write_text(run(SIGNPOST, "completion", shell).stdout)

    def bash(self, line, **environment):
        done = run("bash", "-c", 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _signpost; printf "%s\\n" "${COMPREPLY[@]}"',
                   "bash", str(self.scripts["bash"]), line, env={**self.environment, **environment})
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def fish(self, line):
        done = run("fish", "--no-config", "-c", f"source {self.scripts['fish']}; complete -C {line!r}",
                   env={**self.environment, "HOME": str(self.daemon.work)})
        return [word.split("\t")[0] for word in done.stdout.splitlines()]

    def check(self, complete):
        self.assertEqual(sorted(complete("signpost get svc ")), ["kubernetes", "web"])
        self.assertEqual(complete("signpost get svc w"), ["web"])
        self.assertEqual(complete("signpost -n shop describe services "), ["cart"])
        self.assertEqual(complete("signpost get -n sh"), ["shop"])
        self.assertIn("services", complete("signpost get "))
        self.assertEqual(complete("signpost delete nosuchkind x"), [])

    def test_bash(self):
        self.check(self.bash)
        self.assertEqual(self.bash("signpost get svc/w"), ["svc/web"])
        # The line's server is asked, with the colons that it has; one that is not there completes nothing.
        line = f"signpost --server {self.daemon.url} get svc we"
        self.assertEqual(self.bash(line, SIGNPOST_SERVER="http://127.0.0.1:1"), ["web"])
        self.assertEqual(self.bash("signpost get svc we", SIGNPOST_SERVER="http://127.0.0.1:1"), [])

    def test_what_a_server_says_is_never_run(self):
        evil, mark = self.daemon.work / "evil", self.daemon.work / "mark"
        evil.mkdir()
        (evil / "signpost").write_text(f"#!/bin/sh\necho 'service/$(touch {mark})'\necho 'service/`touch {mark}`'\necho service/web\n")
        (evil / "signpost").chmod(0o755)
        self.assertEqual(self.bash("signpost get svc ", PATH=f"{evil}:{os.environ['PATH']}"), ["web"])
        self.assertFalse(mark.exists())

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish(self):
        self.check(self.fish)

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh_reads_it(self):
        done = run("zsh", "-f", "-n", str(self.scripts["zsh"]))
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
