// Prints discovery/model/wire_schema_messages.inc: how the API's objects are written in protobuf and what the same
// fields are called in JSON, as the struct tags of k8s.io/api say. With the argument "samples" instead
// tests/discovery/model/wire_samples.jsonl: objects in both encodings, as Go writes them.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	authorization "k8s.io/api/authorization/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	events "k8s.io/api/events/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// What goes over the wire by itself.
var roots = []any{
	core.Namespace{}, core.Service{}, core.Endpoints{}, core.Event{}, core.Pod{}, core.Node{},
	discovery.EndpointSlice{}, networking.ServiceCIDR{}, networking.IPAddress{}, coordination.Lease{}, events.Event{},
	authorization.SelfSubjectAccessReview{}, authorization.SelfSubjectRulesReview{},
	meta.Status{}, meta.DeleteOptions{}, meta.PartialObjectMetadata{},
}

// Fields that Signpost has no use for.
var dropped = []string{"ObjectMeta.managedFields"}

type field struct {
	json     string
	number   int
	form     string
	presence string
	message  string // of form "message": which
}

type schema struct {
	order    []string
	messages map[string][]field
	open     []reflect.Type // being walked
}

// name is the Go type's, with its package where another one has the same.
func name(t reflect.Type) string {
	path := strings.Split(t.PkgPath(), "/")
	group := path[len(path)-2]
	if group == "core" || group == "meta" {
		return t.Name()
	}
	return group + "_" + t.Name()
}

func (s *schema) walk(t reflect.Type) {
	if slices.Contains(s.open, t) {
		log.Fatalf("%v holds itself: readers and writers of the table must not recurse without end", t)
	}
	if _, known := s.messages[name(t)]; known {
		return
	}
	s.open = append(s.open, t)
	var fields []field
	for i := range t.NumField() {
		if one := t.Field(i); one.Tag.Get("protobuf") != "" {
			fields = append(fields, s.fields(t, one)...)
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return a.number - b.number })
	s.open = s.open[:len(s.open)-1]
	s.messages[name(t)] = fields
	s.order = append(s.order, name(t))
}

func (s *schema) fields(owner reflect.Type, one reflect.StructField) []field {
	tag := strings.Split(one.Tag.Get("protobuf"), ",")
	number, err := strconv.Atoi(tag[1])
	if err != nil {
		log.Fatalf("%v.%s: %q", owner, one.Name, tag)
	}
	words := strings.Split(one.Tag.Get("json"), ",")
	made := field{json: words[0], number: number, presence: "always"}
	if slices.Contains(dropped, owner.Name()+"."+made.json) {
		return nil
	}
	t := one.Type
	switch {
	case slices.Contains(words[1:], "inline"):
		made.presence = "inlined"
	case t.Kind() == reflect.Pointer:
		made.presence = "pointer"
		t = t.Elem()
	case t.Kind() == reflect.Slice:
		made.presence = "repeated"
		t = t.Elem()
	case slices.Contains(words[1:], "omitempty"):
		made.presence = "unless_zero"
	}
	made.form = s.form(owner, one, t)
	if made.form == "message" {
		s.walk(t)
		made.message = name(t)
	}
	return []field{made}
}

func (s *schema) form(owner reflect.Type, one reflect.StructField, t reflect.Type) string {
	switch t {
	case reflect.TypeFor[meta.Time]():
		return "time"
	case reflect.TypeFor[meta.MicroTime]():
		return "micro_time"
	case reflect.TypeFor[intstr.IntOrString]():
		return "int_or_string"
	case reflect.TypeFor[resource.Quantity]():
		return "quantity"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "boolean"
	case reflect.Int32:
		return "int32"
	case reflect.Int64:
		return "int64"
	case reflect.Struct:
		return "message"
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String {
			return "text_map"
		}
		if t.Elem() == reflect.TypeFor[resource.Quantity]() {
			return "quantity_map"
		}
	}
	log.Fatalf("%v.%s: a %v has no form in the table", owner, one.Name, t)
	return ""
}

// Appends the words in lines of at most 120 columns.
func wrap(out *bytes.Buffer, words []string) {
	line := ""
	for _, word := range words {
		if line != "" && len(line)+1+len(word) > 120 {
			fmt.Fprintln(out, line)
			line = "       "
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(out, line)
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "samples" {
		printSamples(os.Stdout)
		return
	}
	s := schema{messages: map[string][]field{}}
	for _, root := range roots {
		s.walk(reflect.TypeOf(root))
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, "// Made from the types of k8s.io/api by tests/e2e/kubernetes/wire-schema/run --write; do not edit.")
	fmt.Fprintln(&out, "//")
	fmt.Fprintln(&out, "// {JSON name, protobuf number, form or message, presence if it is another than unless_zero}; a message follows those")
	fmt.Fprintln(&out, "// that it holds.")
	for _, message := range s.order {
		words := []string{"MESSAGE(" + message}
		for _, f := range s.messages[message] {
			words[len(words)-1] += ","
			what := f.form
			if f.message != "" {
				what = "&" + f.message
			}
			if f.presence != "unless_zero" {
				what += ", " + f.presence
			}
			words = append(words, fmt.Sprintf("{%q, %d, %s}", f.json, f.number, what))
		}
		words[len(words)-1] += ")"
		wrap(&out, words)
	}
	os.Stdout.Write(out.Bytes())
}
