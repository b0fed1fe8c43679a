/* The calendar: drag a delivery to another day or hour, or move it with the keyboard. The server does the moving. */
(function () {
  "use strict";

  const $ = (selector, within) => (within || document).querySelector(selector);
  const $$ = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const calendar = () => $("#calendar");

  /* ---- Drag and drop ---- */
  let dragged = null;
  const placeOf = (event) => (event.target instanceof Element ? event.target.closest("#calendar [data-day]") : null);
  document.addEventListener("dragstart", (event) => {
    const entry = event.target instanceof Element && event.target.closest("[data-movable]");
    if (!entry) return;
    dragged = entry;
    entry.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", entry.dataset.entry);
  });
  document.addEventListener("dragend", () => {
    if (dragged) dragged.classList.remove("is-dragged");
    dragged = null;
    $$(".is-over").forEach((place) => place.classList.remove("is-over"));
  });
  document.addEventListener("dragover", (event) => {
    const place = dragged && placeOf(event);
    if (!place) return;
    event.preventDefault();
    if (!place.classList.contains("is-over")) {
      $$(".is-over").forEach((other) => other.classList.remove("is-over"));
      place.classList.add("is-over");
    }
  });
  document.addEventListener("drop", (event) => {
    const place = dragged && placeOf(event);
    if (!place) return;
    event.preventDefault();
    if (place.contains(dragged)) return;
    const values = { delivery: dragged.dataset.entry, date: place.dataset.day, query: calendar().dataset.query };
    if (place.dataset.hour) values.hour = place.dataset.hour;
    window.htmx.ajax("POST", calendar().dataset.moveUrl, { target: "#calendar", swap: "outerHTML", values });
  });

  /* ---- The dialog ---- */
  function ask(entry) {
    if (!entry || !("movable" in entry.dataset)) return false;
    const [date, time] = entry.dataset.at.split("T");
    $("#move-delivery").value = entry.dataset.entry;
    $("#move-query").value = calendar().dataset.query;
    $("#move-date").value = date;
    $("#move-time").value = time;
    $("#move-what").textContent = `${$(".entry-account", entry).textContent}: ${$(".entry-text", entry).textContent}`;
    $("#move").showModal();
    $("#move-date").focus();
    return true;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) ask(button.closest("[data-entry]"));
    if (event.target.closest("#move [data-close]")) $("#move").close();
    const place = event.target.matches("[data-day], .day-head") && event.target.closest("[data-day]");
    const create = place && $(".day-new, .cell-new", place);
    if (create) create.click();
  });
  /* Before the swap: closing gives the focus back to what was there, and then the moved one takes it. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "calendar" && event.detail.shouldSwap && $("#move").open) $("#move").close();
  });

  /* ---- Arrows ---- */
  const linksOf = (place) => $$(".entry-link", place);
  function step(from, key) {
    const places = $$("#calendar [data-day]").filter((place) => place.offsetParent);
    const place = from.closest("[data-day]");
    const here = linksOf(place);
    const at = here.indexOf(from);
    if (key === "ArrowDown" && here[at + 1]) return here[at + 1];
    if (key === "ArrowUp" && here[at - 1]) return here[at - 1];
    const forward = key === "ArrowDown" || key === "ArrowRight";
    let number = places.indexOf(place);
    for (;;) {
      number += forward ? 1 : -1;
      if (!places[number]) return null;
      const found = linksOf(places[number]);
      if (found.length) return forward || key === "ArrowLeft" ? found[0] : found[found.length - 1];
    }
  }
  document.addEventListener("keydown", (event) => {
    const link = event.target instanceof Element && event.target.closest("#calendar .entry-link");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      const next = step(link, event.key);
      if (next) next.focus();
      event.preventDefault();
    } else if (event.key === "m" && ask(link.closest("[data-entry]"))) event.preventDefault();
  });

  /* ---- Arriving ---- */
  function arrive() {
    const row = $("[data-scroll-here]");
    const box = $(".week-box");
    if (row && box) box.scrollTop = row.offsetTop - 40;
    const moved = $("[data-focus]");
    if (moved) moved.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterSwap", arrive);
  arrive();
})();
