package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// TablesProps are the settings and the key of the tables.
type TablesProps struct {
	Settings Settings
	Key      Key
}

// Tables are the export status table, shared with the exporter and the sender, and the ledger, which is ours alone.
type Tables struct {
	ExportStatus awsdynamodb.ITable
	Ledger       awsdynamodb.ITable
}

// NewTables makes both tables, on-demand, recoverable, and kept when the stack goes. An export status table that
// the context names is used in place of a new one.
func NewTables(scope constructs.Construct, id string, props TablesProps) Tables {
	here := constructs.NewConstruct(scope, &id)
	ledger := tableProps(props.Key, "PK", "SK", "ExpiresAt")
	return Tables{
		ExportStatus: exportStatusTable(here, props),
		Ledger:       awsdynamodb.NewTable(here, jsii.String("Ledger"), ledger),
	}
}

func exportStatusTable(scope constructs.Construct, props TablesProps) awsdynamodb.ITable {
	id := jsii.String("ExportStatus")
	if name := props.Settings.ExportStatusTableName; name != "" {
		existing := &awsdynamodb.TableAttributes{TableName: &name}
		if stream := props.Settings.ExportStatusTableStreamArn; stream != "" {
			existing.TableStreamArn = &stream
		}
		return awsdynamodb.Table_FromTableAttributes(scope, id, existing)
	}
	table := tableProps(props.Key, "CorrelationId", "CollectionName", "TimeToExist")
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
