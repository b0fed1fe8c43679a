/* The composer beyond htmx: choosing many accounts, pictures from the library and the clipboard, and knowing what is kept. */
(function () {
  "use strict";

  const $ = (selector, within) => (within || document).querySelector(selector);
  const $$ = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const composer = () => $("#composer");
  const ask = () => window.htmx.trigger(composer(), "check");

  /* A part, a poll, a picture more or less. Through the form, so that it waits for a check under way and knows its answer. */
  function arrange(values) {
    const form = composer();
    window.htmx.ajax("POST", form.dataset.arrange, { source: form, target: "#composer", swap: "outerHTML", values });
  }
  document.addEventListener("submit", (event) => {
    if (event.target !== composer() || !event.submitter || event.submitter.name !== "do") return;
    event.preventDefault();
    arrange({ do: event.submitter.value });
  });

  /* Enter where one looks for a choice by its name looks for it, and does not save. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("[data-find]")) return;
    event.preventDefault();
    $("button", event.target.parentElement).click();
  });

  /* One click is one post. htmx sends what a form asks to the address of the last button clicked: a check that follows
     a changed field would go to "Schedule" as well. And a form that leaves first waits for the check under way, whose
     answer brings the version it has to name. */
  let leaving = false;
  document.addEventListener("htmx:configRequest", (event) => {
    const form = composer();
    if (!form || event.detail.elt !== form) return;
    if (leaving) event.preventDefault();
    if (!event.detail.triggeringEvent) return;
    event.detail.path = form.getAttribute("hx-post");
    event.detail.formData.delete("do");
  });
  document.addEventListener("submit", (event) => {
    const form = composer();
    if (event.target !== form || event.defaultPrevented) return;
    if (leaving) return event.preventDefault();
    leaving = true;
    if (!form.matches(".htmx-request")) return;
    event.preventDefault();
    const go = () => {
      if (form.matches(".htmx-request")) return setTimeout(go, 30);
      leaving = false;
      form.requestSubmit(event.submitter);
    };
    go();
  });
  window.addEventListener("pageshow", () => { leaving = false; });

  /* Accounts: find by name, take a network's all or none. */
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-chooser-search]")) return;
    event.stopPropagation();
    const wanted = fold(event.target.value.trim());
    const body = event.target.closest(".chooser-body");
    for (const item of $$("[data-chooser-name]", body)) item.hidden = !fold(item.dataset.chooserName).includes(wanted);
    for (const group of $$("[data-chooser-group]", body)) group.hidden = !$("[data-chooser-name]:not([hidden])", group);
    $("[data-chooser-none]", body).hidden = Boolean($("[data-chooser-group]:not([hidden])", body));
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chooser-all]");
    if (!button) return;
    const boxes = $$("li:not([hidden]) input[type=checkbox]", button.closest("[data-chooser-group]"));
    const all = boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = !all;
    ask();
  });

  /* The library, in a dialog. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) {
      const list = $("#pictures-list");
      $("#pictures").showModal();
      window.htmx.ajax("GET", `${list.dataset.from}&where=${button.dataset.pick}&as=${button.dataset.pickAs || ""}`, { target: list, swap: "innerHTML" });
    }
    const picked = event.target.closest("[data-picked]");
    if (picked) {
      arrange({ do: picked.value, pick: $$("#picker [name=pick]:checked").map((box) => box.value) });
      $("#pictures").close();
    }
    const closing = event.target.closest("[data-close]");
    if (closing) setTimeout(() => closing.closest("dialog").close());
  });

  /* Pictures pasted into a part. */
  document.addEventListener("paste", (event) => {
    const part = event.target instanceof Element && event.target.closest("[data-part]");
    const files = event.clipboardData ? Array.from(event.clipboardData.files).filter((file) => file.type.startsWith("image/")) : [];
    if (!part || !files.length) return;
    event.preventDefault();
    const box = new DataTransfer();
    for (const file of files) box.items.add(file);
    const input = $("input[type=file]", part);
    input.files = box.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[type=file]")) event.target.setAttribute("data-chosen", "");
  });
  document.addEventListener("regie:uploaded", ask);

  /* What was kept on the server needs no question before the page is left. */
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = composer();
    if (form && event.detail.successful && $("#side .saved")) window.regie.saved(form);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const side = $("#side");
    if (side && event.detail.elt.id === "composer") side.setAttribute("aria-busy", "true");
  });
  /* A choice that was begun and not made: the buttons that publish wait, and say why. */
  function holdBack() {
    const side = $("#side");
    const why = side ? side.dataset.undecided : "";
    for (const button of $$("[data-goes-out]")) {
      button.disabled = Boolean(why);
      button.title = why || "";
    }
  }
  document.addEventListener("htmx:load", holdBack);
  holdBack();

  /* After a part, a poll or a picture came or went, the draft is kept as well. */
  document.addEventListener("htmx:load", (event) => {
    const form = event.detail.elt;
    if (form.id !== "composer" || !("arranged" in form.dataset)) return;
    const focused = $("[autofocus]", form);
    if (focused) focused.focus();
    ask();
  });
})();
