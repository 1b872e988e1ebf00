package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// thisVersion is the fix for a deployment of other sources than those of the program.
const thisVersion = "deploy this version, or use the program of the deployed one"

// judgeVersions compares the functions with each other. A function names no version, since equal sources make equal
// code and an equal template: only the state machine's definition is compared with the program.
func judgeVersions(program string, deployed map[string]*lambda.GetFunctionConfigurationOutput) []Diagnosis {
	const about = "versions"
	if len(deployed) == 0 {
		return []Diagnosis{{Level: Unknown, About: about, Sentence: "this program is " + program +
			"; no function could be read"}}
	}
	var wrong problems
	var changed string
	builds := map[string][]string{}
	for _, task := range slices.Sorted(maps.Keys(deployed)) {
		f := deployed[task]
		build := fmt.Sprint(f.Runtime, " on ", f.Architectures)
		builds[build] = append(builds[build], task)
		changed = max(changed, aws.ToString(f.LastModified))
		if f.Runtime != lambdatypes.RuntimeProvidedal2023 {
			wrong.add(Warning, thisVersion, "the function %s runs on %s, but this program's on %s", task, f.Runtime,
				lambdatypes.RuntimeProvidedal2023)
		}
		if f.State == lambdatypes.StatePending || f.LastUpdateStatus == lambdatypes.LastUpdateStatusInProgress {
			wrong.add(Warning, "check again when it is done", "the function %s is being updated", task)
		}
	}
	var each []string
	for _, build := range slices.Sorted(maps.Keys(builds)) {
		each = append(each, build+": "+strings.Join(builds[build], ", "))
	}
	if len(each) > 1 {
		wrong.add(Warning, "deploy again", "the functions were not deployed together: %s", strings.Join(each, "; "))
	}
	return judge(about, fmt.Sprintf(
		"this program is %s; the %d functions run %s, last changed %s; their code names no version, so only "+
			"the state machine's definition was compared",
		program, len(deployed), slices.Sorted(maps.Keys(builds))[0], changed), wrong)
}
