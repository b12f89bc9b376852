// Comments of the theme: sending without a reload, answering in place, editing
// one's own, reactions, and what others write while one reads. All of it works
// without this script, in plain requests.
(() => {
  "use strict";
  const box = document.querySelector(".comments-thread");
  if (!box) return;
  const thread = box.dataset.thread, list = box.querySelector("[data-list]"), form = box.querySelector(".comment-form");
  const words = form ? form.dataset : {}, home = document.createComment("form");
  const api = (path, options) => fetch("/api/site/comments" + path, { credentials: "omit", ...options });
  const json = (method, body) => ({ method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const make = (tag, props, ...children) => { const e = Object.assign(document.createElement(tag), props); e.append(...children); return e; };

  // Tokens of one's own comments, for as long as they are good.
  const kept = "comments";
  const tokens = () => { try { return JSON.parse(localStorage.getItem(kept)) || {}; } catch { return {}; } };
  const keep = (id, token) => {
    const all = tokens(), old = Date.now() - box.dataset.edit * 60000;
    for (const k in all) if (all[k].at < old) delete all[k];
    if (token) all[id] = { token, at: Date.now() }; else delete all[id];
    try { localStorage.setItem(kept, JSON.stringify(all)); } catch {}
  };

  function tell(text, kind, where = form) {
    box.querySelectorAll(".notice").forEach((n) => n.remove());
    const n = make("p", { className: "notice " + kind, textContent: text });
    n.setAttribute("role", kind === "error" ? "alert" : "status");
    where.before(n);
    n.scrollIntoView({ block: "nearest" });
  }

  // fetchItem gives the comment as the server draws it, from a fresh page.
  async function drawn(id) {
    const res = await fetch(`?comment=${encodeURIComponent(id)}`, { credentials: "omit" });
    const page = new DOMParser().parseFromString(await res.text(), "text/html");
    return { item: page.getElementById("c-" + id), title: page.querySelector(".comments-bar h2") };
  }

  async function show(id) {
    const { item, title } = await drawn(id);
    const old = document.getElementById("c-" + id);
    if (!item) { if (old) location.replace(location.pathname + "#comments"); return null; }
    const fresh = document.importNode(item, true);
    if (old) {
      const body = fresh.querySelector(":scope > article"), was = old.querySelector(":scope > article");
      if (was.querySelector(":scope > .comment-edit")) return old; // nobody's words are taken away while typing
      was.replaceWith(body);
    } else {
      const above = item.parentElement.closest(".comment");
      const parent = above && document.getElementById(above.id);
      if (above && !parent) return null;
      let into = parent ? parent.querySelector(":scope > ol") : list;
      if (!into) parent.append(into = make("ol"));
      into.append(fresh);
      fresh.classList.add("fresh");
    }
    if (title) box.querySelector(".comments-bar h2").textContent = title.textContent;
    own();
    return document.getElementById("c-" + id);
  }

  // own gives the reader's own comments their buttons.
  function own() {
    for (const [id, { at }] of Object.entries(tokens())) {
      const li = document.getElementById("c-" + id);
      const tools = li && li.querySelector(":scope > article > .comment-tools");
      if (!tools || tools.querySelector("[data-own]") || Date.now() - at > box.dataset.edit * 60000) continue;
      tools.prepend(
        make("button", { type: "button", textContent: words.edit, onclick: () => edit(id, li) }),
        make("button", { type: "button", textContent: words.delete, onclick: () => remove(id, li) }));
      tools.firstChild.dataset.own = id;
    }
  }

  async function edit(id, li) {
    const body = li.querySelector(":scope > article > .comment-body");
    if (li.querySelector(":scope > article > form.comment-edit")) return;
    const text = make("textarea", { value: (tokens()[id] || {}).body || body.innerText, required: true, maxLength: 10000 });
    text.setAttribute("aria-label", words.edit);
    const end = () => { f.remove(); body.hidden = false; };
    const f = make("form", { className: "form comment-edit" }, make("div", { className: "field" }, text),
      make("div", { className: "form-foot" }, make("button", { className: "button", textContent: words.save }),
        make("button", { className: "button quiet", type: "button", textContent: words.cancel, onclick: end })));
    f.addEventListener("submit", async (e) => {
      e.preventDefault();
      const res = await api("/" + id, json("PATCH", { edit_token: tokens()[id].token, body: text.value }));
      const got = await res.json();
      if (!res.ok) return tell(fault(got), "error", f);
      body.innerHTML = got.html; // made safe by the server
      if (got.status !== "approved") tell(words.held, "", li);
      end();
    });
    body.hidden = true;
    body.after(f);
    text.focus();
  }

  async function remove(id, li) {
    const res = await api(`/${id}?edit_token=${encodeURIComponent(tokens()[id].token)}`, { method: "DELETE" });
    if (!res.ok) return tell(words.failed, "error", li);
    keep(id);
    tell(words.deleted, "success");
    if (li.querySelector(":scope > ol")) show(id); else li.remove();
  }

  const fault = (got) => Object.values(got.data || {}).map((d) => d.message).join(" ") || got.message || words.failed;

  if (form) {
    form.before(home);
    // The challenge is served when somebody turns to the form: what is sent
    // seconds later was written by nobody.
    let served = null, at = 0;
    const challenge = () => {
      if (!served || Date.now() - at > 3000000) { at = Date.now(); served = window.bungalow.challenge().catch(() => ({})); }
      return served;
    };
    form.addEventListener("focusin", challenge);
    // Only here is it known that the script runs: the browser's own way stays until then.
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const button = form.querySelector("[type=submit]");
      if (button.disabled) return;
      button.disabled = true;
      form.querySelectorAll(".field > .error").forEach((n) => n.remove());
      form.querySelectorAll("[aria-invalid]").forEach((n) => n.removeAttribute("aria-invalid"));
      try {
        const fields = Object.fromEntries(new FormData(form));
        Object.assign(fields, await challenge());
        const res = await api("", json("POST", fields)), got = await res.json();
        served = null; // a proof counts once
        if (!res.ok) { challenge(); return refused(got); }
        keep(got.id, got.edit_token);
        form.elements.body.value = "";
        answer();
        tell(got.status === "approved" ? words.sent : words.held, got.status === "approved" ? "success" : "");
        if (got.status === "approved") await show(got.id); else waiting(got, fields);
      } catch {
        tell(words.failed, "error");
      } finally {
        button.disabled = false;
      }
    });
    form.removeAttribute("data-challenge");
  }

  // waiting shows its author a comment that nobody else sees yet.
  function waiting(got, fields) {
    const li = make("li", { className: "comment", id: "c-" + got.id },
      make("article", {}, make("header", { className: "comment-head" }, make("span", { className: "comment-author", textContent: fields.author }),
        make("span", { className: "comment-waits", textContent: words.waits })), make("div", { className: "comment-body" }), make("div", { className: "comment-tools" })));
    li.querySelector(".comment-body").innerHTML = got.html;
    const parent = fields.parent && document.getElementById("c-" + fields.parent);
    let into = parent ? parent.querySelector(":scope > ol") : list;
    if (!into) parent.append(into = make("ol"));
    into.append(li);
    own();
  }

  function refused(got) {
    let first;
    for (const [name, { message }] of Object.entries(got.data || {})) {
      const input = form.elements[name];
      if (!input || input.type === "hidden") { tell(message, "error"); continue; }
      const id = input.id + "-error";
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", id);
      input.after(make("p", { className: "error", id, textContent: message }));
      first ||= input;
    }
    if (first) first.focus(); else if (!Object.keys(got.data || {}).length) tell(fault(got), "error");
  }

  // answer moves the form below a comment, or home.
  function answer(li) {
    const title = form.querySelector("h3");
    form.elements.parent.value = li ? li.dataset.id : "";
    title.textContent = li ? words.answer.replace("%s", li.querySelector(".comment-author").textContent) : words.new;
    form.querySelector("[data-back]")?.remove();
    if (!li) return home.after(form);
    li.querySelector(":scope > article").append(form);
    const back = make("button", { className: "button quiet", type: "button", textContent: words.unanswer, onclick: () => answer() });
    back.dataset.back = "";
    form.querySelector(".form-foot").append(back);
    form.elements.body.focus();
  }

  box.addEventListener("click", (e) => {
    const reply = e.target.closest(".comment-reply");
    if (reply && form && !e.ctrlKey && !e.metaKey) { e.preventDefault(); answer(reply.closest(".comment")); }
    const more = e.target.closest("[data-more]");
    if (more) rest(more);
  });

  // rest loads the answers that a long branch leaves out.
  async function rest(button) {
    const page = +(button.dataset.page || 2);
    const res = await api(`?thread=${encodeURIComponent(thread)}&root=${button.dataset.more}&page=${page}`), got = await res.json();
    if (!res.ok) return;
    const li = button.closest(".comment");
    let into = li.querySelector(":scope > ol");
    if (!into) button.parentElement.before(into = make("ol"));
    for (const item of got.items) {
      const one = make("li", { className: "comment", id: "c-" + item.id }, make("article", {},
        make("header", { className: "comment-head" }, make("span", { className: "comment-author", textContent: item.author })),
        make("div", { className: "comment-body" })));
      one.querySelector(".comment-body").innerHTML = item.html;
      into.append(one);
    }
    button.dataset.page = page + 1;
    if (page * got.perPage >= got.totalItems) button.parentElement.remove();
  }
  box.querySelectorAll("[data-more]").forEach((b) => { b.hidden = false; });

  box.addEventListener("submit", async (e) => {
    if (!e.target.matches(".comment-reactions")) return;
    e.preventDefault();
    const id = e.target.closest(".comment").dataset.id;
    const res = await api(`/${id}/reactions`, json("POST", { reaction: e.submitter.value }));
    if (!res.ok) return;
    const { reactions } = await res.json();
    for (const b of e.target.querySelectorAll("button")) {
      const n = reactions[b.value] || 0, before = +(b.querySelector("span")?.textContent || 0);
      b.querySelector("span")?.remove();
      if (n) b.append(" ", make("span", { textContent: n }));
      b.setAttribute("aria-pressed", b === e.submitter ? n > before : false);
    }
  });

  own();
  if (window.EventSource && +box.dataset.page === 1) {
    const news = new EventSource("/api/site/comments/live?thread=" + encodeURIComponent(thread));
    let queue = Promise.resolve();
    news.onmessage = (e) => {
      const n = JSON.parse(e.data), here = document.getElementById("c-" + n.id);
      if (n.kind === "gone" && here && !here.querySelector(":scope > ol")) return here.remove();
      if (here && here.contains(form)) return;
      queue = queue.then(() => show(n.id)).catch(() => {});
    };
    addEventListener("pagehide", () => news.close());
  }
})();
