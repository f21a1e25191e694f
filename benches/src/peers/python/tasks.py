# Tasks of one loop: yields, spawns, exchanges, memory.


@scenario("yield-1", 1, 2_000)
@scenario("yield-1000", 1_000, 10)
def yields(budget, tasks, each):
    async def yielding():
        done = 0
        while done < each:
            await asyncio.sleep(0)
            done += 1
        return done

    async def main():
        pace, loop = Pace(budget), asyncio.get_running_loop()
        while pace.goes_on():
            done = 0
            for task in [loop.create_task(yielding()) for _ in range(tasks)]:
                done += await task
            assert done == tasks * each
            pace.did(done)
        return pace.each()
    return run(main())


@scenario("spawn-1", 1, 500)
@scenario("spawn-10000", 10_000, 1)
def spawns(budget, at_once, rounds):
    async def same(value):
        return value

    async def main():
        pace, loop = Pace(budget), asyncio.get_running_loop()
        count = at_once * rounds
        while pace.goes_on():
            total = 0
            for first in range(0, count, at_once):
                values = range(first, first + at_once)
                for task in [loop.create_task(same(value)) for value in values]:
                    total += await task
            assert total == count * (count - 1) // 2
            pace.did(count)
        return pace.each()
    return run(main())


async def lock(count):
    lock, number = asyncio.Lock(), 0
    for _ in range(count):
        async with lock:
            number += 1
    return number


async def semaphore(count):
    semaphore, number = asyncio.Semaphore(4), 0
    for _ in range(count):
        async with semaphore:
            number += 1
    return number


async def event(count):
    event, number = asyncio.Event(), 0
    for _ in range(count):
        event.set()
        number += await event.wait()
        event.clear()
    return number


async def queue(count):
    queue, last = asyncio.Queue(16), 0
    for value in range(1, count + 1):
        await queue.put(value)
        last = await queue.get()
    return last


async def ping_pong(count):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def partner():
        for _ in range(count):
            await back.put(await there.get() + 1)

    task, value = asyncio.create_task(partner()), 0
    for _ in range(count):
        await there.put(value)
        value = await back.get()
    await task
    return value


@scenario("lock", lock)
@scenario("semaphore", semaphore)
@scenario("event", event)
@scenario("queue", queue)
@scenario("ping-pong", ping_pong)
def exchanges(budget, exchange):
    async def main():
        pace = Pace(budget)
        while pace.goes_on():
            assert await exchange(500) == 500
            pace.did(500)
        return pace.each()
    return run(main())


@scenario("idle-task")
def idle_tasks(_budget):
    def resident():
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    async def crowd(count):
        loop = asyncio.get_running_loop()

        async def waiting():
            await loop.create_future()

        # The loop itself does not keep tasks alive.
        tasks = [loop.create_task(waiting()) for _ in range(count)]
        await asyncio.sleep(0)
        return tasks

    async def main():
        some = await crowd(1_000)
        before = resident()
        tasks = await crowd(100_000)
        more = resident() - before
        assert not any(task.done() for task in some + tasks)
        return answer([more / len(tasks)])
    return run(main())
