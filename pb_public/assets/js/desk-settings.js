// The pages of settings: a colour is picked as well as typed, and leaving with unsaved changes is asked about.
(() => {
  document.querySelectorAll("[data-colour]").forEach((picker) => {
    const text = document.getElementById(picker.dataset.colour);
    picker.hidden = false;
    picker.addEventListener("input", () => {
      text.value = picker.value;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    });
    text.addEventListener("input", () => { if (/^#[0-9a-f]{6}$/i.test(text.value)) picker.value = text.value; });
  });
  const form = document.getElementById("settings-form");
  if (!form) return;
  const state = () => new URLSearchParams(new FormData(form)).toString();
  const before = state();
  let sent = false;
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("beforeunload", (e) => { if (!sent && state() !== before) e.preventDefault(); });
})();
