// Answers as TestState does, with the strict interpreter of test/aws. For each state on standard input: its call, and
// its output for a result and for an error when its retries are used up.
'use strict';
const { readFileSync } = require('fs');
const { Interpreter, StateError } = require('../../../test/aws/strict/strict.js');

async function answer({ definition, name, input, result, context }) {
  const interpreter = new Interpreter(definition);
  const go = async (call) => {
    let called;
    const run = { call: (_, args) => { called = args; return call(); }, events: 0, states: [], faults: [] };
    try {
      const { to, output } = await interpreter.retried(definition, name, input, context, run);
      return { status: 'SUCCEEDED', to, output, called, faults: run.faults };
    } catch (e) {
      if (!(e instanceof StateError)) throw e;
      return { status: 'FAILED', error: e.error, called, faults: run.faults };
    }
  };
  return { done: await go(() => result), failed: await go(() => { throw new StateError('Unavailable', 'mocked'); }) };
}

Promise.all(JSON.parse(readFileSync(0, 'utf8')).map(answer)).then((all) => process.stdout.write(JSON.stringify(all)));
