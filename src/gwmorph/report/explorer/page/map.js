"use strict";
// The map: what is drawn by regl-scatterplot, and in which colours.

(() => {
  // Pixels that a chosen row has more than others.
  const SELECTED = 6;
  let plot = null;
  let painter = null; // of a map of very many rows
  let order = null; // the library knows rows by their place in it
  let view = null;
  let index = null;
  let filtered = null;
  let marked = null; // how what is chosen looks

  // Points shrink as they become more, so that dense parts stay readable.
  function pointSize(count) {
    return Math.max(1.2, Math.min(8, 400 / Math.sqrt(Math.max(count, 1))));
  }

  // `on` has over(row or -1) and chosen(rows).
  explorer.createMap = (canvas, shown, on) => {
    explorer.destroyMap();
    view = shown;
    index = null;
    filtered = null;
    marked = [1, SELECTED].join();
    order = explorer.paintingOrder(view.rows);
    const crowd = explorer.isCrowd(view.rows);
    if (crowd) painter = explorer.crowdPainter(canvas, pointSize);
    const { width, height } = canvas.parentElement.getBoundingClientRect();
    plot = reglScatterplot.default({
      canvas, width: "auto", height: "auto", aspectRatio: width / height,
      backgroundColor: "#ffffff", pointSize: pointSize(view.rows), pointSizeSelected: SELECTED,
      // What is not blended is painted whole.
      pointOutlineWidth: 2, opacity: crowd ? 1 : 0.85,
      pointColorActive: "#000000", pointColorHover: "#000000",
      lassoColor: "#0072b2", lassoMinDist: 4, lassoOnLongPress: false, showReticle: false,
      deselectOnEscape: false, performanceMode: crowd,
      // A finger is less sure than a mouse.
      ...(matchMedia("(pointer: coarse)").matches ? { pointSizeMouseDetection: 24 } : {}),
      cameraDistance: 1.25, ...(painter ? { renderer: painter.renderer } : {}),
    });
    painter?.paints(plot, pointSize(view.rows));
    plot.subscribe("pointOver", (place) => on.over(order.rowAt[place]));
    plot.subscribe("pointOut", () => on.over(-1));
    plot.subscribe("select", ({ points }) => on.chosen(points.map((place) => order.rowAt[place])));
    plot.subscribe("deselect", () => on.chosen([]));
    // A drawn lasso is one choice; then the pointer moves the map again.
    plot.subscribe("lassoEnd", () => on.lassoed());
  };

  // Changes properties, which the library does with its next frame.
  function set(properties) {
    plot.set(properties).then(() => painter?.change());
  }

  // Fingers move the camera as the library's mouse does: by parts of the map's height.
  const canvas = document.getElementById("canvas");
  explorer.listenToFingers(canvas, {
    lasso: () => plot?.get("mouseMode") === "lasso",
    moved: (x, y) => {
      const height = canvas.clientHeight;
      plot?.get("camera").pan([(2 * x) / height, (-2 * y) / height]);
      plot?.redraw();
    },
    zoomed: (factor, x, y) => {
      const { clientWidth: width, clientHeight: height } = canvas;
      plot?.get("camera").scale([factor, factor], [(2 * x - width) / height, (height - 2 * y) / height]);
      plot?.redraw();
    },
  });

  // The library's camera follows a pressed pointer from where it was at the last frame, which may be
  // before it was pressed: a quick click would move the map away under itself.
  canvas.addEventListener("mousedown", () => {
    if (plot?.get("camera").tick()) plot.redraw();
  }, { capture: true });

  // The map fills what room there is, as when the panel opens beside it.
  new ResizeObserver(([{ contentRect }]) => {
    const { width, height } = contentRect;
    if (plot && width && height) set({ aspectRatio: width / height });
  }).observe(document.getElementById("map"));

  explorer.destroyMap = () => {
    if (plot) plot.destroy();
    if (painter) painter.destroy();
    [plot, painter] = [null, null];
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
    const turn = async () => {
      if (own && own === plot) await (painter ? painter.during(work) : work());
    };
    last = last.then(turn, turn);
    return last;
  }

  explorer.drawMap = (coloring, rows) => inTurn(() => draw(coloring, rows));
  // `rows` null shows all.
  explorer.filterMap = (rows) => inTurn(() => filter(rows));

  async function draw(coloring, rows) {
    const { columns } = view;
    const { colors } = coloring;
    const placed = (column) => order.rowAt.reduce((made, row, place) => {
      made[place] = column[row];
      return made;
    }, new Float32Array(view.rows));
    plot.set({ colorBy: "valueA", pointColor: colors.length > 1 ? colors : [colors[0], colors[0]] });
    await plot.draw(
      { x: placed(columns.x), y: placed(columns.y), valueA: placed(coloring.z) },
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
    else await plot.filter(places(rows), { preventEvent: true });
  }

  function places(rows) {
    const found = Uint32Array.from(rows, (row) => order.placeOf[row]);
    return Array.from(painter ? found.sort() : found);
  }

  // Others fade only behind a choice: one opened row stands out by its size and its black ring.
  explorer.markRows = (rows, fade) => {
    if (!plot) return;
    const inactive = fade ? 0.3 : 1;
    // Among very many rows one is lost unless it is large, and a lasso's are many themselves.
    const size = painter ? (rows.length > 1 ? 2 : 12) : SELECTED;
    const look = [inactive, size].join();
    if (look !== marked) {
      set({ opacityInactiveScale: inactive, opacityInactiveMax: inactive, pointSizeSelected: size });
    }
    marked = look;
    if (!rows.length && !plot.get("selectedPoints").length) return;
    // What a lasso chose comes in the order of its index; few of it would not be like all of it.
    plot.deselect({ preventEvent: true });
    if (rows.length) plot.select(places(rows), { preventEvent: true });
    painter?.change();
  };

  explorer.screenPosition = (row) => plot.getScreenPosition(order.placeOf[row]);
  explorer.setLasso = (on) => plot?.set({ mouseMode: on ? "lasso" : "panZoom" });
  explorer.zoomBy = (factor) =>
    plot?.zoomToLocation(plot.get("cameraTarget"), plot.get("cameraDistance") * factor);
  explorer.wholeMap = () => plot?.reset();
})();
