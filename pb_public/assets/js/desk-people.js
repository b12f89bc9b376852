// Staff and the own account: copying a link, and colours that count in this browser at once.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(field.value ?? field.innerText); button.querySelector("span").textContent = button.dataset.copied; } catch { field.select?.(); }
    });
  }
  document.querySelector("[data-theme-form]")?.addEventListener("submit", (e) => {
    const theme = e.target.elements.theme.value;
    try { if (theme) localStorage.setItem("theme", theme); else localStorage.removeItem("theme"); } catch {}
  });
})();
