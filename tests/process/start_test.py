#!/usr/bin/env python3
"""Starts that cannot succeed end with exit code 1 and one sentence that says what to do; nothing is lost."""
import os, pathlib, signal, socket, sqlite3, subprocess, tempfile, unittest

from daemon import PATIENCE, SIGNPOSTD, Daemon, free_port, run

WEB = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {ports: [{port: 80}]}
"""


class Refusals(unittest.TestCase):
    def refused(self, *flags, says=()):
        """signpostd ends with 1 and one line on standard error that contains all of `says`."""
        done = run(SIGNPOSTD, *flags, timeout=PATIENCE)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = done.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        for word in says:
            self.assertIn(word, lines[0])
        return lines[0]

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="signpost-test.")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)

    def flags(self, **other):
        f = {"dns": f"127.0.0.1:{free_port()}", "api": f"127.0.0.1:{free_port()}", "data": str(self.work / "data"), **other}
        return [x for k, v in f.items() for x in (f"--{k}", v)]

    def test_wrong_flags(self):
        self.refused("--nonsense", says=["--nonsense"])
        self.refused("--zoen", "x", says=["--zoen"])
        self.refused(*self.flags(dns="nonsense"), says=["nonsense"])
        self.refused(*self.flags(dns="127.0.0.1:99999"), says=["99999"])
        self.refused(*self.flags(vip="10.96.0.0/33"), says=["10.96.0.0/33"])
        self.refused(*self.flags(vip="10.96.0.0/30"), says=["10.96.0.0/30"])
        self.refused(*self.flags(zone="not..a.zone"), says=["not..a.zone"])
        self.refused(*self.flags(workers="many"), says=["many"])

    def test_api_beyond_loopback_is_refused(self):
        self.refused(*self.flags(api="0.0.0.0:8080"), says=["0.0.0.0", "loopback"])

    def test_help_and_version(self):
        done = run(SIGNPOSTD, "--help")
        self.assertEqual(done.returncode, 0)
        for flag in ("--config", "--check", "--zone", "--dns", "--api", "--data", "--vip", "--objects", "--workers"):
            self.assertIn(flag, done.stdout)
        done = run(SIGNPOSTD, "--version")
        self.assertEqual((done.returncode, done.stdout.split()[0]), (0, "signpostd"))

    def test_ports_in_use(self):
        with Daemon() as d:
            taken = f"127.0.0.1:{d.dns_port}"
            self.refused(*self.flags(dns=taken), says=[taken, "in use"])
            taken = f"127.0.0.1:{d.api_port}"
            self.refused(*self.flags(api=taken), says=[taken, "in use"])
            self.refused(*self.flags(data=str(d.data)), says=[str(d.data)])
            self.assertEqual(d.request("GET", "/readyz")[0], 200)

    def test_foreign_udp_socket_on_the_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(("127.0.0.1", 0))
            taken = "127.0.0.1:%d" % s.getsockname()[1]
            self.refused(*self.flags(dns=taken), says=[taken, "in use"])

    def test_data_directory_cannot_be_written(self):
        file = self.work / "file"
        file.write_text("x")
        self.refused(*self.flags(data=str(file / "data")), says=[str(file / "data")])
        self.refused(*self.flags(data="/proc/signpost"), says=["/proc/signpost"])

    def test_damaged_and_foreign_database(self):
        with Daemon() as d:
            d.apply(WEB)
            d.stop()
            databases = [p for p in d.data.iterdir() if p.stat().st_size > 8192]
            self.assertEqual(len(databases), 1, list(d.data.iterdir()))
            whole = databases[0].read_bytes()
            for damaged in (b"this is no database at all" * 1000, whole[:4096] + os.urandom(len(whole) - 4096),
                            whole[: len(whole) // 2]):
                databases[0].write_bytes(damaged)
                self.refused(*self.flags(data=str(d.data)), says=[str(d.data)])
                self.assertEqual(databases[0].read_bytes(), damaged, "a damaged database is left as it is")
            databases[0].write_bytes(whole)
            d.start()
            self.assertEqual(d.request("GET", "/api/v1/namespaces/default/services/web")[0], 200)

    def test_newer_schema(self):
        with Daemon() as d:
            d.stop()
            database = next(p for p in d.data.iterdir() if p.stat().st_size > 8192)
            c = sqlite3.connect(database)
            c.execute("PRAGMA user_version = 999")
            c.close()
            self.refused(*self.flags(data=str(d.data)), says=["newer", "999"])

    def test_other_prefixes_while_addresses_are_in_use(self):
        with Daemon(vip=["10.96.0.0/16"]) as d:
            d.apply(WEB)
            ip = d.request("GET", "/api/v1/namespaces/default/services/web")[1]["spec"]["clusterIP"]
            d.stop()
            self.refused(*self.flags(data=str(d.data), vip="10.97.0.0/16"), says=["10.96."])
            d.start()
            self.assertEqual(d.request("GET", "/api/v1/namespaces/default/services/web")[1]["spec"]["clusterIP"], ip)

    def test_objects_that_cannot_be_read(self):
        self.refused(*self.flags(objects=str(self.work / "missing.yaml")), says=["missing.yaml"])
        bad = self.work / "bad.yaml"
        bad.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: [\n")
        self.refused(*self.flags(objects=str(bad)), says=["bad.yaml"])
        bad.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: eighty}\n")
        self.refused(*self.flags(objects=str(bad)), says=["bad.yaml", "ports"])

    def test_corefile_errors_name_file_and_line(self):
        corefile = self.work / "Corefile"
        for text, words in (
            ("cluster.local {\n    registri\n}\n", ["Corefile:2", "registry"]),
            ("cluster.local {\n    bind 127.0.0.1\n", ["Corefile"]),
            ("cluster.local {\n    registry {\n        vip 10.96.0.0/99\n    }\n}\n", ["Corefile:3", "10.96.0.0/99"]),
            (". {\n    forward\n}\n", ["Corefile:2"]),
        ):
            with self.subTest(text=text):
                corefile.write_text(text)
                self.refused("--config", str(corefile), says=words)
                self.refused("--config", str(corefile), "--check", says=words)
        self.refused("--config", str(self.work / "nowhere"), says=["nowhere"])

    def test_check_accepts_a_good_corefile_and_starts_nothing(self):
        corefile = self.work / "Corefile"
        corefile.write_text("cluster.local:5353 {\n    bind 127.0.0.1\n    registry {\n        data %s\n    }\n}\n" % (self.work / "data"))
        done = run(SIGNPOSTD, "--config", str(corefile), "--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse((self.work / "data").exists())


class Snapshots(unittest.TestCase):
    def test_saved_in_use_verified_and_restored(self):
        with Daemon() as d:
            d.apply(WEB)
            before = d.request("GET", "/api/v1/namespaces/default/services/web")[1]
            file, other = str(d.work / "snapshot"), str(d.work / "other")
            done = run(SIGNPOSTD, "snapshot", "save", "--data", str(d.data), file)
            self.assertEqual(done.returncode, 0, done.stderr)
            for verb, data, code in (("verify", str(d.data), 0), ("save", str(d.data), 0), ("restore", str(d.data), 1),
                                     ("restore", other, 0), ("restore", other, 1)):
                done = run(SIGNPOSTD, "snapshot", verb, "--data", data, file)
                self.assertEqual(done.returncode, code, verb + done.stdout + done.stderr)
            self.assertEqual(run(SIGNPOSTD, "snapshot", "verify", file).returncode, 0)
            self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
            for i in range(30):  # a future that the restored registry does not have
                d.apply(WEB.replace("name: web", f"name: lost{i}"))
            known = d.request("GET", "/api/v1/services")[1]["metadata"]["resourceVersion"]
            d.stop()
            d.data = other
            d.start()
            self.assertEqual(d.request("GET", "/api/v1/namespaces/default/services/web")[1], before)
            now = int(d.request("GET", "/api/v1/services")[1]["metadata"]["resourceVersion"])
            self.assertGreater(now, int(known))
            watch = "/api/v1/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion="
            self.assertEqual(d.request("GET", watch + known)[0], 410)
            for path, code in ((watch, 410), ("/api/v1/services?resourceVersion=", 504)):
                status, said = d.request("GET", path + str(now + 100))
                self.assertEqual((status, said["kind"]), (code, "Status"), said)


class Ends(unittest.TestCase):
    def test_signals_end_with_0_and_keep_the_data(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with Daemon() as d:
                d.apply(WEB)
                self.assertEqual(d.stop(how), 0)
                d.start()
                self.assertEqual(d.request("GET", "/api/v1/namespaces/default/services/web")[0], 200)

    def test_term_ends_open_watches_cleanly(self):
        with Daemon() as d:
            watch = subprocess.Popen(["curl", "-sN", f"{d.url}/api/v1/services?watch=true"], stdout=subprocess.PIPE)
            self.assertIn(b'"ADDED"', watch.stdout.readline())
            self.assertEqual(d.stop(), 0)
            self.assertEqual(watch.wait(PATIENCE), 0, "the stream ended as a whole chunked body")
            watch.stdout.close()

    def test_start_says_where_it_listens_and_what_it_knows(self):
        with Daemon() as d:
            log = d.log_text()
            for word in (f"127.0.0.1:{d.dns_port}", f"127.0.0.1:{d.api_port}", str(d.data), "services=1", "credentials"):
                self.assertIn(word, log)


if __name__ == "__main__":
    unittest.main()
