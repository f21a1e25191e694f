# Between threads: work for a loop on another thread, and blocking calls.


async def same(value):
    return value


class Remote:
    """A loop on a thread of its own, that takes work from other threads."""

    def __enter__(self):
        self.loop = new_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self

    def submit(self, value):
        return asyncio.run_coroutine_threadsafe(same(value), self.loop)

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@scenario("submit-cold", 0.002, 1)
@scenario("submit-warm", 0, 100)
def trips(budget, silence, batch):
    latencies, pace = Latencies(), Pace(budget)
    with Remote() as remote:
        while pace.goes_on():
            if silence:
                time.sleep(silence)
            for value in range(batch):
                began = time.perf_counter_ns()
                assert remote.submit(value).result() == value
                latencies.record(pace, time.perf_counter_ns() - began)
            pace.did(batch)
    return latencies.trips()


@scenario("submit-1", 1)
@scenario("submit-2", 2)
@scenario("submit-4", 4)
def throughput(budget, producers):
    sent, stop = [0] * producers, threading.Event()

    def produce(number):
        while not stop.is_set():
            futures = [remote.submit(value) for value in range(1_000)]
            assert sum(future.result() for future in futures) == 499_500
            sent[number] += 1_000

    with Remote() as remote, ThreadPoolExecutor(producers) as pool:
        produced = [pool.submit(produce, number) for number in range(producers)]
        time.sleep(budget / 5e9)
        before, began, count = sum(sent), time.perf_counter_ns(), 0
        while count == 0 and not any(future.done() for future in produced):
            time.sleep(budget / 1e9)
            count = sum(sent) - before
        took = time.perf_counter_ns() - began
        stop.set()
        for future in produced:
            future.result()
    return answer([took / count])


@scenario("loop-to-loop")
def loop_to_loop(budget):
    async def main():
        latencies, pace = Latencies(), Pace(budget)
        while pace.goes_on():
            for value in range(100):
                began = time.perf_counter_ns()
                assert await asyncio.wrap_future(remote.submit(value)) == value
                latencies.record(pace, time.perf_counter_ns() - began)
            pace.did(100)
        return latencies.trips()
    with Remote() as remote:
        return run(main())


def blocking(value):
    return value


@scenario("offload")
def offload(budget):
    async def main():
        latencies, pace = Latencies(), Pace(budget)
        loop = asyncio.get_running_loop()
        while pace.goes_on():
            for value in range(100):
                began = time.perf_counter_ns()
                assert await loop.run_in_executor(None, blocking, value) == value
                latencies.record(pace, time.perf_counter_ns() - began)
            pace.did(100)
        return latencies.trips()
    return run(main())


@scenario("offload-1000", None)
@scenario("offload-1000-of-4", 4)
def offloads(budget, workers):
    async def main():
        pace, loop = Pace(budget), asyncio.get_running_loop()
        if workers:
            loop.set_default_executor(ThreadPoolExecutor(workers))
        while pace.goes_on():
            calls = [loop.run_in_executor(None, blocking, value) for value in range(1_000)]
            total = 0
            for call in calls:
                total += await call
            assert total == 499_500
            pace.did(1_000)
        return pace.each()
    return run(main())
