#!/usr/bin/env python3
"""Every malformed and odd query of tests/packets/badpackets.json against a real daemon, over UDP and TCP, IPv4 and IPv6."""
import json, socket, struct, unittest

from daemon import PATIENCE, SOURCE, Daemon

RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 9: "NOTAUTH",
          16: "BADVERS", 23: "BADCOOKIE"}
KNOWN_DIFFERENCES = {}  # id: why the expectation is not met


def fixture():
    """The records that the cases speak of, as objects."""
    def service(name, **spec):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}

    def endpoints(name, addresses):
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": f"{name}-1", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
                "ports": [], "endpoints": [{"addresses": [a]} for a in addresses]}
    return {"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}},
        service("web", clusterIP="10.96.0.10", clusterIPs=["10.96.0.10"], ports=[{"name": "http", "port": 80}]),
        service("big", clusterIP="None", clusterIPs=["None"]),
        endpoints("big", [f"10.244.2.{i}" for i in range(1, 81)]),
        service("db", clusterIP="None", clusterIPs=["None"]),
        endpoints("db", ["10.244.1.5", "10.244.1.6"]),
        service("ext", type="ExternalName", externalName="target.example.com"),
    ]}


class Reply:
    def __init__(self, data):
        self.data = data
        self.id, self.flags, self.qd, self.an, self.ns, self.ar = struct.unpack("!6H", data[:12])
        at = 12
        for _ in range(self.qd):
            at = self.skip_name(at) + 4
        self.question_end = at
        self.opt, self.soa = None, False
        for section, count in ((1, self.an), (2, self.ns), (3, self.ar)):
            for _ in range(count):
                at = self.skip_name(at)
                rtype, _, ttl, length = struct.unpack("!HHIH", data[at:at + 10])
                rdata = data[at + 10:at + 10 + length]
                assert len(rdata) == length, "a record is cut"
                at += 10 + length
                if rtype == 41:
                    self.opt = (ttl, rdata)
                if rtype == 6 and section == 2:
                    self.soa = True
        assert at == len(data), "octets behind the last record"

    def skip_name(self, at):
        while True:
            length = self.data[at]
            if length >= 0xC0:
                return at + 2
            if length == 0:
                return at + 1
            at += 1 + length

    @property
    def rcode(self):
        return (self.flags & 15) | ((self.opt[0] >> 24) << 4 if self.opt else 0)

    def verdicts(self):
        """Every word of the case file that this reply fulfils."""
        name = RCODES.get(self.rcode, str(self.rcode))
        v = {name}
        if name == "NOERROR":
            if self.flags & 0x0200:
                v.add("TC")
            if self.an == 0 and self.soa:
                v.add("NODATA")
        return v


def client_size(query):
    """What the client takes over UDP: the size in an OPT record that ends the query or stands behind its question."""
    try:
        at = 12
        while query[at]:
            at += 1 + query[at]
        opt = query[at + 5:]
        size = struct.unpack("!H", opt[3:5])[0] if opt[:3] == b"\0\0\x29" else 512
    except IndexError:
        size = 512
    return max(512, min(size, 1232))


def broken_rule(query, reply, over_udp):
    """Which of the rules that hold for every case does not hold; None: all do."""
    if len(query) < 12 or query[2] & 0x80:
        return "a reply to what is no query"
    if reply.data[:2] != query[:2]:
        return "another id"
    if not reply.flags & 0x8000 or (reply.flags >> 11) & 15 != (query[2] >> 3) & 15:
        return "QR or opcode is wrong"
    if over_udp and len(reply.data) > client_size(query):
        return f"{len(reply.data)} octets to a client that takes {client_size(query)}"
    if reply.rcode not in (0, 3) and len(reply.data) > len(query) + 11:
        return "an error reply longer than the query and OPT"
    return None


def messages_of(stream):
    at = 0
    while at + 2 <= len(stream) and at + 2 + struct.unpack("!H", stream[at:at + 2])[0] <= len(stream):
        length = struct.unpack("!H", stream[at:at + 2])[0]
        yield stream[at + 2:at + 2 + length]
        at += 2 + length


class Packets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = json.loads((SOURCE / "tests/packets/badpackets.json").read_text())["cases"]
        cls.d = Daemon()
        file = cls.d.work / "objects.json"
        file.write_text(json.dumps(fixture()))
        cls.d.objects = [file]
        cls.d.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.d.__exit__(None, None, None)

    def judge(self, case, replies, closed=False):
        """What is wrong with the replies (none: dropped), or None."""
        allowed = {case["expect"], *case["also_ok"]}
        query = bytes.fromhex(case["hex"])
        if case["transport"] == "tcp-raw":
            n = len(replies)
            got = {f"{n} answers"} if n > 1 else replies[0].verdicts() if n else set()
            got |= {"close"} if closed and not n else set()
            got |= {"drop"} if not n else set()
            got |= {">=1 answer then close"} if n and closed else set()
            if n > 1:  # what is said of one answer holds if the last is it
                got |= replies[-1].verdicts()
            by_id = {m[:2]: m for m in messages_of(query)}
            for one in replies:
                if broken := broken_rule(by_id.get(one.data[:2], b""), one, False):
                    return broken
        elif replies:
            got = replies[0].verdicts()
            if broken := broken_rule(query, replies[0], True):
                return broken
        else:
            got = {"drop"}
        if not got & allowed:
            return f"got {sorted(got)}, allowed {sorted(allowed)}"
        if not replies:
            return None
        reply, check = replies[-1], case.get("check") or {}
        for key, wrong in (("max_bytes", lambda v: len(reply.data) > v and case["transport"] == "udp"),
                           ("opt", lambda v: reply.rcode in (0, 3, 16) and (reply.opt is not None) != v),
                           ("no_opt", lambda v: reply.opt is not None),
                           ("soa", lambda v: reply.rcode in (0, 3) and not reply.soa), ("ancount", lambda v: reply.an != v),
                           ("tc", lambda v: bool(reply.flags & 0x0200) != bool(v)),
                           ("no_echo_option", lambda v: reply.opt and struct.pack("!H", v) == reply.opt[1][:2]),
                           ("echo_question", lambda v: reply.data[12:reply.question_end] != query[12:reply.question_end])):
            if key in check and wrong(check[key]):
                return f"{key}: {check[key]} does not hold"
        return None

    def ask_udp(self, host, query):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((host, self.d.dns_port))
            s.send(query)
            # A question behind it: when its answer is there, the case itself has been answered or dropped.
            marker = b"\xfe\xfe\1\0\0\1\0\0\0\0\0\0\7cluster\5local\0\0\6\0\1"
            s.send(marker)
            s.settimeout(PATIENCE)
            replies = []
            while True:
                data = s.recv(65535)
                if data[:2] == marker[:2]:
                    return replies
                replies.append(Reply(data))

    def ask_tcp(self, host, stream, half_close):
        """Replies until the server closes or nothing more can come."""
        expected = 0
        at = 0
        while at + 2 <= len(stream):
            at += 2 + struct.unpack("!H", stream[at:at + 2])[0]
            expected += at <= len(stream)
        with socket.create_connection((host, self.d.dns_port), timeout=PATIENCE) as s:
            s.sendall(stream)
            if half_close:
                s.shutdown(socket.SHUT_WR)
            data, replies, closed = b"", [], False
            s.settimeout(15 if at > len(stream) else 2)
            try:
                while len(replies) < max(expected, 1):
                    chunk = s.recv(65535)
                    if not chunk:
                        closed = True
                        break
                    data += chunk
                    while len(data) >= 2 and len(data) >= 2 + struct.unpack("!H", data[:2])[0]:
                        length = struct.unpack("!H", data[:2])[0]
                        replies.append(Reply(data[2:2 + length]))
                        data = data[2 + length:]
            except (TimeoutError, ConnectionResetError) as e:
                closed = isinstance(e, ConnectionResetError)
            return replies, closed

    def check(self, way, ask):
        wrong = []
        for case in self.cases:
            found = ask(case)
            if found and case["id"] not in KNOWN_DIFFERENCES:
                wrong.append(f"{case['id']} ({case['label']}) over {way}: {found}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_udp(self):
        for host in self.d.hosts:
            self.check(f"UDP {host}", lambda c: self.judge(c, self.ask_udp(host, bytes.fromhex(c["hex"])))
                       if c["transport"] == "udp" else None)

    def test_tcp(self):
        for host in self.d.hosts:
            self.check(f"TCP {host}", lambda c: self.judge(c, *self.ask_tcp(host, bytes.fromhex(c["hex"]), c.get("half_close")))
                       if c["transport"] == "tcp-raw" else None)

    def test_udp_cases_over_tcp(self):
        """They get the same, but that nothing is cut and that a message shorter than a header ends the connection."""
        for host in self.d.hosts:
            wrong = []
            for case in self.cases:
                if case["transport"] != "udp":
                    continue
                query = bytes.fromhex(case["hex"])
                replies, _ = self.ask_tcp(host, struct.pack("!H", len(query)) + query, True)
                allowed = {case["expect"], *case["also_ok"]}
                allowed |= {"NOERROR"} if "TC" in allowed else set()
                got = replies[0].verdicts() if replies else {"drop"}
                broken = next((b for r in replies if (b := broken_rule(query, r, False))), None)
                if broken or not got & allowed or len(replies) > 1:
                    wrong.append(f"{case['id']} ({case['label']}) over TCP {host}: {broken or sorted(got)}, allowed {sorted(allowed)}")
            self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertEqual(self.d.dig("web.default.svc.cluster.local"), ["10.96.0.10"])

    def test_totals_are_counted(self):
        page = self.d.request("GET", "/metrics")[1]
        for name in ("signpost_dns_messages_total", "signpost_dns_replies_total", "signpost_dns_query_bytes_bucket"):
            self.assertIn(name, page)


if __name__ == "__main__":
    unittest.main()
