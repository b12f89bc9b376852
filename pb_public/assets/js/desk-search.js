// Up and down go through the hits from the field; Escape leads back to it.
(() => {
  const field = document.getElementById("desk-search");
  if (!field) return;
  field.setSelectionRange(field.value.length, field.value.length);
  addEventListener("keydown", (e) => {
    const hits = [...document.querySelectorAll("[data-hit]")];
    const at = hits.indexOf(document.activeElement);
    if (e.key === "Escape" && at >= 0) { field.focus(); return; }
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp" || at < 0 && document.activeElement !== field || !hits.length) return;
    e.preventDefault();
    const to = at + (e.key === "ArrowDown" ? 1 : -1);
    (to < 0 ? field : hits[Math.min(to, hits.length - 1)]).focus();
  });
})();
