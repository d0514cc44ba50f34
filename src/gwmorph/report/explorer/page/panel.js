"use strict";
// The opened row: pictures, numbers, neighbours, partners and command lines. Text is never HTML.

(() => {
  // ASSUME: events of two detectors that peak within this may be one; light needs 10 ms between the
  // LIGO sites, the rest is how well long tiles tell the time.
  const TOGETHER_S = 0.25;

  explorer.element = (tag, properties = {}, ...children) => {
    const { dataset = {}, ...rest } = properties;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, dataset);
    made.append(...children);
    return made;
  };
  const { element } = explorer;

  explorer.pictureElement = (path, words) => {
    const none = (why) => element("p", { className: "no-picture", textContent: why });
    if (!path) return none(`${words}: the run has no such pictures.`);
    const image = element("img", { alt: words, decoding: "async" });
    image.onerror = () => image.replaceWith(none(`${words}: no picture at ${path}.`));
    if (explorer.isPacked(path)) {
      explorer.packedPicture(path).then((source) => { image.src = source; },
        (error) => image.replaceWith(none(`${words}: ${error.message}`)));
    } else {
      image.src = path;
    }
    return image;
  };

  function copyable(title, command, note = "") {
    const code = element("code", { textContent: command, tabIndex: 0 });
    const button = element("button", { type: "button", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy: ${title}`);
    button.onclick = async () => {
      getSelection().selectAllChildren(code);
      // The clipboard needs a permission that a file may not have; the old way needs none.
      const done = await navigator.clipboard?.writeText(command).then(() => true, () => false);
      button.textContent = done || document.execCommand("copy") ? "Copied" : "Press Ctrl+C";
    };
    return element("div", { className: "command" },
      element("h3", { textContent: title }), ...(note ? [element("p", { textContent: note })] : []),
      element("div", { className: "line" }, code, button));
  }

  function figure(path, caption) {
    return element("figure", {}, explorer.pictureElement(path, caption),
      element("figcaption", { textContent: caption }));
  }

  function numbers(view, row, details) {
    const { columns } = view;
    const cluster = view.clusters[columns.cluster[row]];
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = cluster.color;
    const number = (value, unit = "", digits = 4) =>
      (Number.isFinite(value) ? `${Number(value.toPrecision(digits))}${unit && ` ${unit}`}` : "none");
    const pairs = [
      ["GPS time", `${explorer.gps(view, row)} s`],
      ["Window", `${columns.start[row]} to ${columns.start[row] + explorer.about.windowSeconds} s`],
      ["Cluster", [swatch, ` ${explorer.clusterName(view, columns.cluster[row])}, `
        + `${cluster.members.toLocaleString("en")} members`
        + `${columns.outlier[row] ? "; an outlier" : ""}`]],
      ...explorer.doubts(cluster.mark).map((words) => ["In doubt", words]),
      ["Named by", cluster.words || "no labelled rows: clusters have no names"],
      ["Status", view.hasStatuses
        ? view.statuses[columns.status[row]] || "none" : "the run has no statuses"],
      ["Looks like", view.hasClasses
        ? explorer.className(view, row) || "no known class" : "the run has no labelled rows"],
      ["SNR", number(columns.snr[row])],
      ["Frequency", number(columns.frequency[row], "Hz")],
      ["Q", number(details.q)],
      ["Tile energy", number(details.energy)],
      ["Probability", `${number(details.probability, "", 3)} that it is of its cluster`],
    ];
    const list = element("dl");
    for (const [name, said] of pairs) {
      list.append(element("dt", { textContent: name }),
        element("dd", {}, ...(Array.isArray(said) ? said : [said])));
    }
    return list;
  }

  function thumbnail(view, row, words, open) {
    const button = element("button", { type: "button", className: "thumbnail" },
      explorer.pictureElement(explorer.picture(view, row), `${explorer.detector(view, row)} ${explorer.gps(view, row)}`),
      element("span", { textContent: words }));
    button.onclick = () => open(view.name, row);
    return button;
  }

  function neighbors(view, details, open) {
    const list = element("div", { className: "thumbnails", id: "neighbors" });
    for (const { row, cosine } of details.near) {
      const where = explorer.clusterName(view, view.columns.cluster[row]);
      list.append(thumbnail(view, row, `cos ${cosine.toFixed(3)} · ${explorer.detector(view, row)} · ${where}`, open));
    }
    if (!details.near.length) list.append(element("p", { textContent: "There is no other row." }));
    return list;
  }

  function partners(view, row, open) {
    const list = element("div", { className: "thumbnails", id: "partners" });
    const own = view.name === "window";
    for (const { detector, row: other, apart } of explorer.partners(view, row)) {
      const near = other >= 0 && (own ? apart === 0 : Math.abs(apart) <= TOGETHER_S);
      if (near) {
        const words = own ? `${detector}, same window`
          : `${detector}, ${(1000 * apart).toFixed(1)} ms ${apart < 0 ? "earlier" : "later"}`.replace("-", "");
        list.append(thumbnail(view, other, words, open));
      } else {
        const nothing = own ? `${detector}: this window was not analysed`
          : `${detector}: no event within ${TOGETHER_S} s`;
        const path = own ? null : explorer.windowPictureOf(detector, view.columns.start[row]);
        list.append(path ? element("div", { className: "thumbnail" },
          explorer.pictureElement(path, `${detector}, same 32 s`), element("span", { textContent: nothing }))
          : element("p", { textContent: nothing }));
      }
    }
    if (!list.childElementCount) {
      list.append(element("p", { textContent: "The run has no other detector." }));
    }
    return list;
  }

  // The same moment in the run's other view: the window of an event, or the events of a window.
  async function elsewhere(view, row, open) {
    const name = view.name === "window" ? "event" : "window";
    if (!explorer.about.views.includes(name)) return [];
    const other = await explorer.loadView(name);
    const found = explorer.rowsOfWindow(other, explorer.detector(view, row), view.columns.start[row]);
    if (name === "window") {
      return found.map((one) => {
        const button = element("button", { type: "button", textContent: "Open its window on the map" });
        button.onclick = () => open(name, one);
        return button;
      });
    }
    if (!found.length) return [element("p", { textContent: "No event in this window." })];
    const list = element("div", { className: "thumbnails" });
    for (const one of found) {
      list.append(thumbnail(other, one, `${explorer.gps(other, one)} · SNR ${other.columns.snr[one].toFixed(1)}`, open));
    }
    return [element("h3", { textContent: "Events in this window" }), list];
  }

  // What the run wrote of the veto around a cluster, and the command that makes another.
  function vetoes(view, cluster) {
    const kinds = ["segwizard", "LIGO_LW", "figures"];
    const made = (explorer.about.vetoes[cluster] ?? []).map(({ detector, summary, files }) =>
      element("li", {}, element("span", { textContent: `${detector}: ${summary}. ` }),
        ...files.map((path, i) => element("a", {
          // Where the page itself is a file, browsers show what they would save from a server.
          href: path, download: path.split("/").pop(), target: "_blank", textContent: kinds[i],
        }))));
    return [
      element("h3", { textContent: `Veto segments around cluster ${explorer.clusterName(view, cluster)}` }),
      element("ul", { className: "vetoes" }, ...made),
      copyable("With other padding, or of a class", explorer.vetoCommand(cluster)),
    ];
  }

  const lookedAmong = ({ nearestAmong, rows }) => nearestAmong === rows ? ""
    : `, among ${nearestAmong.toLocaleString("en")} of ${rows.toLocaleString("en")} rows`;

  explorer.fillPanel = async (panel, view, row, { open, close, isCurrent }) => {
    const [details, others] = await Promise.all(
      [explorer.loadDetails(view, row), elsewhere(view, row, open)]);
    if (!isCurrent()) return;
    const shut = element("button", { type: "button", id: "close", textContent: "Close" });
    shut.onclick = close;
    const length = explorer.about.windowSeconds;
    const pictures = [figure(explorer.picture(view, row),
      view.name === "window" ? `Window, ${length} s`
        : "Event view: 0.5 and 1 s above, 2 and 4 s below, centred on it")];
    if (view.name === "event") {
      pictures.push(figure(explorer.windowPicture(view, row), `Its ${length} s window`));
    }
    const heading = `${explorer.detector(view, row)} ${view.name} at GPS ${explorer.gps(view, row)}`;
    const show = explorer.showCommand(view, row);
    const again = explorer.pictureCommand(view, row);
    const cluster = view.columns.cluster[row];
    panel.replaceChildren(
      element("div", { className: "panel-head" }, element("h2", { textContent: heading }), shut),
      element("div", { className: `pictures ${view.name}` }, ...pictures),
      ...others,
      numbers(view, row, details),
      element("h3", { textContent: `Nearest by the encoder's vectors${lookedAmong(view)}` }),
      neighbors(view, details, open),
      element("h3", { textContent: "Other detectors at the same time" }), partners(view, row, open),
      show ? copyable("Draw this moment again", show)
        : element("p", { textContent: "The run's receipts name no strain file at this time." }),
      ...(again ? [copyable("Make this very picture again", again)] : []),
      copyable("Search rows like this one", explorer.similarCommand(view, row)),
      ...(view.name === "event" ? vetoes(view, cluster) : []),
    );
    panel.hidden = false;
    panel.scrollTop = 0;
  };
})();
