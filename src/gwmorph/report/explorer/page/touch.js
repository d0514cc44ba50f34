"use strict";
// Fingers on the map: one moves it or draws the lasso, two zoom it. The library knows the mouse only;
// of a tap the browser makes a click.

(() => {
  // What fingers have in common: their middle, and how far they are apart (0 for one).
  function shape(fingers) {
    const at = [...fingers.values()];
    const middle = [0, 1].map((i) => at.reduce((sum, one) => sum + one[i], 0) / at.length);
    const apart = at.reduce((sum, [x, y]) => sum + Math.hypot(x - middle[0], y - middle[1]), 0);
    return { middle, apart };
  }

  function asMouse(type, { clientX, clientY }, target, buttons) {
    target.dispatchEvent(new MouseEvent(type, { clientX, clientY, buttons, bubbles: true }));
  }

  // `on` has moved(x, y), by how many pixels; zoomed(factor, x, y), about which of the canvas's
  // pixels; and lasso(), whether one is being drawn.
  explorer.listenToFingers = (canvas, on) => {
    const fingers = new Map();
    let drawing = false;

    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
      canvas.setPointerCapture(event.pointerId);
      if (fingers.size > 1 || !on.lasso()) return;
      drawing = true;
      asMouse("mousedown", event, canvas, 1);
    });

    canvas.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      if (drawing) return asMouse("mousemove", event, canvas, 1);
      const before = shape(fingers);
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
      const { middle, apart } = shape(fingers);
      on.moved(middle[0] - before.middle[0], middle[1] - before.middle[1]);
      if (before.apart && apart) on.zoomed(apart / before.apart, ...middle);
    });

    const lift = (event) => {
      if (!fingers.delete(event.pointerId) || !drawing) return;
      drawing = false;
      asMouse("mouseup", event, canvas, 0);
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
  };
})();
