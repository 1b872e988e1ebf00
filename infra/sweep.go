package main

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewSweep makes the function that reconciles open runs, and the schedule that calls it. It is no task of the state
// machine: it starts the machine.
func NewSweep(scope constructs.Construct, id string, p parts) Function {
	f := newFunction(scope, id, "sweep", 512, 120, p)
	f.usesExportStatus(p.tables.ExportStatus, "Query")
	f.usesLedger(p.tables.Ledger, "Query", "BatchGetItem", "GetItem", "UpdateItem")
	f.starts(p.workflow.StateMachine, "STATE_MACHINE_ARN")
	f.publishesTo(p.topic, "MONITORING_SNS_TOPIC_ARN")
	f.readsPipes(p.pipes(), "PIPE_NAMES")
	f.exempts(p.settings)
	f.countsBy(p.settings)
	f.enqueues(p.settings)
	f.set("STALLED_AFTER_MINUTES", strconv.Itoa(p.settings.StalledAfterMinutes))
	f.set("LATE_AFTER_MINUTES", p.settings.LateAfter.String())
	// One retry delivers the alerts that the sweep enqueued before it failed. Older calls are dropped: the next sweep
	// does the same work.
	f.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		RetryAttempts: jsii.Number(1),
		MaxEventAge:   awscdk.Duration_Minutes(jsii.Number(2)),
	})
	schedule(scope, id+"Schedule", p.settings, f)
	return f
}

// schedule calls the function every few minutes. It has no dead-letter queue: the next call does a lost one's work, and
// the alarm SweepMissing goes off when there is none.
func schedule(scope constructs.Construct, id string, settings Settings, f Function) {
	here := constructs.NewConstruct(scope, &id)
	role := newServiceRole(here, "scheduler.amazonaws.com", "Rights of the sweep's schedule", forThisAccount(here))
	allow(role, f.FunctionArn(), "lambda:InvokeFunction")
	made := awsscheduler.NewCfnSchedule(here, jsii.String("Schedule"), &awsscheduler.CfnScheduleProps{
		Name:               jsii.String(settings.StackName() + "-sweep"),
		Description:        jsii.String("Reconciles open runs"),
		ScheduleExpression: jsii.String(rate(settings.SweepEveryMinutes)),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn:     f.FunctionArn(),
			RoleArn: role.RoleArn(),
			Input:   jsii.String(`{"execution_id":"<aws.scheduler.execution-id>"}`),
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(120), MaximumRetryAttempts: jsii.Number(1)},
		},
	})
	made.Node().AddDependency(role) // with its policy: before the first call
}

func rate(minutes int) string {
	if minutes == 1 {
		return "rate(1 minute)"
	}
	return fmt.Sprintf("rate(%d minutes)", minutes)
}
