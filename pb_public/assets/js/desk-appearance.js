// The preview of the look: the real site in a frame, with the colour that is not saved yet.
(() => {
  const frame = document.querySelector("[data-preview]");
  if (!frame) return;
  const accent = document.getElementById(frame.dataset.preview);
  let theme = "";
  const paint = () => {
    const root = frame.contentDocument?.documentElement;
    if (!root) return;
    if (/^#[0-9a-f]{6}$/i.test(accent.value)) root.style.setProperty("--accent", accent.value);
    if (theme) root.dataset.theme = theme;
  };
  frame.addEventListener("load", paint);
  accent.addEventListener("input", paint);
  paint();
  document.querySelector("[data-preview-tools]").hidden = false;
  const themes = document.querySelectorAll("[data-preview-theme]");
  themes.forEach((b) => b.addEventListener("click", () => {
    theme = b.dataset.previewTheme;
    themes.forEach((o) => o.setAttribute("aria-pressed", String(o === b)));
    paint();
  }));
  document.querySelector("[data-preview-narrow]").addEventListener("click", (e) => {
    const on = frame.classList.toggle("phone");
    e.currentTarget.setAttribute("aria-pressed", String(on));
  });
})();
