// The queue of comments by keyboard: j and k move, a, s, d decide, e edits, r
// answers, u takes the last decision back. And news of what arrives.
(() => {
  const queue = document.getElementById("queue");
  const typing = (el) => el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && el.type !== "checkbox";
  const items = queue ? [...queue.querySelectorAll(".queue-item")] : [];
  let at = -1;

  function go(n) {
    if (!items.length) return;
    items[at]?.classList.remove("at");
    at = Math.max(0, Math.min(items.length - 1, n));
    items[at].classList.add("at");
    items[at].focus({ preventScroll: true });
    items[at].scrollIntoView({ block: "nearest" });
    try { sessionStorage.setItem("queue-at", at); } catch {}
  }

  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target)) return;
    if (e.key === "j" || e.key === "k") { e.preventDefault(); return go(at + (e.key === "j" ? 1 : at < 0 ? 1 : -1)); }
    if (e.key === "u") { const undo = document.querySelector(".notice form button"); if (undo) { e.preventDefault(); undo.click(); } return; }
    if (at < 0) return;
    const button = items[at].querySelector(`[data-do="${e.key}"]`);
    if (button) { e.preventDefault(); button.click(); }
    if (e.key === "x") { e.preventDefault(); items[at].querySelector("input[type=checkbox]").click(); }
  });

  // After a decision the next one is at hand.
  try {
    const kept = sessionStorage.getItem("queue-at");
    if (kept !== null && document.querySelector(".notice") && items.length) go(+kept);
    else sessionStorage.removeItem("queue-at");
  } catch {}

  document.querySelectorAll("form[data-confirm]").forEach((f) => f.addEventListener("submit", (e) => { if (!confirm(f.dataset.confirm)) e.preventDefault(); }));

  const live = document.querySelector("[data-live]"), news = document.querySelector(".queue-news");
  if (live && news && window.EventSource) {
    const stream = new EventSource(live.dataset.live);
    stream.onmessage = () => { news.hidden = false; news.querySelector("a").href = location.href; };
    addEventListener("pagehide", () => stream.close());
  }
})();
