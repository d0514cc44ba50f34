"use strict";
// The page: controls change the state, the state decides what is shown and what the address says.

(() => {
  const $ = (id) => document.getElementById(id);
  const { element } = explorer;
  const COLORS = Array.from($("color").options, (option) => option.value);
  let state = null;
  let view = null;
  let coloring = null;
  let shown = null; // rows that pass the filters; null for all
  let lassoed = []; // rows that a lasso chose
  let opened = -1;

  function say(text) {
    $("message").textContent = text;
    $("message").hidden = !text;
  }

  function remember() {
    const hash = explorer.writeState(state);
    if (hash !== location.hash) history.replaceState(null, "", hash);
  }

  async function start() {
    const about = await explorer.loadRun();
    document.title = `${about.run} · gwmorph explorer`;
    $("title").textContent = `Run ${about.run}`;
    for (const name of about.views) {
      const input = element("input", { type: "radio", name: "view", value: name });
      input.onchange = () => switchTo({ ...explorer.freshState(name), color: state.color });
      $("views").append(element("label", {}, input, element("span", { textContent: `${name}s` })));
    }
    if (!about.views.length) return say("This run has clustered nothing: there is nothing to explore.");
    await switchTo(explorer.readState(location.hash, about.views, COLORS));
    window.addEventListener("hashchange", () =>
      switchTo(explorer.readState(location.hash, about.views, COLORS)).catch(fail));
    document.documentElement.dataset.ready = "yes";
  }

  async function switchTo(wanted) {
    const other = !view || view.name !== wanted.view;
    state = wanted;
    if (other) {
      closePanel(false);
      view = await explorer.loadView(state.view);
      lassoed = [];
      buildFilters();
      say("");
      if (view.rows) prepareMap();
      else explorer.destroyMap();
    }
    if (!view.hasStatuses && state.color === "status") state.color = "cluster";
    if (!view.hasClasses && state.color === "class") state.color = "cluster";
    showControls();
    if (!view.rows) {
      say(`This run has no ${view.name}s to show.`);
      $("count").textContent = `no ${view.name}s`;
      describeChosen();
      return remember();
    }
    shown = passing();
    describeCount();
    await recolor();
    if (state.open) {
      const row = explorer.find(view, ...state.open.split("@"));
      if (row >= 0) await open(view.name, row);
      else closePanel();
    } else closePanel();
    remember();
  }

  function prepareMap() {
    try {
      explorer.createMap($("canvas"), view, {
        over: hover,
        chosen: (rows) => {
          if (rows.length === 1) return open(view.name, rows[0]).catch(fail);
          lassoed = rows;
          describeChosen();
          mark();
          if (!rows.length && opened >= 0) closePanel();
        },
        lassoed: () => lasso(false),
      });
    } catch (error) {
      say(`The map cannot be drawn: this browser offers no WebGL (${error.message}). Filters, export and the keys j and k work all the same.`);
    }
  }

  async function recolor() {
    coloring = explorer.coloring(view, state.color);
    showLegend();
    if ($("message").hidden) {
      await explorer.drawMap(coloring, shown);
      mark();
    }
  }

  // Filters.

  const FILTERS = ["detectors", "statuses", "clusters"];

  function passing() {
    const { columns } = view;
    const allowed = (words, all) => words && all.map((word) => words.includes(word));
    const detectors = allowed(state.detectors, view.detectors);
    const statuses = allowed(state.statuses, view.statuses);
    const clusters = allowed(state.clusters, view.clusters.map((_, number) => number));
    const [[low, high], [from, to]] = [state.snr, state.time];
    if (!detectors && !statuses && !clusters && [low, high, from, to].every((one) => one === null)) return null;
    const rows = [];
    for (let i = 0; i < view.rows; i += 1) {
      if (detectors && !detectors[columns.detector[i]]) continue;
      if (statuses && !statuses[columns.status[i]]) continue;
      if (clusters && !clusters[columns.cluster[i]]) continue;
      if ((low !== null && columns.snr[i] < low) || (high !== null && columns.snr[i] > high)) continue;
      if (from !== null || to !== null) {
        const time = explorer.time(view, i);
        if ((from !== null && time < from) || (to !== null && time > to)) continue;
      }
      rows.push(i);
    }
    return Uint32Array.from(rows);
  }

  function describeCount() {
    const all = view.rows.toLocaleString("en");
    const count = (shown ? shown.length : view.rows).toLocaleString("en");
    $("count").textContent = shown ? `${count} of ${all} ${view.name}s` : `${all} ${view.name}s`;
    if (shown) {
      const kept = new Set(shown);
      lassoed = lassoed.filter((row) => kept.has(row));
    }
    describeChosen();
  }

  async function refilter() {
    shown = passing();
    describeCount();
    remember();
    if ($("message").hidden) {
      await explorer.filterMap(shown);
      mark();
    }
  }

  function buildFilters() {
    const counted = (codes, length) => {
      const counts = new Array(length).fill(0);
      for (const code of codes) counts[code] += 1;
      return counts;
    };
    const { columns } = view;
    boxes("detectors", view.detectors, view.detectors, counted(columns.detector, view.detectors.length));
    boxes("statuses", view.statuses, view.statuses.map((name) => name || "none"),
      counted(columns.status, view.statuses.length), view.statusColors);
    $("statuses").hidden = !view.hasStatuses;
    const numbers = view.clusters.map((_, number) => number);
    boxes("clusters", numbers, numbers.map((number) => explorer.clusterName(view, number)),
      view.clusters.map((one) => one.members), view.clusters.map((one) => one.color));
  }

  function boxes(name, values, words, counts, colors = null) {
    const only = (value) => {
      const alone = state[name]?.length === 1 && state[name][0] === value;
      state[name] = alone ? null : [value];
      showControls();
      refilter().catch(fail);
    };
    const rows = values.map((value, i) => {
      const input = element("input", { type: "checkbox", value: String(value) });
      input.onchange = () => {
        const kept = Array.from($(name).querySelectorAll("input:checked"), (one) => one.value);
        const chosen = values.filter((one) => kept.includes(String(one)));
        state[name] = chosen.length === values.length ? null : chosen;
        refilter().catch(fail);
      };
      const swatch = element("span", { className: "swatch" });
      if (colors) swatch.style.background = colors[i];
      const button = element("button", { type: "button", className: "only", textContent: "only" });
      button.setAttribute("aria-label", `Only ${words[i]}`);
      button.onclick = () => only(value);
      return element("div", { className: "choice" },
        element("label", {}, input, ...(colors ? [swatch] : []),
          element("span", { className: "word", textContent: words[i], title: words[i] }),
          element("span", { className: "number", textContent: counts[i].toLocaleString("en") })),
        ...(values.length > 1 ? [button] : []));
    });
    $(name).replaceChildren($(name).querySelector("legend"), ...rows);
  }

  function showControls() {
    for (const input of $("views").querySelectorAll("input")) input.checked = input.value === state.view;
    $("color").value = state.color;
    $("color").querySelector("[value=status]").disabled = !view.hasStatuses;
    $("color").querySelector("[value=class]").disabled = !view.hasClasses;
    for (const name of FILTERS) {
      for (const input of $(name).querySelectorAll("input")) {
        input.checked = !state[name] || state[name].map(String).includes(input.value);
      }
    }
    for (const name of ["snr", "time"]) {
      [$(`${name}-low`).value, $(`${name}-high`).value] = state[name].map((one) => one ?? "");
    }
  }

  function showLegend() {
    const rows = [];
    if (coloring.type === "continuous") {
      const bar = element("div", { className: "bar" });
      bar.style.background = `linear-gradient(to right, ${coloring.colors.join(",")})`;
      const unit = { time: "GPS s", snr: "SNR", frequency: "Hz" }[state.color];
      const end = (value) => Number(value.toPrecision(state.color === "time" ? 10 : 3));
      rows.push(bar, element("p", { className: "ends" },
        element("span", { textContent: `${end(coloring.low)}` }),
        element("span", { textContent: `${unit}${coloring.logarithmic ? ", logarithmic" : ""}` }),
        element("span", { textContent: `${end(coloring.high)}` })));
    } else if (state.color === "class") {
      view.classes.forEach((name, i) => {
        const swatch = element("span", { className: "swatch" });
        swatch.style.background = coloring.colors[i];
        rows.push(element("span", { className: "class" }, swatch, ` ${name.replaceAll("_", " ") || "no known class"}`));
      });
    }
    if (!view.hasStatuses) rows.push(element("p", { textContent: "This run has no statuses." }));
    if (!view.hasClasses) rows.push(element("p", { textContent: "No labelled rows: clusters have no names." }));
    $("legend").replaceChildren(...rows);
  }

  // Hover and open.

  function hover(row) {
    const box = $("hover");
    box.hidden = row < 0;
    if (row < 0) return;
    const words = `${explorer.detector(view, row)} ${explorer.gps(view, row)}`;
    box.replaceChildren(explorer.pictureElement(explorer.picture(view, row), words),
      element("p", { textContent: words }),
      element("p", { textContent: `cluster ${explorer.clusterName(view, view.columns.cluster[row])} · SNR ${view.columns.snr[row].toFixed(1)}` }));
    const [x, y] = explorer.screenPosition(row) ?? [0, 0];
    const { clientWidth, clientHeight } = $("map");
    box.style.left = `${Math.max(4, x + 240 > clientWidth ? x - 236 : x + 14)}px`;
    box.style.top = `${Math.max(4, Math.min(y + 14, clientHeight - 260))}px`;
  }

  async function open(name, row) {
    if (name !== view.name) {
      const other = await explorer.loadView(name);
      const key = `${explorer.detector(other, row)}@${explorer.gps(other, row)}`;
      return switchTo({ ...explorer.freshState(name), color: state.color, open: key });
    }
    opened = row;
    state.open = `${explorer.detector(view, row)}@${explorer.gps(view, row)}`;
    remember();
    mark();
    await explorer.fillPanel($("panel"), view, row, {
      open: (...where) => open(...where).catch(fail),
      close: () => closePanel(),
      isCurrent: () => opened === row,
    });
    document.body.classList.add("opened");
  }

  function closePanel(saying = true) {
    const had = !$("panel").hidden;
    opened = -1;
    $("panel").hidden = true;
    $("panel").replaceChildren();
    document.body.classList.remove("opened");
    if (!state) return;
    if (saying) {
      state.open = null;
      remember();
      mark();
      if (had) $("canvas").focus({ preventScroll: true });
    }
  }

  function mark() {
    if (!$("message").hidden || !view.rows) return;
    const visible = opened >= 0 && (!shown || shown.includes(opened));
    explorer.markRows([...lassoed, ...(visible ? [opened] : [])], lassoed.length > 0);
  }

  function step(by) {
    const kept = shown && new Set(shown);
    const order = explorer.order(view);
    const rows = kept ? order.filter((row) => kept.has(row)) : order;
    if (!rows.length) return;
    const at = rows.indexOf(opened);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
    open(view.name, rows[next]).catch(fail);
  }

  // Export.

  function chosenRows() {
    if (lassoed.length) return lassoed;
    return shown ?? Uint32Array.from({ length: view.rows }, (_, i) => i);
  }

  function describeChosen() {
    const count = lassoed.length || (shown ? shown.length : view.rows);
    $("chosen-count").textContent = lassoed.length
      ? `${count.toLocaleString("en")} chosen` : `All ${count.toLocaleString("en")} shown`;
    $("unchoose").hidden = !lassoed.length;
    for (const id of ["save-times", "save-labels"]) $(id).disabled = !count;
  }

  function lasso(on) {
    $("lasso").setAttribute("aria-pressed", String(on));
    explorer.setLasso(on);
  }

  function clearChosen() {
    lassoed = [];
    describeChosen();
    mark();
  }

  $("color").onchange = () => {
    state.color = $("color").value;
    remember();
    recolor().catch(fail);
  };
  for (const name of ["snr", "time"]) {
    for (const [i, end] of ["low", "high"].entries()) {
      $(`${name}-${end}`).oninput = (event) => {
        state[name][i] = explorer.number(event.target.value);
        refilter().catch(fail);
      };
    }
  }
  $("reset").onclick = () => {
    const { view: name, color, open: key } = state;
    state = { ...explorer.freshState(name), color, open: key };
    showControls();
    refilter().catch(fail);
  };
  $("lasso").onclick = () => lasso($("lasso").getAttribute("aria-pressed") !== "true");
  $("closer").onclick = () => explorer.zoomBy(0.7);
  $("farther").onclick = () => explorer.zoomBy(1 / 0.7);
  $("whole").onclick = () => explorer.wholeMap();
  $("unchoose").onclick = clearChosen;
  $("save-times").onclick = () =>
    explorer.save(`${explorer.about.run}-${view.name}s.csv`, explorer.timesFile(view, chosenRows()));
  $("save-labels").onclick = () => {
    const label = $("label").value.trim();
    $("label").setCustomValidity(label ? "" : "Name the class of these rows first.");
    if (!$("label").reportValidity()) return;
    explorer.save(`${explorer.about.run}-labels.csv`, explorer.labelFile(view, chosenRows(), label));
  };
  $("label").oninput = () => $("label").setCustomValidity("");
  for (const id of ["controls", "chosen"]) $(id).onsubmit = (event) => event.preventDefault();
  $("toggle-controls").onclick = () => {
    const hidden = document.body.classList.toggle("no-controls");
    $("toggle-controls").setAttribute("aria-expanded", String(!hidden));
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !view?.rows) return;
    if (event.key === "Escape") {
      if ($("lasso").getAttribute("aria-pressed") === "true") lasso(false);
      else if (opened >= 0) closePanel();
      else clearChosen();
      return;
    }
    if (event.target.closest("input, select, textarea")) return;
    const by = { j: 1, ArrowRight: 1, ArrowDown: 1, k: -1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by || (event.key.startsWith("Arrow") && event.target.closest("#panel"))) return;
    event.preventDefault();
    step(by);
  });

  function fail(error) {
    say(error.message);
    console.error(error);
  }

  if (matchMedia("(max-width: 700px)").matches) $("toggle-controls").click();
  start().catch(fail);
})();
