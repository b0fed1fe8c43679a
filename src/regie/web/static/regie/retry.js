// The 503 page: ask quietly whether the product is back, and reload once it is.
(function () {
  "use strict";
  async function ask() {
    try {
      const reply = await fetch("/healthz", { cache: "no-store" });
      if (reply.ok) return location.reload();
    } catch (_error) {
      // still away
    }
    setTimeout(ask, 5000);
  }
  setTimeout(ask, 5000);
})();
