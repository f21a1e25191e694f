"""Task groups."""

import asyncio


async def group_waits_for_its_children(say):
    async def child(n):
        await asyncio.sleep(n / 100)
        say("child", n, "at", say.ms())

    async with asyncio.TaskGroup() as group:
        for n in (3, 1, 2):
            group.create_task(child(n))
        say("body ends")
    say("group ends at", say.ms())


async def group_cancels_the_siblings_of_a_failure(say):
    async def sibling():
        try:
            await asyncio.sleep(10)
        finally:
            say("sibling gone at", say.ms())

    async def fails():
        await asyncio.sleep(0.01)
        raise ValueError("broken")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(sibling())
            group.create_task(fails())
    except ExceptionGroup as error:
        say("failures:", len(error.exceptions), "at", say.ms())


async def group_children_add_children(say):
    async with asyncio.TaskGroup() as group:

        async def parent():
            say("parent")
            group.create_task(child())

        async def child():
            await asyncio.sleep(0.01)
            say("child at", say.ms())

        group.create_task(parent())
    say("group ends at", say.ms())
