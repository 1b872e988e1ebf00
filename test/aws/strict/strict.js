// An interpreter of the Amazon States Language, as far as the project's definition uses it, that is as strict as Step
// Functions: an expression that returns nothing fails its state, no state gets or gives more than 256 KiB, States.ALL
// does not catch everything, and the events of the execution's history are counted. What it does not know is an error.
//
// Sources: the pages transforming-data, concepts-error-handling and service-quotas of
// https://docs.aws.amazon.com/step-functions/latest/dg/.
'use strict';
const jsonata = require('jsonata');

const LIMIT = 256 * 1024; // bytes of an input, an output, a task's arguments or its result, as UTF-8

// Errors that are the definition's own fault, if they are not its Fail states' or its tasks'.
const FAULTS = ['States.QueryEvaluationError', 'States.DataLimitExceeded', 'States.NoChoiceMatched', 'Refused'];

// StateError is an error that Retry and Catch can match. Its cause may be undefined.
class StateError extends Error {
  constructor(error, cause) {
    super(`${error}: ${cause}`);
    Object.assign(this, { error, cause });
  }
}

// What States.ALL does not match.
const TERMINAL = ['States.DataLimitExceeded', 'States.Runtime'];

const COMMON = ['Type', 'Comment', 'QueryLanguage', 'Output'];
const NEXT = [...COMMON, 'Next', 'End'];
const KNOWN = {
  Choice: [...COMMON, 'Choices', 'Default'],
  Pass: NEXT,
  Succeed: COMMON,
  Fail: ['Type', 'Comment', 'QueryLanguage', 'Error', 'Cause'],
  Task: [...NEXT, 'Resource', 'Arguments', 'TimeoutSeconds', 'Retry', 'Catch'],
  Map: [...NEXT, 'Items', 'ItemSelector', 'ItemProcessor', 'MaxConcurrency', 'Retry', 'Catch'],
};

const isExpression = (value) => typeof value === 'string' && value.startsWith('{%') && value.endsWith('%}');
const bytes = (value) => Buffer.byteLength(JSON.stringify(value));
const failed = (where, why) => new StateError('States.QueryEvaluationError', `${where} ${why}`);

function check(value, what) {
  if (bytes(value) > LIMIT) throw new StateError('States.DataLimitExceeded', `${what} has ${bytes(value)} bytes`);
  return value;
}

// Interpreter runs executions of a definition.
class Interpreter {
  constructor(definition) {
    Object.assign(this, { definition, compiled: new Map(), evaluations: new Map() });
  }

  // expressions lists every expression of the definition.
  expressions(value = this.definition) {
    if (isExpression(value)) return [value];
    return value && typeof value === 'object' ? Object.values(value).flatMap((v) => this.expressions(v)) : [];
  }

  // evaluate returns what a field's value stands for: an expression, or a structure with expressions in it.
  async evaluate(value, states, where) {
    if (Array.isArray(value)) {
      const list = [];
      for (const [i, v] of value.entries()) list.push(await this.evaluate(v, states, `${where}[${i}]`));
      return list;
    }
    if (value && typeof value === 'object') {
      const object = {};
      for (const [name, v] of Object.entries(value)) object[name] = await this.evaluate(v, states, `${where}.${name}`);
      return object;
    }
    return isExpression(value) ? this.expression(value, states, where) : value;
  }

  async expression(text, states, where) {
    if (/\$eval\b/.test(text)) throw failed(where, 'uses $eval, which Step Functions has not');
    if (!this.compiled.has(text)) this.compiled.set(text, jsonata(text.slice(2, -2)));
    this.evaluations.set(text, (this.evaluations.get(text) ?? 0) + 1);
    let value;
    try {
      value = await this.compiled.get(text).evaluate(undefined, { states });
    } catch (e) {
      throw failed(where, `fails with ${e.code} ${e.message}`);
    }
    const json = typeof value === 'function' ? undefined : JSON.stringify(value);
    if (json === undefined) throw failed(where, 'returned nothing');
    return JSON.parse(json); // without jsonata's own marks on its lists
  }

  // execute runs an execution and tells how it ended, the states that it entered, how many events its history has, and
  // the definition's own faults, caught ones included. call(resource, arguments, state) is a task: it returns the
  // result or throws a StateError.
  async execute(id, input, call) {
    const run = { call, states: [], events: 1, faults: [] };
    try {
      const context = { Execution: { Id: id, Input: input, Name: id.split(':').pop() } };
      run.output = await this.machine(this.definition, check(input, 'the input of the execution'), context, run);
      run.status = 'SUCCEEDED';
    } catch (e) {
      if (!(e instanceof StateError)) throw e;
      Object.assign(run, { status: 'FAILED', error: e.error, cause: e.cause });
      note(run, e);
    }
    run.events++;
    return run;
  }

  async machine(machine, input, context, run) {
    for (let name = machine.StartAt; ; ) {
      const state = machine.States[name];
      if (!state) throw new Error(`there is no state ${name}`);
      for (const field of Object.keys(state)) {
        if (!KNOWN[state.Type]?.includes(field)) throw new Error(`${name}: ${state.Type}.${field} is not known here`);
      }
      run.states.push(name);
      run.events++; // …StateEntered
      const next = await this.retried(state, name, input, { ...context, State: { Name: name } }, run);
      run.events++; // …StateExited
      check(next.output, `the output of ${name}`);
      if (next.to === undefined) return next.output;
      [name, input] = [next.to, next.output];
    }
  }

  async retried(state, name, input, context, run) {
    const used = new Map();
    for (;;) {
      try {
        return await this.state(state, name, input, context, run);
      } catch (e) {
        if (!(e instanceof StateError)) throw e;
        note(run, e);
        const retrier = (state.Retry ?? []).find((r) => matches(r, e));
        if (retrier && (used.get(retrier) ?? 0) < (retrier.MaxAttempts ?? 3)) {
          used.set(retrier, (used.get(retrier) ?? 0) + 1);
          continue;
        }
        const catcher = (state.Catch ?? []).find((c) => matches(c, e));
        if (!catcher) throw e;
        const errorOutput = { Error: e.error };
        if (e.cause !== undefined) errorOutput.Cause = e.cause;
        const output = catcher.Output === undefined ? errorOutput
          : await this.evaluate(catcher.Output, { input, context, errorOutput }, `${name}.Catch.Output`);
        return { output, to: catcher.Next };
      }
    }
  }

  async state(state, name, input, context, run) {
    const states = { input, context };
    // out ends the state: with its Output if it has one, or else with what it came to.
    const out = async (value, to, result = {}) => {
      if (state.Output === undefined) return { to, output: value };
      return { to, output: await this.evaluate(state.Output, { ...states, ...result }, `${name}.Output`) };
    };
    switch (state.Type) {
      case 'Pass':
        return out(input, state.Next);
      case 'Succeed':
        return out(input, undefined);
      case 'Fail': {
        const field = async (which) => {
          const value = await this.evaluate(state[which], states, `${name}.${which}`);
          if (typeof value !== 'string') throw failed(`${name}.${which}`, `is no string but ${JSON.stringify(value)}`);
          return value;
        };
        throw Object.assign(new StateError(await field('Error'), await field('Cause')), { ofFailState: true });
      }
      case 'Choice':
        return this.choice(state, name, states, out);
      case 'Task': {
        const args = check(await this.evaluate(state.Arguments, states, `${name}.Arguments`), `${name}.Arguments`);
        run.events += 3; // TaskScheduled, TaskStarted, TaskSucceeded or TaskFailed
        const result = check(await run.call(state.Resource, args, name), `the result of ${name}`);
        return out(result, state.Next, { result });
      }
      case 'Map':
        return this.map(state, name, states, run, out);
    }
    throw new Error(`${name}: the type ${state.Type} is not known here`);
  }

  async choice(state, name, states, out) {
    for (const [i, choice] of state.Choices.entries()) {
      const where = `${name}.Choices[${i}]`;
      const holds = await this.evaluate(choice.Condition, states, `${where}.Condition`);
      if (typeof holds !== 'boolean') throw failed(`${where}.Condition`, `is no boolean but ${JSON.stringify(holds)}`);
      if (!holds) continue;
      const output = choice.Output === undefined ? states.input
        : await this.evaluate(choice.Output, states, `${where}.Output`);
      return { to: choice.Next, output };
    }
    if (!state.Default) throw new StateError('States.NoChoiceMatched', name);
    return out(states.input, state.Default);
  }

  async map(state, name, states, run, out) {
    const items = await this.evaluate(state.Items, states, `${name}.Items`);
    if (!Array.isArray(items)) throw failed(`${name}.Items`, `is no array but ${JSON.stringify(items)}`);
    const result = [];
    run.events++; // MapStateStarted
    for (const [Index, Value] of items.entries()) {
      const context = { ...states.context, Map: { Item: { Index, Value } } };
      const input = state.ItemSelector === undefined ? Value
        : await this.evaluate(state.ItemSelector, { input: states.input, context }, `${name}.ItemSelector`);
      run.events += 2; // MapIterationStarted, MapIterationSucceeded or MapIterationFailed
      result.push(await this.machine(state.ItemProcessor, check(input, `an item of ${name}`), context, run));
    }
    run.events++; // MapStateSucceeded
    return out(result, state.Next, { result });
  }
}

// note keeps a fault of the definition, once.
function note(run, { error, cause, ofFailState, ofTask }) {
  const fault = `${error}: ${cause}`;
  if (FAULTS.includes(error) && !ofFailState && !ofTask && !run.faults.includes(fault)) run.faults.push(fault);
}

function matches({ ErrorEquals }, { error }) {
  return ErrorEquals.some((name) => {
    if (name.startsWith('States.Task')) throw new Error(`what ${name} matches is not known here`);
    return name === error || (name === 'States.ALL' && !TERMINAL.includes(error));
  });
}

module.exports = { Interpreter, StateError };
