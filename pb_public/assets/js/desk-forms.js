// The form builder: fields moved by dragging or by arrow keys, and a preview
// that follows. Everything works without it, by buttons.
(() => {
  "use strict";

  // Copying.
  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    const words = button.querySelector("span"), before = words.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      words.textContent = button.dataset.done;
      setTimeout(() => { words.textContent = before; }, 2000);
    });
  });

  document.addEventListener("submit", (event) => {
    const ask = event.submitter?.dataset?.confirm;
    if (ask && !window.confirm(ask)) event.preventDefault();
  }, true);

  const form = document.querySelector("[data-builder]");
  if (!form) return;

  // Preview, in a shadow root: the site's own style sheet must not meet the desk's.
  const box = form.querySelector("[data-preview-box]");
  form.querySelector(".preview").hidden = false;
  const root = box.attachShadow({ mode: "open" });
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = box.dataset.css;
  const shown = document.createElement("div");
  shown.inert = true;
  root.append(sheet, shown);
  let timer, asked = 0;
  async function preview() {
    const mine = ++asked;
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "text/html" } });
    if (mine !== asked || !answer.ok) return; // an older answer, or a form that is being mended
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    page.querySelectorAll("script").forEach((script) => script.remove());
    shown.replaceChildren(...page.body.childNodes);
    box.dataset.drawn = String(mine);
  }
  const soon = () => { clearTimeout(timer); timer = setTimeout(() => preview().catch(() => {}), 250); };
  form.addEventListener("input", soon);
  form.addEventListener("input", (event) => {
    if (!/^f\.\d+\.label$/.test(event.target.name)) return;
    const title = event.target.closest("[data-item]").querySelector(".builder-name strong");
    title.textContent = event.target.value;
  });
  form.addEventListener("change", soon);
  document.addEventListener("htmx:afterSettle", () => { ready(); soon(); });

  // Moving.
  const items = () => [...form.querySelectorAll("[data-item]")];
  function said(item) {
    const line = form.querySelector("[data-said]");
    const all = items(), values = [item.querySelector("strong").textContent, all.indexOf(item) + 1, all.length];
    line.textContent = line.dataset.moved.replace(/%s/g, () => values.shift());
  }
  function move(item, by) {
    const all = items(), to = all.indexOf(item) + by;
    if (to < 0 || to >= all.length) return;
    if (by < 0) all[to].before(item); else all[to].after(item);
    item.querySelector("[data-grip]").focus();
    said(item);
    soon();
  }
  let dragged = null;
  function ready() {
    for (const grip of form.querySelectorAll("[data-grip][hidden]")) {
      const item = grip.closest("[data-item]");
      grip.hidden = false;
      grip.addEventListener("keydown", (event) => {
        const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!by) return;
        event.preventDefault();
        move(item, by);
      });
      grip.addEventListener("dragstart", (event) => {
        dragged = item;
        item.classList.add("dragged");
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", "");
        event.dataTransfer.setDragImage(item, 0, 0);
      });
      grip.addEventListener("dragend", () => { item.classList.remove("dragged"); dragged = null; });
      item.addEventListener("dragover", (event) => {
        if (!dragged || dragged === item) return;
        event.preventDefault();
        const below = event.clientY > item.getBoundingClientRect().top + item.offsetHeight / 2;
        if (below) item.after(dragged); else item.before(dragged);
      });
      item.addEventListener("drop", (event) => { if (dragged) { event.preventDefault(); said(dragged); soon(); } });
    }
  }
  ready();
  preview().catch(() => {});

  // Leaving with changes asks.
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
})();
