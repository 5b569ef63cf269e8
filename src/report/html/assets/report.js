// Shows the cases of the data block: search, filters, a list that holds only the rows in view, details, links.
// Everything from the data becomes text nodes, never markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SIGNS = ["✗", "✗", "~", "–", "✓"];
  const WORDS = ["failed", "error", "flaky", "skipped", "passed"];
  const [JOB, CLASS, NAME, STATE, TIME, DETAIL] = [0, 1, 2, 3, 4, 5];
  const ROW = 34, BEYOND = 8;
  const cases = data.cases, classes = data.classes, jobs = data.jobs, details = data.details;
  const $ = (id) => document.getElementById(id);
  const list = $("list"), rows = $("rows"), search = $("search"), sort = $("sort"), jobSelect = $("job");

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const seconds = (ms) => ms === null ? "" : ms < 59950 ? (ms / 1000).toFixed(ms < 1000 ? 3 : 1) + "s"
    : Math.floor(Math.round(ms / 1000) / 60) + ":" + String(Math.round(ms / 1000) % 60).padStart(2, "0");
  const word = (one) => details[one[DETAIL]]?.word || WORDS[one[STATE]];
  const sign = (one) => (word(one) === "vacuous" ? "!" : SIGNS[one[STATE]]) + " " + word(one).replace("-", " ");

  // What a search looks through, made when it is first needed.
  let haystacks = null;
  const haystack = (index) => {
    if (!haystacks) haystacks = new Array(cases.length);
    let text = haystacks[index];
    if (text === undefined) {
      const one = cases[index];
      text = haystacks[index] = (jobs[one[JOB]].name + "\n" + classes[one[CLASS]] + "\n" + one[NAME] + "\n"
        + (details[one[DETAIL]]?.message || "")).toLowerCase();
    }
    return text;
  };

  // The view: which cases, in which order.
  const view = { states: new Set(), query: "", job: -1, sort: "worst" };
  let shown = [];          // indices of cases
  const opened = new Map(); // case index → height of its details in pixels
  let tops = [];           // [position in shown, height] of what is opened, in order
  let active = 0;          // position that has the keyboard
  const live = new Map();  // case index → row

  const compare = {
    worst: (a, b) => cases[a][STATE] - cases[b][STATE] || a - b,
    slowest: (a, b) => (cases[b][TIME] ?? -1) - (cases[a][TIME] ?? -1) || a - b,
    name: (a, b) => (cases[a][NAME] < cases[b][NAME] ? -1 : cases[a][NAME] > cases[b][NAME] ? 1 : a - b),
  };

  const apply = () => {
    const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
    shown = [];
    for (let index = 0; index < cases.length; index++) {
      const one = cases[index];
      if (view.states.size && !view.states.has(one[STATE])) continue;
      if (view.job >= 0 && one[JOB] !== view.job) continue;
      if (words.length) {
        const text = haystack(index);
        if (!words.every((each) => text.includes(each))) continue;
      }
      shown.push(index);
    }
    if (compare[view.sort]) shown.sort(compare[view.sort]);
    active = 0;
    settle();
    const count = (number) => number.toLocaleString("en");
    $("found").textContent = shown.length === cases.length ? `${count(cases.length)} cases`
      : `${count(shown.length)} of ${count(cases.length)} cases`;
    $("none").hidden = shown.length > 0;
  };

  // Heights changed: where everything is now.
  const settle = () => {
    const at = new Map(shown.map((index, position) => [index, position]));
    tops = [...opened].filter(([index]) => at.has(index)).map(([index, height]) => [at.get(index), height])
      .sort((a, b) => a[0] - b[0]);
    const height = shown.length * ROW + tops.reduce((sum, [, extra]) => sum + extra, 0);
    rows.style.height = height + "px";
    list.style.height = height < 300 ? Math.max(height, 60) + "px" : "";
    draw();
  };

  const top = (position) => {
    let above = position * ROW;
    for (const [at, extra] of tops) {
      if (at >= position) break;
      above += extra;
    }
    return above;
  };

  const first = (offset) => {
    let low = 0, high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (top(middle + 1) <= offset) low = middle + 1; else high = middle;
    }
    return low;
  };

  // Rows in view and the one that has the keyboard, in their order: Tab and screen readers go by the document's.
  const draw = () => {
    const until = list.scrollTop + list.clientHeight + BEYOND * ROW;
    const positions = [];
    for (let position = Math.max(0, first(list.scrollTop) - BEYOND); position < shown.length && top(position) < until; position++) {
      positions.push(position);
    }
    if (shown.length && !positions.includes(active)) {
      if (active < positions[0]) positions.unshift(active); else positions.push(active);
    }
    const wanted = new Set(positions.map((position) => shown[position]));
    for (const [index, row] of live) {
      if (!wanted.has(index)) {
        row.remove();
        live.delete(index);
      }
    }
    let last = null;
    for (const position of positions) last = place(position, last);
  };

  const place = (position, last) => {
    const index = shown[position];
    const row = live.get(index) || build(index);
    live.set(index, row);
    row.style.top = top(position) + "px";
    row.setAttribute("aria-posinset", position + 1);
    row.setAttribute("aria-setsize", shown.length);
    row.firstChild.tabIndex = position === active ? 0 : -1;
    row.dataset.position = position;
    const next = last ? last.nextSibling : rows.firstChild;
    if (next !== row) rows.insertBefore(row, next);
    measure(index, row);
    return row;
  };

  const measure = (index, row) => {
    if (!opened.has(index)) return;
    const height = row.lastChild.offsetHeight;
    if (height !== opened.get(index)) {
      opened.set(index, height);
      requestAnimationFrame(settle);
    }
  };

  const build = (index) => {
    const one = cases[index];
    const row = make("li");
    const button = make("button", "case");
    button.type = "button";
    button.setAttribute("aria-expanded", opened.has(index));
    button.append(make("span", "state " + word(one), sign(one)));
    const what = make("span", "what");
    what.append(make("span", "mono foreign", one[NAME]), " ", make("span", "class foreign", classes[one[CLASS]] || jobs[one[JOB]].name));
    button.append(what, make("span", "time", seconds(one[TIME])));
    button.addEventListener("click", () => toggle(index));
    row.addEventListener("focusin", () => { active = Number(row.dataset.position); });
    row.append(button);
    if (opened.has(index)) row.append(unfold(index));
    return row;
  };

  const toggle = (index) => {
    const row = live.get(index);
    if (!row) return;
    if (opened.delete(index)) {
      row.lastChild.remove();
      row.firstChild.setAttribute("aria-expanded", "false");
    } else {
      opened.set(index, 0);
      row.append(unfold(index));
      row.firstChild.setAttribute("aria-expanded", "true");
      history.replaceState(null, "", link(index));
    }
    active = Number(row.dataset.position);
    settle();
  };

  const pre = (parent, title, text) => {
    if (!text) return;
    parent.append(make("h3", "", title));
    const block = make("pre", "foreign", text);
    block.tabIndex = 0;
    block.setAttribute("role", "group");
    block.setAttribute("aria-label", title);
    parent.append(block);
  };
  const line = (parent, title, node, copied, what = "Copy") => {
    const box = make("div", "line");
    box.append(make("span", "", title), node);
    if (copied) {
      const button = make("button", "copy", what);
      button.type = "button";
      button.addEventListener("click", () => copy(copied, button, what));
      box.append(button);
    }
    parent.append(box);
  };
  const copy = async (text, button, what) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages opened from a file may have no clipboard: the old way works there.
      const area = make("textarea", "", text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = what; }, 1500);
  };

  const unfold = (index) => {
    const one = cases[index], job = jobs[one[JOB]], detail = details[one[DETAIL]] || {};
    const box = make("div", "detail");
    if (detail.message) box.append(make("p", "foreign", detail.message));
    line(box, "case", make("code", "foreign", one[NAME]), location.href.split("#")[0] + link(index), "Copy link");
    line(box, "class", make("code", "foreign", classes[one[CLASS]] || "–"));
    line(box, "job", make("code", "foreign", job.name));
    if (detail.place) line(box, "place", make("code", "foreign", detail.place));
    if (detail.type) line(box, "type", make("code", "foreign", detail.type));
    if (job.again && one[STATE] < 4) line(box, "again", make("code", "foreign", job.again), job.again);
    if (job.log) {
      const anchor = make("a", "mono foreign", job.log);
      anchor.href = job.log.split("/").map(encodeURIComponent).join("/");
      line(box, "log", anchor);
    }
    for (const [title, text] of detail.texts || []) pre(box, title, text);
    return box;
  };

  // Links: #case=JOB/CLASS/NAME opens a case, …/2 the second of that name; the rest is the view.
  const is = ([job, group, name]) => (one) => one[NAME] === name && classes[one[CLASS]] === group && jobs[one[JOB]].name === job;
  const link = (index) => {
    const one = cases[index], parts = [jobs[one[JOB]].name, classes[one[CLASS]], one[NAME]];
    const before = cases.slice(0, index).filter(is(parts)).length;
    return "#case=" + (before ? [...parts, String(before + 1)] : parts).map(encodeURIComponent).join("/");
  };
  const find = (wanted) => {
    let parts;
    try { parts = wanted.split("/").map(decodeURIComponent); } catch { return -1; }
    const matches = is(parts);
    let left = Number(parts[3] || 1);
    return cases.findIndex((one) => matches(one) && --left === 0);
  };
  const write = () => {
    const parts = new URLSearchParams();
    if (view.query) parts.set("q", view.query);
    if (view.states.size) parts.set("state", [...view.states].map((state) => WORDS[state]).join(","));
    if (view.job >= 0) parts.set("job", jobs[view.job].name);
    if (view.sort !== "worst") parts.set("sort", view.sort);
    history.replaceState(null, "", "#" + parts);
  };
  const read = () => {
    const hash = location.hash.slice(1);
    view.query = "";
    view.job = -1;
    view.states = new Set();
    if (hash.startsWith("case=")) {
      show(hash.slice(5));
      return;
    }
    const parts = new URLSearchParams(hash);
    view.query = parts.get("q") || "";
    view.job = jobs.findIndex((job) => job.name === parts.get("job"));
    view.sort = compare[parts.get("sort")] || parts.get("sort") === "report" ? parts.get("sort") : view.sort;
    for (const state of (parts.get("state") || "").split(",")) {
      if (WORDS.includes(state)) view.states.add(WORDS.indexOf(state));
    }
    controls();
    apply();
    if (parts.has("job")) $("cases").scrollIntoView();
  };
  const show = (wanted) => {
    const index = find(wanted);
    // Before the rows are made: a row that is there already would stay folded.
    if (index >= 0) opened.set(index, 0);
    live.forEach((row) => row.remove());
    live.clear();
    controls();
    apply();
    if (index < 0) {
      $("found").textContent = "The case of this link is not in this report.";
      return;
    }
    focus(shown.indexOf(index));
    $("cases").scrollIntoView();
  };

  const focus = (position) => {
    if (!shown.length) return;
    active = Math.min(Math.max(position, 0), shown.length - 1);
    const at = top(active);
    if (at < list.scrollTop) list.scrollTop = at;
    if (at + ROW > list.scrollTop + list.clientHeight) list.scrollTop = at + ROW - list.clientHeight / 2;
    draw();
    live.get(shown[active])?.firstChild.focus({ preventScroll: true });
  };

  const controls = () => {
    search.value = view.query;
    sort.value = view.sort;
    jobSelect.value = String(view.job);
    for (const chip of document.querySelectorAll(".chip")) {
      const state = chip.dataset.state;
      chip.setAttribute("aria-pressed", state === "all" ? view.states.size === 0 : view.states.has(WORDS.indexOf(state)));
    }
  };
  const change = () => {
    list.scrollTop = 0;
    controls();
    apply();
    write();
  };

  search.addEventListener("input", () => { view.query = search.value; change(); });
  sort.addEventListener("change", () => { view.sort = sort.value; change(); });
  jobSelect.addEventListener("change", () => { view.job = Number(jobSelect.value); change(); });
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      const state = WORDS.indexOf(chip.dataset.state);
      if (state < 0) view.states.clear();
      else if (!view.states.delete(state)) view.states.add(state);
      change();
    });
  }
  list.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!event.target.classList.contains("case") || !(event.key in steps)) return;
    event.preventDefault();
    focus(active + steps[event.key]);
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      search.focus();
      search.select();
    }
    if (event.target === search && event.key === "ArrowDown") {
      event.preventDefault();
      focus(0);
    }
    if (event.target === search && event.key === "Escape" && search.value) {
      event.preventDefault();
      view.query = "";
      change();
    }
  });
  window.addEventListener("resize", () => requestAnimationFrame(draw));
  // The link that skips to the cases leaves the view as it is.
  window.addEventListener("hashchange", () => { if (location.hash !== "#cases") read(); });

  // Light and dark: the system's choice until a button says otherwise.
  const theme = $("theme"), themes = ["auto", "light", "dark"];
  const paint = (name) => {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    theme.textContent = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" }[name];
    theme.dataset.name = name;
  };
  const remembered = () => { try { return localStorage.getItem("kata-ci-theme"); } catch { return null; } };
  paint(themes.includes(remembered()) ? remembered() : "auto");
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(theme.dataset.name) + 1) % themes.length];
    paint(next);
    try { localStorage.setItem("kata-ci-theme", next); } catch { /* a page from a file may not remember */ }
  });

  jobs.forEach((job, index) => {
    const option = make("option", "", job.name);
    option.value = index;
    jobSelect.append(option);
  });
  $("live").hidden = false;
  theme.hidden = false;
  read();
  document.documentElement.dataset.ready = "yes";
})();
