#!/usr/bin/env python3
"""deploy/quickstart as printed: it starts, each of its five lines works, Ctrl-C ends everything, it runs again."""
import os, re, select, shutil, signal, subprocess, time, unittest

from daemon import BIN, PATIENCE, SOURCE

RELEASE = SOURCE / "build/release/bin"


@unittest.skipUnless(BIN.resolve() == RELEASE.resolve(), "quickstart runs the release build")
class Quickstart(unittest.TestCase):
    def start(self):
        p = subprocess.Popen(["deploy/quickstart", "--no-install", "--no-build"], cwd=SOURCE, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        out, end = b"", time.monotonic() + PATIENCE
        while b"Ctrl-C ends everything" not in out:
            self.assertLess(time.monotonic(), end, out.decode())
            if select.select([p.stdout], [], [], 1)[0]:
                chunk = os.read(p.stdout.fileno(), 65536)
                self.assertTrue(chunk, out.decode())
                out += chunk
        return p, out.decode()

    def test_as_printed_twice(self):
        for _ in range(2):
            p, out = self.start()
            try:
                commands = re.findall(r"^  (\S.*)$", out.split("Signpost is running")[1], re.M)
                self.assertEqual([c.split()[0].split("/")[-1] for c in commands],
                                 ["dig", "curl", "kubectl", "signpost", "signpost"])
                wanted = [r"web\.default\.svc\.cluster\.local\.\s+5\s+IN\s+A\s+10\.", '"kind": ?"Service"', r"cart\s+ClusterIP",
                          "WEB_SERVICE_HOST=10", r"10\."]
                for command, want in zip(commands, wanted):
                    if command.startswith("kubectl") and not shutil.which("kubectl"):
                        continue
                    done = subprocess.run(command, shell=True, cwd=SOURCE, capture_output=True, text=True, timeout=PATIENCE)
                    self.assertEqual(done.returncode, 0, command + "\n" + done.stdout + done.stderr)
                    self.assertRegex(done.stdout, want)
                children = subprocess.run(["pgrep", "-P", str(p.pid), "signpostd"], capture_output=True, text=True).stdout.split()
                self.assertEqual(len(children), 1)
            finally:
                os.killpg(p.pid, signal.SIGINT)  # what Ctrl-C does: the whole foreground group
            self.assertEqual(p.wait(PATIENCE), 0)
            p.stdout.close()
            self.assertFalse(os.path.exists(f"/proc/{children[0]}"), "signpostd is gone")


if __name__ == "__main__":
    unittest.main()
