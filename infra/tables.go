package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Tables are the export status table, shared with the exporter and the sender, and the ledger, which is ours alone.
type Tables struct{ ExportStatus, Ledger awsdynamodb.ITable }

// NewTables makes both tables: on-demand, recoverable, and retained when the stack is deleted. An export status table
// that the context names is used instead of a new one.
func NewTables(scope constructs.Construct, id string, p parts) Tables {
	here := constructs.NewConstruct(scope, &id)
	return Tables{
		ExportStatus: exportStatusTable(here, p),
		Ledger:       awsdynamodb.NewTable(here, jsii.String("Ledger"), tableProps(p.key, "PK", "SK", "ExpiresAt")),
	}
}

func exportStatusTable(scope constructs.Construct, p parts) awsdynamodb.ITable {
	id := jsii.String("ExportStatus")
	if name := p.settings.ExportStatusTableName; name != "" {
		existing := &awsdynamodb.TableAttributes{TableName: &name}
		if stream := p.settings.ExportStatusTableStreamArn; stream != "" {
			existing.TableStreamArn = &stream
		}
		return awsdynamodb.Table_FromTableAttributes(scope, id, existing)
	}
	table := tableProps(p.key, "CorrelationId", "CollectionName", "TimeToExist")
	table.Stream = awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES
	return awsdynamodb.NewTable(scope, id, table)
}

func tableProps(key Key, hash, sort, expiry string) *awsdynamodb.TableProps {
	props := &awsdynamodb.TableProps{
		PartitionKey:        &awsdynamodb.Attribute{Name: &hash, Type: awsdynamodb.AttributeType_STRING},
		SortKey:             &awsdynamodb.Attribute{Name: &sort, Type: awsdynamodb.AttributeType_STRING},
		TimeToLiveAttribute: &expiry,
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true)},
		DeletionProtection: jsii.Bool(true),
		RemovalPolicy:      awscdk.RemovalPolicy_RETAIN,
		Encryption:         awsdynamodb.TableEncryption_AWS_MANAGED,
	}
	if key.given() {
		props.Encryption, props.EncryptionKey = awsdynamodb.TableEncryption_CUSTOMER_MANAGED, key.IKey
	}
	return props
}
