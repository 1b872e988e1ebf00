package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// MonitoringProps are the settings and the key of the monitoring topic.
type MonitoringProps struct {
	Settings Settings
	Key      Key
}

// Monitoring is the topic that carries the notifications and alerts about runs.
type Monitoring struct{ Topic awssns.ITopic }

// NewMonitoring makes the topic, encrypted and only to be reached over TLS, or takes the one that the context names.
func NewMonitoring(scope constructs.Construct, id string, props MonitoringProps) Monitoring {
	here := constructs.NewConstruct(scope, &id)
	if arn := props.Settings.MonitoringTopicArn; arn != "" {
		return Monitoring{awssns.Topic_FromTopicArn(here, jsii.String("Topic"), &arn)}
	}
	topic := awssns.NewTopic(here, jsii.String("Topic"), &awssns.TopicProps{
		DisplayName: jsii.String("Snapshot Sender"),
		EnforceSSL:  jsii.Bool(true),
		MasterKey:   props.Key.IKey,
	})
	if !props.Key.given() {
		// By its name: SNS makes this key when it is named for the first time. By its ARN, which is what CDK writes of
		// an alias, it is reported to stay unmade in an account that never used it, and publishing then fails.
		topic.Node().DefaultChild().(awssns.CfnTopic).SetKmsMasterKeyId(jsii.String("alias/aws/sns"))
	}
	return Monitoring{topic}
}
