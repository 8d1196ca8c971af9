// Go's own resolver: prints the addresses of a name, or its SRV records, one a line.
//
// usage: stub any|4|6|srv NAME
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

func main() {
	family, name := os.Args[1], os.Args[2]
	resolver := &net.Resolver{PreferGo: true}
	var lines []string
	var err error
	if family == "srv" {
		var records []*net.SRV
		_, records, err = resolver.LookupSRV(context.Background(), "", "", name)
		for _, r := range records {
			lines = append(lines, fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, r.Target))
		}
	} else {
		network := map[string]string{"any": "ip", "4": "ip4", "6": "ip6"}[family]
		var addresses []net.IP
		addresses, err = resolver.LookupIP(context.Background(), network, name)
		for _, a := range addresses {
			lines = append(lines, a.String())
		}
	}
	var failed *net.DNSError
	if errors.As(err, &failed) && failed.IsNotFound {
		lines = []string{"not found"}
	} else if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for _, line := range lines {
		fmt.Println(line)
	}
}
