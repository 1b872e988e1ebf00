package quota

const (
	stepQuotas    = "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"
	pipesQuotas   = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
	pipesSQS      = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html"
	lambdaQuotas  = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
	lambdaScaling = "https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html"
	partitions    = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
	warm          = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html"
	read          = "2026-11-23" // when copies of these pages were read; the pages bear no date
)

// Published are AWS's default quotas for eu-west-1 (us-east-1 and us-west-2 have the same).
var Published = [kinds]Quota{
	RunWrites: {Name: "run's partition, writes", Limit: Limit{1000, 1000}, Unit: "write units a second",
		Source: partitions, Read: read,
		Moves: "larger groups: batchSize, batchWindowSeconds, senders that send a collection at a time",
		Note: "all rows of a run have one partition key. Others write it too: the sender adds to FilesSent there " +
			"for each file. DynamoDB may split a partition that stays hot between its rows; it promises neither " +
			"when nor that"},
	RunReads: {Name: "run's partition, reads", Limit: Limit{3000, 3000}, Unit: "read units a second",
		Source: partitions, Read: read,
		Moves: "as for its writes"},
	PipePollers: {Name: "pipe's batches in hand", Limit: Limit{0, 1000}, Unit: "batches at a time", Source: pipesSQS,
		Read:  read,
		Moves: "batchSize; support raises it",
		Note: "begins at 5 and grows by 300 a minute while messages wait. All pipes of the account together have " +
			"3,000 (1,000 in most other regions: " + pipesQuotas + ")"},
	Starts: {Name: "starts", Limit: Limit{300, 1300}, Unit: "STANDARD executions a second", Source: stepQuotas,
		Read:  read,
		Moves: "batchSize, workflowType; Service Quotas raises it",
		Note:  "150 a second and a bucket of 800 in most other regions"},
	ExpressStarts: {Name: "Express starts", Limit: Limit{6000, 6000}, Unit: "executions a second", Source: stepQuotas,
		Read:  read,
		Moves: "batchSize; Service Quotas raises it",
		Note: "published for StartExecution. The pipe uses StartSyncExecution, which has no number: \"capacity on " +
			"demand\" that scales with sustained load. The model takes it as if it held"},
	OpenExecutions: {Name: "open executions", Limit: Limit{0, 1e6}, Unit: "STANDARD executions at a time",
		Source: stepQuotas, Read: read,
		Moves: "batchSize, workflowType; support raises it"},
	Transitions: {Name: "state transitions", Limit: Limit{5000, 5000}, Unit: "STANDARD transitions a second",
		Source: stepQuotas, Read: read,
		Moves: "batchSize, workflowType; Service Quotas raises it",
		Note: "800 and 800 in most other regions; an edition of 2023 said 1,500 a second. New accounts have less. " +
			"EXPRESS has none"},
	Concurrency: {Name: "function calls at a time", Limit: Limit{0, 1000}, Unit: "calls", Source: lambdaQuotas,
		Read:  read,
		Moves: "reserved concurrency of increment (lower); Service Quotas (higher)",
		Note:  "all functions of the account; new accounts have less"},
	Environments: {Name: "new function environments", Limit: Limit{100, 1000}, Unit: "environments a second",
		Source: lambdaScaling, Read: read,
		Moves: "nothing; it is a function's own", Note: "1,000 every 10 s for each function, refilled continuously"},
	CollectionWrites: {Name: "collection's partition, writes", Limit: Limit{1000, 1000}, Unit: "write units a second",
		Source: partitions, Read: read,
		Moves: "batchSize: a file costs 2 units, 100 in one batch about 23",
		Note:  "a collection's item, its pages and all its receipts have one partition key"},
	LedgerWrites: {Name: "ledger, writes", Limit: Limit{4000, 4000}, Unit: "write units a second", Source: warm,
		Read:  read,
		Moves: "warm throughput, set before the run; larger groups",
		Note:  "of a new on-demand table; it doubles in 30 minutes of such load, up to the table's quota of 40,000"},
}

const (
	firstPollers = 5 // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
	// a second, while messages wait (the same page; its edition of 2022 said 60 a minute)
	morePollers = 300 / 60.
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
	messagesAReceive = 10
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
	doublingSeconds = 30 * 60
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
	tableWrites = 40000
	// of a shard: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-dynamodb.html
	streamReadsASecond = 4
)
