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

// SweepProps are what the sweep is made of and the state machine that it starts.
type SweepProps struct {
	FunctionsProps
	Workflow Workflow
}

// NewSweep makes the function that reconciles open runs, and the schedule that calls it. It stands beside the
// state machine, not among the machine's functions: it starts the machine, and the machine does not know it.
func NewSweep(scope constructs.Construct, id string, props SweepProps) Function {
	f := newFunction(scope, id, "sweep", limits{memoryMB: 512, seconds: 120}, props.FunctionsProps)
	f.usesExportStatus(props.Tables.ExportStatus, "Query")
	f.usesLedger(props.Tables.Ledger, "Query", "BatchGetItem", "GetItem", "UpdateItem")
	f.starts(props.Workflow.StateMachine, "STATE_MACHINE_ARN")
	f.publishesTo(props.Monitoring.Topic, "MONITORING_SNS_TOPIC_ARN")
	f.exempts(props.Settings)
	f.enqueues(props.Settings)
	f.set("STALLED_AFTER_MINUTES", strconv.Itoa(props.Settings.StalledAfterMinutes))
	// One retry delivers at once the alerts that the sweep had enqueued before it failed. Older calls are not made up
	// for: the next sweep does all that they would have done.
	f.ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		RetryAttempts: jsii.Number(1),
		MaxEventAge:   awscdk.Duration_Minutes(jsii.Number(2)),
	})
	schedule(scope, id+"Schedule", props.Settings, f)
	return f
}

// schedule calls the function every few minutes. It has no dead-letter queue: a call carries nothing that would be
// lost, the next one makes up for it, and the alarm SweepMissing tells when there is none.
func schedule(scope constructs.Construct, id string, settings Settings, f Function) {
	here := constructs.NewConstruct(scope, &id)
	role := newServiceRole(here, "Role", "scheduler.amazonaws.com", "What the schedule of the sweep may do",
		forThisAccount(here))
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
				MaximumEventAgeInSeconds: jsii.Number(120),
				MaximumRetryAttempts:     jsii.Number(1),
			},
		},
	})
	made.Node().AddDependency(role) // with its policy, before the first call
}

// rate is the schedule expression for every so many minutes; one is written in the singular.
func rate(minutes int) string {
	if minutes == 1 {
		return "rate(1 minute)"
	}
	return fmt.Sprintf("rate(%d minutes)", minutes)
}
