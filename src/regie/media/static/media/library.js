/* The library: paste, the workspace an upload is for, and the point of a picture that matters, a video's cover. */
(function () {
  "use strict";

  const $ = (selector) => document.querySelector(selector);

  document.addEventListener("paste", (event) => {
    const input = $("#library-file");
    const files = event.clipboardData ? Array.from(event.clipboardData.files) : [];
    if (!input || !files.length) return;
    event.preventDefault();
    const box = new DataTransfer();
    for (const file of files) box.items.add(file);
    input.files = box.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-upload-for]")) return;
    const input = $("#library-file");
    for (const name of ["upload", "uploadBegin"]) input.dataset[name] = input.dataset[name].replace(/workspace=\d+/, `workspace=${event.target.value}`);
  });

  /* A video's cover: the moment at which its player stands. */
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-cover-here]")) return;
    const field = $("#id_cover_at");
    field.value = $("[data-file-video]").currentTime.toFixed(1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  });

  const box = $("[data-focus-on]");
  const x = $("#id_focus_x");
  const y = $("#id_focus_y");
  if (!box || !x || !y) return;
  const point = $("[data-focus-point]");
  function show() {
    point.hidden = false;
    point.style.left = `${((Number(x.value) + 1) / 2) * 100}%`;
    point.style.top = `${((1 - Number(y.value)) / 2) * 100}%`;
  }
  box.addEventListener("click", (event) => {
    const at = box.getBoundingClientRect();
    x.value = (((event.clientX - at.left) / at.width) * 2 - 1).toFixed(2);
    y.value = (1 - ((event.clientY - at.top) / at.height) * 2).toFixed(2);
    show();
  });
  x.addEventListener("input", show);
  y.addEventListener("input", show);
  show();
})();
