// Random objects and strategic merge patches whose lists have equal merge keys, and what apimachinery makes of them: a
// line of JSON each on standard output, {"kind","document","patch","result"}; result null: refused.
//
//	patches COUNT SEED
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"os"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

type object = map[string]any
type list = []any

// A list that is merged by a key.
type keyed struct {
	kind string
	path []string // where it is; "0": the first item of a list
	key  string   // "": a set of plain values
	keys list     // few, so that they meet
	of   any
}

var lists = []keyed{
	{"Service", []string{"spec", "ports"}, "port", list{53, 80, 443, 9}, core.Service{}},
	{"Service", []string{"metadata", "finalizers"}, "", list{"a/a", "b/b", "c/c", "d/d"}, core.Service{}},
	{"Service", []string{"metadata", "ownerReferences"}, "uid", list{"1", "2", "3"}, core.Service{}},
	{"Node", []string{"status", "addresses"}, "type", list{"InternalIP", "ExternalIP", "Hostname"}, core.Node{}},
	{"Node", []string{"spec", "podCIDRs"}, "", list{"10.0.0.0/24", "fd00::/64", "10.1.0.0/24"}, core.Node{}},
	{"Pod", []string{"spec", "containers"}, "name", list{"a", "b", "c"}, core.Pod{}},
	{"Pod", []string{"spec", "containers", "0", "ports"}, "containerPort", list{53, 80, 8080}, core.Pod{}},
	{"Pod", []string{"spec", "containers", "0", "env"}, "name", list{"A", "B", "C"}, core.Pod{}},
	{"Pod", []string{"spec", "containers", "0", "volumeMounts"}, "mountPath", list{"/a", "/b"}, core.Pod{}},
	{"Pod", []string{"spec", "ephemeralContainers", "0", "env"}, "name", list{"A", "B"}, core.Pod{}},
	{"Pod", []string{"spec", "schedulingGates"}, "name", list{"x", "y", "z"}, core.Pod{}},
	{"Pod", []string{"spec", "hostAliases"}, "ip", list{"10.0.0.1", "10.0.0.2"}, core.Pod{}},
	{"Pod", []string{"spec", "topologySpreadConstraints"}, "topologyKey", list{"zone", "host"}, core.Pod{}},
	{"Pod", []string{"status", "podIPs"}, "ip", list{"10.0.0.1", "fd00::1", "10.0.0.3"}, core.Pod{}},
	{"Pod", []string{"status", "conditions"}, "type", list{"Ready", "Initialized"}, core.Pod{}},
}

type maker struct {
	*rand.Rand
	serial int
}

func (m *maker) pick(values list) any { return values[m.Intn(len(values))] }

func (m *maker) item(of keyed) any {
	if of.key == "" {
		return m.pick(of.keys)
	}
	m.serial++
	made := object{of.key: m.pick(of.keys)}
	for _, member := range []string{"m", "n", "o"} {
		if m.Intn(2) == 0 {
			made[member] = m.serial
		}
	}
	return made
}

func (m *maker) items(of keyed, most int) list {
	made := list{}
	for range m.Intn(most + 1) {
		made = append(made, m.item(of))
	}
	return made
}

// Around wraps a list, and its order, in the objects that lead to it.
func around(of keyed, members object) object {
	made := members
	for i := len(of.path) - 2; i >= 0; i-- {
		if of.path[i] == "0" {
			made["name"] = "main"
			continue
		}
		if of.path[i+1] == "0" {
			made = object{of.path[i]: list{made}}
		} else {
			made = object{of.path[i]: made}
		}
	}
	return made
}

func (m *maker) patch(of keyed, have list) object {
	name := of.path[len(of.path)-1]
	changes := m.items(of, 4)
	order := list{}
	known := func(item any) any {
		if of.key == "" {
			return item
		}
		return object{of.key: item.(object)[of.key]}
	}
	for _, item := range have {
		if m.Intn(3) > 0 {
			order = append(order, known(item))
		}
	}
	m.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	// Mostly an order that the changes fit.
	if m.Intn(5) > 0 {
		for _, item := range changes {
			at := m.Intn(len(order) + 1)
			if m.Intn(3) > 0 {
				at = len(order)
			}
			order = append(order[:at:at], append(list{known(item)}, order[at:]...)...)
		}
	}
	members := object{}
	if of.key != "" {
		for i, item := range changes {
			switch m.Intn(16) {
			case 0, 1:
				changes[i] = object{"$patch": "delete", of.key: item.(object)[of.key]}
			case 2:
				if m.Intn(3) == 0 {
					changes[i] = object{"$patch": "replace"}
				}
			case 3:
				item.(object)["m"] = nil
			case 4:
				keep := list{}
				for key := range item.(object) {
					keep = append(keep, key)
				}
				item.(object)["$retainKeys"] = keep
			}
		}
	} else if m.Intn(4) == 0 {
		for len(changes) > 0 && m.Intn(2) == 0 {
			changes = changes[1:]
		}
		gone := list{}
		for _, value := range of.keys {
			used := false
			for _, item := range changes {
				used = used || item == value // to add and to delete at once has no order upstream
			}
			if !used && m.Intn(2) == 0 {
				gone = append(gone, value)
			}
		}
		members["$deleteFromPrimitiveList/"+name] = gone
	}
	if m.Intn(8) > 0 {
		members[name] = changes
	}
	if m.Intn(2) == 0 {
		members["$setElementOrder/"+name] = order
	}
	return members
}

func copied(value any) any {
	switch value := value.(type) {
	case object:
		made := object{}
		for key, member := range value {
			made[key] = copied(member)
		}
		return made
	case list:
		made := make(list, len(value)) // as the API server has them: no room behind the last
		for i, item := range value {
			made[i] = copied(item)
		}
		return made
	case int:
		return int64(value)
	}
	return value
}

// WithoutDirectives is what the API server's decoder leaves of a result: in what a patch adds as a whole, nulls and
// directives stay.
func withoutDirectives(value any) any {
	switch value := value.(type) {
	case object:
		made := object{}
		for key, member := range value {
			if member != nil && !strings.HasPrefix(key, "$") {
				made[key] = withoutDirectives(member)
			}
		}
		return made
	case list:
		made := list{}
		for _, item := range value {
			made = append(made, withoutDirectives(item))
		}
		return made
	}
	return value
}

func main() {
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	m := &maker{Rand: rand.New(rand.NewSource(seed))}
	for i := range count {
		of := lists[i%len(lists)]
		have := m.items(of, 6)
		if of.key == "" { // a set, as far as it is the API server's
			have = list{}
			for _, at := range m.Perm(len(of.keys))[:m.Intn(len(of.keys)+1)] {
				have = append(have, of.keys[at])
			}
		}
		members := object{of.path[len(of.path)-1]: have}
		if m.Intn(10) == 0 {
			members, have = object{"other": 1}, nil
		}
		document, patch := around(of, members), around(of, m.patch(of, have))
		made, err := strategicpatch.StrategicMergeMapPatch(copied(document).(object), copied(patch).(object), of.of)
		if err != nil && strings.Contains(err.Error(), "no elements in any of the given slices") {
			continue // an order for lists that are both empty: upstream fails (500), we do it
		}
		line := object{"kind": of.kind, "document": document, "patch": patch, "result": nil}
		if err == nil {
			line["result"] = withoutDirectives(object(made))
		}
		text, err := json.Marshal(line)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(text))
	}
}
