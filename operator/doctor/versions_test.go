package doctor

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

func TestJudgeVersions(t *testing.T) {
	t.Parallel()
	type functions = map[string]*lambda.GetFunctionConfigurationOutput
	with := func(change func(functions)) functions {
		made := functions{}
		for task, modified := range map[string]string{"increment": "2026-11-24", "notify": "2026-11-25",
			"sweep": "2026-11-23"} {
			made[task] = &lambda.GetFunctionConfigurationOutput{Runtime: types.RuntimeProvidedal2023,
				Architectures: []types.Architecture{types.ArchitectureArm64},
				State:         types.StateActive, LastUpdateStatus: types.LastUpdateStatusSuccessful,
				LastModified: &modified}
		}
		change(made)
		return made
	}
	warns := func(says, fix string) Diagnosis { return Diagnosis{Warning, "versions", says, fix} }
	for _, test := range []struct {
		name     string
		deployed functions
		want     []Diagnosis
	}{
		{"Together", with(func(functions) {}), []Diagnosis{{OK, "versions",
			"this program is v1; the 3 functions run provided.al2023 on [arm64], last changed 2026-11-25; " +
				"their code names no version, so only the state machine's definition was compared", ""}}},
		{"Unreadable", nil, []Diagnosis{{Unknown, "versions", "this program is v1; no function could be read", ""}}},
		{"OtherArchitecture", with(func(f functions) { f["notify"].Architectures[0] = types.ArchitectureX8664 }),
			[]Diagnosis{
				warns("the functions were not deployed together: provided.al2023 on [arm64]: increment, sweep; "+
					"provided.al2023 on [x86_64]: notify", "deploy again")}},
		{"OtherRuntime", with(func(f functions) {
			for _, is := range f {
				is.Runtime = types.RuntimeProvidedal2
			}
		}), []Diagnosis{warns("the function increment runs on provided.al2, but this program's on provided.al2023",
			thisVersion),
			warns("the function notify runs on provided.al2, but this program's on provided.al2023", thisVersion),
			warns("the function sweep runs on provided.al2, but this program's on provided.al2023", thisVersion)}},
		{"BeingChanged", with(func(f functions) {
			f["increment"].State = types.StatePending
			f["sweep"].LastUpdateStatus = types.LastUpdateStatusInProgress
		}), []Diagnosis{warns("the function increment is being updated", "check again when it is done"),
			warns("the function sweep is being updated", "check again when it is done")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, judgeVersions("v1", test.deployed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
