# Arguments: `asyncio` or `uvloop`; a scenario, a server or `version`; a
# scenario's milliseconds or a server's connections; seconds to live at most.
KIND, WHAT, NUMBER, PATIENCE = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# One that hangs must not outlive the bench.
faulthandler.dump_traceback_later(PATIENCE, exit=True)
VERSION = started()
if WHAT == "version":
    say(VERSION)
elif WHAT in SERVERS:
    say(SERVERS[WHAT](NUMBER))
else:
    say(json.dumps(SCENARIOS[WHAT](NUMBER * 1_000_000)))
