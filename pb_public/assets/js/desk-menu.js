// The lines of a menu are moved in place: by buttons, by the arrow keys on their handle, and by dragging it. The same
// steps as on the server, which does them where there is no JavaScript.
(() => {
  const form = document.querySelector("[data-menu]");
  if (!form) return;
  const list = form.querySelector(".menu-lines"), live = form.querySelector("[data-live]"), deepest = 2;
  const rows = () => [...list.children], level = (row) => +row.dataset.level;
  form.querySelector("[data-js]").hidden = false;
  const blank = form.querySelector("template").content.firstElementChild;
  const show = (row) => { row.querySelector(".handle").hidden = false; };
  rows().forEach(show);

  function setLevel(row, n) {
    row.dataset.level = n;
    row.className = row.className.replace(/level-\d/, "level-" + n);
    row.querySelector("[name=level]").value = n;
  }
  // A row with all that lies below it.
  function block(row) {
    const all = rows(), at = all.indexOf(row);
    let end = at + 1;
    while (end < all.length && level(all[end]) > level(row)) end++;
    return all.slice(at, end);
  }
  function before(row) {
    let p = row.previousElementSibling;
    while (p && level(p) > level(row)) p = p.previousElementSibling;
    return p;
  }
  const shift = (moved, by) => { if (by > 0 || level(moved[0]) > 0) moved.forEach((r) => setLevel(r, level(r) + by)); };
  function straighten() {
    let above = -1;
    for (const row of rows()) { setLevel(row, Math.max(0, Math.min(level(row), above + 1, deepest))); above = level(row); }
  }

  function step(row, act) {
    const moved = block(row), p = before(row), after = moved.at(-1).nextElementSibling;
    if (act === "remove") {
      const next = after || row.previousElementSibling;
      moved.forEach((r) => r.remove());
      (next?.querySelector(".handle") || form.querySelector("#f-target")).focus();
    } else if (act === "in") {
      if (p && level(p) === level(row) && Math.max(...moved.map(level)) < deepest) shift(moved, 1);
    } else if (act === "out") shift(moved, -1);
    else if (act === "up" && p) {
      if (level(p) < level(row)) shift(moved, -1);
      p.before(...moved);
    } else if (act === "down") {
      if (after && level(after) === level(row)) block(after).at(-1).after(...moved);
      else shift(moved, -1);
    }
    changed(row);
  }

  function changed(row) {
    straighten();
    draw();
    form.dataset.changed = "1";
    const all = rows();
    if (all.includes(row)) {
      const said = [all.indexOf(row) + 1, all.length, level(row) + 1];
      live.textContent = form.dataset.said.replace(/%d/g, () => said.shift());
    }
  }

  // What a visitor will see.
  function draw() {
    const box = document.querySelector("[data-menu-preview]"), top = document.createElement("ul"), open = [top];
    top.className = "menu-tree";
    for (const row of rows()) {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("a"), { href: row.querySelector("[name=url]").value, textContent: row.querySelector("[name=label]").value }));
      const at = level(row);
      if (at > 0) {
        const parent = open[at - 1].lastElementChild;
        open[at] = parent.querySelector(":scope > ul") || parent.appendChild(Object.assign(document.createElement("ul"), { className: "menu-tree" }));
      }
      open[at].append(item);
      open.length = at + 1;
    }
    box.replaceChildren(top);
  }

  form.addEventListener("click", (e) => {
    const button = e.target.closest("[name=do]");
    if (!button) return;
    e.preventDefault();
    if (button.value === "add") return add();
    const row = button.closest(".menu-line");
    step(row, button.value.split(":")[0]);
    if (row.isConnected) button.focus();
  });
  form.addEventListener("keydown", (e) => {
    const act = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in", Delete: "remove" }[e.key];
    const handle = e.target.closest(".handle"), row = e.target.closest(".menu-line");
    if (act && handle) {
      e.preventDefault();
      step(row, act);
      if (row.isConnected) handle.focus();
    } else if (e.key === "Enter" && /^new_/.test(e.target.name)) { e.preventDefault(); add(); }
  });
  form.addEventListener("input", (e) => { if (e.target.closest(".menu-line")) { form.dataset.changed = "1"; draw(); } });

  function add() {
    const target = form.querySelector("#f-target"), label = form.querySelector("#f-new-label"), url = form.querySelector("#f-new-url");
    const cut = target.value.indexOf(" ");
    const to = url.value.trim() || target.value.slice(0, cut), name = label.value.trim() || target.value.slice(cut + 1);
    if (!to || !name || cut < 0 && !url.value.trim()) { (url.value ? label : target).focus(); return; }
    if (rows().length >= +form.dataset.max) return;
    const row = blank.cloneNode(true);
    row.querySelector("[name=label]").value = name;
    row.querySelector("[name=url]").value = to;
    row.querySelectorAll("[aria-label]").forEach((el) => el.setAttribute("aria-label", el.getAttribute("aria-label") + name));
    const n = "n" + rows().length + Date.now();
    for (const kind of ["l", "u"]) { row.querySelector(`#${kind}-0`).id = kind + n; row.querySelector(`[for=${kind}-0]`).htmlFor = kind + n; }
    show(row);
    list.append(row);
    target.value = label.value = url.value = "";
    changed(row);
    row.querySelector(".handle").focus();
  }

  // Dragging: up and down by the row below the pointer, in and out by how far to the right it is let go.
  let dragged, from;
  const unmark = () => list.querySelectorAll(".target-above, .target-below").forEach((r) => r.classList.remove("target-above", "target-below"));
  const over = (e) => {
    const row = e.target.closest?.(".menu-line"), area = row?.getBoundingClientRect();
    return row && !block(dragged).includes(row) ? { row, below: e.clientY > area.top + area.height / 2 } : null;
  };
  list.addEventListener("dragstart", (e) => {
    dragged = e.target.closest(".menu-line");
    from = e.clientX;
    e.dataTransfer.effectAllowed = "move";
    e.dataTransfer.setData("text/plain", "");
    e.dataTransfer.setDragImage(dragged, 10, 10);
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (e) => {
    if (!dragged) return;
    e.preventDefault();
    unmark();
    const at = over(e);
    at?.row.classList.add(at.below ? "target-below" : "target-above");
  });
  list.addEventListener("drop", (e) => {
    if (!dragged) return;
    e.preventDefault();
    const at = over(e), moved = block(dragged), was = level(dragged);
    if (at) at.below ? at.row.after(...moved) : at.row.before(...moved);
    const steps = Math.round((e.clientX - from) / 40) + (at ? level(at.row) - was : 0);
    const most = deepest - Math.max(...moved.map((r) => level(r) - was));
    const want = Math.max(0, Math.min(was + steps, most));
    moved.forEach((r) => setLevel(r, level(r) - was + want));
    changed(dragged);
  });
  list.addEventListener("dragend", () => { unmark(); dragged?.classList.remove("dragged"); dragged = null; });

  form.addEventListener("submit", () => { delete form.dataset.changed; });
  addEventListener("beforeunload", (e) => { if (form.dataset.changed) e.preventDefault(); });
})();
