// Package monitoring publishes notifications and alerts about runs on the monitoring topic: at least once, with one
// event id for every try.
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

// SNS is what this package asks of SNS.
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
}

// Notify publishes a notification about a whole run. export is what the run's first message said. The attribute
// event_id is the same if it is published again.
func (t *Topic) Notify(ctx context.Context, out snapshot.Outgoing, export snapshot.Export) error {
	return t.publish(ctx, out, notification{
		Severity:         "Critical",
		NotificationType: "Information",
		TitleText:        title(out, export),
		CustomElements:   about(out, export),
	})
}

// Alert publishes that a run has stalled or is abandoned, and what it waits for: monitoring shows at most eight
// elements, so five collections are named and the last element says how many more there are.
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
