// Colours: what the reader chose, otherwise the system's. Runs before the first paint.
(() => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  try { const kept = localStorage.getItem("theme"); if (kept) root.dataset.theme = kept; } catch {}
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".theme-switch");
    if (!button) return;
    const show = () => button.setAttribute("aria-pressed", isDark());
    button.hidden = false; show(); dark.addEventListener("change", show);
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark"; show();
      try { localStorage.setItem("theme", root.dataset.theme); } catch {}
    });
  });
  addEventListener("click", (e) => document.querySelectorAll(".submenu[open]").forEach((d) => { d.open = d.contains(e.target); }));
})();
