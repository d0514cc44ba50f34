"use strict";
// The map: what is drawn by regl-scatterplot, and in which colours.

(() => {
  const MANY = 100000;
  let plot = null;
  let view = null;
  let index = null;
  let filtered = null;

  // Points shrink as they become more, so that dense parts stay readable.
  function pointSize(count) {
    return Math.max(1.2, Math.min(8, 400 / Math.sqrt(Math.max(count, 1)))) ;
  }

  // `on` has over(row or -1) and chosen(rows).
  explorer.createMap = (canvas, shown, on) => {
    explorer.destroyMap();
    view = shown;
    index = null;
    filtered = null;
    const { width, height } = canvas.parentElement.getBoundingClientRect();
    plot = reglScatterplot.default({
      canvas, width: "auto", height: "auto", aspectRatio: width / height,
      backgroundColor: "#ffffff", pointSize: pointSize(view.rows), pointSizeSelected: 6,
      pointOutlineWidth: 2, opacity: view.rows > MANY ? 0.6 : 0.85,
      pointColorActive: "#000000", pointColorHover: "#000000",
      lassoColor: "#0072b2", lassoMinDist: 4, lassoOnLongPress: false, showReticle: false,
      deselectOnEscape: false, performanceMode: view.rows > MANY,
      cameraDistance: 1.25,
    });
    plot.subscribe("pointOver", (row) => on.over(row));
    plot.subscribe("pointOut", () => on.over(-1));
    plot.subscribe("select", ({ points }) => on.chosen(points));
    plot.subscribe("deselect", () => on.chosen([]));
    // A drawn lasso is one choice; then the pointer moves the map again.
    plot.subscribe("lassoEnd", () => on.lassoed());
  };

  // The map fills what room there is, as when the panel opens beside it.
  new ResizeObserver(([{ contentRect }]) => {
    const { width, height } = contentRect;
    if (plot && width && height) plot.set({ aspectRatio: width / height });
  }).observe(document.getElementById("map"));

  explorer.destroyMap = () => {
    if (plot) plot.destroy();
    plot = null;
  };

  // Values and colours of one way to colour, and how to say it: entries or a scale.
  explorer.coloring = (shown, by) => {
    const { columns } = shown;
    const { greys, ramps, palette } = explorer.about;
    if (by === "cluster") return listed(columns.cluster, shown.clusters.map((one) => one.color));
    if (by === "status") return listed(columns.status, shown.statusColors);
    if (by === "class") {
      const colors = shown.classes.map((name, i) => (name ? palette[i % palette.length] : greys));
      return listed(columns.named, colors);
    }
    if (by === "time") return scaled(columns.second, ramps.time, false);
    return scaled(columns[by], ramps[by], true);
  };

  function listed(values, colors) {
    return { type: "categorical", z: Float32Array.from(values), colors };
  }

  function scaled(values, colors, logarithmic) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const put = logarithmic ? (value) => Math.log(Math.max(value, 1e-9)) : (value) => value;
    const [from, to] = [put(low), put(high)];
    const z = Float32Array.from(values, (value) => (to > from ? (put(value) - from) / (to - from) : 0.5));
    return { type: "continuous", z, colors, low, high, logarithmic };
  }

  // The library draws one thing at a time and ignores what comes meanwhile: each waits its turn, and
  // what was meant for a map that is gone is dropped.
  let last = Promise.resolve();

  function inTurn(work) {
    const own = plot;
    const turn = async () => { if (own && own === plot) await work(); };
    last = last.then(turn, turn);
    return last;
  }

  explorer.drawMap = (coloring, rows) => inTurn(() => draw(coloring, rows));
  // `rows` null shows all.
  explorer.filterMap = (rows) => inTurn(() => filter(rows));

  async function draw(coloring, rows) {
    const { columns } = view;
    const { colors } = coloring;
    plot.set({ colorBy: "valueA", pointColor: colors.length > 1 ? colors : [colors[0], colors[0]] });
    await plot.draw(
      { x: columns.x, y: columns.y, valueA: coloring.z },
      { zDataType: coloring.type, ...(index ? { spatialIndex: index } : {}) },
    );
    index = plot.get("spatialIndex") ?? null;
    filtered = null;
    await filter(rows);
  }

  async function filter(rows) {
    if (rows === filtered) return;
    filtered = rows;
    if (rows === null) await plot.unfilter({ preventEvent: true });
    else await plot.filter(Array.from(rows), { preventEvent: true });
  }

  // Others fade only behind a choice: one opened row stands out by its size and its black ring.
  explorer.markRows = (rows, fade) => {
    if (!plot) return;
    plot.set({ opacityInactiveScale: fade ? 0.3 : 1, opacityInactiveMax: fade ? 0.3 : 1 });
    if (rows.length) plot.select(Array.from(rows), { preventEvent: true });
    else plot.deselect({ preventEvent: true });
  };

  explorer.screenPosition = (row) => plot.getScreenPosition(row);
  explorer.setLasso = (on) => plot?.set({ mouseMode: on ? "lasso" : "panZoom" });
  explorer.zoomBy = (factor) =>
    plot?.zoomToLocation(plot.get("cameraTarget"), plot.get("cameraDistance") * factor);
  explorer.wholeMap = () => plot?.reset();
})();
