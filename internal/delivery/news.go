package delivery

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

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
}

// News publishes one piece of news about a run. The attribute event_id is the same if it is published again.
func (m *Monitoring) News(ctx context.Context, debt snapshot.Debt, run snapshot.Run) error {
	message := encode(notification{
		Severity:         "Critical",
		NotificationType: "Information",
		SlackUsername:    "Snapshot Sender",
		TitleText:        titleCase(run.SnapshotType) + " - " + titles[debt.Kind],
		CustomElements:   []element{{"Export date", run.ExportDate}, {"Correlation Id", debt.CorrelationID}},
	})
	_, err := m.SNS.Publish(ctx, &sns.PublishInput{
		TopicArn: &m.TopicARN,
		Message:  &message,
		MessageAttributes: map[string]types.MessageAttributeValue{
			attrEventID: {DataType: aws.String("String"), StringValue: aws.String(debt.EventID())},
		},
	})
	if err != nil {
		return fmt.Errorf("publishing the news: %w", err)
	}
	return nil
}

func titleCase(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + strings.ToLower(word[size:])
}
