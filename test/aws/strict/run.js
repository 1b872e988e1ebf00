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

// asking is a task that calls the functions in Lambda's emulators at these addresses, and keeps the messages that it
// sends.
function asking(addresses, messages) {
  return async (resource, args) => {
    if (resource.endsWith(':sqs:sendMessage')) return messages.push(sent(args)) && { MessageId: 'm' };
    const url = `http://${addresses[args.FunctionName]}/2015-03-31/functions/function/invocations`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(args.Payload) });
    const payload = await answer.json();
    if (!payload?.errorType) return result(payload);
    throw Object.assign(new StateError(payload.errorType, JSON.stringify(payload)), { ofTask: true });
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
  const { definition, executions, emulators = [{}] } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const interpreter = new Interpreter(definition);
  const ends = [];
  const waiting = executions.entries();
  const worker = async (addresses) => { // an emulator takes one call at a time
    for (const [i, { id, input, answers }] of waiting) {
      const messages = [];
      const call = answers ? answering(answers, messages) : asking(addresses, messages);
      ends[i] = { ...await interpreter.execute(id, input, call), sent: messages };
    }
  };
  await Promise.all(emulators.map(worker));
  const times = (expression) => interpreter.evaluations.get(expression) ?? 0;
  const evaluations = Object.fromEntries(interpreter.expressions().map((e) => [e, times(e)]));
  process.stdout.write(JSON.stringify({ ends, evaluations }));
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
