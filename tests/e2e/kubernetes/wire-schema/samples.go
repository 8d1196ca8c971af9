package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"reflect"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// printSamples prints one JSON document a line: an object of each type with nothing set, then one with everything set,
// as Go writes it in JSON and in protobuf (hexadecimal).
func printSamples(out io.Writer) {
	for _, root := range roots {
		for _, full := range []bool{false, true} {
			object := reflect.New(reflect.TypeOf(root))
			if full {
				(&filler{}).fill(object.Elem())
			}
			message, err := object.Interface().(interface{ Marshal() ([]byte, error) }).Marshal()
			if err != nil {
				log.Fatal(err)
			}
			sample, err := json.Marshal(map[string]any{"apiVersion": version(object.Elem().Type()),
				"kind": object.Elem().Type().Name(), "json": object.Interface(), "protobuf": hex.EncodeToString(message)})
			if err != nil {
				log.Fatal(err)
			}
			fmt.Fprintln(out, string(sample))
		}
	}
}

func version(t reflect.Type) string {
	switch group := strings.Split(t.PkgPath(), "/"); {
	case group[len(group)-2] == "core", t.Name() == "Status", t.Name() == "DeleteOptions":
		return "v1"
	default:
		return group[len(group)-2] + ".k8s.io/v1"
	}
}

// filler gives every field a value of its own.
type filler struct{ count int }

func (f *filler) fill(value reflect.Value) {
	f.count++
	switch value.Interface().(type) {
	case meta.TypeMeta, []meta.ManagedFieldsEntry:
		return // not kept
	case meta.Time:
		value.Set(reflect.ValueOf(meta.Unix(1700000000+int64(f.count), 0)))
		return
	case meta.MicroTime:
		value.Set(reflect.ValueOf(meta.MicroTime{Time: time.UnixMicro(1700000000000000 + int64(f.count)).UTC()}))
		return
	case intstr.IntOrString:
		if f.count%2 == 0 {
			value.Set(reflect.ValueOf(intstr.FromInt32(int32(f.count))))
		} else {
			value.Set(reflect.ValueOf(intstr.FromString(fmt.Sprint("s", f.count))))
		}
		return
	case resource.Quantity:
		value.Set(reflect.ValueOf(resource.MustParse(fmt.Sprint(f.count, "Mi"))))
		return
	}
	switch value.Kind() {
	case reflect.String:
		value.SetString(fmt.Sprint("s", f.count))
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int32, reflect.Int64:
		value.SetInt(int64(f.count))
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		f.fill(value.Elem())
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		f.fill(value.Index(0))
		if value.Type().Elem().Kind() == reflect.Struct {
			value.SetLen(1)
		} else {
			f.fill(value.Index(1))
		}
	case reflect.Map:
		value.Set(reflect.MakeMap(value.Type()))
		for range 2 {
			key, element := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
			f.fill(key)
			f.fill(element)
			value.SetMapIndex(key, element)
		}
	case reflect.Struct:
		for i := range value.NumField() {
			f.fill(value.Field(i))
		}
	default:
		log.Fatalf("no value for a %v", value.Type())
	}
}
