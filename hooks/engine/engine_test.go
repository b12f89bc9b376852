package engine

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestPartsAreSwitchedOffByTheirNames(t *testing.T) {
	t.Parallel()
	for _, name := range Parts() {
		o, err := All().Without(name)
		if err != nil {
			t.Fatal(err)
		}
		off := 0
		for _, value := range reflect.ValueOf(o).Fields() {
			if !value.Bool() {
				off++
			}
		}
		if off != 1 || reflect.ValueOf(o).FieldByName(name).Bool() {
			t.Errorf("without %s: %+v", name, o)
		}
	}
	if _, err := All().Without("Wheels"); err == nil || !strings.Contains(err.Error(), "Responses") {
		t.Errorf("a part that it does not have: %v", err)
	}
}

// TestConformanceNamesEveryPart holds that make conformanceparts leaves no part
// out but the one that tests don't have.
func TestConformanceNamesEveryPart(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../Makefile")
	must(t, err)
	_, rest, _ := strings.Cut(string(raw), "\nPARTS    := ")
	line, _, _ := strings.Cut(rest, "\n")
	for _, name := range Parts() {
		if named := strings.Contains(" "+line+" ", " "+name+" "); named == (name == "Process") {
			t.Errorf("make conformanceparts runs without %s: %v", name, named)
		}
	}
}
