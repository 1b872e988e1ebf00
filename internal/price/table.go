package price

const (
	million = 1e6
	billion = 1e9
	gbHour  = 3600 // GB-seconds
)

// List is AWS's list prices for eu-west-1, in USD, as of autumn 2026.
//
// AWS's price list, https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/, has one machine-readable file for each
// service and region, with a date of publication. The prices here were read on 2026-11-23 in published copies with
// these dates. Where no copy for Ireland was found, the price is that of another region and says so.
var List = Table{
	// AWSQueueService/current/eu-west-1/index.json, 2026-09-11. A send, receive or delete of up to 10 messages is one
	// request for each 64 KiB of payload. Empty receives count too.
	SQSRequest: {{100 * billion, 0.40 / million}, {200 * billion, 0.30 / million}, {0, 0.24 / million}},

	// us-east-1, https://cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03-13: after filtering; the same price in
	// most regions. No source says whether a batch or each record is rounded up to 64 KiB: here the batch is, since
	// Pipes starts its target once for the whole batch.
	PipesRequest: {{0, 0.40 / million}},

	// AmazonStates/current/eu-west-1/index.json, 2026-09-11. STANDARD only. One for each state entered, Choice, Pass
	// and Succeed too, for each retry (https://aws.amazon.com/step-functions/pricing/) and for a redrive. A Map costs 1
	// and the states of its iterations (https://stackoom.com/en/question/4YUKS). The start of an execution is no
	// transition.
	StateTransition: {{0, 25.0 / million}},

	// us-east-1, the example of https://aws.amazon.com/step-functions/pricing/, undated; the price list has the same
	// price for sa-east-1.
	ExpressRequest: {{0, 1.00 / million}},

	// The same example: 0.06 USD per GB-hour for 1,000, 0.03 for the next 4,000, 0.01642 beyond; duration in steps of
	// 100 ms, memory of 64 MB. The price list has the same first tier (0.00001667 a GB-second) for sa-east-1.
	ExpressGBSecond: {{1000 * gbHour, 0.06 / gbHour}, {5000 * gbHour, 0.03 / gbHour}, {0, 0.01642 / gbHour}},

	// AWSLambda/current/eu-west-1/index.json, 2026-10-01.
	LambdaRequest: {{0, 0.20 / million}},

	// The same file: arm64, duration in steps of 1 ms. x86_64: 0.0000166667.
	LambdaGBSecond: {{7.5 * billion, 0.0000133334}, {18.75 * billion, 0.0000120001}, {0, 0.0000106667}},

	// AmazonDynamoDB/20260911124422/eu-west-1/index.json, 2026-09-11. Until October 2024 twice as much; us-east-1:
	// 0.125 and 0.625 per million.
	ReadUnit:  {{0, 0.1415 / million}},
	WriteUnit: {{0, 0.705 / million}},

	// AmazonSNS/current/eu-west-1/index.json, 2026-09-15. Without deliveries to the topic's subscribers.
	SNSPublish: {{0, 0.50 / million}},

	// AmazonCloudWatch/20260922021715/eu-west-1/index.json, 2026-09-22: logs of functions and of Step Functions. Since
	// May 2025 Lambda's logs are cheaper above 10 TB a month, which is not reached here. Storage (0.03 per GB-month,
	// compressed) is left out.
	LogGB: {{0, 0.57}},
}
