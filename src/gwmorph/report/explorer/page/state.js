"use strict";
// What the page shows, in its address after the '#': whoever gets the link sees the same.

(() => {
  const LISTS = ["detectors", "statuses", "clusters"];
  const RANGES = ["snr", "time"];

  // No list means all; [low, high] of a range may be null.
  explorer.freshState = (view) => ({
    view, color: "cluster", open: null,
    detectors: null, statuses: null, clusters: null,
    snr: [null, null], time: [null, null],
  });

  explorer.writeState = (state) => {
    const said = new URLSearchParams();
    said.set("view", state.view);
    said.set("color", state.color);
    for (const name of LISTS) if (state[name]) said.set(name, state[name].join(","));
    for (const name of RANGES) {
      const [low, high] = state[name];
      if (low !== null || high !== null) said.set(name, `${low ?? ""}:${high ?? ""}`);
    }
    if (state.open) said.set("open", state.open);
    return `#${said}`;
  };

  // Whatever a link says that cannot be, is left out.
  explorer.readState = (hash, views, colors) => {
    const said = new URLSearchParams(hash.replace(/^#/, ""));
    const state = explorer.freshState(views.includes(said.get("view")) ? said.get("view") : views[0]);
    if (colors.includes(said.get("color"))) state.color = said.get("color");
    for (const name of LISTS) {
      if (said.has(name)) state[name] = said.get(name).split(",").filter((word) => word !== "");
    }
    if (state.clusters) state.clusters = state.clusters.map(Number).filter(Number.isInteger);
    for (const name of RANGES) {
      if (said.has(name)) state[name] = [0, 1].map((i) => number(said.get(name).split(":")[i]));
    }
    if (/^[A-Z]\d@\d+\.\d{9}$/.test(said.get("open") ?? "")) state.open = said.get("open");
    return state;
  };

  function number(text) {
    return text && Number.isFinite(Number(text)) ? Number(text) : null;
  }
  explorer.number = number;
})();
