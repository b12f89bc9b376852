// The inbox beyond plain HTML: keys, news from the server, who else is here, and text that is put in at the cursor.
(() => {
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && el.type !== "checkbox");
  const listForm = document.getElementById("inbox-list");
  const view = document.querySelector("[data-live=conversation]");

  // The list: j and k move, the other keys act on what is ticked or else on where one is.
  const rows = () => [...document.querySelectorAll(".inbox-row")];
  let at = sessionStorage.getItem("inbox-at");
  const mark = (row) => {
    rows().forEach((r) => r.classList.toggle("at", r === row));
    if (!row) return;
    at = row.dataset.id;
    sessionStorage.setItem("inbox-at", at);
    row.querySelector("a").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const current = () => rows().find((r) => r.classList.contains("at"));
  const acts = { e: "close", s: "spam", a: "take", u: "unread" };
  addEventListener("keydown", (e) => {
    if (!listForm || e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || typing(e.target)) return;
    const all = rows(), here = all.indexOf(current());
    if (e.key === "j" || e.key === "k") {
      if (!all.length) return;
      e.preventDefault();
      mark(all[here < 0 ? 0 : Math.min(all.length - 1, Math.max(0, here + (e.key === "j" ? 1 : -1)))]);
    } else if (e.key === "o" && here >= 0) {
      e.preventDefault();
      all[here].querySelector("a").click();
    } else if (e.key === "x" && here >= 0) {
      e.preventDefault();
      const box = all[here].querySelector("[name=id]");
      box.checked = !box.checked;
    } else if (acts[e.key]) {
      const button = listForm.querySelector(`[name=act][value=${acts[e.key]}]`);
      if (!button) return;
      if (!listForm.querySelector("[name=id]:checked")) {
        if (here < 0) return;
        all[here].querySelector("[name=id]").checked = true;
        sessionStorage.setItem("inbox-at", (all[here + 1] || all[here - 1] || all[here]).dataset.id);
      }
      e.preventDefault();
      listForm.requestSubmit(button);
    }
  });
  if (listForm && at) { const row = rows().find((r) => r.dataset.id === at); if (row) row.classList.add("at"); }

  // Ctrl+Enter sends the form in which one writes.
  addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.target.tagName === "TEXTAREA" && e.target.form) { e.preventDefault(); e.target.form.requestSubmit(); }
  });

  // A piece of the page is fetched anew. What is ticked, open or being read stays.
  const fresh = async (target) => {
    const res = await fetch(location.pathname.replace(/messages\/.*|reply\/$|note\/$/, "") + location.search, { headers: { "HX-Request": "true" } });
    if (!res.ok) { if (res.status === 401) location.reload(); return; }
    const ticked = [...target.querySelectorAll(":checked")].map((b) => b.value);
    const open = [...target.querySelectorAll("li[id] details[open]")].map((d) => d.closest("li").id + [...d.closest("li").querySelectorAll("details")].indexOf(d));
    const focused = target.contains(document.activeElement) ? document.activeElement.closest("[data-id]")?.dataset.id : null;
    if (document.activeElement?.tagName === "SELECT" && target.contains(document.activeElement)) return;
    target.innerHTML = await res.text();
    target.querySelectorAll("[name=id]").forEach((b) => { b.checked = ticked.includes(b.value); });
    target.querySelectorAll("li[id] details").forEach((d) => { const li = d.closest("li"); if (open.includes(li.id + [...li.querySelectorAll("details")].indexOf(d))) d.open = true; });
    if (listForm) { const row = rows().find((r) => r.dataset.id === at); if (row) { row.classList.add("at"); if (focused) row.querySelector("a").focus({ preventScroll: true }); } }
    count();
  };

  // The seconds until an answer goes out.
  const count = () => document.querySelectorAll("[data-wait]").forEach((el) => {
    if (el.dataset.from) return;
    el.dataset.from = Date.now();
    const step = () => {
      const left = Math.max(0, Math.ceil(el.dataset.wait - (Date.now() - el.dataset.from) / 1000));
      el.textContent = el.textContent.replace(/\d+/, left);
      if (left > 0 && el.isConnected) setTimeout(step, 250);
    };
    step();
  });
  count();

  // News. After a break the page loads its piece anew, because what happened meanwhile is not told again.
  const target = document.getElementById(listForm ? "inbox-rows" : "inbox-thread");
  if (target && (listForm || view)) {
    let later, lost = false;
    const soon = () => { clearTimeout(later); later = setTimeout(() => fresh(target), 150); };
    // A tab in the background holds no stream: browsers open six to one site at most.
    let news;
    const open = () => {
      if (news || document.hidden) return;
      news = new EventSource("/desk/inbox/live/" + (view ? "?conversation=" + encodeURIComponent(view.dataset.id) : ""));
      news.addEventListener("changed", soon);
      news.addEventListener("people", (e) => people(JSON.parse(e.data)));
      news.onerror = () => { lost = true; };
      news.onopen = () => { if (lost) soon(); lost = false; };
    };
    const close = () => { lost = lost || !!news; news?.close(); news = undefined; };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", open);
    open();
  }
  const people = (others) => {
    const box = document.getElementById("inbox-people");
    if (!box) return;
    box.hidden = !others.length;
    box.replaceChildren(...others.map((o) => {
      const span = document.createElement("span");
      span.textContent = (o.typing ? box.dataset.typing : box.dataset.looking).replace("%s", o.name);
      return span;
    }));
  };

  // Colleagues are told that somebody writes here, while it lasts.
  let told = 0, silent;
  addEventListener("input", (e) => {
    const to = e.target.dataset?.typing;
    if (!to) return;
    const say = (is) => fetch(to, { method: "POST", body: new URLSearchParams({ is }), keepalive: true });
    if (Date.now() - told > 5000) { told = Date.now(); say(true); }
    clearTimeout(silent);
    silent = setTimeout(() => { told = 0; say(false); }, 10000);
  });

  // A canned reply goes in where the cursor is.
  document.getElementById("inbox-canned")?.addEventListener("submit", (e) => {
    const area = document.getElementById("reply-text"), text = e.target.elements.canned.selectedOptions[0]?.dataset.text;
    if (!area || !text) return;
    e.preventDefault();
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.getElementById("inbox-note")?.addEventListener("toggle", (e) => { if (e.target.open) document.getElementById("note-text").focus(); });

  // What was taken back is at an address that must not be loaded again.
  if (view?.dataset.path) { history.replaceState(null, "", view.dataset.path); document.getElementById("reply-text")?.focus(); }
})();
