package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newServiceRole makes a role for the service, with no permission at all to start with. The conditions, if
// any, are those of assuming it.
func newServiceRole(
	scope constructs.Construct, id, service, description string, conditions map[string]any,
) awsiam.Role {
	return awsiam.NewRole(scope, &id, &awsiam.RoleProps{
		Description: &description,
		AssumedBy:   awsiam.NewServicePrincipal(&service, &awsiam.ServicePrincipalOpts{Conditions: &conditions}),
	})
}

// forThisAccount is the condition that a service acts on behalf of this account.
func forThisAccount(scope constructs.Construct) map[string]any {
	return map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Stack_Of(scope).Account()}}
}

// allow grants exactly these actions on exactly this resource.
func allow(role awsiam.Role, resource *string, actions ...string) {
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &[]*string{resource},
	}))
}

// Key is the customer managed key of what the stack makes, if the context names one, and those of what it does not
// make. Who uses something that the stack does not make may use all of these: nobody says which is whose. AWS's own
// keys need no grants.
type Key struct {
	awskms.IKey
	existing []string // ARNs
}

// NewKey finds the keys of the context.
func NewKey(scope constructs.Construct, id string, settings Settings) Key {
	key := Key{existing: settings.ExistingKeys}
	if settings.KmsKeyArn != "" {
		key.IKey = awskms.Key_FromKeyArn(scope, &id, &settings.KmsKeyArn)
	}
	return key
}

// ours is the key for who uses only what the stack makes.
func (k Key) ours() Key { return Key{IKey: k.IKey} }

// given tells whether there is a customer managed key for what the stack makes.
func (k Key) given() bool { return k.IKey != nil }

// allowTableUse grants what DynamoDB asks of a caller of a table encrypted with the key.
func (k Key) allowTableUse(role awsiam.Role) {
	k.allow(role, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom",
		"kms:ReEncryptTo")
}

// allowSending grants what SQS and SNS ask of a sender to an encrypted queue or topic.
func (k Key) allowSending(role awsiam.Role) { k.allow(role, "kms:Decrypt", "kms:GenerateDataKey") }

// allowReadingStream grants what DynamoDB asks of a reader of an encrypted table's stream.
func (k Key) allowReadingStream(role awsiam.Role) { k.allow(role, "kms:Decrypt", "kms:DescribeKey") }

// allowReceiving grants what SQS asks of a receiver from an encrypted queue.
func (k Key) allowReceiving(role awsiam.Role) { k.allow(role, "kms:Decrypt") }

func (k Key) allow(role awsiam.Role, actions ...string) {
	if k.given() {
		allow(role, k.KeyArn(), actions...)
	}
	for _, arn := range k.existing {
		allow(role, &arn, actions...)
	}
}
