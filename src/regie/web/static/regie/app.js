/* What the pages do beyond links and forms. No build step; every behaviour is an attribute in the HTML.

   data-dialog="id"                 opens the <dialog> of that id; data-light-dismiss on a dialog: a click outside closes it
   popovertarget + data-anchor      a menu opens under its button ("start" or "end" edge); arrows move inside it
   data-theme-switch                three buttons with data-theme
   data-toast, data-toast-undo      a message: leaves after a while (later with undo, never when it is bad)
   data-shortcut="c"                key that clicks; data-shortcut-focus="/": key that focuses;
   data-shortcut-keys, -url         "g t" goes to an address
   data-row                         a line of a list: j, k move; x ticks; Enter opens its first link
   data-bulk                        a form around a list: data-bulk-all ticks all, data-bulk-bar shows, data-bulk-count counts
   data-guard                       a form that asks before its changes are lost
   data-busy                        a form that cannot be sent twice
   data-counter="id" data-limit     counts a field as its network does (data-counter-by="name" of counting.js)
   data-upload="url"                a file input that uploads at once, with progress: data-upload-list="#ul" shows it,
                                    data-upload-into="#target" takes the HTML of the answer; data-drop="#input" drops files
   data-upload-begin="url"          beside it: a large file goes in pieces, and on from where it stood after a bad line
   data-filters="#ul"               a search box that hides the <li> that do not match
   data-copy="text"                 copies; data-copy-from="#id" copies a field
   data-width="37"                  a width in per cent; data-colour="#rrggbb" a colour (as --colour)
   data-submit-on-change            a field that sends its form
   time[data-ago]                   "3 minutes ago", kept fresh
   Server: the header HX-Trigger {"toast": {"text": "…", "tone": "good"}} shows a message. */
(function () {
  "use strict";

  const root = document.documentElement;
  const said = document.getElementById("regie-words");
  const words = said ? JSON.parse(said.textContent) : {};
  const $ = (selector, within) => (within || document).querySelector(selector);
  const $$ = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const starters = [];
  const regie = (window.regie = {
    words,
    counters: window.regieCounting,
    toast,
    onArrival(start) {
      starters.push(start);
      start(document);
    },
  });

  /* ---- Messages ---------------------------------------------------------------------------------------------- */

  function toast(text, tone) {
    const pattern = $("#toast-pattern");
    const place = $("#messages");
    if (!pattern || !place) return;
    const made = pattern.content.firstElementChild.cloneNode(true);
    const kind = ["good", "warn", "bad"].includes(tone) ? tone : "info";
    made.classList.add(`tone-${kind}`);
    for (const icon of $$("[data-icon]", made)) icon.hidden = icon.dataset.icon !== kind;
    $("p", made).textContent = text;
    place.append(made);
    while (place.children.length > 4) place.firstElementChild.remove();
    leaveLater(made);
  }

  function leaveLater(made) {
    if (made.classList.contains("tone-bad") || made.dataset.leaving) return;
    made.dataset.leaving = "yes";
    const wait = "toastUndo" in made.dataset ? 20000 : 8000;
    let timer = 0;
    const start = () => (timer = setTimeout(() => made.remove(), wait));
    const stop = () => clearTimeout(timer);
    made.addEventListener("pointerenter", stop);
    made.addEventListener("pointerleave", start);
    made.addEventListener("focusin", stop);
    made.addEventListener("focusout", start);
    start();
  }

  document.addEventListener("click", (event) => {
    const button = closest(event, "[data-toast-close]");
    if (button) button.closest("[data-toast]").remove();
  });
  regie.onArrival((within) => $$("#messages [data-toast]", within).forEach(leaveLater));

  /* ---- htmx -------------------------------------------------------------------------------------------------- */

  const sentences = { 0: "offline", 401: "signed_out", 403: "refused", 404: "gone", 409: "conflict", 410: "gone", 412: "conflict", 413: "too_big", 429: "too_fast" };
  function sentenceFor(status) {
    return words[sentences[status]] || words.failed;
  }

  document.addEventListener("htmx:configRequest", (event) => {
    const token = $('meta[name="csrf-token"]');
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:sendError", () => toast(words.offline, "bad"));
  document.addEventListener("htmx:timeout", () => toast(words.offline, "bad"));
  document.addEventListener("htmx:responseError", (event) => {
    const reply = event.detail.xhr;
    const trigger = reply.getResponseHeader("HX-Trigger") || "";
    if (trigger.includes('"toast"')) return; // the server has a better sentence
    toast(sentenceFor(reply.status), "bad");
  });
  // A problem with a sentence comes as plain text: it is said, and nothing on the page changes.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const reply = event.detail.xhr;
    if (reply.status !== 422 || !(reply.getResponseHeader("Content-Type") || "").startsWith("text/plain")) return;
    event.detail.shouldSwap = false;
    toast(reply.responseText, "bad");
  });
  document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
  document.addEventListener("htmx:load", (event) => starters.forEach((start) => start(event.detail.elt)));

  /* ---- Theme ------------------------------------------------------------------------------------------------- */

  regie.onArrival((within) => $$("[data-theme-switch]", within).forEach((group) => (group.hidden = false)));
  document.addEventListener("click", (event) => {
    const button = closest(event, "[data-theme-switch] [data-theme]");
    if (!button) return;
    window.regieTheme.choose(button.dataset.theme);
    for (const other of $$("[data-theme-switch] [data-theme]"))
      other.setAttribute("aria-pressed", String(other.dataset.theme === button.dataset.theme));
  });

  /* ---- Dialogs and menus --------------------------------------------------------------------------------------- */

  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      const above = opener.closest("[popover]");
      if (above && above.matches(":popover-open")) above.hidePopover();
      if (dialog && !dialog.open) dialog.showModal();
      event.preventDefault();
      return;
    }
    const dialog = event.target;
    if (dialog instanceof HTMLDialogElement && "lightDismiss" in dialog.dataset) {
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && event.clientX + event.clientY > 0) dialog.close();
    }
  });

  function buttonOf(menu) {
    return $(`[popovertarget="${menu.id}"]`);
  }

  function place(menu) {
    const button = buttonOf(menu);
    if (!button || !menu.classList.contains("menu")) return;
    const at = button.getBoundingClientRect();
    const edge = 8;
    const width = menu.offsetWidth;
    const height = menu.offsetHeight;
    const wished = button.dataset.anchor === "end" ? at.right - width : at.left;
    const left = Math.max(edge, Math.min(wished, root.clientWidth - width - edge));
    const below = at.bottom + 6;
    const above = at.top - height - 6;
    const top = below + height > window.innerHeight - edge && above > edge ? above : below;
    Object.assign(menu.style, { left: `${left}px`, top: `${top}px`, margin: "0" });
  }

  const itemsOf = (menu) => $$("a[href], button:not([disabled])", menu).filter((item) => item.offsetParent);

  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches(".menu[popover]")) return;
      if (event.newState === "open") place(menu);
    },
    true,
  );
  window.addEventListener("resize", () => $$(".menu:popover-open").forEach(place));
  window.addEventListener("scroll", () => $$(".menu:popover-open").forEach(place), { passive: true });

  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const button = closest(event, "[popovertarget]");
    const menu = closest(event, ".menu[popover]") || (button && document.getElementById(button.getAttribute("popovertarget")));
    if (!menu || !menu.matches(".menu:popover-open")) return;
    if (event.target.matches("input, textarea, select") && event.key !== "ArrowDown") return;
    const items = itemsOf(menu);
    const now = items.indexOf(document.activeElement);
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    const next = items[(to + items.length) % items.length];
    if (next) next.focus();
    event.preventDefault();
  });

  /* ---- Keyboard ------------------------------------------------------------------------------------------------ */

  const OFF = "regie.shortcuts";
  const shortcutsOn = () => localStorage.getItem(OFF) !== "off";
  let first = "";
  let firstAt = 0;

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !shortcutsOn()) return;
    if (closest(event, 'input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable]:not([contenteditable=false])')) return;
    if ($("dialog[open]")) return;
    if (act(event.key)) event.preventDefault();
  });

  function act(key) {
    const pair = performance.now() - firstAt < 1200 ? `${first} ${key}` : "";
    const known = $$("[data-shortcut-keys]");
    const going = known.find((one) => one.dataset.shortcutKeys === pair) || known.find((one) => one.dataset.shortcutKeys === key);
    first = "";
    if (going) {
      location.assign(going.dataset.shortcutUrl);
      return true;
    }
    const focused = $(`[data-shortcut-focus="${CSS.escape(key)}"]`);
    if (focused && focused.offsetParent) {
      focused.focus();
      return true;
    }
    const clicked = $(`[data-shortcut="${CSS.escape(key)}"]`);
    if (clicked) {
      clicked.click();
      return true;
    }
    if (key === "?" && $("#shortcuts")) {
      $("#shortcuts").showModal();
      return true;
    }
    if (key === "j" || key === "k") return step(key === "j" ? 1 : -1);
    if (key === "x") return tick();
    if (key === "Enter") return open();
    if (known.some((one) => one.dataset.shortcutKeys.startsWith(`${key} `))) {
      first = key;
      firstAt = performance.now();
    }
    return false;
  }

  const rowNow = () => $("[data-row].is-at");
  function step(by) {
    const rows = $$("[data-row]").filter((row) => row.offsetParent);
    if (!rows.length) return false;
    const now = rows.indexOf(rowNow());
    const next = rows[Math.max(0, Math.min(rows.length - 1, now + by))];
    rows.forEach((row) => row.classList.toggle("is-at", row === next));
    const target = $("a[href]", next) || $("button, input", next) || next;
    target.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    return true;
  }
  function tick() {
    const box = rowNow() && $('input[type="checkbox"]', rowNow());
    if (box) box.click();
    return Boolean(box);
  }
  function open() {
    if (document.activeElement && document.activeElement.matches("a, button, summary")) return false;
    const link = rowNow() && $("a[href]", rowNow());
    if (link) link.click();
    return Boolean(link);
  }

  regie.onArrival((within) => $$("[data-shortcuts-on]", within).forEach((box) => (box.checked = shortcutsOn())));
  document.addEventListener("change", (event) => {
    const box = closest(event, "[data-shortcuts-on]");
    if (box) localStorage.setItem(OFF, box.checked ? "on" : "off");
  });

  /* ---- Lists ----------------------------------------------------------------------------------------------------- */

  function recount(form) {
    const boxes = $$('input[type="checkbox"][name]', form).filter((box) => !box.closest("[data-bulk-bar]"));
    const chosen = boxes.filter((box) => box.checked).length;
    const all = $("[data-bulk-all]", form);
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const bar = $("[data-bulk-bar]", form);
    if (bar) bar.hidden = chosen === 0;
    const count = $("[data-bulk-count]", form);
    if (count) count.textContent = fill(words.selected || "{n}", { n: chosen });
  }
  document.addEventListener("change", (event) => {
    const form = closest(event, "[data-bulk]");
    if (!form || event.target.type !== "checkbox") return;
    if ("bulkAll" in event.target.dataset)
      for (const box of $$('input[type="checkbox"][name]', form)) if (!box.closest("[data-bulk-bar]")) box.checked = event.target.checked;
    recount(form);
  });
  regie.onArrival((within) => $$("[data-bulk]", within).forEach(recount));

  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  document.addEventListener("input", (event) => {
    const box = closest(event, "[data-filters]");
    const list = box && $(box.dataset.filters);
    if (!list) return;
    const wanted = fold(box.value.trim());
    let shown = 0;
    for (const item of $$(":scope > li", list)) {
      item.hidden = !fold(item.textContent).includes(wanted);
      shown += item.hidden ? 0 : 1;
    }
    const none = $("[data-none]", list.parentElement);
    if (none) none.hidden = shown > 0;
  });

  /* ---- Forms ----------------------------------------------------------------------------------------------------- */

  const snapshot = (form) => JSON.stringify(Array.from(new FormData(form), ([name, value]) => [name, value instanceof File ? value.name : value]));
  const guarded = new Map();
  regie.onArrival((within) => $$("form[data-guard]", within).forEach((form) => guarded.set(form, snapshot(form))));
  const unsaved = () => Array.from(guarded).some(([form, before]) => form.isConnected && snapshot(form) !== before);
  regie.saved = (form) => guarded.set(form, snapshot(form));
  window.addEventListener("beforeunload", (event) => {
    if (unsaved()) event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    guarded.delete(form);
    if (!("busy" in form.dataset) || event.defaultPrevented) return;
    if (form.classList.contains("is-busy")) return event.preventDefault();
    form.classList.add("is-busy");
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => $$("form.is-busy").forEach((form) => {
    form.classList.remove("is-busy");
    form.removeAttribute("aria-busy");
  }));
  document.addEventListener("change", (event) => {
    const field = closest(event, "[data-submit-on-change]");
    if (field) field.form.requestSubmit();
  });

  function count(counter) {
    const field = document.getElementById(counter.dataset.counter);
    if (!field) return;
    const limit = Number(counter.dataset.limit);
    const measure = regie.counters[counter.dataset.counterBy] || regie.counters.graphemes;
    const left = limit - measure(field.value.trim());
    counter.textContent = fill(left < 0 ? words.over : words.left, { n: Math.abs(left).toLocaleString(root.lang) });
    counter.classList.toggle("is-over", left < 0);
    counter.classList.toggle("is-near", left >= 0 && left <= Math.min(20, limit / 10));
  }
  regie.onArrival((within) => $$("[data-counter]", within).forEach(count));
  document.addEventListener("input", (event) => {
    if (event.target.id) $$(`[data-counter="${CSS.escape(event.target.id)}"]`).forEach(count);
  });

  /* ---- Uploads --------------------------------------------------------------------------------------------------- */

  document.addEventListener("change", (event) => {
    const input = closest(event, 'input[type="file"][data-upload]');
    if (!input) return;
    Array.from(input.files).forEach((file) => upload(input, file));
    input.value = "";
  });

  /* Several files arrive as they are ready, and stand in the order in which they were chosen. */
  const turns = new WeakMap();
  let chosen = 0;
  function upload(input, file) {
    turns.set(file, (chosen += 1));
    if (input.dataset.uploadBegin && file.size > LARGE) return uploadInPieces(input, file);
    const line = progressLine(input, file);
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append(input.name || "file", file);
    request.open("POST", input.dataset.upload);
    const token = $('meta[name="csrf-token"]');
    if (token) request.setRequestHeader("X-CSRFToken", token.content);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) $("progress", line).value = (100 * event.loaded) / event.total;
    });
    request.upload.addEventListener("load", () => $("progress", line).removeAttribute("value"));
    request.addEventListener("load", () => {
      line.remove();
      answered(input, file, request.status, request.responseText);
    });
    request.addEventListener("error", () => {
      line.remove();
      toast(words.offline, "bad");
    });
    request.send(body);
  }
  function answered(input, file, status, answer) {
    if (status < 300) arrived(input, file, answer);
    else if (status === 422 && answer) toast(new DOMParser().parseFromString(answer, "text/html").body.textContent.trim(), "bad");
    else toast(`${fill(words.upload_failed, { name: file.name })} ${sentenceFor(status)}`, "bad");
  }

  /* A large file goes in pieces: what has arrived stays, so a bad line costs one piece, and choosing the same file again
     goes on from there. */
  const LARGE = 8 * 1024 * 1024;
  const PATIENCE = 120; // tries in a row that came to nothing, half a minute apart at most: about an hour
  async function uploadInPieces(input, file) {
    const line = progressLine(input, file);
    const bar = $("progress", line);
    const label = $("span", line);
    const mark = `${file.name.slice(0, 60)}:${file.lastModified}`;
    const about = new URLSearchParams({ name: file.name, size: file.size, mark });
    let failures = 0;
    let going = null;
    while (failures < PATIENCE) {
      try {
        if (!going) going = await told("POST", input.dataset.uploadBegin, about);
        label.textContent = fill(words.uploading, { name: file.name });
        bar.value = (100 * going.received) / file.size;
        if (going.received >= file.size) break;
        const piece = file.slice(going.received, going.received + Math.min(going.most, LARGE / 2));
        going.received = (await told("PUT", `${going.piece}?at=${going.received}`, piece)).received;
        failures = 0;
      } catch (problem) {
        if (problem.status) return ended(problem.status, problem.answer);
        failures += 1;
        going = null; // ask again how much is there
        label.textContent = fill(words.upload_waits, { name: file.name });
        await new Promise((go) => setTimeout(go, Math.min(30000, 500 * 2 ** failures)));
      }
    }
    if (!going) return ended(0, "");
    bar.removeAttribute("value");
    label.textContent = fill(words.upload_read, { name: file.name });
    const where = new URL(input.dataset.upload, location.href).search;
    try {
      const reply = await fetch(`${going.piece}finish/${where}`, { method: "POST", headers: uploadHeaders() });
      ended(reply.status, await reply.text());
    } catch (_lost) {
      ended(0, "");
    }
    function ended(status, answer) {
      line.remove();
      if (status) answered(input, file, status, answer);
      else toast(words.offline, "bad");
    }
  }
  function uploadHeaders() {
    const token = $('meta[name="csrf-token"]');
    return { "HX-Request": "true", ...(token ? { "X-CSRFToken": token.content } : {}) };
  }
  async function told(method, address, body) {
    const reply = await fetch(address, { method, body, headers: uploadHeaders() });
    if (reply.ok) return reply.json();
    if (reply.status >= 500 || reply.status === 408 || reply.status === 429) throw new Error("later");
    throw Object.assign(new Error("no"), { status: reply.status, answer: await reply.text() });
  }
  function progressLine(input, file) {
    const line = document.createElement("li");
    line.className = "progress-r";
    const label = document.createElement("span");
    label.textContent = fill(words.uploading, { name: file.name });
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", label.textContent);
    line.append(label, bar);
    const list = input.dataset.uploadList && $(input.dataset.uploadList);
    if (list) list.append(line);
    return line;
  }
  function arrived(input, file, html) {
    const into = input.dataset.uploadInto && $(input.dataset.uploadInto);
    if (into) {
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const added = Array.from(holder.content.children);
      const turn = turns.get(file);
      const later = Array.from(into.children).find((one) => Number(one.dataset.turn) > turn);
      into.insertBefore(holder.content, later || null);
      added.forEach((one) => {
        one.dataset.turn = turn;
        if (window.htmx) window.htmx.process(one);
        starters.forEach((start) => start(one));
      });
    }
    input.dispatchEvent(new CustomEvent("regie:uploaded", { bubbles: true, detail: { html } }));
  }

  for (const kind of ["dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const zone = closest(event, "[data-drop]");
      if (!zone || !event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
      event.preventDefault();
      zone.classList.toggle("is-over", kind === "dragover");
      const input = $(zone.dataset.drop);
      if (kind === "drop" && input) Array.from(event.dataTransfer.files).forEach((file) => upload(input, file));
    });

  /* ---- Small things ------------------------------------------------------------------------------------------------ */

  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-copy], [data-copy-from]");
    if (!button) return;
    const from = button.dataset.copyFrom && $(button.dataset.copyFrom);
    const text = from ? (from.value ?? from.textContent) : button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
      toast(words.copied, "good");
    } catch (_error) {
      toast(words.copy_failed, "warn");
    }
  });

  regie.onArrival((within) => {
    for (const bar of $$("[data-width]", within)) bar.style.width = `${Math.max(0, Math.min(100, Number(bar.dataset.width)))}%`;
    for (const spot of $$("[data-colour]", within)) if (CSS.supports("color", spot.dataset.colour)) spot.style.setProperty("--colour", spot.dataset.colour);
  });

  const steps = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const ago = new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" });
  function tellAgo(time) {
    const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
    const [unit, size] = steps.find(([, length]) => Math.abs(seconds) >= length) || ["minute", 60];
    if (!time.title) time.title = time.textContent.trim();
    time.textContent = ago.format(Math.round(seconds / size), unit);
  }
  regie.onArrival((within) => $$("time[data-ago]", within).forEach(tellAgo));
  setInterval(() => $$("time[data-ago]").forEach(tellAgo), 60000);

  /* A passkey that was cancelled says so instead of only writing to the console. */
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    toast(words.passkey_failed, "warn");
  });
})();
