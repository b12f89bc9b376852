// The editor of posts and pages. Without it the page is a plain form that works; with it the text is saved as it is
// typed, rich text can be written, pictures can be dropped in, and nothing is lost when the connection or the session ends.
(() => {
  const form = document.getElementById("editor");
  if (!form) return;
  const $ = (id) => document.getElementById(id);
  const say = (key, arg) => (form.dataset["t" + key[0].toUpperCase() + key.slice(1)] || "").replace("%s", arg ?? "");
  const body = $("f-body"), format = $("f-format"), rich = $("rich"), live = $("live"), state = $("state");
  const field = (name) => form.elements[name];

  // ---- HTML, without anything that runs ------------------------------------------------------------------------------

  const parse = (html) => { const t = document.createElement("template"); t.innerHTML = html; return t.content; };
  const print = (node) => { const d = document.createElement("div"); d.append(node.cloneNode(true)); return d.innerHTML; };
  const harmless = (html) => {
    const doc = parse(html);
    doc.querySelectorAll("script,style,link,meta,base,object,embed,svg,math,form,input,button,select,textarea").forEach((el) => el.remove());
    doc.querySelectorAll("iframe").forEach((el) => { const p = document.createElement("p"); p.textContent = el.getAttribute("src") || ""; el.replaceWith(p); });
    doc.querySelectorAll("*").forEach((el) => [...el.attributes].forEach((a) => {
      if (/^on|^style$|^contenteditable$/i.test(a.name) || /^\s*(javascript|vbscript):/i.test(a.value)) el.removeAttribute(a.name);
    }));
    return document.importNode(doc, true);
  };

  // ---- The rich-text editor holds what it knows; every other part stays byte by byte in an island of its own ----------

  const blocks = new Set("P H1 H2 H3 H4 H5 H6 BLOCKQUOTE UL OL LI PRE".split(" "));
  const inlines = new Set("A B STRONG I EM U S DEL INS STRIKE CODE SUB SUP SMALL KBD ABBR CITE Q BR IMG SPAN SAMP VAR DFN TIME".split(" "));
  const marks = "b,strong,i,em,u,s,del,ins,strike";
  const islands = [];
  let squire;

  // A quotation or list item holds either words or blocks: of both the editor would make something else.
  const mixed = (el) => [...el.children].some((c) => blocks.has(c.tagName)) &&
    [...el.childNodes].some((c) => (c.nodeType === Node.TEXT_NODE && c.data.trim()) || inlines.has(c.nodeName));
  const simple = (el) => el.nodeType === Node.ELEMENT_NODE && blocks.has(el.tagName) && [el, ...el.querySelectorAll("*")].every((n) =>
    (blocks.has(n.tagName) || inlines.has(n.tagName)) && !n.hasAttribute("style") && (n.tagName === "LI" || !mixed(n)) && ![...n.childNodes].some((c) => c.nodeType === Node.COMMENT_NODE));

  const inner = (html) => { // what an island shows
    const box = document.createDocumentFragment();
    const shown = document.createElement("div");
    shown.append(harmless(html));
    if (!shown.textContent.trim() && !shown.querySelector("img,video,audio,hr,table")) shown.textContent = say("kept");
    const acts = document.createElement("span");
    acts.className = "island-acts";
    for (const [act, words] of [["edit", say("edit")], ["remove", say("remove")]]) {
      const b = document.createElement("button");
      b.type = "button"; b.className = "slim"; b.dataset.island = act; b.textContent = words;
      acts.append(b);
    }
    box.append(shown, acts);
    return box;
  };

  const toEditor = (html) => {
    const doc = parse(html);
    islands.length = 0;
    for (const node of [...doc.childNodes]) {
      if (node.nodeType === Node.TEXT_NODE && !node.data.trim()) { node.remove(); continue; }
      if (node.nodeType === Node.TEXT_NODE || simple(node) || inlines.has(node.nodeName)) continue;
      const at = document.createElement("div");
      at.dataset.island = String(islands.push(print(node)) - 1);
      node.replaceWith(at);
    }
    doc.querySelectorAll(marks).forEach((el) => { el.dataset.was = el.localName; });
    return print(doc);
  };

  const fillIslands = () => rich.querySelectorAll("div[data-island]").forEach((at) => {
    at.contentEditable = "false"; at.className = "island";
    at.replaceChildren(inner(islands[at.dataset.island] ?? ""));
  });

  const rename = (el, tag) => {
    const to = document.createElement(tag);
    for (const a of el.attributes) if (a.name !== "data-was") to.setAttribute(a.name, a.value);
    to.append(...el.childNodes);
    el.replaceWith(to);
  };

  const fromEditor = () => {
    const doc = parse(squire.getHTML());
    const kept = [];
    doc.querySelectorAll("div[data-island]").forEach((el) => { const c = document.createComment("island"); kept.push([c, islands[el.dataset.island] ?? ""]); el.replaceWith(c); });
    doc.querySelectorAll(marks).forEach((el) => rename(el, el.dataset.was || { b: "strong", i: "em", u: "u" }[el.localName] || el.localName));
    doc.querySelectorAll("p,h1,h2,h3,h4,h5,h6,li,blockquote").forEach((el) => { if (el.lastChild?.nodeName === "BR") el.lastChild.remove(); });
    const out = [];
    for (const node of doc.childNodes) {
      const island = kept.find(([c]) => c === node);
      if (island) out.push(island[1]);
      else if (node.nodeName !== "P" || node.textContent.replace(/\u200b/g, "").trim() || node.querySelector("img,br")) out.push(print(node));
    }
    return out.join("\n");
  };

  // normal is HTML without what no reader sees, to tell whether the editor has kept all of it.
  const normal = (html) => {
    const walk = (node, pre) => [...node.childNodes].map((n, i, all) => {
      if (n.nodeType === Node.TEXT_NODE) {
        if (pre) return n.data;
        const edge = (o) => !o || o.nodeName === "BR" || (o.nodeType !== Node.TEXT_NODE && !inlines.has(o.nodeName));
        let text = n.data.replace(/[ \t\r\n]+/g, " ");
        if (edge(all[i - 1]) && (!all[i - 1] ? !inlines.has(node.nodeName) : true)) text = text.trimStart();
        if (edge(all[i + 1]) && (!all[i + 1] ? !inlines.has(node.nodeName) : true)) text = text.trimEnd();
        return text;
      }
      if (n.nodeType === Node.COMMENT_NODE) return "<!--" + n.data + "-->";
      if (n.nodeName === "BR" && i === all.length - 1 && blocks.has(node.nodeName)) return "";
      const within = walk(n, pre || n.nodeName === "PRE");
      if (n.nodeName === "P" && !within) return "";
      return "<" + n.localName + [...n.attributes].map((a) => " " + a.name + "=" + JSON.stringify(a.value)).sort().join("") + ">" + within + "</" + n.localName + ">";
    }).join("");
    return walk(parse(html), false);
  };

  const start = () => {
    squire ??= (() => {
      const s = new window.Squire(rich, { blockTag: "P", addLinks: true, sanitizeToDOMFragment: harmless, didError: () => {}, undo: { undoLimit: 200 } });
      s._imageResizer?.destroy?.();
      s.addEventListener("input", () => { if (mode === "rich") typed(); });
      s.addEventListener("pathChange", showPath);
      return s;
    })();
    return squire;
  };

  const fill = (html) => { start().setHTML(toEditor(html)); fillIslands(); };

  rich.addEventListener("click", (e) => {
    const act = e.target.dataset?.island;
    if (act === "remove") { e.target.closest("div[data-island]").remove(); typed(); }
    if (act === "edit") choose("html");
    if (e.target.closest("a") && !e.ctrlKey && !e.metaKey) e.preventDefault();
  });

  // ---- How the text is written: rich, Markdown or HTML -----------------------------------------------------------------

  let mode = "", touched = false;
  const sync = () => {
    if (mode !== "rich" || !touched) return;
    touched = false;
    const html = fromEditor();
    if (normal(html) !== normal(body.value)) body.value = html; // the editor also stirs when it is only filled
  };
  const typed = () => { touched = true; clearTimeout(typed.timer); typed.timer = setTimeout(() => { sync(); changed(); }, 400); };

  const post = async (url, data) => {
    const res = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" }, credentials: "same-origin" });
    const type = res.headers.get("Content-Type") || "";
    const answer = type.includes("json") ? await res.json() : {};
    if (!res.ok || res.redirected) throw Object.assign(new Error(answer.message || res.statusText), { status: res.redirected ? 401 : res.status, answer });
    return answer;
  };
  const asForm = (values) => { const f = new FormData(); Object.entries(values).forEach(([k, v]) => f.append(k, v)); return f; };

  const show = (to, force) => {
    if (to === "rich" && !force) {
      fill(body.value);
      if (normal(fromEditor()) !== normal(body.value)) { $("cant-hold").hidden = false; to = "html"; } else $("cant-hold").hidden = true;
    } else if (to === "rich") { fill(body.value); $("cant-hold").hidden = true; } else if (to === "markdown") $("cant-hold").hidden = true;
    mode = to; touched = false;
    format.value = to === "markdown" ? "markdown" : "html";
    rich.hidden = to !== "rich";
    body.hidden = to === "rich";
    body.classList.toggle("mono", to !== "rich");
    live.hidden = to === "rich";
    $("panes").classList.toggle("both", to !== "rich");
    $("toolbar").hidden = to === "html";
    $("modes").querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mode === to)));
    if (to !== "rich") preview();
  };

  const choose = async (to, force) => {
    sync();
    if (to === mode && !force) return;
    if (mode === "markdown" && body.value.trim()) {
      if (!confirm(say("convert"))) return;
      try { body.value = (await post("/desk/writing/render/", asForm({ format: "markdown", body: body.value }))).html; } catch (e) { state.textContent = say("refused", e.message); return; }
    }
    show(to, force);
    changed();
    (mode === "rich" ? rich : body).focus();
  };

  let asked = 0;
  const preview = () => {
    clearTimeout(preview.timer);
    preview.timer = setTimeout(async () => {
      const n = ++asked;
      try {
        const made = await post("/desk/writing/render/", asForm({ format: format.value, body: body.value }));
        if (n !== asked) return;
        live.replaceChildren(harmless(made.html));
        $("words").textContent = say("words", made.words);
      } catch (e) { if (e.status === 422) live.textContent = e.message; }
    }, 350);
  };

  // ---- The toolbar ------------------------------------------------------------------------------------------------------

  const insertText = (text) => { body.focus(); if (!document.execCommand("insertText", false, text)) { body.setRangeText(text, body.selectionStart, body.selectionEnd, "end"); body.dispatchEvent(new Event("input", { bubbles: true })); } };
  const selected = () => body.value.slice(body.selectionStart, body.selectionEnd);
  const wrap = (sign) => {
    const text = selected(), at = body.selectionStart;
    insertText(sign + text + sign);
    body.setSelectionRange(at + sign.length, at + sign.length + text.length);
  };
  const eachLine = (change) => {
    const from = body.value.lastIndexOf("\n", body.selectionStart - 1) + 1;
    let to = body.value.indexOf("\n", body.selectionEnd);
    if (to < 0) to = body.value.length;
    body.setSelectionRange(from, to);
    insertText(selected().split("\n").map(change).join("\n"));
  };
  const table = "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table>";

  const markdown = {
    bold: () => wrap("**"), italic: () => wrap("_"), strike: () => wrap("~~"), code: () => wrap("`"),
    ul: () => eachLine((l) => "- " + l), ol: () => eachLine((l, i) => i + 1 + ". " + l),
    table: () => insertText("\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n"),
    undo: () => { body.focus(); document.execCommand("undo"); }, redo: () => { body.focus(); document.execCommand("redo"); },
    block: (tag) => eachLine((l) => ({ h2: "## ", h3: "### ", h4: "#### ", blockquote: "> ", pre: "    " }[tag] || "") + l.replace(/^(#{1,6}|>) /, "")),
    link: (url) => { if (url) insertText(`[${selected() || url}](${url})`); },
  };
  const toggle = (tag, on, off) => (squire.hasFormat(tag) ? off.call(squire) : on.call(squire));
  const richly = {
    bold: () => toggle("B", squire.bold, squire.removeBold), italic: () => toggle("I", squire.italic, squire.removeItalic),
    strike: () => toggle("S", squire.strikethrough, squire.removeStrikethrough), code: () => squire.toggleCode(),
    ul: () => toggle("UL", squire.makeUnorderedList, squire.removeList), ol: () => toggle("OL", squire.makeOrderedList, squire.removeList),
    undo: () => squire.undo(), redo: () => squire.redo(),
    table: () => insertIsland(table),
    block: (tag) => {
      while (squire.hasFormat("BLOCKQUOTE")) squire.decreaseQuoteLevel();
      if (tag === "blockquote") return squire.increaseQuoteLevel();
      squire.modifyBlocks((frag) => {
        const out = document.createDocumentFragment();
        for (const node of [...frag.childNodes]) {
          if (!/^(P|H[1-6]|PRE|DIV)$/.test(node.nodeName) || node.dataset?.island) { out.append(node); continue; }
          const el = document.createElement(tag);
          el.append(...node.childNodes);
          out.append(el);
        }
        return out;
      });
    },
    link: (url) => { if (url) squire.makeLink(url); else squire.removeLink(); },
  };
  const insertIsland = (html) => {
    const at = document.createElement("div");
    at.dataset.island = String(islands.push(html) - 1);
    squire.focus();
    squire.insertElement(at);
    fillIslands();
    typed();
  };
  const tools = () => (mode === "rich" ? richly : markdown);

  const showPath = () => {
    const tags = { bold: "B", italic: "I", strike: "S", code: "CODE" };
    $("toolbar").querySelectorAll("[aria-pressed]").forEach((b) => b.setAttribute("aria-pressed", String(mode === "rich" && squire.hasFormat(tags[b.dataset.do]))));
    const path = squire.getPath();
    $("block").value = /BLOCKQUOTE/.test(path) ? "blockquote" : (path.match(/\b(H[234]|PRE)\b/)?.[1] || "P").toLowerCase();
  };

  const linkBox = $("link");
  const askLink = () => { $("link-url").value = mode === "rich" ? squire.getSelection().startContainer.parentElement?.closest("a")?.getAttribute("href") || "" : ""; linkBox.returnValue = ""; linkBox.showModal(); };
  linkBox.addEventListener("close", () => {
    let url = $("link-url").value.trim();
    if (/^(javascript|vbscript|data):/i.test(url)) url = "";
    if (url && !/^([a-z]+:|\/|#)/i.test(url)) url = "https://" + url;
    if (linkBox.returnValue === "set" && url) tools().link(url);
    if (linkBox.returnValue === "drop") tools().link("");
  });

  const act = (name) => {
    if (name === "link") askLink();
    else if (name === "image") pick((p) => insertPicture(p));
    else tools()[name]?.();
  };
  $("toolbar").addEventListener("mousedown", (e) => { if (e.target.closest("button")) e.preventDefault(); });
  $("toolbar").addEventListener("click", (e) => { const b = e.target.closest("button"); if (b) act(b.dataset.do); });
  $("block").addEventListener("change", () => { tools().block($("block").value); (mode === "rich" ? rich : body).focus(); });
  $("modes").addEventListener("click", (e) => { const b = e.target.closest("button"); if (b) choose(b.dataset.mode); });
  $("hold-anyway").addEventListener("click", () => choose("rich", true));
  addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return;
    const key = e.key.toLowerCase();
    if (key === "s") { e.preventDefault(); form.querySelector("[value=save]").click(); }
    if (e.target !== body && !rich.contains(e.target)) return;
    if (key === "k") { e.preventDefault(); e.stopPropagation(); askLink(); }
    if (e.target === body && mode === "markdown" && (key === "b" || key === "i")) { e.preventDefault(); markdown[key === "b" ? "bold" : "italic"](); }
  }, true);

  // ---- Pictures -----------------------------------------------------------------------------------------------------------

  const insertPicture = (p) => {
    const img = document.createElement("img");
    img.setAttribute("src", p.url); img.setAttribute("alt", p.alt || "");
    if (p.width && p.height) { img.setAttribute("width", p.width); img.setAttribute("height", p.height); }
    if (mode === "rich") { squire.focus(); squire.insertHTML("<p>" + img.outerHTML + "</p>"); typed(); } else if (mode === "html") insertText(img.outerHTML); else insertText(`![${(p.alt || "").replace(/[[\]]/g, "")}](${p.url})`);
  };
  const upload = async (file) => {
    const data = new FormData();
    data.append("file", file, file.name || "picture.png");
    const [one] = await post("/desk/media/upload/", data).catch((e) => { throw e.answer?.[0]?.error ? Object.assign(e, { message: e.answer[0].error }) : e; });
    return one;
  };
  const uploadAll = async (files, use, where) => {
    for (const file of files) {
      where.textContent = say("uploading", file.name);
      try { use(await upload(file)); where.textContent = ""; } catch (e) { where.textContent = e.status === 401 ? "" : say("toolarge", e.message); if (e.status === 401) signedOut(); }
    }
  };
  const picturesOf = (data) => [...(data?.files || [])].filter((f) => f.type.startsWith("image/"));
  for (const kind of ["paste", "drop"]) $("panes").addEventListener(kind, (e) => {
    const files = picturesOf(e.clipboardData || e.dataTransfer);
    if (!files.length) return;
    e.preventDefault(); e.stopImmediatePropagation();
    uploadAll(files, insertPicture, state);
  }, true);
  $("panes").addEventListener("dragover", (e) => { if ([...e.dataTransfer.types].includes("Files")) e.preventDefault(); });

  // The picker is a fragment of the media library.
  const box = $("pick"), list = $("pick-list");
  let use;
  const pick = (then) => { use = then; box.showModal(); find("/desk/media/pick/?q=" + encodeURIComponent($("pick-q").value)); };
  const find = async (url) => {
    try {
      const res = await fetch(url, { headers: { "HX-Request": "true" } });
      if (res.status === 401) { box.close(); signedOut(); return; }
      list.replaceChildren(document.createRange().createContextualFragment(await res.text()));
    } catch { $("pick-state").textContent = say("offline"); }
  };
  list.addEventListener("click", (e) => {
    const b = e.target.closest("button");
    if (b?.dataset.page) find(b.dataset.page);
    else if (b?.classList.contains("pick")) { box.close(); use({ ...b.dataset, thumb: b.querySelector("img")?.src }); }
  });
  $("pick-q").addEventListener("input", () => { clearTimeout(find.timer); find.timer = setTimeout(() => find("/desk/media/pick/?q=" + encodeURIComponent($("pick-q").value)), 250); });
  $("pick-q").addEventListener("keydown", (e) => { if (e.key === "Enter") e.preventDefault(); });
  $("pick-file").addEventListener("change", (e) => { uploadAll([...e.target.files], (p) => { box.close(); use(p); }, $("pick-state")); e.target.value = ""; });

  const setCover = (p) => {
    const choice = field("cover");
    if (p && ![...choice.options].some((o) => o.value === p.id)) choice.append(new Option(p.alt || p.id, p.id));
    choice.value = p?.id || "";
    for (const img of [$("cover-image"), $("social-image")]) { img.hidden = !p; if (p) img.src = p.thumb || p.url; }
    $("cover-none").hidden = !p;
    changed();
  };
  $("cover-choice").hidden = true;
  $("cover-acts").hidden = false;
  $("cover-pick").addEventListener("click", () => pick(setCover));
  $("cover-none").addEventListener("click", () => setCover(null));

  // ---- Tags ---------------------------------------------------------------------------------------------------------------

  const typedTags = $("f-new-tags");
  const addTags = () => {
    for (const raw of typedTags.value.split(",")) {
      const name = raw.trim().replace(/\s+/g, " ");
      if (!name) continue;
      const known = [...$("tag-names").options].find((o) => o.value.toLowerCase() === name.toLowerCase());
      const value = known ? known.dataset.id : "new:" + name;
      const there = [...$("tags").querySelectorAll("input")].find((i) => i.value.toLowerCase() === value.toLowerCase());
      if (there) { there.checked = true; continue; }
      const li = document.createElement("li"), label = document.createElement("label"), input = document.createElement("input");
      li.className = "chip";
      Object.assign(input, { type: "checkbox", name: "tags", value, checked: true });
      label.append(input, " " + (known ? known.value : name));
      li.append(label);
      $("tags").append(li);
    }
    typedTags.value = "";
    changed();
  };
  typedTags?.addEventListener("keydown", (e) => { if ((e.key === "Enter" || e.key === ",") && typedTags.value.trim()) { e.preventDefault(); addTags(); } else if (e.key === "Enter") e.preventDefault(); });
  typedTags?.addEventListener("change", addTags);

  // ---- What a search engine and a shared link show --------------------------------------------------------------------------

  const seo = () => {
    const title = field("seo_title").value || field("title").value, text = field("seo_description").value || field("excerpt").value;
    for (const id of ["result-title", "social-title"]) $(id).textContent = title;
    for (const id of ["result-text", "social-text"]) $(id).textContent = text;
  };

  // ---- Nothing typed is lost -------------------------------------------------------------------------------------------------

  const every = Number(form.dataset.every) || 10000;
  const texts = () => ({ title: field("title").value, excerpt: field("excerpt").value, body: body.value, format: format.value });
  const snapshot = () => { sync(); const f = new FormData(form); f.delete("base"); return JSON.stringify([...f]); };
  let key = () => "desk-text:" + form.dataset.person + ":" + new URL(form.action).pathname;
  let saved = "", busy = false, ready = false;

  const keep = () => { try { localStorage.setItem(key(), JSON.stringify({ ...texts(), at: Date.now() })); } catch { /* the browser keeps nothing: then the server alone does */ } };
  const drop = () => { try { localStorage.removeItem(key()); } catch { /* as above */ } };
  const changed = () => { if (!ready) return; seo(); if (mode !== "rich") preview(); clearTimeout(changed.timer); changed.timer = setTimeout(keep, 300); };
  const signedOut = () => { keep(); $("signed-out").hidden = false; state.textContent = ""; };

  const autosave = async () => {
    const now = snapshot();
    if (busy || now === saved || form.dataset.sent) return;
    busy = true;
    state.textContent = say("saving");
    try {
      const data = new FormData(form);
      if ("new" in form.dataset) {
        const was = key();
        const made = await post(form.dataset.root + "new/", data);
        form.action = made.href; field("base").value = made.base;
        delete form.dataset.new;
        try { localStorage.removeItem(was); } catch { /* as above */ }
        history.replaceState(null, "", made.href);
      } else {
        const answer = await post(new URL(form.action).pathname + "autosave/", data);
        if (answer.stale) { $("stale").querySelector("a").href = answer.conflict; $("stale").hidden = false; }
      }
      saved = now;
      $("signed-out").hidden = true;
      if (snapshot() === now) drop();
      state.textContent = say("saved", new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    } catch (e) {
      keep();
      if (e.status === 401) signedOut(); else state.textContent = e.status ? say("refused", e.message) : say("offline");
    }
    busy = false;
  };

  const offer = () => {
    let kept;
    try { kept = JSON.parse(localStorage.getItem(key())); } catch { /* nothing readable is kept */ }
    if (!kept || ["title", "excerpt", "body"].every((n) => (kept[n] || "") === texts()[n])) { drop(); return; }
    const found = $("found");
    found.querySelector("span").textContent = found.querySelector("span").textContent.replace("…", new Date(kept.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));
    found.hidden = false;
    $("found-take").addEventListener("click", () => {
      field("title").value = kept.title; field("excerpt").value = kept.excerpt; body.value = kept.body;
      show(kept.format === "markdown" ? "markdown" : "rich");
      found.hidden = true;
      changed();
    });
    $("found-drop").addEventListener("click", () => { drop(); found.hidden = true; });
  };

  form.addEventListener("input", (e) => { if (!rich.contains(e.target)) changed(); });
  form.addEventListener("change", changed);
  form.addEventListener("submit", (e) => {
    if (busy && "new" in form.dataset) { // the first save makes the text: a second one must not make another
      e.preventDefault();
      const wait = setInterval(() => { if (!busy) { clearInterval(wait); form.requestSubmit(e.submitter); } }, 50);
      return;
    }
    sync();
    if (typedTags?.value.trim()) addTags();
    if (snapshot() !== saved) keep();
    if (e.submitter?.formTarget === "_blank") { saved = snapshot(); setTimeout(() => { delete form.dataset.sent; form.removeAttribute("aria-busy"); }); }
  }, true);

  format.hidden = true;
  $("modes").hidden = false;
  show(format.value === "markdown" ? "markdown" : "rich");
  saved = snapshot();
  ready = true;
  seo();
  offer();
  setInterval(autosave, every);
  addEventListener("online", autosave);
  document.addEventListener("visibilitychange", () => { if (document.hidden) autosave(); });
})();
