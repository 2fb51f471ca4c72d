// What go-gcfg makes of gcfg texts. Reads one text a line, base64, on standard input, and answers
// each with one line on standard output:
//
//	ok SECTION/SUBSECTION/NAME=VALUE,VALUE ...     sorted; percent-encoded; no value: NAME=
//	error LINE:COLUMN MESSAGE
//
// go-gcfg fills structs by reflection, so one is made for each text, with a field for every name
// that its scanner sees in the text. Each key is a []string: a bare name empties it.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/ioutil"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"

	"gopkg.in/gcfg.v1"
	"gopkg.in/gcfg.v1/scanner"
	"gopkg.in/gcfg.v1/token"
)

// Every identifier of the text, in lower case, once.
func identifiers(text []byte) []string {
	file := token.NewFileSet().AddFile("", 1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	seen := map[string]bool{}
	names := []string{}
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			return names
		}
		name := strings.ToLower(literal)
		if tok == token.IDENT && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
}

// A struct with a field of the type for each name.
func structOf(names []string, fieldType reflect.Type) reflect.Type {
	fields := make([]reflect.StructField, len(names))
	for i, name := range names {
		fields[i] = reflect.StructField{
			Name: fmt.Sprintf("F%d", i),
			Type: fieldType,
			Tag:  reflect.StructTag(fmt.Sprintf("gcfg:%q", name)),
		}
	}
	return reflect.StructOf(fields)
}

func describe(config reflect.Value, names []string) string {
	keys := []string{}
	for i, section := range names {
		sections := config.Field(i)
		for _, subsection := range sections.MapKeys() {
			values := sections.MapIndex(subsection).Elem()
			for j, name := range names {
				list := values.Field(j)
				if list.IsNil() {
					continue
				}
				encoded := make([]string, list.Len())
				for k := range encoded {
					encoded[k] = url.QueryEscape(list.Index(k).String())
				}
				keys = append(keys, section+"/"+url.QueryEscape(subsection.String())+"/"+name+"="+
					strings.Join(encoded, ","))
			}
		}
	}
	sort.Strings(keys)
	return strings.Join(keys, " ")
}

var place = regexp.MustCompile(`^.*?:(\d+:\d+): `)

func answer(text []byte, scratch string) (result string) {
	defer func() {
		if r := recover(); r != nil {
			result = fmt.Sprint("panic ", r)
		}
	}()
	if err := ioutil.WriteFile(scratch, text, 0600); err != nil {
		panic(err)
	}
	names := identifiers(bytes.TrimPrefix(text, []byte("\ufeff")))
	sectionType := reflect.MapOf(
		reflect.TypeOf(""), reflect.PtrTo(structOf(names, reflect.TypeOf([]string{}))))
	config := reflect.New(structOf(names, sectionType))
	if err := gcfg.ReadFileInto(config.Interface(), scratch); err != nil {
		line := strings.Replace(err.Error(), "\n", " ", -1)
		if at := place.FindStringSubmatch(line); at != nil {
			return "error " + at[1] + " " + line[len(at[0]):]
		}
		return "error 0:0 " + line
	}
	return strings.TrimSpace("ok " + describe(config.Elem(), names))
}

func main() {
	folder, err := ioutil.TempDir("", "gcfg")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	scratch := filepath.Join(folder, "in")
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		text, err := base64.StdEncoding.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(out, answer(text, scratch))
	}
}
