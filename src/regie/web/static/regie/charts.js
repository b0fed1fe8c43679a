/* Draws every [data-chart="id"]: the Vega-Lite spec is in <script type="application/json" id="id">. Colours, type and number
   formats are the page's, so a spec says what to show and not how it looks. Expressions run in vega-interpreter (no eval). */
(function () {
  "use strict";
  const root = document.documentElement;
  const lang = root.lang || "en";
  const drawn = new Map();

  // vega-embed adds an (empty) <style> unless an element of this id is there; our policy would report it.
  const stand = document.createElement("meta");
  stand.id = "vega-embed-style";
  document.head.append(stand);

  // Canvas understands no light-dark(): let the browser compute the colour of a token.
  function colour(token) {
    const probe = document.createElement("span");
    probe.style.color = `var(${token})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  }

  // A legend wider than its chart would lose its last names: as many columns as there is room for, at least two.
  function look(width) {
    const columns = Math.max(2, Math.floor(width / 200));
    const ink = colour("--r-ink-2");
    const line = colour("--r-line");
    const font = getComputedStyle(document.body).fontFamily;
    const range = ["--r-accent", "--r-warn", "--r-info", "--r-wait", "--r-good", "--r-bad"].map(colour);
    return {
      background: "transparent",
      font,
      padding: 4,
      view: { stroke: "transparent" },
      axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 600, labelPadding: 6, grid: true },
      axisX: { grid: false },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, orient: "top", symbolType: "circle", columns, labelLimit: width / columns - 40 },
      title: { color: colour("--r-ink"), fontSize: 14, anchor: "start" },
      text: { color: colour("--r-ink") },
      range: { category: range, ramp: [colour("--r-accent-soft"), colour("--r-accent")], heatmap: [colour("--r-accent-soft"), colour("--r-accent")] },
      mark: { color: range[0], tooltip: true },
      line: { strokeWidth: 2.25 },
      area: { opacity: 0.25, line: true },
      bar: { cornerRadiusEnd: 3 },
      rule: { color: line },
    };
  }

  function numbers() {
    const parts = new Intl.NumberFormat(lang).formatToParts(1234567.8);
    const of = (type, fallback) => (parts.find((part) => part.type === type) || { value: fallback }).value;
    const percent = lang.startsWith("fr") ? "\u202f%" : "%";
    return { decimal: of("decimal", "."), thousands: of("group", ","), grouping: [3], currency: lang.startsWith("fr") ? ["", "\u00a0€"] : ["€", ""], percent };
  }

  function times() {
    const name = (options, date) => new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...options }).format(date);
    const months = (style) => Array.from({ length: 12 }, (_one, i) => name({ month: style }, Date.UTC(2024, i, 15)));
    const days = (style) => Array.from({ length: 7 }, (_one, i) => name({ weekday: style }, Date.UTC(2024, 8, 1 + i)));
    const french = lang.startsWith("fr");
    return {
      dateTime: french ? "%A %e %B %Y à %X" : "%x, %X",
      date: french ? "%d/%m/%Y" : "%d/%m/%Y",
      time: "%H:%M",
      periods: ["AM", "PM"],
      days: days("long"),
      shortDays: days("short"),
      months: months("long"),
      shortMonths: months("short"),
    };
  }

  async function draw(box) {
    const source = document.getElementById(box.dataset.chart);
    if (!source || !window.vegaEmbed) return;
    const spec = JSON.parse(source.textContent);
    if (drawn.has(box)) drawn.get(box).finalize();
    let mount = box.firstElementChild; // Vega renames the element it draws in; the box keeps its role and its words
    if (!mount) box.append((mount = document.createElement("div")));
    const result = await window.vegaEmbed(mount, { width: "container", autosize: { type: "fit", contains: "padding" }, ...spec }, {
      mode: spec.$schema && spec.$schema.includes("/vega/") ? "vega" : "vega-lite",
      ast: true,
      renderer: "canvas",
      actions: false,
      defaultStyle: false,
      config: look(mount.clientWidth || box.clientWidth),
      formatLocale: numbers(),
      timeFormatLocale: times(),
      tooltip: { disableDefaultStyle: true, theme: "regie" },
    });
    drawn.set(box, result);
  }

  const drawAll = (within) => within.querySelectorAll("[data-chart]").forEach((box) => draw(box));
  new MutationObserver(() => drawAll(document)).observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
  if (window.regie) window.regie.onArrival(drawAll);
  else drawAll(document);
})();
