"use strict";
// How a map of very many rows is painted: few of them while it moves, all of them when it rests, and
// nothing anew while only the pointer moves. A graphics card would not need it; without one a million
// points take half a second.

(() => {
  // Rows from which on this is so, and how many of them are painted while the map moves.
  const MANY = 50000;
  const FEW = 20000;
  const REST_MS = 400;

  explorer.isCrowd = (rows) => rows > MANY;

  // The order in which rows are painted: steps of the golden section go evenly through all of them
  // from any beginning, so that the first few are like all, whatever the rows are sorted by.
  explorer.paintingOrder = (rows) => {
    let step = explorer.isCrowd(rows) ? Math.round(rows * (Math.sqrt(5) - 1) / 2) : 1;
    while (divisor(step, rows) > 1) step += 1;
    const rowAt = new Uint32Array(rows);
    const placeOf = new Uint32Array(rows);
    for (let place = 0, row = 0; place < rows; place += 1, row = (row + step) % rows) {
      rowAt[place] = row;
      placeOf[row] = place;
    }
    return { rowAt, placeOf };
  };

  function divisor(a, b) {
    return b ? divisor(b, a % b) : a;
  }

  // A renderer for the library that paints into a canvas of its own below `front`, which saves
  // copying every frame, and what tells it of changes. `sizeOf` says how large so many points are.
  explorer.crowdPainter = (front, sizeOf) => {
    const canvas = explorer.element("canvas", { className: "points" });
    canvas.setAttribute("aria-hidden", "true");
    const ring = explorer.element("div", { className: "ring", hidden: true });
    front.before(canvas);
    front.after(ring);
    // The library takes the context that is there: without smoothing, which costs the most, and with
    // colours that fade as the library writes them.
    const gl = canvas.getContext("webgl", { antialias: false, premultipliedAlpha: false });
    let most = Infinity;
    if (gl) {
      const paint = gl.drawArrays.bind(gl);
      gl.drawArrays = (mode, first, count) =>
        paint(mode, first, mode === gl.POINTS ? Math.min(count, most) : count);
    }
    const renderer = reglScatterplot.createRenderer({ canvas });
    let plot = null;
    let size = null;
    let painted = null; // where the camera was, and the map's size
    let changed = true;
    let held = false; // a button is down, or a lasso is being drawn
    let busy = false;
    let resting = null; // the timer of a map that moves

    function encircle(place) {
      ring.hidden = place === undefined;
      if (ring.hidden) return;
      const [x, y] = plot.getScreenPosition(place);
      ring.style.transform = `translate(${x}px, ${y}px)`;
    }

    const change = () => {
      changed = true;
      plot.redraw();
    };

    function move() {
      clearTimeout(resting);
      resting = setTimeout(rest, REST_MS);
      if (most === FEW) return;
      most = FEW;
      plot.set({ pointSize: sizeOf(FEW) });
    }

    function rest() {
      if (held) return move();
      resting = null;
      most = Infinity;
      plot.set({ pointSize: size }).then(change);
    }

    renderer.render = (paint, { width, height }) => {
      const place = [...plot.get("cameraView"), width, height].join();
      if (place === painted && !changed && !busy) return;
      if (painted !== null && place !== painted) move();
      painted = place;
      changed = false;
      if (canvas.width !== width || canvas.height !== height) {
        renderer.resize(width / devicePixelRatio, height / devicePixelRatio);
        renderer.refresh();
      }
      renderer.regl.clear({ color: [0, 0, 0, 0], depth: 1 });
      // What the pointer is over has a ring of its own, which needs no painting of all others.
      const over = plot.get("hoveredPoint");
      plot.hover(-1, { preventEvent: true });
      paint();
      if (over !== undefined) plot.hover(over, { preventEvent: true });
      encircle(over);
    };

    const press = () => { held = true; };
    const release = () => { held = false; };
    front.addEventListener("pointerdown", press);
    window.addEventListener("pointerup", release);
    window.addEventListener("pointercancel", release);

    return {
      renderer,
      paints: (one, ownSize) => {
        plot = one;
        size = ownSize;
        for (const event of ["select", "deselect", "lassoEnd"]) plot.subscribe(event, change);
        plot.subscribe("pointOver", encircle);
        plot.subscribe("pointOut", () => encircle());
        plot.subscribe("lassoExtend", () => { move(); change(); });
      },
      change,
      // Frames that may hold anything new until some work is done.
      during: async (work) => {
        busy = true;
        try {
          return await work();
        } finally {
          busy = false;
        }
      },
      destroy: () => {
        clearTimeout(resting);
        front.removeEventListener("pointerdown", press);
        window.removeEventListener("pointerup", release);
        window.removeEventListener("pointercancel", release);
        renderer.destroy();
        canvas.remove();
        ring.remove();
      },
    };
  };
})();
