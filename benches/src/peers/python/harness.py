# How long a scenario works and what it answers, as src/work.rs has it.
import asyncio
import faulthandler
import json
import os
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

QUANTILES = [
    0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999,
    0.9999, 1.0,
]
# Filled by the other files: a function of the budget in nanoseconds by the
# scenario's name.
SCENARIOS = {}


def scenario(name, *arguments):
    def add(function):
        SCENARIOS[name] = lambda budget: function(budget, *arguments)
        return function
    return add


class Pace:
    """Counts batches of work while the time lasts."""

    def __init__(self, budget):
        self.warm_up, self.budget = budget // 5, budget
        self.measuring, self.count = False, 0
        self.began = time.perf_counter_ns()

    def goes_on(self):
        elapsed = time.perf_counter_ns() - self.began
        if self.measuring:
            if elapsed >= self.budget and self.count > 0:
                self.took = elapsed
                return False
        elif elapsed >= self.warm_up and self.count > 0:
            self.measuring, self.count = True, 0
            self.began = time.perf_counter_ns()
        return True

    def did(self, count):
        self.count += count

    def each(self):
        return answer([self.took / self.count])


class Latencies:
    """Single durations, in nanoseconds."""

    def __init__(self):
        self.all = []

    def record(self, pace, took):
        if pace.measuring:
            self.all.append(took)

    def at(self, quantile):
        rank = -int(-quantile * len(self.all) // 1)
        return self.all[max(rank, 1) - 1]

    def quantiles(self):
        self.all.sort()
        return [(quantile, self.at(quantile)) for quantile in QUANTILES]

    def trips(self):
        curve = self.quantiles()
        return answer([self.at(0.5), self.at(0.99), self.at(0.999)], curve)


def answer(figures, quantiles=()):
    return {"figures": figures, "quantiles": quantiles}


def new_loop():
    return uvloop.new_event_loop() if KIND == "uvloop" else asyncio.new_event_loop()


def run(main):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)


def started():
    """What runs here, for the report; ends where it cannot."""
    version = "CPython %d.%d.%d" % sys.version_info[:3]
    if sys.version_info < (3, 11):
        sys.exit(f"python3 is {version}, and asyncio has its time limits since 3.11")
    if KIND == "uvloop":
        try:
            import uvloop
        except ImportError:
            sys.exit(f"uvloop is not installed for python3, which is {version}")
        globals()["uvloop"] = uvloop
        version += f", uvloop {uvloop.__version__}"
    return version
