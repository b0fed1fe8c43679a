/* Shows notices while no page of Régie is open. It keeps nothing and answers for no page: offline, the browser says so. */
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/* What our server said, or nothing: browsers want something shown for each message, also for one we cannot read. */
function words(data) {
  try {
    const said = data.json();
    return said && typeof said === "object" ? said : {};
  } catch (_problem) {
    return {};
  }
}

function address(url) {
  const found = new URL(typeof url === "string" ? url : "/notices/", self.location.origin);
  return found.origin === self.location.origin ? found.href : new URL("/notices/", self.location.origin).href;
}

self.addEventListener("push", (event) => {
  const said = words(event.data);
  event.waitUntil(
    self.registration.showNotification(String(said.title || "Régie"), {
      body: String(said.body || ""),
      tag: said.tag,
      icon: said.icon,
      data: { url: address(said.url) },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url);
  event.waitUntil(
    self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((pages) => {
      const open = pages.find((page) => new URL(page.url).pathname === url.pathname);
      return open ? open.focus() : self.clients.openWindow(url.href);
    }),
  );
});
