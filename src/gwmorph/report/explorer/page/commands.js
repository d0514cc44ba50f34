"use strict";
// Command lines and files that leave the page.

(() => {
  // One word of a POSIX shell, whatever is in it.
  function word(text) {
    return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
  }

  const folder = () => `results/${explorer.about.run}`;

  explorer.showCommand = (view, row) => {
    const detector = explorer.detector(view, row);
    const start = view.columns.start[row];
    const length = explorer.about.windowSeconds;
    const at = view.name === "window" ? start + length / 2 : explorer.time(view, row);
    const file = explorer.about.strain.find(
      (one) => one.detector === detector && one.start <= at && at < one.end,
    );
    if (!file) return null;
    const gps = view.name === "window" ? String(at) : explorer.gps(view, row);
    const words = ["gwmorph", "show", file.path, "--gps", gps,
      "--seconds", String(view.name === "window" ? length : 4), "--detector", detector];
    if (file.layout === "hdf5" && file.holder) words.push("--dataset", file.holder);
    if (file.layout === "gwf" && file.holder) words.push("--channel", file.holder);
    return [...words, "--configfile", `${folder()}/config.yaml`].map(word).join(" ");
  };

  // Draws the very file again, with all others of its block. The record of the run is asked for, too:
  // drawing withdraws it.
  explorer.pictureCommand = (view, row) => {
    const made = explorer.folder(view, row);
    const record = `${folder()}/config.yaml`;
    return made && ["snakemake", "--cores", "1", "--force", made.replace("..", folder()), record,
      "--configfile", record].map(word).join(" ");
  };

  explorer.similarCommand = (view, row) =>
    ["gwmorph", "similar", folder(), "--detector", explorer.detector(view, row),
      "--gps", explorer.gps(view, row)].map(word).join(" ");

  explorer.vetoCommand = (number) =>
    ["gwmorph", "veto", folder(), "--cluster", String(number)].map(word).join(" ");

  function csv(header, rows) {
    const cell = (value) => {
      const text = String(value);
      return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [header, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  }

  explorer.timesFile = (view, rows) => {
    const { columns } = view;
    return csv(
      ["detector", "gps_time", "window_start", "view", "cluster", "status", "class", "snr",
        "frequency_hz"],
      Array.from(rows, (i) => [
        explorer.detector(view, i), explorer.gps(view, i), columns.start[i], view.name,
        columns.cluster[i], view.statuses[columns.status[i]], view.classes[columns.named[i]],
        columns.snr[i].toPrecision(6), columns.frequency[i].toPrecision(6)]),
    );
  };

  // The columns of Gravity Spy's releases, which `gwmorph labels` and the workflow read.
  explorer.labelFile = (view, rows, label) =>
    csv(
      ["ifo", "GPStime", "label", "confidence", "id", "snr", "peakFreq"],
      Array.from(rows, (i) => [
        explorer.detector(view, i), explorer.gps(view, i), label, 1,
        `${explorer.about.run}-${explorer.detector(view, i)}-${explorer.gps(view, i)}`,
        view.columns.snr[i].toPrecision(6), view.columns.frequency[i].toPrecision(6)]),
    );

  explorer.save = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
})();
