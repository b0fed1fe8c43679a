/* Notices on this device: asks the browser, and tells the server where its push service is. On the page "Your account". */
(function () {
  "use strict";

  const place = document.querySelector("[data-push]");
  if (!place) return;
  const show = (name) => (place.querySelector(`[data-push-${name}]`).hidden = false);
  const works = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!works) return show("none");
  if (Notification.permission === "denied") return show("denied");

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  navigator.serviceWorker.getRegistration("/").then(async (there) => {
    const mine = there && (await there.pushManager.getSubscription());
    const known = mine && Array.from(place.querySelectorAll("[data-push-browser]")).some((row) => row.dataset.pushBrowser === mine.endpoint);
    if (!known) show("on");
  });

  place.querySelector("[data-push-on]").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") return show("denied");
      await navigator.serviceWorker.register("/sw.js", { scope: "/" });
      const worker = await navigator.serviceWorker.ready;
      const before = await worker.pushManager.getSubscription();
      if (before) await before.unsubscribe(); // perhaps made with other keys
      const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(place.dataset.pushKey) });
      const form = new URLSearchParams({ endpoint: made.endpoint, p256dh: text(made.getKey("p256dh")), auth: text(made.getKey("auth")), name: name() });
      const reply = await fetch(place.dataset.pushUrl, { method: "POST", body: form, headers: { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content } });
      if (!reply.ok) throw new Error(String(reply.status));
      location.reload();
    } catch (_problem) {
      button.disabled = false;
      window.regie.toast(window.regie.words.failed, "bad");
    }
  });

  function name() {
    const agent = navigator.userAgent;
    const browser = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]].find(([sign]) => agent.includes(sign));
    const system = ["iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux"].find((sign) => agent.includes(sign));
    return [browser && browser[1], system].filter(Boolean).join(" · ");
  }
})();
