"""Starts Signpost, Knot and the bare echo one at a time on a free port of 127.0.0.1, and reads what they cost."""
import os, pathlib, shutil, socket, struct, subprocess, time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = SOURCE / "build/release/bin"
SERVER_CPU, LOAD_CPU = "0", "1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def question(name, kind=1, number=7):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)


class Server:
    def __init__(self, name, data, folder):
        self.name, self.data, self.folder = name, data, pathlib.Path(folder) / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()

    def command(self):
        if self.name == "echo":
            return [BIN / "bench_echo", str(self.port)]
        if self.name == "knot":
            config = self.folder / "knot.conf"
            config.write_text(f"""server:
    rundir: "{self.folder}"
    listen: 127.0.0.1@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-max-clients: 1000
database:
    storage: "{self.folder}"
zone:
  - domain: cluster.local
    file: "{self.data.zone}"
    zonefile-load: whole
""")
            return ["knotd", "-c", config]
        return [BIN / "signpostd", "--objects", self.data.objects, "--dns", f"127.0.0.1:{self.port}",
                "--api", f"127.0.0.1:{free_port()}", "--data", self.folder / "data", "--workers", "1"]

    def __enter__(self):
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CPU, *map(str, self.command())], stdout=self.log,
                                        stderr=self.log)
        end = time.time() + 120
        while time.time() < end:
            reply = self.ask(question("cluster.local", 6), 0.5)
            if reply and (self.name == "echo" or (reply[3] & 15 == 0 and reply[7] > 0)):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"compare: {self.name} did not start; its output stands in {self.folder}/log")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def ask(self, packet, timeout=2.0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            s.connect(("127.0.0.1", self.port))
            try:
                s.send(packet)
                return s.recv(4096)
            except OSError:
                return None

    def cpu(self):
        """Seconds on a CPU of all threads so far."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            total += int(pathlib.Path(f"/proc/{self.process.pid}/task/{task}/schedstat").read_text().split()[0])
        return total / 1e9

    def memory(self):
        """Resident and proportional set size, in octets."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        sizes = {line.split()[0]: int(line.split()[1]) * 1024 for line in rollup.splitlines()[1:]}
        return sizes["Rss:"], sizes["Pss:"]
