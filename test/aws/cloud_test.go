//go:build testaws

package aws_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// cloud forwards calls to DynamoDB Local, and answers and records calls to other services itself.
type cloud struct {
	*httptest.Server
	mu       sync.Mutex
	sent     []sentMessage // to queues
	titles   []string      // of published notifications
	dynamodb http.Handler
}

// sentMessage is a message to a queue, as the SDK sends it.
type sentMessage struct {
	QueueUrl    string
	MessageBody string
}

func newCloud(t *testing.T, dynamodb string) *cloud {
	t.Helper()
	target, err := url.Parse(dynamodb)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{dynamodb: httputil.NewSingleHostReverseProxy(target)}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	if strings.HasPrefix(target, "DynamoDB") {
		c.dynamodb.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case target == "AmazonSQS.SendMessage":
		var message sentMessage
		err = json.Unmarshal(body, &message)
		c.sent = append(c.sent, message)
		sum := md5.Sum([]byte(message.MessageBody))
		answerJSON(w, map[string]string{"MessageId": "m", "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	case strings.HasPrefix(r.URL.Path, "/v1/pipes/"):
		answerJSON(w, map[string]string{"CurrentState": "RUNNING"})
	case strings.Contains(string(body), "Action=Publish"):
		var form url.Values
		if form, err = url.ParseQuery(string(body)); err == nil {
			var message struct {
				Title string `json:"title_text"`
			}
			err = json.Unmarshal([]byte(form.Get("Message")), &message)
			c.titles = append(c.titles, message.Title)
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>`+
			`<MessageId>m</MessageId></PublishResult></PublishResponse>`)
	default:
		http.Error(w, "unexpected call: "+target+" "+r.URL.String(), http.StatusBadRequest)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func answerJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(answer)
}

// to returns the messages to the queue whose URL ends in this.
func (c *cloud) to(queue string) (messages []sentMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, message := range c.sent {
		if strings.HasSuffix(message.QueueUrl, queue) {
			messages = append(messages, message)
		}
	}
	return messages
}

func (c *cloud) published() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.titles...)
}
