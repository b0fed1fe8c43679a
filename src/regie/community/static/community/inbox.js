/* The open message is in sight: a long conversation opens where it is, not at its beginning. */
(function () {
  "use strict";
  function show(within) {
    let line = within.querySelector(".pane .is-current");
    const waits = ".is-refused, .is-unclear, .is-sending"; // our answers to it, below
    while (line && line.nextElementSibling && line.nextElementSibling.matches(waits)) line = line.nextElementSibling;
    const pane = line && line.closest(".pane");
    if (!pane || pane.scrollHeight <= pane.clientHeight) return;
    const reply = pane.querySelector(".pane-reply");
    const room = pane.clientHeight - (reply ? reply.offsetHeight : 0);
    pane.scrollTop = Math.max(0, line.offsetTop - pane.offsetTop + line.offsetHeight + 16 - room);
  }
  if (window.regie) window.regie.onArrival(show);
})();
