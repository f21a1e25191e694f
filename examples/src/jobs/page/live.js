// ---- A loop's card ----------------------------------------------------------------

function loopCard(loop) {
  const part = { load: make("b"), small: make("small"), history: [],
    area: draw("polygon", { class: "area" }), line: draw("polyline", { class: "line" }) };
  const chart = draw("svg", { viewBox: `0 0 ${SAMPLES - 1} 34`, preserveAspectRatio: "none", "aria-hidden": "true" }, part.area, part.line);
  part.root = make("div", { className: "loop" },
    make("div", {}, make("strong", { textContent: loop.name }), part.load), chart, part.small);
  return part;
}

function showLoop(part, loop) {
  part.history.push(loop.load);
  part.history.splice(0, part.history.length - SAMPLES);
  say(part.load, `${(loop.load * 100).toFixed(loop.load < 0.1 ? 1 : 0)} %`);
  const words = [`${loop.tasks} tasks`];
  if (loop.runs) words.unshift(`${loop.runs.toLocaleString()} runs`);
  part.root.title = `${loop.polls.toLocaleString()} polls`;
  say(part.small, words.join(" · "));
  // The scale is at least a tenth of a core, so that near-idle looks near-idle.
  const top = Math.max(0.1, ...part.history);
  const first = SAMPLES - part.history.length;
  const points = part.history.map((load, index) => `${first + index},${(33 - 31 * load / top).toFixed(1)}`);
  part.line.setAttribute("points", points.join(" "));
  part.area.setAttribute("points", [`${first},34`, ...points, `${SAMPLES - 1},34`].join(" "));
}

// ---- The table of runs ------------------------------------------------------------

function showRuns(jobs) {
  const runs = jobs.flatMap((job) => (job.recent ?? []).map((run) => ({ ...run, job: job.name })))
    .filter((run) => !state.filter || run.job === state.filter)
    .sort((a, b) => b.id - a.id);
  // What is open for reading stays, however many runs have come since.
  const shown = runs.filter((run, index) => index < ROWS || state.rows.get(run.id)?.isOpen);
  const wanted = new Set(shown.map((run) => run.id));
  for (const [id, row] of state.rows) {
    if (wanted.has(id)) continue;
    row.root.remove();
    row.output.remove();
    state.rows.delete(id);
  }
  const body = byId("rows");
  let place = body.firstChild;
  for (const run of shown) {
    let row = state.rows.get(run.id);
    if (!row) state.rows.set(run.id, row = runRow(run));
    if (row.root === place) place = row.output.nextSibling;
    else { body.insertBefore(row.root, place); body.insertBefore(row.output, place); }
    showRun(row, run);
  }
  byId("empty").hidden = shown.length > 0;
}

function runRow(run) {
  const cell = (className, ...children) => make("td", { className }, ...children);
  const row = {
    badge: make("span"), code: make("span", { className: "code" }), took: make("span"), loop: cell("loop-name faint"),
    when: make("time"), pre: make("pre"), isOpen: false, fetched: "",
    toggle: make("button", { type: "button", textContent: "Output" }), cancel: cancelButton(run, "Cancel"),
  };
  row.pre.tabIndex = 0;
  row.pre.setAttribute("aria-label", `Output of run ${run.id}`);
  row.pre.id = `output-${run.id}`;
  row.toggle.setAttribute("aria-label", `Output of run ${run.id}`);
  row.toggle.setAttribute("aria-controls", row.pre.id);
  row.toggle.onclick = () => open(row, !row.isOpen);
  row.root = make("tr", { className: "entry" },
    cell("id faint", `#${run.id}`), cell("job-name", run.job), cell("result", row.badge, row.code),
    cell("took num", row.took), cell("when faint", row.when), cell("by faint", run.trigger), row.loop,
    cell("act", row.cancel, row.toggle));
  row.output = make("tr", { className: "output", hidden: true }, make("td", { colSpan: 8 }, row.pre));
  open(row, false);
  return row;
}

function showRun(row, run) {
  row.run = run;
  row.badge.className = `badge ${run.status}`;
  say(row.badge, run.status);
  say(row.code, run.code ? `${run.code >= 100 ? "HTTP" : "exit"} ${run.code}` : "");
  say(row.took, run.status === "skipped" || run.status === "queued" || run.status === "interrupted" ? "–" : took(length(run)));
  say(row.when, clock(run.started_ms));
  row.when.dateTime = new Date(run.started_ms).toISOString();
  const loop = run.loop_index === null ? undefined : state.status.loops[run.loop_index + 1];
  say(row.loop, loop?.name ?? "–");
  row.cancel.hidden = isOver(run);
  if (row.isOpen && row.fetched !== run.status) fetchOutput(row);
}

function open(row, isOpen) {
  row.isOpen = isOpen;
  row.output.hidden = !isOpen;
  row.root.classList.toggle("open", isOpen);
  row.toggle.setAttribute("aria-expanded", String(isOpen));
  if (isOpen && row.fetched !== row.run.status) fetchOutput(row);
}

async function fetchOutput(row) {
  row.fetched = row.run.status;
  if (!isOver(row.run)) return showOutput(row, "", "The output is shown when the run has ended.");
  try {
    const answer = await ask("GET", `/api/runs/${row.run.id}`);
    showOutput(row, answer.output, "No output.");
  } catch (error) {
    row.fetched = "";
    showOutput(row, "", error.message);
  }
}

function showOutput(row, text, instead) {
  row.pre.textContent = text || instead;
  row.pre.classList.toggle("none", !text);
}

// ---- The whole page -----------------------------------------------------------------

function show(status) {
  // Another process has taken over, maybe with other jobs: begin afresh.
  if (state.status && state.status.started_ms !== status.started_ms) return location.reload();
  state.status = status;
  state.skew = status.now_ms - Date.now();
  each(byId("jobs"), state.jobs, status.jobs, jobCard, showJob);
  each(byId("loops"), state.loops, status.loops, loopCard, showLoop);
  const filter = byId("filter");
  if (filter.options.length !== status.jobs.length + 1) {
    filter.append(...status.jobs.map((job) => make("option", { value: job.name, textContent: job.name })));
  }
  showRuns(status.jobs);
  showTotals(status);
  const note = byId("note");
  note.hidden = !status.interrupted;
  const runs = status.interrupted === 1 ? "1 run was" : `${status.interrupted} runs were`;
  say(note, `The service was killed while ${runs} going on; they are marked as interrupted.`);
  document.body.dataset.ready = "1";
  tick();
}

/** Keeps one element for each thing, by name, in the order of the list. */
function each(parent, known, list, build, update) {
  for (const item of list) {
    let part = known.get(item.name);
    if (!part) {
      known.set(item.name, part = build(item));
      parent.append(part.root);
    }
    update(part, item);
  }
}

function showTotals(status) {
  const sum = (word) => status.jobs.reduce((total, job) => total + (job.ended[word] ?? 0), 0);
  const running = status.jobs.reduce((total, job) => total + job.running, 0);
  const facts = [["Running now", running, "running"], ["Ended well", sum("ok"), "ok"], ["Failed", sum("failed"), "failed"],
    ["Timed out", sum("timeout"), "timeout"], ["Cancelled", sum("cancelled"), "cancelled"], ["Skipped", sum("skipped"), "skipped"]];
  const list = byId("totals");
  if (!list.children.length) {
    list.append(...facts.map(([name, , tone]) => make("div", { className: tone }, make("dt", { textContent: name }), make("dd"))));
  }
  facts.forEach(([, count], index) => say(list.children[index].lastChild, count.toLocaleString()));
}

/** What moves between two messages: countdowns, ages and bars of runs under way. */
function tick() {
  const status = state.status;
  if (!status || document.hidden) return;
  say(byId("uptime"), `up ${span(now() - status.started_ms)}`);
  for (const job of status.jobs) {
    const part = state.jobs.get(job.name);
    let left = job.next_ms === null ? null : job.next_ms - now();
    // Until the next message comes, a start that is past gives way to the one after it.
    if (left !== null && left < 0) left += Math.ceil(-left / job.every_ms) * job.every_ms;
    say(part.next, left === null ? "never: ending" : left < 60_000 ? `${(left / 1000).toFixed(1)} s` : span(left));
    part.fill.style.transform = `scaleX(${left === null ? 0 : Math.max(0, 1 - left / job.every_ms).toFixed(3)})`;
    for (const [bar, run] of part.growing ?? []) raise(bar, length(run), Math.max(part.top, length(run)));
  }
  for (const row of state.rows.values()) {
    if (row.run.status === "running") say(row.took, took(length(row.run)));
  }
}

// ---- Talking to the service ---------------------------------------------------------

async function ask(method, path) {
  let response;
  try {
    response = await fetch(path, { method });
  } catch {
    throw new Error("The service does not answer.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The service answered ${response.status}.`);
  return answer;
}

async function act(button, method, path, words) {
  button.dataset.busy = "1";
  button.disabled = true;
  try {
    toast(words(await ask(method, path)));
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    delete button.dataset.busy;
    button.disabled = Boolean(state.status?.stopping) && button.className === "run";
  }
}

function toast(text, tone = "") {
  const note = make("div", { className: `toast ${tone}`, textContent: text });
  byId("toasts").append(note);
  setTimeout(() => note.remove(), 5000);
}

function live(word, text) {
  byId("live").dataset.state = word;
  say(byId("live").lastChild, text);
}

function arrived(status, how) {
  show(status);
  if (status.stopping) live("stop", "ending");
  else live("live", how);
}

/** Messages as they come; where they cannot, a question every two seconds. */
function listen() {
  if (!window.EventSource || location.hash === "#poll") return poll();
  const source = new EventSource("/api/events");
  source.onmessage = (message) => arrived(JSON.parse(message.data), "live");
  source.onerror = () => {
    live("lost", "reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(poll, 2000);
  };
}

async function poll() {
  try {
    arrived(await ask("GET", "/api/status"), "live, polling");
  } catch {
    live("lost", "no answer, trying again");
  }
  setTimeout(poll, 2000);
}

byId("filter").onchange = (event) => {
  state.filter = event.target.value;
  if (state.status) showRuns(state.status.jobs);
};
setInterval(tick, matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 100);
document.addEventListener("visibilitychange", tick);
ask("GET", "/api/status").then((status) => arrived(status, "live"), () => live("lost", "no answer")).finally(listen);
