// What every page of the desk does beyond plain HTML: keys, menus that close, and forms that are sent once.
(() => {
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

  // An element with data-key="x" is clicked, or focused where it takes text, by that key. "g p" is two keys in turn.
  let first = "", timer;
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target)) return;
    const keys = first ? first + " " + e.key : e.key;
    const found = [...document.querySelectorAll("[data-key]")];
    const target = found.find((el) => el.dataset.key === keys && el.getClientRects().length);
    clearTimeout(timer);
    first = !first && found.some((el) => el.dataset.key.startsWith(e.key + " ")) ? e.key : "";
    timer = setTimeout(() => { first = ""; }, 1200);
    if (!target) return;
    e.preventDefault();
    first = "";
    if (typing(target)) { target.focus(); target.select?.(); } else target.click();
  });

  // Menus made of <details class="drop"> close at Escape and at a click elsewhere.
  addEventListener("click", (e) => document.querySelectorAll(".drop[open]").forEach((d) => { if (!d.contains(e.target)) d.open = false; }));
  addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    const open = document.querySelector(".drop[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });

  // A form is sent once: a second click within it does nothing until the answer is there.
  addEventListener("submit", (e) => {
    const form = e.target;
    if (e.defaultPrevented || form.method !== "post" || form.target) return;
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => { delete f.dataset.sent; f.removeAttribute("aria-busy"); }));

  // A box data-all="name" in a table's head ticks every box of that name.
  addEventListener("change", (e) => {
    const name = e.target.dataset?.all;
    if (name) document.querySelectorAll(`input[name="${name}"]`).forEach((box) => { box.checked = e.target.checked; });
  });

  // After a form came back with faults, the first of them gets the focus.
  addEventListener("DOMContentLoaded", () => document.querySelector("[aria-invalid=true]")?.focus());

  // A sign-in that ended meanwhile: htmx gets 401, the reader a sentence and a way.
  addEventListener("htmx:responseError", (e) => {
    if (e.detail.xhr.status === 401) location.href = "/desk/sign-in/?next=" + encodeURIComponent(location.pathname + location.search);
  });
})();
