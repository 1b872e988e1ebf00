package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"snapshot-status-checker/internal/function/settings"
)

// Each function gets the variables that its program reads, and no others.
func TestEnvironmentIsWhatTheFunctionsRead(t *testing.T) {
	t.Parallel()
	for id, reads := range map[string]reflect.Type{
		"FunctionsIncrementFunction":       reflect.TypeFor[settings.Increment](),
		"FunctionsCheckCollectionFunction": reflect.TypeFor[settings.CheckCollection](),
		"FunctionsCheckAllFunction":        reflect.TypeFor[settings.CheckAll](),
		"FunctionsNotifyFunction":          reflect.TypeFor[settings.Notify](),
		"SweepFunction":                    reflect.TypeFor[settings.Sweep](),
	} {
		t.Run(id, func(t *testing.T) {
			function, ok := byDefault().ofType("AWS::Lambda::Function")[id]
			if !ok {
				t.Fatal("the stack has no such function")
			}
			variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
			compare(t, slices.Sorted(slices.Values(variablesOf(reads))), slices.Sorted(maps.Keys(variables)))
		})
	}
}

// variablesOf lists the names in a settings struct's env tags, those of embedded structs included.
func variablesOf(settings reflect.Type) []string {
	var names []string
	for i := range settings.NumField() {
		field := settings.Field(i)
		if field.Anonymous {
			names = append(names, variablesOf(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
		names = append(names, name)
	}
	return names
}
