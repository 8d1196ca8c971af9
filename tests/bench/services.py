"""Services to compare servers with: as Kubernetes objects for Signpost, as a zone file for others, and questions."""
import json, pathlib, random

NAMESPACES = 50


def vip(i):
    return f"10.{96 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def pod(i):
    return f"11.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def pod6(i):
    return f"fd00:11::{i >> 16 & 0xffff:x}:{i & 0xffff:x}"


class Data:
    """Files of one data set in `folder`: objects.json, cluster.local.zone, queries.txt."""

    def __init__(self, folder, seed=1):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = random.Random(seed)
        self.items, self.records, self.questions = [], [], []
        self.pods = 0
        for i in range(NAMESPACES):
            self.items.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"ns-{i}"}})

    @property
    def objects(self):
        return self.folder / "objects.json"

    @property
    def zone(self):
        return self.folder / "cluster.local.zone"

    @property
    def queries(self):
        return self.folder / "queries.txt"

    def add(self, i, dual=False, headless=0, named=False):
        """Service `i`: one virtual IP (two if dual), or `headless` endpoints; `named`: with a port's SRV records."""
        name, space = f"svc-{i}", f"ns-{i % NAMESPACES}"
        owner = f"{name}.{space}.svc"
        addresses = [] if headless else [vip(i)] + ([f"fd00:10:96::{i + 1:x}"] if dual else [])
        port = {"port": 80, "protocol": "TCP"} | ({"name": "http"} if named else {})
        families = ["IPv4", "IPv6"] if dual else ["IPv4"]
        self.items.append({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": space},
            "spec": {"clusterIP": addresses[0] if addresses else "None", "clusterIPs": addresses or ["None"],
                     "ports": [port], "ipFamilies": families}})
        for address in addresses:
            self.records.append(f"{owner} {'AAAA' if ':' in address else 'A'} {address}")
        if headless:
            self.endpoints(name, space, owner, headless, port)
        elif named:
            self.records.append(f"_http._tcp.{owner} SRV 0 100 80 {owner}")

    def endpoints(self, name, space, owner, count, port):
        endpoints = []
        for _ in range(count):
            self.pods += 1
            endpoints.append({"addresses": [pod(self.pods)], "conditions": {"ready": True}, "nodeName": f"node-{self.pods % 100}",
                              "targetRef": {"kind": "Pod", "namespace": space, "name": f"{name}-{self.pods}"}})
            self.records.append(f"{owner} A {pod(self.pods)}")
        self.items.append({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{name}-1", "namespace": space, "labels": {"kubernetes.io/service-name": name}},
            "ports": [port], "endpoints": endpoints})

    def ask(self, i, kind="A", prefix=""):
        self.questions.append(f"{prefix}svc-{i}.ns-{i % NAMESPACES}.svc.cluster.local {kind}")

    def write(self):
        with self.objects.open("w") as file:
            file.write('{"apiVersion":"v1","kind":"List","items":[\n')
            file.write(",\n".join(json.dumps(item, separators=(",", ":")) for item in self.items))
            file.write("\n]}\n")
        self.zone.write_text(
            "$ORIGIN cluster.local.\n$TTL 5\n"
            "@ SOA ns.dns hostmaster 1 7200 1800 86400 5\n@ NS ns.dns\nns.dns A 127.0.0.1\n" + "\n".join(self.records) + "\n")
        self.random.shuffle(self.questions)
        self.queries.write_text("\n".join(self.questions) + "\n")
        return self


def plain(folder, services=10_000):
    """One address each; of ten questions nine are answered and one has no such name."""
    data = Data(folder)
    for i in range(services):
        data.add(i)
    for _ in range(20_000):
        i = data.random.randrange(services)
        data.ask(i, prefix="x" if data.random.random() < 0.1 else "")
    return data.write()


def mixed(folder, services=10_000):
    """Single- and dual-stack, named ports, headless ones of 1 to 20 endpoints; A, AAAA and SRV asked."""
    data = Data(folder)
    for i in range(services):
        if i % 10 == 0:
            data.add(i, headless=data.random.randrange(1, 21))
        else:
            data.add(i, dual=i % 3 == 0, named=True)
    for _ in range(20_000):
        i = data.random.randrange(services)
        draw = data.random.random()
        if draw < 0.1:
            data.ask(i, prefix="x")
        elif draw < 0.5 or i % 10 == 0:
            data.ask(i)
        elif draw < 0.85:
            data.ask(i, "AAAA")
        else:
            data.ask(i, "SRV", "_http._tcp.")
    return data.write()


def headless(folder, services=200, endpoints=100):
    data = Data(folder)
    for i in range(services):
        data.add(i, headless=endpoints)
    for _ in range(5_000):
        data.ask(data.random.randrange(services))
    return data.write()


def million(folder, services=100_000, endpoints=10):
    data = Data(folder)
    with data.objects.open("w") as file:  # item by item: it is a third of a gigabyte
        file.write('{"apiVersion":"v1","kind":"List","items":[\n')
        first = True
        for i in range(services):
            data.add(i)
            data.endpoints(f"svc-{i}", f"ns-{i % NAMESPACES}", "", endpoints, {"port": 8080, "protocol": "TCP"})
            for item in data.items:
                file.write(("" if first else ",\n") + json.dumps(item, separators=(",", ":")))
                first = False
            data.items.clear()
            data.records.clear()
        file.write("\n]}\n")
    return data
