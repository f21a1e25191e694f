// Everything shown comes from one object, /api/status; text only ever becomes text
// nodes, so what a job prints cannot become markup.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
const STATUSES = ["ok", "failed", "timeout", "cancelled", "interrupted", "skipped"];
const ROWS = 40, BARS = 40, SAMPLES = 60;

const state = { skew: 0, status: null, jobs: new Map(), loops: new Map(), rows: new Map(), filter: "" };

// ---- Making elements ----------------------------------------------------------

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Changes a text only when it differs: a selection inside it survives. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- Words ----------------------------------------------------------------------

const now = () => Date.now() + state.skew;

function took(ms) {
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)}\u00a0s`;
  return span(ms);
}

function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d}\u00a0d ${h}\u00a0h`;
  if (h) return `${h}\u00a0h ${m}\u00a0min`;
  if (m) return `${m}\u00a0min ${s % 60}\u00a0s`;
  return `${s}\u00a0s`;
}

/** The time of day, with the date if it is not today. */
function clock(ms) {
  const date = new Date(ms);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const today = new Date(now()).toDateString() === date.toDateString();
  return today ? time : `${date.toLocaleDateString([], { month: "short", day: "numeric" })}, ${time}`;
}

const length = (run) => (run.finished_ms ?? now()) - run.started_ms;
const isOver = (run) => run.status !== "running" && run.status !== "queued";
const ran = (run) => isOver(run) && run.status !== "skipped" && run.status !== "interrupted";

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : 0;
}

// ---- A job's card ---------------------------------------------------------------

function jobCard(job) {
  const part = {
    badge: make("span", { className: "badge" }),
    about: make("p", { className: "about", textContent: job.about ?? "" }),
    next: make("b"), nextNote: make("span"), fill: make("i"),
    chart: draw("svg", { viewBox: "0 0 320 66", preserveAspectRatio: "none", role: "img" }),
    last: make("span"), most: make("span"),
    counts: make("div", { className: "counts" }),
    run: make("button", { className: "run", textContent: "Run now", type: "button" }),
    cancels: make("span"),
  };
  part.run.setAttribute("aria-label", `Run ${job.name} now`);
  part.run.onclick = () => act(part.run, "POST", `/api/jobs/${encodeURIComponent(job.name)}/run`,
    (answer) => `${job.name}: run ${answer.id} ${answer.status === "queued" ? "is queued" : "has started"}`);
  part.nextNote.append("next start in ", part.next);
  const action = make("code", { className: "action", textContent: job.action.replace(/\s+/g, " "), title: job.action });
  part.root = make("article", { className: "job" },
    make("header", {}, make("h3", { textContent: job.name }), make("span", { className: "kind", textContent: job.kind }), part.badge),
    part.about, action,
    make("div", { className: "next" }, part.nextNote, make("span", { textContent: `every ${brief(job.every_ms)} · ${job.overlap}` })),
    make("div", { className: "track", ariaHidden: "true" }, part.fill),
    make("figure", {}, part.chart, make("figcaption", {}, part.last, part.most)),
    make("footer", {}, part.run, part.cancels, part.counts));
  return part;
}

function brief(ms) {
  for (const [unit, size] of [["d", 864e5], ["h", 36e5], ["min", 6e4], ["s", 1e3]]) {
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  }
  return took(ms);
}

function showJob(part, job) {
  const [last] = job.recent ?? [];
  const word = job.running ? "running" : last?.status ?? "queued";
  part.badge.className = `badge ${word}`;
  say(part.badge, job.running > 1 ? `${job.running} running` : last || job.running ? word : "no run yet");
  part.run.disabled = state.status.stopping || part.run.dataset.busy === "1";
  showChart(part, job.recent ?? []);
  const counts = [...STATUSES.map((s) => [s, job.ended[s]]), ["queued", job.waiting], ["missed", job.missed]].filter(([, n]) => n);
  const key = counts.join();
  if (part.countsKey !== key) {
    part.countsKey = key;
    part.counts.replaceChildren(...counts.map(([word, n]) => make("span", { className: word, textContent: `${n.toLocaleString()} ${word}` })));
  }
  const open = (job.recent ?? []).filter((run) => !isOver(run)).slice(0, 4);
  const ids = open.map((run) => run.id).join();
  if (part.ids !== ids) {
    part.ids = ids;
    part.cancels.replaceChildren(...open.flatMap((run) => [cancelButton(run, open.length > 1 ? `Cancel #${run.id}` : "Cancel"), " "]));
  }
}

function cancelButton(run, text) {
  const button = make("button", { className: "cancel", textContent: text, type: "button" });
  button.setAttribute("aria-label", `Cancel run ${run.id}`);
  button.onclick = () => act(button, "DELETE", `/api/runs/${run.id}`, () => `Run ${run.id} is being cancelled`);
  return button;
}

/** One bar a run, oldest at the left; its height is its duration. */
function showChart(part, recent) {
  const runs = recent.slice(0, BARS).reverse();
  const times = runs.filter(ran).map(length);
  const top = Math.max(1, ...times);
  const step = 320 / BARS, offset = 320 - runs.length * step;
  part.top = top;
  part.growing = [];
  const bars = runs.map((run, index) => {
    const bar = draw("rect", { x: (offset + index * step + 1).toFixed(2), width: step - 2, rx: 1.5, class: run.status });
    const detail = run.status === "skipped" || run.status === "queued" ? run.status : `${run.status}, ${took(length(run))}`;
    bar.append(draw("title", {}, `#${run.id} at ${clock(run.started_ms)}: ${detail}`));
    raise(bar, run.status === "skipped" || run.status === "queued" ? 0 : length(run), top);
    if (run.status === "running") part.growing.push([bar, run]);
    return bar;
  });
  part.chart.replaceChildren(draw("line", { class: "axis", x1: 0, x2: 320, y1: 65.5, y2: 65.5 }), ...bars);
  const middle = median(times);
  const lastOver = recent.find(ran);
  say(part.last, lastOver ? `last ${took(length(lastOver))} · median ${took(middle)}` : "durations of the last runs");
  say(part.most, times.length ? `slowest ${took(top)}` : "");
  part.chart.setAttribute("aria-label", times.length
    ? `Durations of the last ${times.length} runs: last ${took(length(lastOver))}, median ${took(middle)}, slowest ${took(top)}`
    : "No durations yet");
}

function raise(bar, ms, top) {
  const height = Math.max(3, 62 * Math.min(1, ms / top));
  bar.setAttribute("y", (65 - height).toFixed(2));
  bar.setAttribute("height", height.toFixed(2));
}
