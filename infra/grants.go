package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newServiceRole makes a role without rights, which the service may assume under the conditions.
func newServiceRole(scope constructs.Construct, service, description string, conditions map[string]any) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String("Role"), &awsiam.RoleProps{
		Description: &description,
		AssumedBy:   awsiam.NewServicePrincipal(&service, &awsiam.ServicePrincipalOpts{Conditions: &conditions}),
	})
}

// forThisAccount is the condition that the service acts on behalf of this account (confused deputy).
func forThisAccount(scope constructs.Construct) map[string]any {
	return map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Stack_Of(scope).Account()}}
}

func allow(role awsiam.Role, resource *string, actions ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	}))
}

// Key is the customer managed key of the resources that the stack makes, if the context names one, and the keys of
// existing resources. The context does not say which existing resource has which key, so a role that uses any existing
// resource may use all of these keys. AWS's own keys need no grants.
type Key struct {
	awskms.IKey
	existing []string // ARNs
}

func NewKey(scope constructs.Construct, id string, settings Settings) Key {
	key := Key{existing: settings.ExistingKeys}
	if settings.KmsKeyArn != "" {
		key.IKey = awskms.Key_FromKeyArn(scope, &id, &settings.KmsKeyArn)
	}
	return key
}

// ours is the key for a role that uses only resources that the stack makes.
func (k Key) ours() Key { return Key{IKey: k.IKey} }

// given reports whether the resources that the stack makes have a customer managed key.
func (k Key) given() bool { return k.IKey != nil }

// allowTableUse grants what DynamoDB requires of a caller of an encrypted table.
func (k Key) allowTableUse(role awsiam.Role) {
	k.allow(role, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom",
		"kms:ReEncryptTo")
}

// allowSending grants what SQS and SNS require of a sender to an encrypted queue or topic.
func (k Key) allowSending(role awsiam.Role) { k.allow(role, "kms:Decrypt", "kms:GenerateDataKey") }

// allowReadingStream grants what DynamoDB requires of a reader of an encrypted table's stream.
func (k Key) allowReadingStream(role awsiam.Role) { k.allow(role, "kms:Decrypt", "kms:DescribeKey") }

// allowReceiving grants what SQS requires of a receiver from an encrypted queue.
func (k Key) allowReceiving(role awsiam.Role) { k.allow(role, "kms:Decrypt") }

func (k Key) allow(role awsiam.Role, actions ...string) {
	if k.given() {
		allow(role, k.KeyArn(), actions...)
	}
	for _, arn := range k.existing {
		allow(role, &arn, actions...)
	}
}
