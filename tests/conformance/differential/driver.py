"""Runs every script on a loop of its own and prints the traces.

A script is a coroutine function that takes `say`. Time is virtual: when nothing
can run, the clock jumps to the next timer.
"""

import asyncio
import sys

import calls
import combining
import groups
import primitives
import queues
import tasks
import timing


class VirtualSelector:
    """A selector that waits by moving its loop's clock."""

    def __init__(self, inner, clock):
        self.inner = inner
        self.clock = clock

    def select(self, timeout):
        events = self.inner.select(0)
        if not events and timeout:
            self.clock[0] += timeout
        return events

    def __getattr__(self, name):
        return getattr(self.inner, name)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__()
        self.clock = [0.0]
        self._selector = VirtualSelector(self._selector, self.clock)

    def time(self):
        return self.clock[0]


def run(name, script):
    print(f"== {name}")
    loop = VirtualLoop()

    def say(*words):
        print(*words)

    say.ms = lambda: round(loop.time() * 1000)
    loop.set_exception_handler(lambda _, context: say("handler:", context.get("exception")))
    try:
        loop.run_until_complete(script(say))
    finally:
        loop.close()


def main():
    if sys.version_info < (3, 11):
        sys.exit("needs Python 3.11")
    for module in (calls, tasks, combining, groups, timing, primitives, queues):
        for name, script in vars(module).items():
            if asyncio.iscoroutinefunction(script) and not name.startswith("_"):
                run(name, script)


main()
