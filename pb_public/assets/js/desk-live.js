// The numbers beside the menu follow what happens. Without this, or where no stream is to be had, each page brings them anew.
(() => {
  const menu = document.getElementById("menu");
  if (!menu || !window.EventSource) return;
  const show = (counts) => menu.querySelectorAll("a[href]").forEach((a) => {
    const n = counts[a.getAttribute("href")] || 0;
    let box = a.querySelector(".count");
    if (!n) { box?.remove(); return; }
    if (!box) { box = document.createElement("span"); box.className = "count"; a.append(box); }
    if (box.textContent !== String(n)) box.textContent = n;
  });
  let stream;
  const open = () => {
    if (stream || document.hidden) return;
    stream = new EventSource("/desk/live/");
    stream.addEventListener("message", (e) => show(JSON.parse(e.data).counts));
  };
  const close = () => { stream?.close(); stream = undefined; };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
})();
