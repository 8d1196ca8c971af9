"""A DNS server of the test's own on 127.0.0.1, UDP and TCP on one port, that says what its script says.

    up = Scripted({("alias.example", "A"): says(cname("alias.example", "web.default.svc.cluster.local"), rcode=3)})
    up.asked      # [(name, type), …] in the order in which they came

A name that is not in the script is NXDOMAIN with the root's SOA.
"""
import contextlib, socket, struct, threading

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
NAMES = {number: name for name, number in TYPES.items()}


def wire(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def record(owner, rtype, rdata, ttl=300):
    return wire(owner) + struct.pack("!HHIH", TYPES[rtype], 1, ttl, len(rdata)) + rdata


def cname(owner, target, ttl=300):
    return record(owner, "CNAME", wire(target), ttl)


def a(owner, address, ttl=300):
    return record(owner, "A", socket.inet_aton(address), ttl)


def ptr(owner, target, ttl=300):
    return record(owner, "PTR", wire(target), ttl)


def soa(zone, ttl=60):
    return record(zone, "SOA", wire("ns." + zone) + wire("host." + zone) + struct.pack("!5I", 1, 2, 3, 4, ttl), ttl)


def says(*answers, rcode=0, authority=()):
    return answers, rcode, tuple(authority)


class Scripted:
    def __init__(self, script):
        self.script, self.asked = script, []
        while True:
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            try:
                self.tcp = socket.create_server(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
        self.port = self.udp.getsockname()[1]
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        name, number = ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0]
        rtype = NAMES.get(number, str(number))
        self.asked.append((name, rtype))
        nobody = says(rcode=3, authority=[soa("")])
        answers, rcode, authority = self.script.get((name, rtype), nobody)
        head = packet[:2] + struct.pack("!5H", 0x8180 | rcode, 1, len(answers), len(authority), 0)
        return head + packet[12:at + 5] + b"".join(answers) + b"".join(authority)

    def serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                packet, peer = self.udp.recvfrom(4096)
                self.udp.sendto(self.answer(packet), peer)

    def serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.tcp.accept()
                with contextlib.closing(connection):
                    length = struct.unpack("!H", connection.recv(2, socket.MSG_WAITALL))[0]
                    reply = self.answer(connection.recv(length, socket.MSG_WAITALL))
                    connection.sendall(struct.pack("!H", len(reply)) + reply)

    def asked_below(self, zone):
        return [name for name, _ in self.asked if name == zone or name.endswith("." + zone)]

    def close(self):
        self.udp.close()
        self.tcp.close()
