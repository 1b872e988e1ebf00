package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// unknown looks through the context for keys that nobody reads. One that resembles a setting is an error, since the
// stack would be made with the setting's default; the others are returned, without CDK's own.
func (r *reader) unknown(context map[string]any) []string {
	var others []string
	for _, key := range slices.Sorted(maps.Keys(context)) {
		if r.read[key] || isCDKs(key) {
			continue
		}
		if nearest := nearestOf(key, slices.Sorted(maps.Keys(r.read))); nearest != "" {
			r.errs = append(r.errs,
				fmt.Errorf("context %s: there is no such setting; the nearest one is %s", key, nearest))
			continue
		}
		others = append(others, key)
	}
	return others
}

// isCDKs recognises the keys of CDK and its libraries: feature flags (@aws-cdk/…), what the command line tells the app
// (aws:cdk:…) and what it looked up in the account (availability-zones:account=…), all of which have a colon or a
// scope, and those of the command line itself (https://docs.aws.amazon.com/cdk/v2/guide/context.html).
func isCDKs(key string) bool {
	return strings.Contains(key, ":") || strings.HasPrefix(key, "@") ||
		slices.Contains([]string{"acknowledged-issue-numbers", "cdk-migrate", "cli-telemetry"}, key)
}

// mostLettersOff is how many letters may be wrong, too many or missing in a key that resembles a setting. Of a short
// setting, fewer than half.
const mostLettersOff = 2

// nearestOf returns the setting that a key resembles most, whatever its case, hyphens and underscores; "" for none.
func nearestOf(key string, settings []string) string {
	separators := strings.NewReplacer("-", "", "_", "", ".", "", " ", "")
	plain := func(key string) string { return strings.ToLower(separators.Replace(key)) }
	nearest, least := "", mostLettersOff+1
	for _, setting := range settings {
		off := levenshtein.ComputeDistance(plain(key), plain(setting))
		if off < least && 2*off < len(setting) {
			nearest, least = setting, off
		}
	}
	return nearest
}

// warnOfUnknown names the context's keys that nothing reads, where the command line shows its warnings.
func warnOfUnknown(scope constructs.Construct, s Settings) {
	for _, key := range s.Unknown {
		awscdk.Annotations_Of(scope).AddWarningV2(jsii.String("snapshot-status-checker:unknown-context-"+key),
			jsii.String("context "+key+": no setting of this stack; it changes nothing"))
	}
}
