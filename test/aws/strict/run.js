// Runs the executions that standard input asks for and writes how they ended to standard output: see Run in strict.go.
'use strict';
const { Interpreter, StateError } = require('./strict.js');

// sent is the message that SQS takes, or the error that it refuses it with: it wants texts, and none of them empty.
function sent({ MessageBody, MessageAttributes }) {
  const texts = [['MessageBody', MessageBody]];
  for (const [name, { StringValue }] of Object.entries(MessageAttributes)) texts.push([name, StringValue]);
  for (const [name, text] of texts) {
    if (typeof text !== 'string' || text === '') {
      throw new StateError('Refused', `${name} is ${JSON.stringify(text)}, which SQS does not accept`);
    }
  }
  const size = texts.reduce((sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text), 0);
  if (size > 1024 * 1024) throw new StateError('Refused', `the message has ${size} bytes, more than SQS accepts`);
  return { body: MessageBody, identity: MessageAttributes.identity?.StringValue };
}

// result is what Step Functions makes of a function's payload.
const result = (Payload) => ({
  ExecutedVersion: '$LATEST', Payload, StatusCode: 200,
  SdkHttpMetadata: { HttpStatusCode: 200 }, SdkResponseMetadata: { RequestId: '6a3a8e1c-0c9f-4b58-9d0c-6f3a5c1f' },
});

// asking is a task that has the server at this address do the functions' calls, and keeps the messages that it sends.
function asking(address, messages) {
  return async (resource, args) => {
    if (resource.endsWith(':sqs:sendMessage')) return messages.push(sent(args)) && { MessageId: 'm' };
    const url = `${address}/${args.FunctionName}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(args.Payload) });
    const body = await answer.json();
    if (answer.ok) return result(body);
    throw Object.assign(new StateError(body.error, body.cause), { ofTask: true });
  };
}

// answering is a task that gives the answers of an execution, and keeps the messages that it sends.
function answering(answers, messages) {
  return (resource, args, state) => {
    const sends = resource.endsWith(':sqs:sendMessage');
    const answer = answers[sends ? 'sendMessage' : args.FunctionName];
    if (answer?.error) {
      throw Object.assign(new StateError(answer.error, answer.cause ?? undefined), { ofTask: true });
    }
    if (sends) {
      messages.push(sent(args));
      return { MD5OfMessageBody: 'd41d8cd98f00b204e9800998ecf8427e', MessageId: 'm' };
    }
    if (answer === undefined) throw new Error(`there is no answer of ${args.FunctionName} for ${state}`);
    return result(answer.payload);
  };
}

async function main() {
  const { definition, executions, address, concurrently = 1 } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const interpreter = new Interpreter(definition);
  const ends = [];
  const waiting = executions.entries();
  const worker = async () => {
    for (const [i, { id, input, answers }] of waiting) {
      const messages = [];
      const call = answers ? answering(answers, messages) : asking(address, messages);
      ends[i] = { ...await interpreter.execute(id, input, call), sent: messages };
    }
  };
  await Promise.all(Array.from({ length: concurrently }, worker));
  const times = (expression) => interpreter.evaluations.get(expression) ?? 0;
  const evaluations = Object.fromEntries(interpreter.expressions().map((e) => [e, times(e)]));
  process.stdout.write(JSON.stringify({ ends, evaluations }));
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
