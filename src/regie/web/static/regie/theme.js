// Runs before the page is drawn: "auto" becomes light or dark as the device says, so that nothing flashes.
(function () {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const kept = document.cookie.match(/(?:^|; )regie_theme=(auto|light|dark)/);
  if (kept) root.dataset.themeChoice = kept[1];
  function apply() {
    const choice = root.dataset.themeChoice;
    root.dataset.bsTheme = choice === "light" || choice === "dark" ? choice : dark.matches ? "dark" : "light";
  }
  apply();
  dark.addEventListener("change", apply);
  window.regieTheme = {
    choose(choice) {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `regie_theme=${choice}; path=/; max-age=31536000; samesite=lax${secure}`;
      root.dataset.themeChoice = choice;
      apply();
    },
  };
})();
