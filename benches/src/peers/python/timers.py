# Timers: many sleeps at once, and time limits.


@scenario("sleep-100000", 100_000)
def sleeps(budget, per_second):
    window = min(max(budget, 200_000_000), 1_000_000_000)
    count = per_second * window // 1_000_000_000

    async def sleep(duration):
        began = time.perf_counter_ns()
        await asyncio.sleep(duration / 1e9)
        slept = time.perf_counter_ns() - began
        # uvloop's timers have whole milliseconds, and may be that much too early.
        assert slept > duration - 2_000_000, "woken before its time"
        return max(slept - duration, 0)

    async def main():
        used, loop, latencies = time.process_time_ns(), asyncio.get_running_loop(), Latencies()
        # A multiplicative hash, so that the order is no order.
        places = ((number * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 34 for number in range(count))
        tasks = [loop.create_task(sleep(window // 2 + place % window)) for place in places]
        for task in tasks:
            latencies.all.append(await task)
        each = (time.process_time_ns() - used) / count
        curve = latencies.quantiles()
        return answer([latencies.at(0.5), latencies.at(0.99), each], curve)
    return run(main())


async def ready(value):
    return value


async def one_yield(value):
    await asyncio.sleep(0)
    return value


@scenario("timeout-ready", ready)
@scenario("timeout-yield", one_yield)
def limits(budget, limited):
    async def main():
        pace = Pace(budget)
        while pace.goes_on():
            for value in range(500):
                async with asyncio.timeout(60):
                    assert await limited(value) == value
            pace.did(500)
        return pace.each()
    return run(main())


@scenario("timeout-churn")
def churn(budget):
    async def limits(number):
        done = 0
        for turn in range(10):
            async with asyncio.timeout(60 + (number * 7 + turn) / 1e3):
                done += await one_yield(1)
        return done

    async def main():
        pace, loop = Pace(budget), asyncio.get_running_loop()
        while pace.goes_on():
            tasks = [loop.create_task(limits(number)) for number in range(1_000)]
            done = sum([await task for task in tasks])
            assert done == 10_000
            pace.did(done)
        return pace.each()
    return run(main())


@scenario("timeout-reached")
def reached(budget):
    async def main():
        pace, loop = Pace(budget), asyncio.get_running_loop()
        while pace.goes_on():
            for _ in range(10):
                try:
                    async with asyncio.timeout(0):
                        await loop.create_future()
                except TimeoutError:
                    continue
                assert False, "nobody sets it"
            pace.did(10)
        return pace.each()
    return run(main())
