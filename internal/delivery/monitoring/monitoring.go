// Package monitoring publishes notifications and alerts about runs on the monitoring topic: at least once, with the
// same event id at every try.
package monitoring

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"snapshot-status-checker/internal/delivery/sendable"
	"snapshot-status-checker/internal/snapshot"
)

// SNS is the part of the SNS client that this package uses.
type SNS interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic is the monitoring topic.
type Topic struct {
	SNS SNS
	ARN string
}

// notification is the message on the monitoring topic, in exactly the format that monitoring expects.
type notification struct {
	Severity         string    `json:"severity"`
	NotificationType string    `json:"notification_type"`
	SlackUsername    string    `json:"slack_username"`
	TitleText        string    `json:"title_text"`
	CustomElements   []element `json:"custom_elements"`
}

type element struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

var titles = map[snapshot.Kind]string{
	snapshot.AllReceived:   "All collections received by NiFi",
	snapshot.AllSuccessful: "All collections successful",
	snapshot.RunStalled:    "Run stalled",
	snapshot.RunAbandoned:  "Run abandoned",
	snapshot.RunLate:       "Run late",
}

// Notify publishes a notification about a whole run. export is that of the run's first message. Repeating it publishes
// the notification again, with the same attribute event_id.
func (t *Topic) Notify(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return t.publish(ctx, out, notification{
		Severity:         "Critical",
		NotificationType: "Information",
		TitleText:        title(out, export),
		CustomElements:   about(out, export),
	})
}

// Alert publishes that a run is stalled, late or abandoned, and its blockers. Monitoring shows at most eight elements:
// five name collections, and the last one has the number of the others.
func (t *Topic) Alert(
	ctx context.Context, out snapshot.Outgoing, export snapshot.Export, blockers snapshot.Blockers,
) error {
	elements := about(out, export)
	for _, row := range blockers.Named {
		elements = append(elements, element{row.CollectionName,
			fmt.Sprintf("%s, %d of %d files received", row.Status, row.FilesReceived.N, row.FilesSent.N)})
	}
	if blockers.More > 0 {
		elements = append(elements, element{"More collections", strconv.Itoa(blockers.More)})
	}
	return t.publish(ctx, out, notification{
		Severity:         "High",
		NotificationType: "Warning",
		TitleText:        title(out, export),
		CustomElements:   elements,
	})
}

func title(out snapshot.Outgoing, export snapshot.Export) string {
	return titleCase(export.SnapshotType) + " - " + titles[out.Kind]
}

func about(out snapshot.Outgoing, export snapshot.Export) []element {
	return []element{{"Export date", export.ExportDate}, {"Correlation Id", out.CorrelationID}}
}

func (t *Topic) publish(ctx context.Context, out snapshot.Outgoing, n notification) error {
	n.SlackUsername = "Snapshot Sender"
	message := sendable.JSON(n)
	_, err := t.SNS.Publish(ctx, &sns.PublishInput{
		TopicArn: &t.ARN,
		Message:  &message,
		MessageAttributes: map[string]types.MessageAttributeValue{
			sendable.EventID: {DataType: aws.String("String"), StringValue: aws.String(out.EventID())},
		},
	})
	if err != nil {
		return fmt.Errorf("publishing %s: %w", out.Kind, err)
	}
	return nil
}
