package price

// The sources. AWS's price list has one machine-readable file for each service and region, with a date of publication.
// The prices here were read on 2026-11-23 in published copies with these dates. Where no copy for Ireland was found,
// the price is that of another region and says so. A page without a date is "undated".
const (
	priceList   = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/"
	ireland     = "eu-west-1"
	virginia    = "us-east-1"
	stepPricing = "https://aws.amazon.com/step-functions/pricing/"
	eventGuide  = "https://cloudburn.io/blog/amazon-eventbridge-pricing"
)

const (
	million = 1e6
	billion = 1e9
	gbHour  = 3600 // GB-seconds
)

// List is AWS's list prices for eu-west-1, in USD, as of autumn 2026.
var List = Table{
	SQSRequest: {
		Name: "SQS requests", Unit: "request of up to 64 KiB", Region: ireland, Published: "2026-09-11",
		Source: priceList + "AWSQueueService/current/eu-west-1/index.json",
		Tiers:  []Tier{{100 * billion, 0.40 / million}, {200 * billion, 0.30 / million}, {0, 0.24 / million}},
		Note: "a send, receive or delete of up to 10 messages is one request for each 64 KiB of payload. Empty " +
			"receives count too",
	},
	PipesRequest: {
		Name: "Pipes requests", Unit: "batch, for each 64 KiB", Region: virginia, Published: "2026-03-13",
		Source: eventGuide,
		Tiers:  []Tier{{0, 0.40 / million}},
		Note: "after filtering; the same price in most regions, according to the source. No source says whether a " +
			"batch or each record is rounded up to 64 KiB: here the batch is, since Pipes starts its target once " +
			"for the whole batch",
	},
	StateTransition: {
		Name: "Step Functions state transitions", Unit: "state entered", Region: ireland, Published: "2026-09-11",
		Source: priceList + "AmazonStates/current/eu-west-1/index.json",
		Tiers:  []Tier{{0, 25.0 / million}},
		Note: "STANDARD only. One for each state entered, Choice, Pass and Succeed too, for each retry (" +
			stepPricing + ") and for a redrive. A Map costs 1 and the states of its iterations " +
			"(https://stackoom.com/en/question/4YUKS). The start of an execution is no transition",
	},
	ExpressRequest: {
		Name: "Step Functions Express requests", Unit: "execution", Region: virginia, Published: "undated",
		Source: stepPricing,
		Tiers:  []Tier{{0, 1.00 / million}},
		Note:   "example of the pricing page; the price list has the same price for sa-east-1",
	},
	ExpressGBSecond: {
		Name: "Step Functions Express duration", Unit: "GB-second", Region: virginia, Published: "undated",
		Source: stepPricing,
		Tiers:  []Tier{{1000 * gbHour, 0.06 / gbHour}, {5000 * gbHour, 0.03 / gbHour}, {0, 0.01642 / gbHour}},
		Note: "example of the pricing page: 0.06 USD per GB-hour for 1,000, 0.03 for the next 4,000, 0.01642 " +
			"beyond; duration in steps of 100 ms, memory of 64 MB. The price list has the same first tier " +
			"(0.00001667 a GB-second) for sa-east-1",
	},
	LambdaRequest: {
		Name: "Lambda requests", Unit: "call", Region: ireland, Published: "2026-10-01",
		Source: priceList + "AWSLambda/current/eu-west-1/index.json",
		Tiers:  []Tier{{0, 0.20 / million}},
	},
	LambdaGBSecond: {
		Name: "Lambda duration, arm64", Unit: "GB-second", Region: ireland, Published: "2026-10-01",
		Source: priceList + "AWSLambda/current/eu-west-1/index.json",
		Tiers:  []Tier{{7.5 * billion, 0.0000133334}, {18.75 * billion, 0.0000120001}, {0, 0.0000106667}},
		Note:   "duration in steps of 1 ms. x86_64: 0.0000166667",
	},
	ReadUnit: {
		Name: "DynamoDB read request units", Unit: "unit", Region: ireland, Published: "2026-09-11",
		Source: priceList + "AmazonDynamoDB/20260911124422/eu-west-1/index.json",
		Tiers:  []Tier{{0, 0.1415 / million}},
		Note:   "until October 2024 twice as much; us-east-1: 0.125 per million",
	},
	WriteUnit: {
		Name: "DynamoDB write request units", Unit: "unit", Region: ireland, Published: "2026-09-11",
		Source: priceList + "AmazonDynamoDB/20260911124422/eu-west-1/index.json",
		Tiers:  []Tier{{0, 0.705 / million}},
		Note:   "until October 2024 twice as much; us-east-1: 0.625 per million",
	},
	SNSPublish: {
		Name: "SNS publishes", Unit: "request of up to 64 KiB", Region: ireland, Published: "2026-09-15",
		Source: priceList + "AmazonSNS/current/eu-west-1/index.json",
		Tiers:  []Tier{{0, 0.50 / million}},
		Note:   "without deliveries to the topic's subscribers",
	},
	LogGB: {
		Name: "CloudWatch Logs ingestion", Unit: "GB", Region: ireland, Published: "2026-09-22",
		Source: priceList + "AmazonCloudWatch/20260922021715/eu-west-1/index.json",
		Tiers:  []Tier{{0, 0.57}},
		Note: "logs of functions and of Step Functions. Since May 2025 Lambda's logs are cheaper above 10 TB a " +
			"month, which is not reached here. Storage (0.03 per GB-month, compressed) is left out",
	},
}
