// Package news tells the monitoring topic about runs. Telling is at least once, with one identity for every try.
package news

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

// Monitoring tells the monitoring topic the news about runs.
type Monitoring struct {
	SNS      SNS
	TopicARN string
}

// notification is the message on the monitoring topic, to the letter.
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

var titles = map[snapshot.DebtKind]string{
	snapshot.AllReceived:   "All collections received by NiFi",
	snapshot.AllSuccessful: "All collections successful",
	snapshot.RunStalled:    "Run stalled",
	snapshot.RunLetGo:      "Run let go",
}

// News publishes one piece of news about a run. The attribute event_id is the same if it is published again.
func (m *Monitoring) News(ctx context.Context, debt snapshot.Debt, run snapshot.Run) error {
	return m.publish(ctx, debt, notification{
		Severity:         "Critical",
		NotificationType: "Information",
		TitleText:        title(debt, run),
		CustomElements:   about(run),
	})
}

// Report publishes that a run has stalled or is let go, and what holds it: monitoring shows at most eight
// elements, so five collections are named and the last element says how many more there are.
func (m *Monitoring) Report(ctx context.Context, report snapshot.Debt, run snapshot.Run, holders snapshot.Holders) error {
	elements := about(run)
	for _, row := range holders.Named {
		elements = append(elements, element{row.CollectionName,
			fmt.Sprintf("%s, %d of %d files received", row.Status, row.FilesReceived.N, row.FilesSent.N)})
	}
	if holders.More > 0 {
		elements = append(elements, element{"More collections", strconv.Itoa(holders.More)})
	}
	return m.publish(ctx, report, notification{
		Severity:         "High",
		NotificationType: "Warning",
		TitleText:        title(report, run),
		CustomElements:   elements,
	})
}

func title(debt snapshot.Debt, run snapshot.Run) string {
	return titleCase(run.SnapshotType) + " - " + titles[debt.Kind]
}

func about(run snapshot.Run) []element {
	return []element{{"Export date", run.ExportDate}, {"Correlation Id", run.CorrelationID}}
}

func (m *Monitoring) publish(ctx context.Context, debt snapshot.Debt, n notification) error {
	n.SlackUsername = "Snapshot Sender"
	message := sendable.JSON(n)
	_, err := m.SNS.Publish(ctx, &sns.PublishInput{
		TopicArn: &m.TopicARN,
		Message:  &message,
		MessageAttributes: map[string]types.MessageAttributeValue{
			sendable.EventID: {DataType: aws.String("String"), StringValue: aws.String(debt.EventID())},
		},
	})
	if err != nil {
		return fmt.Errorf("publishing %s: %w", debt.Kind, err)
	}
	return nil
}
