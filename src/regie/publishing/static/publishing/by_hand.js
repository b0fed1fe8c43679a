/* Publishing by hand on a phone: the share sheet takes the text and the pictures to the network's own app. */
(function () {
  "use strict";

  if (!navigator.share) return;
  for (const button of document.querySelectorAll("[data-share-text]")) {
    button.hidden = false;
    button.addEventListener("click", () => share(button));
  }

  async function share(button) {
    const text = document.querySelector(button.dataset.shareText);
    const place = document.querySelector(button.dataset.shareFiles);
    button.disabled = true;
    try {
      const files = await Promise.all(Array.from(place ? place.querySelectorAll("a[download]") : [], fetched));
      const what = text ? { text: text.value } : {};
      if (files.length && navigator.canShare && navigator.canShare({ files })) what.files = files;
      await navigator.share(what);
    } catch (problem) {
      if (problem.name !== "AbortError") window.regie.toast(window.regie.words.failed, "bad"); // the person closed the sheet
    } finally {
      button.disabled = false;
    }
  }

  async function fetched(link) {
    const reply = await fetch(link.href);
    const blob = await reply.blob();
    return new File([blob], link.dataset.name || "picture", { type: blob.type });
  }
})();
