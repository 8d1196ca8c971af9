"""dnspython: prints the addresses of a name, or its SRV records, one a line.

usage: stub.py any|4|6|srv NAME
"""
import sys

import dns.resolver

family, name = sys.argv[1:]
resolver = dns.resolver.Resolver()
resolver.use_search_by_default = True
lines = []
for kind in {"any": ["A", "AAAA"], "4": ["A"], "6": ["AAAA"], "srv": ["SRV"]}[family]:
    try:
        lines += [record.to_text() for record in resolver.resolve(name, kind)]
    except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
        pass
print("\n".join(lines) or "not found")
