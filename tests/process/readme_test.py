#!/usr/bin/env python3
"""What the READMEs show is true: every Corefile is sound, every command for a running server works as printed."""
import os, pathlib, re, shlex, shutil, tempfile, unittest

from daemon import BIN, PATIENCE, SIGNPOSTD, SOURCE, Daemon, run

PAGES = ["README.md", "server/README.md", "client/README.md", "deploy/README.md", "deploy/hosts.md"]


def blocks(page, language):
    """The fenced blocks of one language; behind it may stand where the block belongs."""
    fences = re.findall(r"^```([^\n]*)\n(.*?)^```$", (SOURCE / page).read_text(), re.M | re.S)
    return [text for said, text in fences if said.split(" ")[0] == language]


class Readme(unittest.TestCase):
    def test_corefiles_are_sound(self):
        seen = 0
        with tempfile.TemporaryDirectory(prefix="signpost-test.") as work:
            corefile = pathlib.Path(work) / "Corefile"
            for page in PAGES:
                for block in blocks(page, "") + blocks(page, "corefile"):
                    if not re.search(r"^\S.*\{$", block, re.M):
                        continue
                    seen += 1
                    corefile.write_text(block)
                    done = run(SIGNPOSTD, "--config", str(corefile), "--check")
                    unbindable = "resolv.conf" in done.stderr  # a machine without a resolver
                    self.assertTrue(done.returncode == 0 or unbindable, f"{page}:\n{block}\n{done.stderr}")
        self.assertGreaterEqual(seen, 2)

    def test_flags_of_the_table_are_those_of_the_program(self):
        told = set(re.findall(r"^\| `(--[a-z]+)", (SOURCE / "server/README.md").read_text(), re.M))
        known = set(re.findall(r"^  (--[a-z]+)", run(SIGNPOSTD, "--help").stdout, re.M)) - {"--help", "--version"}
        self.assertEqual(told, known)

    def test_commands_for_a_running_server_work(self):
        ran = 0
        with Daemon() as d:
            environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "SIGNPOST_SERVER": d.url,
                           "SIGNPOST_DNS": f"127.0.0.1:{d.dns_port}"}
            for block in blocks("README.md", "sh"):
                for line in block.splitlines():
                    words = shlex.split(line, comments=True)
                    if not words or words[0] not in ("kubectl", "signpost") or not shutil.which(words[0], path=environment["PATH"]):
                        continue
                    line = line.replace("http://127.0.0.1:8080", d.url).replace("/usr/share/doc/signpost/", "deploy/")
                    done = run("sh", "-c", f"cd {shlex.quote(str(SOURCE))} && {line}", env=environment, timeout=PATIENCE)
                    self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
                    ran += 1
        self.assertGreaterEqual(ran, 3)


if __name__ == "__main__":
    unittest.main()
