package command

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/pipes"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"snapshot-status-checker/local"
	"snapshot-status-checker/operator/doctor"
	"snapshot-status-checker/operator/show"
)

// What doctor says, to people.
func TestDoctorText(t *testing.T) {
	t.Parallel()
	n := newTables(t)
	for name, all := range map[string]bool{"doctor": false, "doctor-all": true} {
		var out strings.Builder
		findings := []doctor.Diagnosis{{Level: doctor.OK, About: "table t", Sentence: "is active"},
			{Level: doctor.Error, About: "pipe p", Sentence: "is STOPPED", Fix: "start it"},
			{Level: doctor.Unknown, About: "alarms", Sentence: "not checked: not allowed"}}
		examined{findings}.print(show.Printer{Out: &out, Now: n.now}, all)
		golden(t, name, out.String())
	}
}

// examine returns how bad doctor's findings are that are not ok, by what they are about.
func (s onStack) examine() (code int, found map[string]doctor.Level) {
	s.Helper()
	var answer examined
	code = s.read(&answer, "doctor").code
	found = map[string]doctor.Level{}
	for _, f := range answer.Findings {
		if f.Level == doctor.OK {
			continue
		}
		if f.Fix == "" && f.Level != doctor.Unknown {
			s.Errorf("no fix for %+v", f)
		}
		if found[f.About] != doctor.Error {
			found[f.About] = f.Level
		}
	}
	return code, found
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A healthy deployment has no errors. Each thing that is broken is found, and nothing else.
func TestDoctorOnTheStack(t *testing.T) {
	s := deployed(t)
	code, healthy := s.examine()
	if code != exitOK || healthy["permissions"] != "" || healthy["versions"] != "" {
		t.Errorf("healthy, but exit code %d, %v", code, healthy)
	}
	wants := func(about string, level doctor.Level, wantCode int) {
		t.Helper()
		code, found := s.examine()
		if found[about] != level || code != wantCode {
			t.Errorf("%s: got %q (exit code %d), want %s (%d); all: %v", about, found[about], code, level, wantCode,
				found)
		}
		for other, is := range found {
			if _, before := healthy[other]; !before && other != about {
				t.Errorf("beside %s: %s is %s", about, other, is)
			}
		}
	}
	queues, functions, schedules, piped := sqs.NewFromConfig(s.Config), lambda.NewFromConfig(s.Config),
		scheduler.NewFromConfig(s.Config), pipes.NewFromConfig(s.Config)

	served := must(local.Pipes(t.Context(), s.Config, s.Name))
	for _, pipe := range served {
		if strings.Contains(pipe.Source, ":sqs:") {
			must(piped.StopPipe(t.Context(), &pipes.StopPipeInput{Name: &pipe.Name}))
			wants("pipe FileReceivedPipe5DC5E7D2", doctor.Error, exitNotDone)
			must(piped.StartPipe(t.Context(), &pipes.StartPipeInput{Name: &pipe.Name}))
		}
	}

	name := s.Name + "-sweep"
	was := must(schedules.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: &name}))
	set := func(state schedulertypes.ScheduleState) {
		must(schedules.UpdateSchedule(t.Context(), &scheduler.UpdateScheduleInput{Name: &name, State: state,
			ScheduleExpression: was.ScheduleExpression, FlexibleTimeWindow: was.FlexibleTimeWindow,
			Target: was.Target}))
	}
	set(schedulertypes.ScheduleStateDisabled)
	wants("schedule of the sweep", doctor.Error, exitNotDone)
	set(schedulertypes.ScheduleStateEnabled)

	for task, spoilt := range map[string][2]string{"notify": {"EXPORT_STATE_SQS_QUEUE_URL",
		"https://sqs.eu-west-1.amazonaws.com/111122223333/of-another-stack"},
		"sweep": {"STALLED_AFTER_MINUTES", "soon"}} {
		name := s.Name + "-" + task
		variables := must(functions.GetFunctionConfiguration(t.Context(),
			&lambda.GetFunctionConfigurationInput{FunctionName: &name})).Environment.Variables
		configure := func(value string) {
			variables[spoilt[0]] = value
			must(functions.UpdateFunctionConfiguration(t.Context(),
				&lambda.UpdateFunctionConfigurationInput{FunctionName: &name,
					Environment: &lambdatypes.Environment{Variables: variables}}))
			updated := lambda.NewFunctionUpdatedV2Waiter(functions, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
				o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
			})
			must(updated.WaitForOutput(t.Context(), &lambda.GetFunctionInput{FunctionName: &name}, 10*time.Minute))
		}
		good := variables[spoilt[0]]
		configure(spoilt[1])
		wants("function "+task, doctor.Error, exitNotDone)
		configure(good)
	}

	hide := func(seconds string) {
		must(queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: &s.Outputs.FileReceivedQueueUrl, Attributes: map[string]string{"VisibilityTimeout": seconds}}))
	}
	hide("5")
	wants("file-received queue", doctor.Error, exitNotDone)
	hide("60")

	must(queues.SendMessage(t.Context(),
		&sqs.SendMessageInput{QueueUrl: &s.Outputs.RejectedMessagesQueueUrl, MessageBody: aws.String("rejected")}))
	wants("rejected-messages queue", doctor.Warning, exitOK)
	s.answers("doctor", "snapshot-status --stack="+s.Name+" rejected list")
	must(queues.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &s.Outputs.RejectedMessagesQueueUrl}))

	name = s.Name + "-RunStalled"
	must(cloudwatch.NewFromConfig(s.Config).DeleteAlarms(t.Context(),
		&cloudwatch.DeleteAlarmsInput{AlarmNames: []string{name}}))
	wants("alarms", doctor.Error, exitNotDone)
}
