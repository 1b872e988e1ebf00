"""Starts the local engine, and adds the states inside a Map to the history of executions, as AWS does.

The engine omits those states (docs/local-engine.md). This program adds the missing events, and sets each event's
previousEventId, which tells the items of a Map apart
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html). It replaces functions of the
version that requirements.txt pins by name; with a version that lacks one the start fails with its name.

It also parses each JSONata expression once instead of at every use.
"""

import contextvars
import functools
import json
import sys
import threading

from jsonata.parser import Parser
from ministack.app import main
from ministack.services import stepfunctions as engine


class Item:
    """An item of a Map in progress, and the input of its next state."""

    def __init__(self, execution, value):
        self.execution, self.value = execution, value


item = contextvars.ContextVar("the item of this thread; none outside a Map", default=None)
before = contextvars.ContextVar("the execution and id of this thread's last event", default=(None, 0))
writing = threading.Lock()
plain_add_event, plain_sub_machine = engine._add_event, engine._run_sub_machine


def add_event(execution, kind, details=None):
    of, event_id = before.get()
    with writing:  # an event's id is its place in the list, and items run concurrently
        previous = {"previousEventId": event_id if of is execution else 0}
        event = plain_add_event(execution, kind, {**(details or {}), **previous})
    before.set((execution, event["id"]))
    return event


def entered(execution, kind, name, value):
    details = {"name": name, "input": json.dumps(value)}
    add_event(execution, kind + "StateEntered", {"stateEnteredEventDetails": details})


def left(execution, kind, name, value):
    details = {"name": name, "output": json.dumps(value)}
    add_event(execution, kind + "StateExited", {"stateExitedEventDetails": details})


def recorded(handle):
    """A handler of states that records those inside a Map. The engine records the others."""

    def handle_recorded(state, value, *rest):
        here, name = item.get(), rest[-1]["State"]["Name"]
        if here is None:
            return handle(state, value, *rest)
        entered(here.execution, state["Type"], name, value)
        here.value, following = handle(state, value, *rest)
        left(here.execution, state["Type"], name, here.value)
        return here.value, following

    return handle_recorded


def run_item(states, start, value, execution, context):
    """Runs an item of a Map. Its end states have no handler, so they are recorded here."""
    if "Map" not in context:  # a branch of a Parallel
        return plain_sub_machine(states, start, value, execution, context)
    here = Item(execution, value)
    item.set(here)
    about = {"name": context["State"]["Name"], "index": context["Map"]["Item"]["Index"]}
    add_event(execution, "MapIterationStarted", {"mapIterationStartedEventDetails": about})

    def end():
        name = context["State"]["Name"]
        return name, states.get(name, {}).get("Type")

    try:
        output = plain_sub_machine(states, start, value, execution, context)
    except Exception:
        name, kind = end()
        if kind == "Fail":
            entered(execution, kind, name, here.value)
        add_event(execution, "MapIterationFailed", {"mapIterationFailedEventDetails": about})
        raise
    name, kind = end()
    if kind == "Succeed":
        entered(execution, kind, name, here.value)
        left(execution, kind, name, output)
    add_event(execution, "MapIterationSucceeded", {"mapIterationSucceededEventDetails": about})
    return output


engine._add_event, engine._run_sub_machine = add_event, run_item
for handler in ("_execute_pass", "_execute_task", "_execute_choice", "_execute_wait", "_execute_map"):
    setattr(engine, handler, recorded(getattr(engine, handler)))

plain_parse = Parser.parse


@functools.lru_cache(maxsize=1000)
def parsed(expression, *regex_engine):
    """The expression's syntax tree. Threads share it, since evaluation does not change it."""
    return plain_parse(Parser(), expression, *regex_engine)


Parser.parse = lambda _, *expression: parsed(*expression)

if __name__ == "__main__":
    sys.exit(main())
