"use strict";
// The run's data. A page opened as a file may not fetch: data come as scripts that call back here.

const explorer = {};

(() => {
  const views = {};
  const chunks = {};
  const loading = new Map();
  // Pictures of archives, the one that was used last at the end; the first goes when there are more.
  const packed = new Map();
  const MOST_PACKED = 32;

  explorer.about = null;
  explorer.run = (about) => { explorer.about = about; };
  explorer.columns = (name, view) => { views[name] = decodeView(name, view); };
  explorer.details = (name, number, chunk) => {
    chunks[`${name} ${number}`] = { width: chunk.width, ...decodeAll(chunk.columns) };
  };

  explorer.packed = (archive, pictures) => {
    packed.set(archive, pictures);
    if (packed.size > MOST_PACKED) {
      const [oldest] = packed.keys();
      packed.delete(oldest);
      loading.delete(pathOfPacked(oldest));
    }
  };

  const ARRAYS = { Float32Array, Uint32Array, Uint16Array, Uint8Array };

  function decode([kind, text]) {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
    return new ARRAYS[kind](bytes.buffer);
  }

  function decodeAll(columns) {
    return Object.fromEntries(Object.entries(columns).map(([name, said]) => [name, decode(said)]));
  }

  function decodeView(name, view) {
    return { ...view, name, columns: decodeAll(view.columns) };
  }

  // Runs a script of data once, and says plainly which file is missing.
  function load(path) {
    if (!loading.has(path)) {
      loading.set(path, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = path;
        script.onload = () => { script.remove(); resolve(); };
        script.onerror = () => {
          loading.delete(path);
          reject(new Error(`${path} is missing or damaged: make the explorer again.`));
        };
        document.head.append(script);
      }));
    }
    return loading.get(path);
  }

  explorer.loadRun = async () => {
    await load("data/run.js");
    return explorer.about;
  };

  explorer.loadView = async (name) => {
    await load(`data/${name}.js`);
    return views[name];
  };

  // What only an opened row shows: numbers, and neighbours with their cosines.
  explorer.loadDetails = async (view, row) => {
    const number = Math.floor(row / view.chunk);
    await load(`data/${view.name}-${String(number).padStart(5, "0")}.js`);
    const chunk = chunks[`${view.name} ${number}`];
    const place = row - number * view.chunk;
    const near = Array.from({ length: chunk.width }, (_, i) => ({
      row: chunk.neighbors[place * chunk.width + i],
      cosine: chunk.cosines[place * chunk.width + i],
    }));
    return {
      near,
      probability: chunk.probability[place],
      q: chunk.tile_q[place],
      energy: chunk.tile_energy[place],
      logLikelihood: chunk.log_likelihood[place],
    };
  };

  function pathOfPacked(archive) {
    return `data/pictures/${archive}.js`;
  }

  explorer.isPacked = (path) => path.includes(".zip/");

  // What an image shows of a picture in an archive, of which there is a copy beside this page.
  explorer.packedPicture = async (path) => {
    const [archive, name] = path.split("/").slice(-2);
    await load(pathOfPacked(archive));
    const pictures = packed.get(archive);
    if (!pictures || !Object.hasOwn(pictures, name)) throw new Error(`no picture at ${path}.`);
    packed.delete(archive);
    packed.set(archive, pictures);
    return `data:image/png;base64,${pictures[name]}`;
  };

  // GPS second with nine digits, exactly as the names of pictures have it.
  explorer.gps = (view, row) =>
    `${view.columns.second[row]}.${String(view.columns.nanosecond[row]).padStart(9, "0")}`;

  explorer.time = (view, row) =>
    view.columns.second[row] + view.columns.nanosecond[row] * 1e-9;

  explorer.detector = (view, row) => view.detectors[view.columns.detector[row]];

  const BLOCK_S = 4096;

  function folderOf(kind, detector, start) {
    const block = Math.floor(start / BLOCK_S) * BLOCK_S;
    return explorer.about.folders[`${kind} ${detector} ${block}`];
  }

  // Where a picture lies beside this page, or undefined if the run has none of its kind.
  explorer.picture = (view, row) => {
    if (view.name === "window") return explorer.windowPicture(view, row);
    const detector = explorer.detector(view, row);
    const folder = folderOf("event", detector, view.columns.start[row]);
    return folder && `${folder}/${detector}-GWMORPH_EVENT-${explorer.gps(view, row)}-4.png`;
  };

  explorer.windowPicture = (view, row) =>
    explorer.windowPictureOf(explorer.detector(view, row), view.columns.start[row]);

  explorer.windowPictureOf = (detector, start) => {
    const folder = folderOf("window", detector, start);
    const length = explorer.about.windowSeconds;
    return folder && `${folder}/${detector}-GWMORPH_WINDOW-${start}-${length}.png`;
  };

  explorer.folder = (view, row) =>
    folderOf(view.name, explorer.detector(view, row), view.columns.start[row]);

  explorer.clusterName = (view, number) => {
    const { mark, name } = view.clusters[number];
    return `${mark} ${plain(name)}`.trim();
  };

  // What the marks behind a cluster's number mean, as on the map of the report.
  explorer.doubts = (mark) => [
    ...(mark.includes("?") ? ["? hardly more separate than parts of noise are"] : []),
    ...(mark.includes("*") ? ["* found in UMAP alone"] : []),
  ];

  function plain(name) {
    return name.replaceAll("_", " ").replaceAll(/\s+/g, " ").trim();
  }

  explorer.className = (view, row) => plain(view.classes[view.columns.named[row]]);

  // Rows by time, made when first asked for.
  explorer.order = (view) => {
    if (!view.order) {
      const { second, nanosecond } = view.columns;
      view.order = Uint32Array.from({ length: view.rows }, (_, i) => i).sort(
        (a, b) => second[a] - second[b] || nanosecond[a] - nanosecond[b] || a - b,
      );
    }
    return view.order;
  };

  explorer.find = (view, detector, gps) => {
    const code = view.detectors.indexOf(detector);
    const [second, nanosecond] = gps.split(".").map(Number);
    const { columns } = view;
    for (let i = 0; i < view.rows; i += 1) {
      if (columns.second[i] === second && columns.nanosecond[i] === nanosecond
          && columns.detector[i] === code) return i;
    }
    return -1;
  };

  // Rows of one window, which lie in it by their own key.
  explorer.rowsOfWindow = (view, detector, start) => {
    const code = view.detectors.indexOf(detector);
    const found = [];
    for (let i = 0; i < view.rows; i += 1) {
      if (view.columns.start[i] === start && view.columns.detector[i] === code) found.push(i);
    }
    return found;
  };

  // The nearest row in time of each other detector: {detector, row, apart}, row -1 for none.
  explorer.partners = (view, row) => {
    const own = view.columns.detector[row];
    const best = view.detectors.map((detector) => ({ detector, row: -1, apart: Infinity }));
    for (let i = 0; i < view.rows; i += 1) {
      const code = view.columns.detector[i];
      if (code === own) continue;
      // Whole seconds first: the difference of two floats of 1e9 s is good to 0.2 us only.
      const apart = view.name === "window"
        ? view.columns.start[i] - view.columns.start[row]
        : view.columns.second[i] - view.columns.second[row]
          + (view.columns.nanosecond[i] - view.columns.nanosecond[row]) * 1e-9;
      if (Math.abs(apart) < Math.abs(best[code].apart)) Object.assign(best[code], { row: i, apart });
    }
    return best.filter((_, code) => code !== own);
  };
})();
